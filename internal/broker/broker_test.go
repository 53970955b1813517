package broker

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/telemetry"
)

const cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestTraceContinues(t *testing.T) {
	f := newFixture(t)
	e := placed(t, "o-1", 1, cause)
	f.publish(t, e)
	got := make(chan string, 1)
	stop := f.consume(t, func(ctx context.Context, _ event.Event) error {
		got <- telemetry.Traceparent(ctx)
		return nil
	})
	inHandler := receive(t, got, "the event")
	stop()
	if err := f.sink.Close(); err != nil {
		t.Fatal(err)
	}
	produced, consumed := f.lines.with(t, "span.name", "publish order.placed"), f.lines.with(t, "span.name", "consume order.placed")
	if len(produced) != 1 || len(consumed) != 1 {
		t.Fatalf("%d publish spans, %d consume spans", len(produced), len(consumed))
	}
	p, c := produced[0], consumed[0]
	if p["trace.id"] != cause[3:35] || p["parent.id"] != cause[36:52] || p["span.kind"] != "producer" {
		t.Errorf("producer span %v", p)
	}
	if c["trace.id"] != cause[3:35] || c["parent.id"] != p["span.id"] || c["span.kind"] != "consumer" {
		t.Errorf("consumer span %v, producer span %v", c, p)
	}
	if inHandler != "00-"+cause[3:35]+"-"+c["span.id"].(string)+"-01" {
		t.Errorf("the handler runs in %s, its span is %v", inHandler, c["span.id"])
	}
	r := f.read(t, event.TopicOrder, 1)[0]
	want := map[string]string{"traceparent": "00-" + cause[3:35] + "-" + p["span.id"].(string) + "-01", "ce_type": "order.placed"}
	if diff := cmp.Diff(want, headers(r)); diff != "" || string(r.Key) != "o-1" {
		t.Errorf("key %q, headers (-want +got):\n%s", r.Key, diff)
	}
	lines := f.lines.with(t, "event.action", "event.consumed")
	if len(lines) != 1 || lines[0]["trace.id"] != cause[3:35] || lines[0]["event.id"] != e.ID || lines[0]["span.id"] != c["span.id"] {
		t.Errorf("log lines %v", lines)
	}
}

func TestPublishToABrokerThatIsAway(t *testing.T) {
	f := newFixture(t)
	p, err := NewProducer([]string{"127.0.0.1:1"}, "order-1", f.log, f.tel.Tracer)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := p.Publish(ctx, event.TopicOrder, placed(t, "o-1", 1, cause)); err == nil || !strings.Contains(err.Error(), event.TopicOrder) {
		t.Errorf("publish gives %v", err)
	}
	if err := p.Ping(ctx); err == nil {
		t.Error("a broker that is away is ready")
	}
	if err := f.producer.Ping(t.Context()); err != nil {
		t.Errorf("a broker that runs is not ready: %v", err)
	}
	if err := f.sink.Close(); err != nil {
		t.Fatal(err)
	}
	if spans := f.lines.with(t, "span.name", "publish order.placed"); len(spans) != 1 || spans[0]["event.outcome"] != "failure" {
		t.Errorf("spans %v", spans)
	}
}

// TestPublishTooLarge: events that fit one by one are published though they do not fit together; one that never fits is a permanent error.
func TestPublishTooLarge(t *testing.T) {
	f := newFixture(t)
	alter(t, raw(t, f), event.TopicOrder, "max.message.bytes", "20000")
	payload := func(n int) event.Event {
		e := placed(t, "o-1", n, "")
		e.Data = json.RawMessage(strconv.Quote(noise(t, 6000)))
		return e
	}
	var want []string
	var fit []event.Event
	for n := range 5 {
		fit = append(fit, payload(n))
		want = append(want, fit[n].ID)
	}
	f.publish(t, fit...)
	large := placed(t, "o-1", 9, "")
	large.Data = json.RawMessage(strconv.Quote(noise(t, 30_000)))
	if err := f.producer.Publish(t.Context(), event.TopicOrder, large); !IsPermanent(err) {
		t.Errorf("an event that is too large gives %v", err)
	}
	var got []string // in the order of their first sight: those that went before the batch was refused come twice
	last := make(chan bool, 10)
	stop := f.consume(t, func(_ context.Context, e event.Event) error {
		if !slices.Contains(got, e.ID) {
			got = append(got, e.ID)
		}
		if e.ID == want[len(want)-1] {
			last <- true
		}
		return nil
	})
	receive(t, last, "the last event")
	stop()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// noise is text that cannot be compressed by more than a quarter.
func noise(t *testing.T, n int) string {
	t.Helper()
	b := make([]byte, n*3/4)
	_, _ = rand.Read(b) // it never fails
	return base64.StdEncoding.EncodeToString(b)
}
