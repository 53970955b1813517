package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// table prints rows as they are ready and remembers what missed its target.
type table struct {
	out            io.Writer
	measured, miss int
}

// verdict compares a value with its target, which 0 leaves out.
func (t *table) verdict(value, target float64, unit string) string {
	if target == 0 {
		return ""
	}
	t.measured++
	if value <= target {
		return fmt.Sprintf("target <= %v %s met", target, unit)
	}
	t.miss++
	return fmt.Sprintf("target <= %v %s NOT MET", target, unit)
}

// row prints one line; it ends with the ratio to the floor.
func (t *table) row(work string, cells ...string) {
	shown := cells[:0]
	for _, c := range cells {
		if c != "" {
			shown = append(shown, c)
		}
	}
	fmt.Fprintf(t.out, "%-34s %s\n", work, strings.Join(shown, " | "))
}

func (t *table) failed(work string, err error) {
	t.measured++
	t.miss++
	t.row(work, "FAILED: "+err.Error())
}

func cost(who string, r series) string {
	return fmt.Sprintf("%s %.2f CPU-s/M (up to %.2f), system %.2f, %d B/event, %.1f s, peak %.0f MB (%.0f anonymous)", who, r.perMillion(), slices.Max(r.cpu).Seconds()/float64(r.events)*1e6,
		r.system.Seconds()/float64(r.events)*1e6, r.sent/int64(r.events), r.wall.Seconds(), mb(r.memory.Resident), mb(r.memory.Anonymous))
}

func mb(n int64) float64 { return float64(n) / 1e6 }

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/1e6) }

// ratio is the last cell of a row.
func (t *table) ratio(value, target float64) string {
	text := fmt.Sprintf("ratio %.2f", value)
	if target == 0 {
		return text
	}
	t.measured++
	if value <= target {
		return fmt.Sprintf("ratio target <= %v met | %s", target, text)
	}
	t.miss++
	return fmt.Sprintf("ratio target <= %v NOT MET | %s", target, text)
}
