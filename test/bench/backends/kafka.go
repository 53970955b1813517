package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const benchTopic = "kreislauf-bench"

func benchKafka(ctx context.Context, s settings, dir string) error {
	server, err := launch(ctx, s.bin, "kafkad", dir)
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop(syscall.SIGKILL) }()
	produced, consumed, err := measureKafka(ctx, []string{server.Addr}, s.kafka)
	if err != nil {
		return err
	}
	resident, _, err := server.Memory()
	if err != nil {
		return err
	}
	var realProduced, realConsumed float64
	if brokers := os.Getenv("BENCH_KAFKA_BROKERS"); brokers != "" {
		if realProduced, realConsumed, err = measureKafka(ctx, strings.Split(brokers, ","), s.kafka); err != nil {
			return fmt.Errorf("the real one: %w", err)
		}
	}
	for _, r := range []struct {
		name      string
		own, real float64
	}{{"produce", produced, realProduced}, {"consume", consumed, realConsumed}} {
		compared := ""
		if r.real > 0 {
			compared = fmt.Sprintf("Kafka %.0f/s, ratio %.2f", r.real, r.real/r.own)
		}
		row(fmt.Sprintf("kafkad: %s, %d records of 1 KB", r.name, s.kafka), fmt.Sprintf("%.0f/s", r.own), compared, "", true)
	}
	row("kafkad: memory after that", fmt.Sprintf("%.0f MB", resident), "", "", true)
	return nil
}

// measureKafka produces and consumes n records, each with other random bytes, over four partitions.
func measureKafka(ctx context.Context, brokers []string, n int) (produced, consumed float64, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(benchTopic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()),
		kgo.MaxBufferedRecords(20_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	if err := recreate(ctx, client); err != nil {
		return 0, 0, err
	}
	noise := make([]byte, 1<<20)
	rand.Read(noise)
	var once sync.Once
	var failed error
	began := time.Now()
	for i := range n {
		at := i * 1009 % (len(noise) - 1000)
		client.Produce(ctx, &kgo.Record{Value: noise[at : at+1000]}, func(_ *kgo.Record, err error) {
			if err != nil {
				once.Do(func() { failed = err })
			}
		})
	}
	if err := errors.Join(client.Flush(ctx), failed); err != nil {
		return 0, 0, fmt.Errorf("produce: %w", err)
	}
	produced = float64(n) / time.Since(began).Seconds()
	consumer, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(benchTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, 0, err
	}
	defer consumer.Close()
	began = time.Now()
	for seen := 0; seen < n; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return 0, 0, fmt.Errorf("consume: %w", err)
		}
		seen += fetches.NumRecords()
	}
	return produced, float64(n) / time.Since(began).Seconds(), nil
}

// recreate makes the topic anew, so that a second run does not read the records of the first.
func recreate(ctx context.Context, client *kgo.Client) error {
	remove := kmsg.NewPtrDeleteTopicsRequest()
	name := benchTopic
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	remove.TopicNames, remove.Topics = []string{name}, []kmsg.DeleteTopicsRequestTopic{topic}
	if _, err := remove.RequestWith(ctx, client); err != nil {
		return fmt.Errorf("delete topic: %w", err)
	}
	create := kmsg.NewPtrCreateTopicsRequest()
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = benchTopic, 4, 1
	create.Topics = append(create.Topics, wanted)
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		answer, err := create.RequestWith(ctx, client)
		if err != nil {
			return fmt.Errorf("create topic: %w", err)
		}
		if code := answer.Topics[0].ErrorCode; code == 0 {
			return nil
		} else if time.Now().After(deadline) { // the deletion takes a moment on a real broker
			return fmt.Errorf("create topic: error code %d", code)
		}
	}
}
