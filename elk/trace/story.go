package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kreislauf/elk/connect"
)

// Story is everything of one trace.
type Story struct {
	TraceID    string
	Env        string
	Cut        bool // there were more than Limit documents
	Start, End time.Time
	Spans      int // access lines included
	Lines      int
	Events     int
	Services   []string // sorted
	Roots      []*Span  // spans that name no parent, and access lines whose caller is not in the trace
	Orphans    []*Span  // spans whose parent is missing, and one span of every circle
	Loose      []Line   // lines and events whose span is missing
}

// Span is one timed step: an access line or a span line.
type Span struct {
	ID, Parent string
	Kind       string // "entry" for an access line, else server, client, producer, consumer, internal
	Service    string
	Instance   string
	Name       string
	Start      time.Time
	Duration   time.Duration
	Failed     bool
	Error      string
	Upstreams  []string // of an access line: "address status" for every try
	Links      []string // span ids of this trace
	Hop        *Hop     // of a consumer whose producer is known
	Lines      []Line
	Children   []*Span
}

// Hop is the way of a message through Kafka.
type Hop struct {
	Producer string        // span id
	Wait     time.Duration // from the end of the producer span to the start of the consumer span; may be negative
}

// Line is a log line or an event.
type Line struct {
	At      time.Time
	Level   string // "event" for an event
	Service string
	Text    string
	Failed  bool // level error or worse
}

// Build makes a story of the documents of a trace. They may come in any order.
func Build(id string, docs []connect.Doc) Story {
	s := Story{TraceID: id}
	spans := map[string]*Span{}
	type attached struct {
		span string
		line Line
	}
	var (
		lines []attached
		all   []*Span
		seen  = map[string]bool{}
	)
	for _, d := range docs {
		key := identity(d)
		if seen[key] {
			continue
		}
		seen[key] = true
		switch {
		case d.String("data_stream.type") == "traces":
			all = append(all, spanOf(d))
		case d.String("service_name") == "nginx" && d.String("http.request.method") != "":
			all = append(all, entryOf(d))
		default:
			lines = append(lines, attached{d.String("span.id"), lineOf(d)})
			s.count(lineOf(d))
		}
	}
	slices.SortStableFunc(all, func(a, b *Span) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	for _, span := range all {
		s.extend(span.Service, span.Start, span.Start.Add(span.Duration))
		if _, taken := spans[span.ID]; !taken && span.ID != "" {
			spans[span.ID] = span
		}
	}
	s.Spans = len(all)
	s.hang(all, spans)
	slices.SortStableFunc(lines, func(a, b attached) int { return a.line.At.Compare(b.line.At) })
	for _, l := range lines {
		if span := spans[l.span]; span != nil {
			span.Lines = append(span.Lines, l.line)
			continue
		}
		s.Loose = append(s.Loose, l.line)
	}
	return s
}

// hang makes the tree. A consumer without a parent in the trace hangs under the producer it links to.
func (s *Story) hang(all []*Span, spans map[string]*Span) {
	for _, span := range all {
		parent := spans[span.Parent]
		for _, link := range span.Links {
			if parent == nil && spans[link] != nil {
				parent = spans[link]
			}
		}
		called := span.Kind != "entry" && (span.Parent != "" || len(span.Links) > 0)
		switch {
		case parent == span || (parent == nil && called):
			s.Orphans = append(s.Orphans, span)
		case parent == nil:
			s.Roots = append(s.Roots, span)
		default:
			parent.Children = append(parent.Children, span)
			if span.Kind == "consumer" && parent.Kind == "producer" {
				span.Hop = &Hop{Producer: parent.ID, Wait: span.Start.Sub(parent.Start.Add(parent.Duration))}
			}
		}
	}
	s.breakCircles(all)
}

// breakCircles finds spans that no root leads to and cuts each circle at its earliest span.
func (s *Story) breakCircles(all []*Span) {
	reached := map[*Span]bool{}
	var mark func(*Span)
	mark = func(span *Span) {
		reached[span] = true
		span.Children = slices.DeleteFunc(span.Children, func(child *Span) bool {
			if reached[child] {
				return true
			}
			mark(child)
			return false
		})
	}
	for _, span := range slices.Concat(s.Roots, s.Orphans) {
		mark(span)
	}
	for _, span := range all {
		if !reached[span] {
			s.Orphans = append(s.Orphans, span)
			mark(span)
		}
	}
}

func (s *Story) count(l Line) {
	if l.Level == "event" {
		s.Events++
	} else {
		s.Lines++
	}
	s.extend(l.Service, l.At, l.At)
}

func (s *Story) extend(service string, from, to time.Time) {
	if s.Start.IsZero() || from.Before(s.Start) {
		s.Start = from
	}
	if to.After(s.End) {
		s.End = to
	}
	if at, found := slices.BinarySearch(s.Services, service); !found && service != "" {
		s.Services = slices.Insert(s.Services, at, service)
	}
}

// identity is equal for copies of one document: the same event, the same span, or the same place in the same file.
func identity(d connect.Doc) string {
	switch d.String("data_stream.type") {
	case "events":
		return "event " + d.String("event.id")
	case "traces":
		return "span " + d.String("span.id") + " " + d.String("@timestamp")
	}
	if path := d.String("log.file.path"); path != "" {
		return "line " + path + " " + d.String("log.offset") + " " + d.String("@timestamp")
	}
	return "line " + d.String("service_name") + d.String("instance") + d.String("@timestamp") + d.String("span.id") + d.String("message")
}

func spanOf(d connect.Doc) *Span {
	s := &Span{
		ID: d.String("span.id"), Parent: d.String("parent.id"), Kind: d.String("span.kind"),
		Service: d.String("service_name"), Instance: d.String("instance"), Name: d.String("span.name"),
		Start: d.Time("@timestamp"), Duration: d.Duration("event.duration"),
		Failed: d.String("event.outcome") == "failure", Error: d.String("error.message"),
	}
	for _, link := range d.Strings("span.links") {
		if in, id, ok := strings.Cut(link, ":"); ok && in == d.String("trace.id") {
			s.Links = append(s.Links, id)
		}
	}
	return s
}

func entryOf(d connect.Doc) *Span {
	took := d.Duration("event.duration")
	s := &Span{
		ID: d.String("span.id"), Parent: d.String("parent.id"), Kind: "entry", Service: d.String("service_name"),
		Name:  fmt.Sprintf("%s %s %s", d.String("http.request.method"), d.String("url.path"), d.String("http.response.status_code")),
		Start: d.Time("@timestamp").Add(-took), Duration: took, Failed: d.Int("http.response.status_code") >= 500,
	}
	addresses, status := d.Strings("nginx.access.upstream.address_list"), d.Strings("nginx.access.upstream.status_list")
	if len(addresses) == 0 { // one attempt
		addresses, status = d.Strings("nginx.access.upstream.address"), d.Strings("nginx.access.upstream.status_code")
	}
	for i, address := range addresses {
		if i < len(status) {
			address += " " + status[i]
		}
		s.Upstreams = append(s.Upstreams, address)
	}
	return s
}

func lineOf(d connect.Doc) Line {
	l := Line{At: d.Time("@timestamp"), Level: d.String("log.level"), Service: d.String("service_name"), Text: d.String("message")}
	if d.String("data_stream.type") == "events" {
		l.Level, l.Text = "event", d.String("event.action")
		for _, field := range []string{"order.id", "partner.id"} {
			if v := d.String(field); v != "" {
				l.Text += " " + strings.TrimSuffix(field, ".id") + " " + v
			}
		}
		return l
	}
	if reason := d.String("error.message"); reason != "" {
		l.Text += ": " + reason
	}
	l.Failed = slices.Contains([]string{"error", "fatal", "panic"}, l.Level)
	return l
}
