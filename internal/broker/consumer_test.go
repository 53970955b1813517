package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/event"
	"kreislauf/internal/health"
)

// number is what placed put into the payload.
func number(e event.Event) (int, error) {
	p, err := event.Decode[event.Placed](e)
	return p.SizeM3, err
}

func TestOrderPerKey(t *testing.T) {
	f := newFixture(t)
	const subjects, each = 7, 40
	for n := range each {
		var batch []event.Event
		for s := range subjects {
			batch = append(batch, placed(t, fmt.Sprint("o-", s), n, ""))
		}
		f.publish(t, batch...)
	}
	var mu sync.Mutex
	got, left, all := map[string][]int{}, subjects*each, make(chan bool, 1)
	stop := f.consume(t, func(_ context.Context, e event.Event) error {
		n, err := number(e)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		got[e.Subject] = append(got[e.Subject], n)
		if left--; left == 0 {
			all <- true
		}
		return nil
	})
	receive(t, all, "all events")
	stop()
	for s, list := range got {
		for i, n := range list {
			if i != n {
				t.Fatalf("%s came as %v", s, list)
			}
		}
	}
	again := make(chan event.Event, 1000)
	stop = f.consume(t, func(_ context.Context, e event.Event) error { again <- e; return nil })
	last := placed(t, "o-1", 99, "")
	f.publish(t, last)
	if e := receive(t, again, "the last event"); e.ID != last.ID {
		t.Errorf("%s came again after its commit", e.ID)
	}
	stop()
}

func TestHandlerErrorIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	f.publish(t, placed(t, "o-1", 0, ""), placed(t, "o-1", 1, ""))
	var got []int
	done := make(chan bool, 1)
	stop := f.consume(t, func(_ context.Context, e event.Event) error {
		n, err := number(e)
		got = append(got, n)
		switch {
		case len(got) <= 6:
			return errors.New("no primary")
		case n == 1:
			done <- true
		}
		return err
	})
	receive(t, done, "the second event")
	stop()
	if diff := cmp.Diff([]int{0, 0, 0, 0, 0, 0, 0, 1}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if lines := f.lines.with(t, "error.message", "no primary"); len(lines) < 6 {
		t.Errorf("%d lines about 6 failures", len(lines))
	}
}

// TestFailureHoldsUpItsPartitionOnly lets one event fail until those of other partitions, published later, have come.
func TestFailureHoldsUpItsPartitionOnly(t *testing.T) {
	f := newFixture(t)
	f.publish(t, placed(t, "o-bad", 0, ""))
	failing, healed, came := make(chan bool, 1), make(chan bool), make(chan string, 1000)
	stop := f.consume(t, func(_ context.Context, e event.Event) error {
		if e.Subject == "o-bad" {
			select {
			case <-healed:
			default:
				select {
				case failing <- true:
				default:
				}
				return errors.New("not yet")
			}
		}
		came <- e.Subject
		return nil
	})
	receive(t, failing, "the first failure")
	want := map[string]bool{} // subjects of the other partitions
	for n := range 20 {
		f.publish(t, placed(t, fmt.Sprint("o-", n), n, ""))
	}
	records := f.read(t, event.TopicOrder, 21)
	for _, r := range records {
		if string(r.Key) == "o-bad" {
			for _, other := range records {
				if other.Partition != r.Partition {
					want[string(other.Key)] = true
				}
			}
		}
	}
	if len(want) == 0 {
		t.Fatal("all events are in one partition")
	}
	for len(want) > 0 {
		subject := receive(t, came, "events of other partitions")
		if !want[subject] {
			t.Errorf("%s came twice or past the failing event", subject)
		}
		delete(want, subject)
	}
	close(healed)
	if subject := receive(t, came, "the healed event"); subject != "o-bad" {
		t.Errorf("%s came before the healed event", subject)
	}
	stop()
}

// TestUnfinishedEventComesAgain ends a consumer while its handler fails; the next instance must get the event.
func TestUnfinishedEventComesAgain(t *testing.T) {
	f := newFixture(t)
	e := placed(t, "o-1", 1, "")
	f.publish(t, e)
	seen := make(chan string, 100)
	stop := f.consume(t, func(_ context.Context, e event.Event) error { seen <- e.ID; return errors.New("dying") })
	receive(t, seen, "the first attempt")
	stop()
	again := make(chan string, 100)
	stop = f.consume(t, func(_ context.Context, e event.Event) error { again <- e.ID; return nil })
	if id := receive(t, again, "the event at the next instance"); id != e.ID {
		t.Errorf("%s came, want %s", id, e.ID)
	}
	stop()
}

func TestDeadLetters(t *testing.T) {
	f := newFixture(t)
	c, err := kgo.NewClient(kgo.SeedBrokers(f.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	unreadable := &kgo.Record{Topic: event.TopicOrder, Key: []byte("o-1"), Value: []byte("{no event"), Headers: []kgo.RecordHeader{
		{Key: "traceparent", Value: []byte(cause)}, {Key: "own", Value: []byte("kept")},
	}}
	if err := c.ProduceSync(t.Context(), unreadable).FirstErr(); err != nil {
		t.Fatal(err)
	}
	hopeless, fine := placed(t, "o-1", 1, cause), placed(t, "o-1", 2, cause)
	f.publish(t, hopeless, fine)
	came := make(chan string, 10)
	stop := f.consume(t, func(_ context.Context, e event.Event) error {
		if e.ID == hopeless.ID {
			return fmt.Errorf("match: %w", Permanent(errors.New("there is no order o-1")))
		}
		came <- e.ID
		return nil
	})
	if id := receive(t, came, "the event behind the dead ones"); id != fine.ID {
		t.Errorf("%s came", id)
	}
	stop()
	dead := f.read(t, event.TopicDeadLetter, 2)
	if string(dead[0].Value) != "{no event" || string(dead[0].Key) != "o-1" {
		t.Errorf("the unreadable record became %q: %q", dead[0].Key, dead[0].Value)
	}
	first, second := headers(dead[0]), headers(dead[1])
	position := fmt.Sprintf("%d:%d", unreadable.Partition, unreadable.Offset)
	if first["reason"] == "" || first["consumer"] != "matching" || first["topic"] != event.TopicOrder || first["position"] != position ||
		first["own"] != "kept" || first["traceparent"] != cause {
		t.Errorf("headers %v, want position %s", first, position)
	}
	if e, err := event.Parse(dead[1].Value); err != nil || e.ID != hopeless.ID || second["reason"] != "match: there is no order o-1" {
		t.Errorf("the hopeless event became %q with %v", dead[1].Value, second)
	}
	lines := f.lines.with(t, "event.action", "event.dead-lettered")
	if len(lines) != 2 || lines[0]["log.level"] != "error" || lines[0]["trace.id"] != cause[3:35] {
		t.Errorf("log lines %v", lines)
	}
}

func TestPermanentKeepsItsCause(t *testing.T) {
	err := errors.New("cause")
	if p := Permanent(err); !errors.Is(p, err) || p.Error() != "cause" {
		t.Errorf("Permanent gives %v", p)
	}
}

// TestIdleConsumerHasAPulse: without any event the consumer says again and again that it goes on.
func TestIdleConsumerHasAPulse(t *testing.T) {
	f := newFixture(t)
	var h health.Health
	reg := prometheus.NewRegistry()
	reg.MustRegister(&h)
	quiet := func() float64 {
		t.Helper()
		families, err := reg.Gather()
		if err != nil || len(families) != 1 {
			t.Fatalf("%v, %v", families, err)
		}
		return families[0].GetMetric()[0].GetGauge().GetValue()
	}
	ticks := func() {
		t.Helper()
		highest := 0.0
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			now := quiet()
			if now < highest {
				return
			}
			if highest = now; time.Now().After(deadline) {
				t.Fatalf("no sign of life for %v s", now)
			}
		}
	}
	c, err := NewConsumer(f.brokers, "matching", "matching-1", f.log, f.tel.Tracer, func(context.Context, event.Event) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.Part(t.Context(), "consumer"))
	done := make(chan error, 1) // gets the end of Run
	go func() { done <- c.Run(ctx) }()
	ticks()
	ticks()
	if failed := f.lines.with(t, "event.action", "kafka.fetch"); len(failed) > 0 {
		t.Errorf("a poll that brings nothing is logged as a failure: %v", failed[0])
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	c.Close()
}
