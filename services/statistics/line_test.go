package statistics

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/process"
	"kreislauf/internal/telemetry"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestEventLines(t *testing.T) {
	s := &service{Process: &process.Process{Settings: config.Process{Env: "test", Instance: "statistics-1", PlatformVersion: "v1"}}}
	ctx := telemetry.WithRemote(t.Context(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	var out strings.Builder
	for _, tc := range []struct {
		typ  string
		data any
	}{
		{event.TypeSignedUp, event.SignedUp{UserID: "u-1", Role: "customer"}},
		{event.TypePlaced, event.Placed{
			OrderID: "o-1", UserID: "u-1", QuoteID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-25",
			Price: money.FromNet(100_00),
		}},
		{event.TypeOffered, event.Offered{OrderID: "o-1", PartnerID: "p-1"}},
		{event.TypeAccepted, event.Accepted{OrderID: "o-1", PartnerID: "p-1", Automatic: true}},
		{event.TypeUnmatched, event.Unmatched{OrderID: "o-1", Reason: "nobody"}},
		{event.TypeMatched, event.Matched{OrderID: "o-1", PartnerID: "p-1"}},
		{event.TypeRecorded, event.Recorded{Type: "order-attempt", Data: map[string]string{"step": "4", "quote": "\"x\""}}},
		{"order.swapped", map[string]int{"of a later version": 1}},
	} {
		e, err := event.New(tc.typ, event.Meta{Source: "t", Subject: "o-1", Customer: "kreislauf", VisitID: "v-1", At: time.Date(2026, 11, 22, 10, 0, 0, 123e6, time.UTC)}, tc.data)
		if err != nil {
			t.Fatal(err)
		}
		e.ID = "e-" + tc.typ
		line, err := s.line(ctx, e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(line)
	}
	const golden = "testdata/lines.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Error(d)
	}
}

func TestUnreadablePayloadIsRefused(t *testing.T) {
	s := &service{Process: &process.Process{}}
	if _, err := s.line(trace.ContextWithSpanContext(t.Context(), trace.SpanContext{}), event.Event{Type: event.TypePlaced, Data: []byte(`{"size_m3":"seven"}`)}); err == nil {
		t.Error("a payload of the wrong shape makes a line")
	}
}
