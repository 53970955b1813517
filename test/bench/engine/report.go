package main

import (
	"fmt"
	"time"
)

// report prints a row for each figure and fails if the servers disagree on what a query finds.
func report(mine, other *figures, list []work) error {
	row := func(name, format string, got, peer, target float64) {
		fmt.Printf("%-34s "+format, name, got)
		if target > 0 {
			met := "met"
			if got > target {
				met = "NOT MET"
			}
			fmt.Printf("  target "+format+" %-7s", target, met)
		}
		if other != nil && peer > 0 {
			fmt.Printf("  OpenSearch "+format+"  ratio %.2f", peer, got/peer)
		}
		fmt.Println()
	}
	o := other
	if o == nil {
		o = &figures{queries: make([]timing, len(list)), totals: mine.totals}
	}
	if mine.cpu > 0 {
		row("ingest, CPU a document", "%8.1f us", mine.cpu, o.cpu, 30)
		row("ingest, documents a second", "%8.0f   ", mine.rate, o.rate, 0)
		row("all searchable after", "%8.1f ms", ms(mine.visible), ms(o.visible), 1000)
		row("slowest query beside ingestion", "%8.1f ms", ms(mine.busy), ms(o.busy), 0)
		row("memory after loading", "%8.0f MB", mb(mine.loaded), mb(o.loaded), 0)
	}
	row("disk a document", "%8.0f B ", mine.disk, o.disk, 200)
	row("memory after querying", "%8.0f MB", mb(mine.querying), mb(o.querying), 250)
	row("highest memory since the start", "%8.0f MB", mb(mine.peak), mb(o.peak), 250)
	row("start to first answer", "%8.0f ms", ms(mine.restart), ms(o.restart), 1000)
	for i, w := range list {
		row(w.name, "%8.2f ms", ms(mine.queries[i].median), ms(o.queries[i].median), ms(w.target))
		row("  first run", "%8.2f ms", ms(mine.queries[i].first), ms(o.queries[i].first), 0)
	}
	for i, w := range list {
		if mine.totals[i] != o.totals[i] {
			return fmt.Errorf("%s: the engine found %d, the other server %d", w.name, mine.totals[i], o.totals[i])
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mb(n int64) float64 { return float64(n) / (1 << 20) }
