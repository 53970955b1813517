package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// impatient is a producer that tells of a refusal at once instead of trying again.
func (k *kafkad) impatient() (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(k.Addr), kgo.DefaultProduceTopic(drillTopic), kgo.ProducerLinger(0), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0))
}

// numbered writes records that check knows, and keeps those that were acknowledged.
type numbered struct {
	n     int
	acked map[string]bool
}

func (r *numbered) write(ctx context.Context, client *kgo.Client) error {
	id := fmt.Sprintf("0-%d", r.n)
	r.n++
	err := client.ProduceSync(ctx, &kgo.Record{Key: []byte("0"), Value: []byte(id + "|" + pad)}).FirstErr()
	if err == nil {
		r.acked[id] = true
	}
	return err
}

// diskFullKafkad fills a small disk, looks at what still works, makes space, and goes on without a restart.
func diskFullKafkad(ctx context.Context, e *env) (string, error) {
	grow, unmount, err := smallDisk(e.path("kafkad"), 16)
	if err != nil {
		return "", err
	}
	defer unmount()
	k, err := startKafkad(ctx, e)
	if err != nil {
		return "", err
	}
	defer k.client.Close()
	if err := createTopic(ctx, k.client, "ballast"); err != nil {
		return "", err
	}
	client, err := k.impatient()
	if err != nil {
		return "", err
	}
	defer client.Close()
	records := numbered{acked: map[string]bool{}}
	for err == nil && ctx.Err() == nil {
		if err = client.ProduceSync(ctx, &kgo.Record{Topic: "ballast", Value: make([]byte, 64<<10)}).FirstErr(); err == nil {
			err = records.write(ctx, client)
		}
	}
	const refused = 20
	for n := 0; n < refused; { // a small record may still find room
		if err = records.write(ctx, client); errors.Is(err, kerr.KafkaStorageError) {
			n++
		} else if err != nil {
			return "", fmt.Errorf("a full disk is answered with: %w", err)
		}
	}
	clear := err
	if err := k.check(ctx, records.acked); err != nil {
		return "", fmt.Errorf("reads on a full disk: %w", err)
	}
	waiting := make(chan error, 1) // a service's producer waits for space
	go func() {
		waiting <- k.client.ProduceSync(ctx, &kgo.Record{Topic: "ballast", Value: []byte("waited")}).FirstErr()
	}()
	if err := grow(); err != nil {
		return "", fmt.Errorf("make space: %w", err)
	}
	for range 200 {
		if err := records.write(ctx, client); err != nil {
			return "", fmt.Errorf("with space again: %w", err)
		}
	}
	if err := <-waiting; err != nil {
		return "", fmt.Errorf("a producer that waited: %w", err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		if err := errors.Join(k.check(ctx, records.acked), k.Stop(sig), k.Start(ctx)); err != nil {
			return "", err
		}
	}
	if err := k.check(ctx, records.acked); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d records refused (%v), reads went on, %d records kept, it recovered without a restart", refused, clear, len(records.acked)), k.Stop(syscall.SIGTERM)
}

// sizeLimitKafkad lets writes fail though the disk has room: kafkad must end with a line that says why, and go on where it was when started anew.
func sizeLimitKafkad(ctx context.Context, e *env) (string, error) {
	k, err := startKafkad(ctx, e)
	if err != nil {
		return "", err
	}
	defer k.client.Close()
	if err := limitFiles(k.PID(), 1<<20); err != nil {
		return "", err
	}
	client, err := k.impatient()
	if err != nil {
		return "", err
	}
	defer client.Close()
	records := numbered{acked: map[string]bool{}}
	for err == nil && ctx.Err() == nil {
		err = records.write(ctx, client)
	}
	if ended := k.Stop(syscall.Signal(0)); ended == nil { // waits
		return "", errors.New("it ended as if nothing had happened")
	}
	log, rerr := os.ReadFile(k.Log)
	if rerr != nil {
		return "", rerr
	}
	if !bytes.Contains(log, []byte("write to the disk: ")) || !bytes.Contains(log, []byte(syscall.EFBIG.Error())) {
		return "", fmt.Errorf("no line says why it ended: %s", log)
	}
	if err := k.Start(ctx); err != nil {
		return "", err
	}
	kept := len(records.acked)
	for deadline := time.Now().Add(10 * time.Second); ; { // the client finds the new process in a moment
		werr := records.write(ctx, client)
		if werr == nil {
			break
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("after the restart: %w", werr)
		}
	}
	if err := k.check(ctx, records.acked); err != nil {
		return "", err
	}
	return fmt.Sprintf("the client was told %q, kafkad ended and said why; started again it had all %d records", err, kept), k.Stop(syscall.SIGTERM)
}
