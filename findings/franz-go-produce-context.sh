#!/usr/bin/env bash
# github.com/twmb/franz-go v1.22.2: when the broker is gone, ProduceSync returns seconds after its context has ended, if at all.
#
# Guessed: a call with a context returns when that ends, with its error; at least once the client is allowed to give up records that it has
#          begun to send (AllowIdempotentProduceCancellation: "when time-bounded delivery matters more than duplicate-avoidance").
# Seen:    with half a second, and a broker that went away behind the record before: with that option, or with DisableIdempotentWrite, the
#          call returns after some seven seconds, and with the refused connection, for which errors.Is says that it is not
#          context.DeadlineExceeded. With default options it is not back after twelve seconds; closing the client ends it.
#          RecordDeliveryTimeout changes neither. That a record whose sending has begun is not given up by default is said by
#          Produce's comment and the guide, not by ProduceSync's comment, which refers to Produce. That the end of the context is looked
#          for only before a request is written, behind its response, and when loading metadata has failed several times, is not said
#          of the context; RecordDeliveryTimeout's comment says of that option that a backoff "may delay record timeout slightly".
# Matters: an HTTP handler that produces with its request's context outlives it while the broker is down, and requests pile up; code that
#          tells "took too long" from "failed" by the context's error takes the wrong branch.
#
# Versions: franz-go v1.22.2, kfake v0.0.0-20260918054303-01f206a7e32c as the broker. Five to seven seconds were seen.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const limit, patience = 500 * time.Millisecond, 12 * time.Second

func produce(gone bool, options []kgo.Opt) (outcome string, took time.Duration) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	check(err)
	defer broker.Close()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(broker.ListenAddrs()...), kgo.DefaultProduceTopic("orders"))...)
	check(err)
	defer client.Close()
	check(client.ProduceSync(context.Background(), kgo.StringRecord("first")).FirstErr())
	if gone {
		broker.Close()
	}

	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	start := time.Now()
	returned := make(chan error, 1)
	go func() { returned <- client.ProduceSync(ctx, kgo.StringRecord("second")).FirstErr() }()
	select {
	case err = <-returned:
		took = time.Since(start)
	case <-time.After(patience):
		return fmt.Sprint("not back after ", patience), patience
	}
	when := "in time"
	if took > 4*limit {
		when = "after more than " + fmt.Sprint(4*limit)
	}
	switch {
	case err == nil:
		return when + ", no error", took
	case errors.Is(err, context.DeadlineExceeded):
		return when + ", the context's error", took
	}
	return when + ", another error", took
}

func main() {
	timeout := kgo.RecordDeliveryTimeout(time.Second)
	cases := []struct {
		name    string
		gone    bool
		options []kgo.Opt
	}{
		{"broker up, default options", false, nil},
		{"broker gone, AllowIdempotentProduceCancellation", true, []kgo.Opt{kgo.AllowIdempotentProduceCancellation()}},
		{"broker gone, the same and RecordDeliveryTimeout", true, []kgo.Opt{kgo.AllowIdempotentProduceCancellation(), timeout}},
		{"broker gone, DisableIdempotentWrite", true, []kgo.Opt{kgo.DisableIdempotentWrite()}},
		{"broker gone, default options", true, nil},
		{"broker gone, RecordDeliveryTimeout", true, []kgo.Opt{timeout}},
	}
	lines := make([]string, len(cases))
	var wg sync.WaitGroup
	for i, c := range cases {
		wg.Go(func() {
			outcome, took := produce(c.gone, c.options)
			lines[i] = c.name + ": " + outcome
			fmt.Fprintf(os.Stderr, "         %s: %.1f s\n", c.name, took.Seconds())
		})
	}
	wg.Wait()
	for _, l := range lines {
		fmt.Println(l)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/twmb/franz-go@v1.22.2 github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
go build -o probe .
echo "version: $(go list -m github.com/twmb/franz-go), $(go list -m github.com/twmb/franz-go/pkg/kfake)"
echo "guessed: in time, the context's error, wherever the broker is gone"
seen=$(./probe)

expected="broker up, default options: in time, no error
broker gone, AllowIdempotentProduceCancellation: after more than 2s, another error
broker gone, the same and RecordDeliveryTimeout: after more than 2s, another error
broker gone, DisableIdempotentWrite: after more than 2s, another error
broker gone, default options: not back after 12s
broker gone, RecordDeliveryTimeout: not back after 12s"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
