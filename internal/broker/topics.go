package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kreislauf/internal/event"
)

// replicas is how many copies a new topic gets: three where there are brokers for them.
func replicas(brokers []string) int16 {
	if len(brokers) >= 3 {
		return 3
	}
	return 1
}

// EnsureTopics creates the missing topics of the table; existing ones stay as they are. All services may do so at once.
func EnsureTopics(ctx context.Context, brokers []string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RetryBackoffFn(backoff))
	if err != nil {
		return fmt.Errorf("open Kafka client: %w", err)
	}
	defer c.Close()
	return createTopics(ctx, c, replicas(brokers))
}

// AlignTopics makes the topics of a broker equal to the table: missing ones are created, existing ones get its retention, and more
// partitions where it has more. It is for the one broker at addr that the platform runs itself, which is dialled whatever it tells its
// clients; a Kafka that others run is theirs to tune.
func AlignTopics(ctx context.Context, addr string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RetryBackoffFn(backoff), kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}))
	if err != nil {
		return fmt.Errorf("open Kafka client: %w", err)
	}
	defer c.Close()
	if err := createTopics(ctx, c, 1); err != nil {
		return err
	}
	if err := addPartitions(ctx, c); err != nil {
		return err
	}
	return setConfigs(ctx, c)
}

func createTopics(ctx context.Context, c *kgo.Client, replicas int16) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 10_000
	for _, t := range event.Topics() {
		rt := kmsg.NewCreateTopicsRequestTopic()
		rt.Topic, rt.NumPartitions, rt.ReplicationFactor = t.Name, t.Keep.Partitions, replicas
		config := t.Keep.Config()
		for _, name := range slices.Sorted(maps.Keys(config)) {
			rt.Configs = append(rt.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: name, Value: kmsg.StringPtr(config[name])})
		}
		req.Topics = append(req.Topics, rt)
	}
	res, err := req.RequestWith(ctx, c)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, t := range res.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", t.Topic, err)
		}
	}
	return nil
}

func addPartitions(ctx context.Context, c *kgo.Client) error {
	ask := kmsg.NewPtrMetadataRequest()
	want := map[string]int32{}
	for _, t := range event.Topics() {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(t.Name)
		ask.Topics = append(ask.Topics, rt)
		want[t.Name] = t.Keep.Partitions
	}
	have, err := ask.RequestWith(ctx, c)
	if err != nil {
		return fmt.Errorf("read topics: %w", err)
	}
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	for _, t := range have.Topics {
		if t.Topic != nil && t.ErrorCode == 0 && len(t.Partitions) < int(want[*t.Topic]) {
			rt := kmsg.NewCreatePartitionsRequestTopic()
			rt.Topic, rt.Count = *t.Topic, want[*t.Topic]
			req.Topics = append(req.Topics, rt)
		}
	}
	if len(req.Topics) == 0 {
		return nil
	}
	res, err := req.RequestWith(ctx, c)
	if err != nil {
		return fmt.Errorf("add partitions: %w", err)
	}
	for _, t := range res.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return fmt.Errorf("add partitions to %s: %w", t.Topic, err)
		}
	}
	return nil
}

func setConfigs(ctx context.Context, c *kgo.Client) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, t := range event.Topics() {
		rr := kmsg.NewIncrementalAlterConfigsRequestResource()
		rr.ResourceType, rr.ResourceName = kmsg.ConfigResourceTypeTopic, t.Name
		config := t.Keep.Config()
		for _, name := range slices.Sorted(maps.Keys(config)) {
			rr.Configs = append(rr.Configs, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Op: kmsg.IncrementalAlterConfigOpSet, Value: kmsg.StringPtr(config[name])})
		}
		req.Resources = append(req.Resources, rr)
	}
	res, err := req.RequestWith(ctx, c)
	if err != nil {
		return fmt.Errorf("set retention: %w", err)
	}
	for _, r := range res.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return fmt.Errorf("set retention of %s: %w", r.ResourceName, err)
		}
	}
	return nil
}
