package funnel

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

const barWidth = 24

// WriteText writes the funnel as a table with bars for a terminal of about 110 columns, then the drop-offs.
func (r Result) WriteText(w io.Writer) error {
	var b bytes.Buffer
	d := r.Definition
	fmt.Fprintf(&b, "funnel %s  env %s  %s to %s  window %s\n", d.Name, r.Env, r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), window(d.Window))
	if d.Description != "" {
		fmt.Fprintln(&b, d.Description)
	}
	width := len("step")
	for _, s := range r.Steps {
		width = max(width, utf8.RuneCountInString(s.Name))
	}
	fmt.Fprintf(&b, "\n%-*s %9s %9s %9s %10s %14s\n", width, "step", "visits", "of first", "of prev.", "median", "value EUR")
	for i, s := range r.Steps {
		previous, took := "-", "-"
		if i > 0 {
			previous = percent(s.OfPrevious)
			if s.Reached > 0 {
				took = short(s.MedianTime)
			}
		}
		fmt.Fprintf(&b, "%-*s %9d %9s %9s %10s %14s  %s\n", width, s.Name, s.Reached, percent(s.OfFirst), previous, took, euros(s.ValueCents), bar(s.OfFirst))
	}
	for _, s := range r.Steps {
		if s.Open > 0 {
			fmt.Fprintf(&b, "\nopen after %s: %s, %s EUR; neither lost nor done yet\n", s.Name, visits(s.Open), euros(s.OpenCents))
		}
		if s.Dropped == 0 {
			continue
		}
		fmt.Fprintf(&b, "\nlost after %s: %s, %s EUR; the newest:\n", s.Name, visits(s.Dropped), euros(s.LostCents))
		for _, x := range s.DropOffs {
			fmt.Fprintf(&b, "  %s  visit %s  order %s  trace %s\n", x.At.UTC().Format("2006-01-02T15:04:05Z"), x.Visit, cmp.Or(x.Order, "-"), cmp.Or(x.TraceID, "-"))
		}
	}
	fmt.Fprintf(&b, "\n%d events read", r.Events)
	if r.Outside > 0 {
		fmt.Fprintf(&b, "; not counted because their first step is not in this range: %s", visits(r.Outside))
	}
	b.WriteString("\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write funnel: %w", err)
	}
	return nil
}

func visits(n int) string {
	if n == 1 {
		return "1 visit"
	}
	return fmt.Sprintf("%d visits", n)
}

// window writes 2h0m0s as 2h.
func window(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, max(cents%100, -cents%100)) }

// bar is full at 1; whoever is more than nobody gets at least one mark.
func bar(share float64) string {
	n := int(share*barWidth + 0.5)
	if share > 0 {
		n = max(n, 1)
	}
	return strings.Repeat("█", n) + strings.Repeat("·", barWidth-n)
}

// short rounds a duration to three or so digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
