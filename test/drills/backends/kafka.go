package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kreislauf/test/child"
)

const drillTopic = "kreislauf-drill"

// kafkad is a server process with a topic of four partitions, and a producer.
type kafkad struct {
	*child.Process
	client *kgo.Client
}

func startKafkad(ctx context.Context, e *env) (*kafkad, error) {
	p, err := child.Backend(e.bin, "kafkad", e.path("kafkad"))
	if err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	k := &kafkad{Process: p}
	if k.client, err = kgo.NewClient(kgo.SeedBrokers(k.Addr), kgo.DefaultProduceTopic(drillTopic), kgo.ProducerLinger(0)); err != nil {
		return nil, err
	}
	if err := createTopic(ctx, k.client, drillTopic); err != nil {
		k.client.Close()
		return nil, err
	}
	return k, nil
}

func createTopic(ctx context.Context, client *kgo.Client, name string) error {
	create := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 4, 1
	create.Topics = append(create.Topics, topic)
	answer, err := create.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(answer.Topics[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	return nil
}

// killKafkad lets idempotent producers go on over all kills, as services do. A record whose acknowledgement the kill swallowed is sent
// again by the driver, with the same sequence number, and must not be there twice; the drill itself sends no record again.
func killKafkad(ctx context.Context, e *env) (string, error) {
	k, err := startKafkad(ctx, e)
	if err != nil {
		return "", err
	}
	defer k.client.Close()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var count atomic.Int64
	var lists [writers][]string
	var errs [writers]error
	for w := range writers {
		wg.Go(func() {
			for i := 0; errs[w] == nil; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("%d-%d", w, i)
				if errs[w] = k.client.ProduceSync(ctx, &kgo.Record{Key: fmt.Append(nil, w), Value: []byte(id + "|" + pad)}).FirstErr(); errs[w] == nil {
					lists[w] = append(lists[w], id)
					count.Add(1)
				}
			}
		})
	}
	for round := range e.rounds {
		target := count.Load() + 300
		for count.Load() < target && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if err = k.Stop(syscall.SIGKILL); err == nil {
			err = k.Start(ctx)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			err = fmt.Errorf("round %d, %d records acknowledged: %w", round, count.Load(), err)
			break
		}
	}
	close(stop)
	wg.Wait()
	if err := errors.Join(append(errs[:], err)...); err != nil {
		return "", err
	}
	acked := map[string]bool{}
	for _, l := range lists {
		for _, id := range l {
			acked[id] = true
		}
	}
	if err := k.check(ctx, acked); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d kills, %d records acknowledged, 0 lost, 0 torn, 0 there twice, order kept per key", e.rounds, len(acked)), k.Stop(syscall.SIGKILL)
}

// check reads the topic from its start to the end that it has now: no acknowledged record is missing, none is torn, none there twice.
func (k *kafkad) check(ctx context.Context, acked map[string]bool) (err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr), kgo.ConsumeTopics(drillTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	left, err := ends(ctx, client)
	if err != nil {
		return err
	}
	repeated, seen, last := 0, map[string]bool{}, map[string]int{}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset >= left[r.Partition]-1 {
				delete(left, r.Partition)
			}
			id, rest, _ := strings.Cut(string(r.Value), "|")
			var w, i int
			if _, serr := fmt.Sscanf(id, "%d-%d", &w, &i); serr != nil || rest != pad || string(r.Key) != fmt.Sprint(w) {
				err = errors.Join(err, fmt.Errorf("torn record %q", r.Value))
			}
			if seen[id] {
				repeated++
				return
			}
			seen[id] = true
			if at, ok := last[string(r.Key)]; ok && i < at {
				err = errors.Join(err, fmt.Errorf("%s comes after number %d", id, at))
			}
			last[string(r.Key)] = i
		})
	}
	lost := 0
	for id := range acked {
		if !seen[id] {
			lost++
		}
	}
	if lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d acknowledged records lost", lost, len(acked)))
	}
	if repeated > 0 {
		err = errors.Join(err, fmt.Errorf("%d records are there twice", repeated))
	}
	return err
}

// ends returns the offset behind the last record of each partition that has any.
func ends(ctx context.Context, client *kgo.Client) (map[int32]int64, error) {
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = drillTopic
	for p := range int32(4) {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = p, -1
		topic.Partitions = append(topic.Partitions, partition)
	}
	request.Topics = append(request.Topics, topic)
	left := map[int32]int64{}
	for _, shard := range client.RequestSharded(ctx, request) {
		if shard.Err != nil {
			return nil, fmt.Errorf("list offsets: %w", shard.Err)
		}
		for _, p := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("list offsets: %w", err)
			}
			if p.Offset > 0 {
				left[p.Partition] = p.Offset
			}
		}
	}
	return left, nil
}
