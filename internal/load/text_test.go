package load

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func finished() *tally {
	f := &flights{}
	f.started.Store(240)
	f.ended.Store(237)
	t := newTally(2, f)
	for i := range 240 {
		t.visited(time.Duration(i) * time.Millisecond)
		t.step(stepQuote, time.Duration(i)*100*time.Microsecond, outcome{})
		t.step(stepOrder, time.Duration(i)*200*time.Microsecond, outcome{retries: i / 239})
	}
	for _, id := range []string{"o-1", "o-2", "o-3"} {
		t.placed(id, id == "o-2")
	}
	t.add(func(s *Summary) {
		s.Customers, s.Quotes, s.Attempts, s.RefusedAsExpected, s.Elapsed = 20, 480, 3, 9, 2*time.Minute
	})
	return t
}

func TestProgressLine(t *testing.T) {
	calm := finished().line(12*time.Second + 900*time.Millisecond)
	bad := finished()
	bad.flights.skipped.Store(7)
	bad.add(func(s *Summary) { s.OrdersFailed = 2 })
	golden(t, "progress.txt", calm+"\n"+bad.line(75*time.Minute+5*time.Second)+"\n")
}

func TestSummaryText(t *testing.T) {
	bad := finished()
	bad.flights.skipped.Store(7)
	bad.fail(stepQuote, "HTTP 503")
	bad.add(func(s *Summary) {
		s.WronglyAccepted, s.OrdersFailed, s.Failures["order: timeout"] = 1, 7, 7
		s.UnknownOrders = []string{"k-x-1", "k-x-2", "k-x-3", "k-x-4", "k-x-5", "k-x-6", "k-x-7"}
	})
	worked := finished()
	worked.worked(stepJobs, 5*time.Millisecond, outcome{})
	worked.worked(stepOffers, 4*time.Millisecond, outcome{retries: 1})
	worked.add(func(s *Summary) {
		s.Partners, s.Accepted, s.Declined, s.FailedTrips, s.Receipts, s.Overtaken, s.Unfinished = 10, 5, 1, 2, 4, 3, 1
		s.Stages = map[string]int{stagePlaced: 3, stageMatched: 3, stageOnSite: 2, stagePaid: 1}
	})
	var b strings.Builder
	for _, s := range []Summary{finished().summary(), bad.summary(), {}, worked.summary()} {
		if err := s.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	golden(t, "summary.txt", b.String())
}

func TestReplayText(t *testing.T) {
	p := &replayer{flights: &flights{}, sum: ReplaySummary{Lines: 1000, Rewritten: 3, NoAddress: 1, Failures: map[string]int{"timeout": 2}}}
	p.flights.started.Store(995)
	p.flights.ended.Store(990)
	p.flights.skipped.Store(4)
	p.sum.Classes = [6]int{0, 0, 900, 20, 60, 8}
	p.took.observe(3 * time.Millisecond)
	for i := range 12 {
		p.unreadable(i*10+1, errNoClosingQuote)
	}
	var b strings.Builder
	b.WriteString(p.line(5*time.Second) + "\n\n")
	if err := p.summary().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "replay.txt", b.String())
}

func TestProgressInPlaceAndAsLines(t *testing.T) {
	for name, inPlace := range map[string]bool{"terminal.txt": true, "lines.txt": false} {
		synctest.Test(t, func(t *testing.T) {
			var b strings.Builder
			p := newProgress(&b, time.Second)
			if p.inPlace || p.every != 10*time.Second {
				t.Errorf("a buffer is taken for a terminal: %+v", p)
			}
			p.inPlace = inPlace
			n := 0
			stop := p.watch(func() string { n++; return "line " + strings.Repeat("x", 4-n) })
			time.Sleep(15 * time.Second)
			p.note("note %d", 1)
			time.Sleep(6 * time.Second)
			stop()
			golden(t, name, b.String())
		})
	}
}
