package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// madeAnew says that a topic which the client knew is gone, or that another one of the same name stands in its place. franz-go keeps
// to the topic it knew and fails for ever, so a client of its own is needed for the new one.
func madeAnew(err error) bool {
	return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition)
}

// renewable is a client that can be built anew with the same options. Safe for concurrent use.
type renewable struct {
	brokers []string
	opts    []kgo.Opt

	mu     sync.Mutex // guards client and closed
	client *kgo.Client
	closed bool
}

func newRenewable(brokers []string, opts ...kgo.Opt) (*renewable, error) {
	r := &renewable{brokers: brokers, opts: append(opts, kgo.SeedBrokers(brokers...))}
	var err error
	r.client, err = kgo.NewClient(r.opts...)
	return r, err
}

func (r *renewable) get() *kgo.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.client
}

// renew puts a new client in the place of old, unless somebody else did or the owner closed it, and creates the topics of the table
// that are missing. What is under way in the old client fails with kgo.ErrClientClosed.
func (r *renewable) renew(ctx context.Context, old *kgo.Client) error {
	if err := r.replace(old); err != nil {
		return fmt.Errorf("open a new Kafka client: %w", err)
	}
	return createTopics(ctx, r.get(), replicas(r.brokers))
}

func (r *renewable) replace(old *kgo.Client) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.client != old {
		return nil
	}
	old.CloseAllowingRebalance()
	r.client, err = kgo.NewClient(r.opts...)
	return err
}

func (r *renewable) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.client.CloseAllowingRebalance()
}
