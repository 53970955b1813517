package store

import (
	"strings"
	"time"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"

	"github.com/rs/zerolog"
)

// scanWarning is the number of documents from which on a scan gets a log line.
const scanWarning = 1000

// Work bounds the time of one command. The zero value has no limit and no log.
type Work struct {
	started  time.Time
	deadline time.Time
	log      *zerolog.Logger
	steps    int
}

// NewWork begins the work of a command that may take maxTime, or as long as it takes for 0. Long scans go to the log, which may be nil.
func NewWork(maxTime time.Duration, log *zerolog.Logger) *Work {
	w := &Work{started: time.Now(), log: log}
	if maxTime > 0 {
		w.deadline = w.started.Add(maxTime)
	}
	return w
}

// check fails when the command's time is over.
func (w *Work) check() error {
	if w == nil || w.deadline.IsZero() || time.Now().Before(w.deadline) {
		return nil
	}
	return fault.New(fault.MaxTimeExpired, "operation exceeded time limit")
}

// Step is check for inner loops: it looks at the clock only now and then.
func (w *Work) Step() error {
	if w == nil || w.deadline.IsZero() {
		return nil
	}
	if w.steps++; w.steps%64 != 0 {
		return nil
	}
	return w.check()
}

// Report names a scan that read many documents, once.
func (s *Scan) Report(ns string, f *query.Filter, returned int64) {
	if s.docs <= scanWarning || s.reported || s.Work == nil || s.Work.log == nil {
		return
	}
	s.reported = true
	event := s.Work.log.Info()
	if s.index == nil && !s.byID {
		event = s.Work.log.Warn()
	}
	event.Str("collection", ns).Str("filter", shapeOf(f.Source)).Str("index", s.indexName()).
		Int64("scanned", s.docs).Int64("returned", returned).Int64("ms", time.Since(s.Work.started).Milliseconds()).Msg("query scanned many documents")
}

// shapeOf renders a filter with its operators and without its values.
func shapeOf(d raw.Document) string {
	var b strings.Builder
	writeShape(&b, raw.Doc(d))
	return b.String()
}

func writeShape(b *strings.Builder, v raw.Value) {
	switch v.Kind {
	case raw.KindDocument:
		b.WriteByte('{')
		for i, f := range raw.Fields(v.Document()) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f.Name + ": ")
			writeShape(b, f.Value)
		}
		b.WriteByte('}')
	case raw.KindArray:
		b.WriteByte('[')
		for i, el := range v.Elements() {
			if el.Kind != raw.KindDocument {
				b.WriteByte('?')
				break
			}
			if i > 0 {
				b.WriteString(", ")
			}
			writeShape(b, el)
		}
		b.WriteByte(']')
	default:
		b.WriteByte('?')
	}
}
