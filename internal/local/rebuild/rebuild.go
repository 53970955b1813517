// Package rebuild makes a projection anew from the events that its topic still has, with the service's own code, while the service goes on.
//
// It reads the topic beside the consumer group, so nobody's place changes, and gives each event to the service's handler, which must be
// idempotent anyway. A document is removed right before the first event of its subject is handled, so what was wrong in it does not
// stay; it is away for a moment, never the whole projection. What came while that was going on is handled once more at the end.
//
// Invariants: a document whose events the topic no longer has stays as it is, so nothing is lost that cannot be made again.
// Not guaranteed: that it is right afterwards, if the service's instances run other code than this process.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/services"
)

// Report is what was done, or with a dry run what would be.
type Report struct {
	Events  int       // that were handled
	Rebuilt int       // documents, by the subjects of these
	Kept    int       // documents that stay as they are: the topic no longer has their events
	Cut     []string  // topics that no longer have their oldest events
	Oldest  time.Time // when the oldest event was written; zero without one
}

// document is all that is read of one.
type document struct {
	ID string `bson:"_id"`
}

// Run rebuilds one projection; lookup gives the settings of an instance of its service, which must be named unlike those that run.
// An event that the handler refuses ends it: what was rebuilt until then is right, and the rest as it was.
func Run(ctx context.Context, lookup process.Lookup, p services.Projection, dry bool) (r Report, err error) {
	s, known := services.Named(p.Service)
	if !known || len(p.Topics()) == 0 {
		return r, fmt.Errorf("there is no projection %s of %s", p.Name, p.Service)
	}
	instance, err := s.Open(ctx, lookup)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, instance.Stop(context.WithoutCancel(ctx))) }()
	if p.Lines && instance.Settings.LogDir == "" {
		return r, fmt.Errorf("the lines of %s would go to standard output, where nobody ships them: set KREISLAUF_LOG_DIR to the shipper's folder", p.Service)
	}
	w := work{instance: instance, projection: p, dry: dry, seen: map[string]bool{}, report: &r}
	for _, topic := range p.Topics() {
		if err := w.topic(ctx, topic); err != nil {
			return r, fmt.Errorf("rebuild %s of %s from %s: %w", p.Name, p.Service, topic.Name, err)
		}
	}
	r.Rebuilt = len(w.seen)
	if p.Lines {
		return r, nil
	}
	return r, process.Collection[document](instance, p.Name, p.Name).Each(ctx, func(d document) error {
		if !w.seen[d.ID] {
			r.Kept++
		}
		return nil
	})
}

// work is one projection being rebuilt.
type work struct {
	instance   *process.Process
	projection services.Projection
	dry        bool
	seen       map[string]bool // subjects
	report     *Report
}

// topic handles what a topic has, and then what came meanwhile: an instance of the service may have handled that before the document was removed.
func (w *work) topic(ctx context.Context, topic event.Topic) error {
	span, err := w.read(ctx, topic, nil, true)
	if err != nil {
		return err
	}
	if span.Cut {
		w.report.Cut = append(w.report.Cut, topic.Name)
	}
	if w.report.Oldest.IsZero() || !span.Oldest.IsZero() && span.Oldest.Before(w.report.Oldest) {
		w.report.Oldest = span.Oldest
	}
	if w.dry {
		return nil
	}
	_, err = w.read(ctx, topic, span.Ends, false)
	return err
}

// read handles a part of a topic; anew says that documents are removed first.
func (w *work) read(ctx context.Context, topic event.Topic, after map[int32]int64, anew bool) (broker.Span, error) {
	p := w.projection
	documents := process.Collection[document](w.instance, p.Name, p.Name)
	return broker.History(ctx, w.instance.Brokers(), topic, p.Service, after, func(e event.Event) error {
		if !p.Takes(e.Type) {
			return nil
		}
		first := !w.seen[e.Subject]
		w.seen[e.Subject] = true
		w.report.Events++
		if w.dry {
			return nil
		}
		if anew && first && !p.Lines {
			if err := documents.Delete(ctx, e.Subject); err != nil {
				return err
			}
		}
		if err := w.instance.Replay(ctx, e); err != nil {
			return fmt.Errorf("%s %s of %s: %w", e.Type, e.ID, e.Subject, err)
		}
		return nil
	})
}
