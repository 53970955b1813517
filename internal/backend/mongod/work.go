package mongod

import (
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// scanWarning is the number of documents from which on a scan gets a log line.
const scanWarning = 1000

// work bounds the time of one command. The zero value has no limit and no log.
type work struct {
	started  time.Time
	deadline time.Time
	log      *zerolog.Logger
	steps    int
}

func newWork(maxTime time.Duration, log *zerolog.Logger) *work {
	w := &work{started: time.Now(), log: log}
	if maxTime > 0 {
		w.deadline = w.started.Add(maxTime)
	}
	return w
}

// check fails when the command's time is over.
func (w *work) check() error {
	if w == nil || w.deadline.IsZero() || time.Now().Before(w.deadline) {
		return nil
	}
	return failure(codeMaxTimeExpired, "operation exceeded time limit")
}

// step is check for inner loops: it looks at the clock only now and then.
func (w *work) step() error {
	if w == nil || w.deadline.IsZero() {
		return nil
	}
	if w.steps++; w.steps%64 != 0 {
		return nil
	}
	return w.check()
}

// report names a scan that read many documents, once.
func (s *scan) report(ns string, f *filter, returned int64) {
	if s.docs <= scanWarning || s.reported || s.work == nil || s.work.log == nil {
		return
	}
	s.reported = true
	event := s.work.log.Info()
	if s.index == nil && !s.byID {
		event = s.work.log.Warn()
	}
	event.Str("collection", ns).Str("filter", shapeOf(f.source)).Str("index", s.indexName()).Int64("scanned", s.docs).Int64("returned", returned).
		Int64("ms", time.Since(s.work.started).Milliseconds()).Msg("query scanned many documents")
}

// shapeOf renders a filter with its operators and without its values.
func shapeOf(d document) string {
	var b strings.Builder
	writeShape(&b, documentValue(d))
	return b.String()
}

func writeShape(b *strings.Builder, v value) {
	switch v.kind {
	case kindDocument:
		b.WriteByte('{')
		for i, f := range documentFields(v.document()) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f.name + ": ")
			writeShape(b, f.value)
		}
		b.WriteByte('}')
	case kindArray:
		b.WriteByte('[')
		for i, el := range v.elements() {
			if el.kind != kindDocument {
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
