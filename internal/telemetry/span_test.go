package telemetry

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// collected is a tracer whose ended spans are kept.
func collected() (*Tracer, *[]*span) {
	var mu sync.Mutex
	var list []*span
	return &Tracer{end: func(s *span) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, s)
	}}, &list
}

func TestParents(t *testing.T) {
	tr, _ := collected()
	remote := WithRemote(t.Context(), goodParent)
	ctx, server := tr.Start(remote, "server")
	_, child := tr.Start(ctx, "child")
	_, fresh := tr.Start(t.Context(), "fresh")
	_, root := tr.Start(ctx, "root", trace.WithNewRoot())
	want := Parse(goodParent)
	if sc := server.SpanContext(); sc.TraceID() != want.TraceID() || sc.SpanID() == want.SpanID() || !sc.IsSampled() || sc.IsRemote() {
		t.Errorf("the server span does not continue the trace: %+v", sc)
	}
	if got := child.(*span).parent; !got.Equal(server.SpanContext()) {
		t.Errorf("parent of the child: %v", got)
	}
	for _, s := range []trace.Span{fresh, root} {
		if sc := s.SpanContext(); !sc.IsValid() || sc.TraceID() == want.TraceID() || s.(*span).parent.IsValid() {
			t.Errorf("not a root: %+v", s)
		}
	}
	if p, ok := server.TracerProvider().Tracer("other").(*Tracer); !ok || p != tr {
		t.Error("the provider gives another tracer")
	}
}

func TestLastValueOfAKeyWins(t *testing.T) {
	tr, ended := collected()
	_, s := tr.Start(t.Context(), "s", trace.WithAttributes(attribute.String("a", "1"), attribute.String("b", "1"), attribute.String("a", "2")))
	s.SetAttributes(attribute.String("c", "1"), attribute.String("b", "2"))
	s.SetAttributes(attribute.Int("a", 3))
	s.End()
	want := []attribute.KeyValue{attribute.Int("a", 3), attribute.String("b", "2"), attribute.String("c", "1")}
	if diff := cmp.Diff(want, (*ended)[0].attrs, cmp.Comparer(func(a, b attribute.Value) bool { return a == b })); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestNothingChangesAfterTheEnd(t *testing.T) {
	tr, ended := collected()
	_, s := tr.Start(t.Context(), "first name")
	s.SetName("name")
	s.SetStatus(codes.Error, "broken")
	s.AddLink(trace.Link{SpanContext: Parse(goodParent)})
	if !s.IsRecording() {
		t.Error("a running span does not record")
	}
	s.End()
	s.SetName("later")
	s.SetStatus(codes.Ok, "")
	s.SetAttributes(attribute.Bool("late", true))
	s.AddLink(trace.Link{})
	s.End()
	got := (*ended)[0]
	if len(*ended) != 1 || s.IsRecording() || got.name != "name" || !got.failed || got.reason != "broken" || got.attrs != nil || len(got.links) != 1 {
		t.Errorf("%d ends, span %+v", len(*ended), got)
	}
}

func TestStatusAndTimes(t *testing.T) {
	tr, ended := collected()
	start := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	_, s := tr.Start(t.Context(), "s", trace.WithTimestamp(start), trace.WithSpanKind(trace.SpanKindClient))
	s.SetStatus(codes.Error, "broken")
	s.SetStatus(codes.Unset, "")
	s.SetStatus(codes.Ok, "")
	s.End(trace.WithTimestamp(start.Add(time.Second)))
	if got := (*ended)[0]; got.failed || got.start != start || got.ended.Sub(got.start) != time.Second || got.kind != trace.SpanKindClient {
		t.Errorf("span %+v", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	tr, ended := collected()
	ctx, root := tr.Start(t.Context(), "root")
	seen := sync.Map{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				_, s := tr.Start(ctx, "child")
				root.SetAttributes(attribute.Bool("shared", true))
				s.End()
				if _, twice := seen.LoadOrStore(s.SpanContext().SpanID(), true); twice {
					t.Error("a span id came twice")
				}
			}
		})
	}
	wg.Wait()
	root.End()
	if last := (*ended)[len(*ended)-1]; len(*ended) != 801 || len(last.attrs) != 1 {
		t.Errorf("%d spans, the last with %v", len(*ended), last.attrs)
	}
}
