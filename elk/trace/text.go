package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Widths in columns. The bar shows where in the whole story a span lies.
const (
	minWidth  = 60
	timeWidth = 9
)

// Terminal colours.
const (
	plain = "\x1b[0m"
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	cyan  = "\x1b[36m"
)

// WriteText writes the story as a tree, width columns wide (at least 60), with terminal colours if color is true.
func (s Story) WriteText(w io.Writer, width int, color bool) error {
	width = max(width, minWidth)
	p := printer{story: s, color: color, bar: min(width/4, 40)}
	p.label = width - p.bar - timeWidth - 4
	p.header()
	for _, root := range s.Roots {
		p.out.WriteString("\n")
		p.span(root, "", "")
	}
	if len(s.Orphans)+len(s.Loose) > 0 {
		p.out.WriteString("\n" + p.paint(bold, "without parent") + "\n")
		for _, orphan := range s.Orphans {
			p.span(orphan, "", "")
		}
		p.lines(s.Loose, "", true)
	}
	if s.Cut {
		fmt.Fprintf(&p.out, "\nonly the first %d documents are shown\n", Limit)
	}
	if _, err := w.Write(p.out.Bytes()); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	return nil
}

type printer struct {
	out        bytes.Buffer
	story      Story
	color      bool
	label, bar int // columns
}

func (p *printer) header() {
	s := p.story
	fmt.Fprintf(&p.out, "%s  env %s\n", p.paint(bold, "trace "+clean(s.TraceID)), clean(s.Env))
	fmt.Fprintf(&p.out, "%s + %s  %d spans, %d lines, %d events of %s\n", s.Start.Format("2006-01-02T15:04:05.000000Z"),
		short(s.End.Sub(s.Start)), s.Spans, s.Lines, s.Events, clean(strings.Join(s.Services, ", ")))
}

// span writes one span and everything below it: lines first, then children. first is the prefix of its own row,
// rest the prefix of the rows below.
func (p *printer) span(s *Span, first, rest string) {
	if s.Hop != nil {
		wait := "waited " + short(s.Hop.Wait) + " in Kafka"
		if s.Hop.Wait < 0 {
			wait = "consumed " + short(-s.Hop.Wait) + " before the producer span ended"
		}
		p.text(strings.TrimSuffix(strings.TrimSuffix(first, "├─ "), "└─ "), cyan, "┊ "+wait)
	}
	p.row(s, first)
	below := rest
	if len(s.Children) > 0 {
		below += "│ "
	} else {
		below += "  "
	}
	if len(s.Upstreams) > 1 {
		p.text(below, red, "tried "+strings.Join(s.Upstreams, ", then "))
	}
	if s.Error != "" {
		p.text(below, red, "error: "+s.Error)
	}
	p.lines(s.Lines, below, false)
	for i, child := range s.Children {
		if i == len(s.Children)-1 {
			p.span(child, rest+"└─ ", rest+"   ")
			continue
		}
		p.span(child, rest+"├─ ", rest+"│  ")
	}
}

func (p *printer) row(s *Span, prefix string) {
	who := s.Service
	if s.Instance != "" {
		who = s.Instance
	}
	name := s.Kind + " " + s.Name
	if s.Kind == "entry" {
		name = s.Name
	}
	label := fit(prefix+clean(who)+" "+clean(name), p.label)
	padding := strings.Repeat(" ", p.label-utf8.RuneCountInString(label))
	if rest, ok := strings.CutPrefix(label, prefix); ok && s.Failed {
		label = prefix + p.paint(red, rest)
	} else if rest, ok := strings.CutPrefix(label, prefix+clean(who)); ok {
		label = prefix + p.paint(bold, clean(who)) + rest
	}
	fmt.Fprintf(&p.out, "%s%s %*s |%s|\n", label, padding, timeWidth, short(s.Duration), p.timeline(s))
}

// timeline draws where the span lies between start and end of the story. A span has at least one mark.
func (p *printer) timeline(s *Span) string {
	total := p.story.End.Sub(p.story.Start)
	column := func(t time.Time) int {
		if total <= 0 {
			return 0
		}
		return int(float64(t.Sub(p.story.Start)) / float64(total) * float64(p.bar))
	}
	from := min(column(s.Start), p.bar-1)
	to := min(max(column(s.Start.Add(s.Duration)), from+1), p.bar)
	marks := strings.Repeat("█", to-from)
	if s.Failed {
		marks = p.paint(red, marks)
	}
	return strings.Repeat(" ", from) + marks + strings.Repeat(" ", p.bar-to)
}

// lines writes log lines and events; named adds the service.
func (p *printer) lines(lines []Line, prefix string, named bool) {
	for _, l := range lines {
		text := fmt.Sprintf("+%s %s", short(l.At.Sub(p.story.Start)), l.Level)
		if named {
			text += " " + l.Service
		}
		code := dim
		switch {
		case l.Failed:
			code = red
		case l.Level == "event":
			code = cyan
		}
		p.text(prefix, code, text+": "+l.Text)
	}
}

// text writes one row without a bar, cut to the width.
func (p *printer) text(prefix, code, text string) {
	row := fit(prefix+clean(text), p.label+timeWidth+p.bar+4)
	rest, ok := strings.CutPrefix(row, prefix)
	if !ok { // the prefix alone is too wide
		prefix, rest = "", row
	}
	fmt.Fprintln(&p.out, prefix+p.paint(code, rest))
}

func (p *printer) paint(code, text string) string {
	if !p.color || text == "" {
		return text
	}
	return code + text + plain
}

// fit cuts text to columns, with an ellipsis.
func fit(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:columns-1]) + "…"
}

// clean keeps recorded text from controlling the terminal: users choose parts of it.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, text)
}

// short rounds a duration to what a row has room for.
func short(d time.Duration) string {
	switch abs := d.Abs(); {
	case abs < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case abs < time.Second:
		return d.Round(100 * time.Microsecond).String()
	case abs < time.Minute:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
