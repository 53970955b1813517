package load

import (
	"strings"
	"testing"

	"kreislauf/internal/catalog"
	"kreislauf/internal/client"
	"kreislauf/internal/money"
)

func TestTheSameSeedGivesTheSameLives(t *testing.T) {
	for n := range 50 {
		if drawLife(7, visitKey(n)) != drawLife(7, visitKey(n)) {
			t.Errorf("visit %d has two lives", n)
		}
	}
	same := 0
	for n := range 50 {
		if drawLife(7, visitKey(n)) == drawLife(8, visitKey(n)) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 50 lives do not depend on the seed", same)
	}
}

// TestLives: shares are as said, weights are what the platform takes, and payments add up.
func TestLives(t *testing.T) {
	const n = 20_000
	count := map[string]int{}
	open := money.Cents(48_311)
	for i := range n {
		l := drawLife(3, visitKey(i))
		note := func(name string, is bool) {
			if is {
				count[name]++
			}
		}
		note("cancels", l.cancels)
		note("trips", l.trips > 0)
		note("odd", l.odd)
		note("overfull", l.fill > 1)
		_, declined := declines(3, visitKey(i), "p-1")
		note("declined", declined)
		for _, w := range catalog.Wastes()[:i%2000/1990*len(catalog.Wastes())] { // of some lives
			for _, size := range w.Sizes() {
				least, most := w.PlausibleKg(size)
				got, err := l.weighing(client.Job{OrderID: "o-1", Waste: w.Code, SizeM3: size})
				if err != nil {
					t.Fatal(err)
				}
				kg := got.GrossKg - got.TareKg
				if plausible := kg >= least && kg <= most; kg < 1 || got.GrossKg > 44_000 || plausible == got.Confirmed {
					t.Fatalf("%d m³ of %s: %+v, plausible %d to %d", size, w.Code, got, least, most)
				}
			}
		}
		var sum money.Cents
		for _, a := range l.amounts(open) {
			if sum += a; a < 1 {
				t.Fatalf("%+v pays %v", l, l.amounts(open))
			}
		}
		switch l.pays {
		case notAtAll:
			note("not at all", sum == 0)
		case tooMuch:
			note("too much", sum > open)
		case inTwoParts:
			note("in two parts", sum == open && len(l.amounts(open)) == 2)
		default:
			note("whole", sum == open)
		}
		if named := strings.Contains(strings.NewReplacer("-", "", " ", "", "r", "R").Replace(l.referenceTo("R-2026-000017")), "R2026000017"); named == (l.pays == withoutNumber) {
			t.Fatalf("%+v writes %q", l, l.referenceTo("R-2026-000017"))
		}
	}
	for name, want := range map[string]float64{
		"cancels": cancelShare, "trips": tripShare, "odd": oddShare, "overfull": overfullShare, "declined": declineShare,
		"not at all": 0.05, "too much": 0.06, "in two parts": 0.09, "whole": 0.80,
	} {
		if got := float64(count[name]) / n; got < want*0.85-0.002 || got > want*1.15+0.002 {
			t.Errorf("%s: %.4f, want %.4f", name, got, want)
		}
	}
}

func TestSmallInvoicesArePaidOnce(t *testing.T) {
	l := life{pays: inTwoParts, firstPart: 20}
	if got := l.amounts(3); len(got) != 1 || got[0] != 3 {
		t.Errorf("3 cents are paid as %v", got)
	}
}
