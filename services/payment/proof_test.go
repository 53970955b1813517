package payment

import (
	"strings"
	"testing"

	"kreislauf/internal/event"
)

// TestProofs: what the rules make passes, and each change of it does not.
func TestProofs(t *testing.T) {
	for name, spoil := range map[string]struct {
		by   func(invoice, credit *Document, w *event.Weighed)
		want string // empty: all is right
	}{
		"as made":          {func(_, _ *Document, _ *event.Weighed) {}, ""},
		"another text":     {func(i, _ *Document, _ *event.Weighed) { i.Paper.Lines[0].Text = "Container" }, ""},
		"another weight":   {func(_, _ *Document, w *event.Weighed) { w.NetKg += 1000 }, "follows from the order"},
		"another trip":     {func(_, _ *Document, w *event.Weighed) { w.FailedTrips++ }, "follows from the order"},
		"another total":    {func(_, c *Document, _ *event.Weighed) { c.Paper.Total.GrossCents++ }, "gross, and"},
		"another line":     {func(_, c *Document, _ *event.Weighed) { c.Paper.Lines[0].UnitCents++ }, "its lines are not"},
		"another customer": {func(i, _ *Document, _ *event.Weighed) { i.UserID = "u-2" }, "it is for u-2"},
		"another partner":  {func(_, c *Document, _ *event.Weighed) { c.PartnerID = "p-2" }, "it is for p-2"},
		"another balance":  {func(i, _ *Document, _ *event.Weighed) { i.Balance[Revenue]++ }, "its bookings add up to"},
		"another posting":  {func(i, _ *Document, _ *event.Weighed) { i.Entries[0].Postings[0].Cents++ }, "out of balance by 0.01"},
	} {
		t.Run(name, func(t *testing.T) {
			w := weighed()
			invoice, credit := issued(t)
			spoil.by(&invoice, &credit, &w)
			got := ""
			for _, d := range []*Document{&invoice, &credit} {
				if err := d.Follows(w); err != nil {
					got += err.Error()
				}
				if sum, err := d.Proof(); err != nil {
					got += err.Error()
				} else if sum != 0 {
					t.Errorf("the journal of %s adds up to %s", d.ID, sum)
				}
			}
			if (got == "") != (spoil.want == "") || !strings.Contains(got, spoil.want) {
				t.Errorf("%q, want %q", got, spoil.want)
			}
		})
	}
}

func TestCancels(t *testing.T) {
	invoice, _ := issued(t)
	if err := invoice.cancel(cancelling("it was wrong"), why("it was wrong"), noon); err != nil {
		t.Fatal(err)
	}
	c, err := draftCorrection(invoice, berlin, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Cancels(invoice); err != nil {
		t.Error(err)
	}
	c.Paper.Corrects.Number = "R-2026-000002"
	if c.Cancels(invoice) == nil {
		t.Error("the correction of another invoice passes")
	}
	c.Paper.Total.GrossCents++
	if c.Cancels(invoice) == nil {
		t.Error("a correction of less than the invoice passes")
	}
}

func TestKnows(t *testing.T) {
	e := event.PartnerChanged{PartnerID: "p-1", Version: 3, Name: "Mulden KG", TaxID: "DE123456788"}
	p := newPartner(e)
	p.Version = 17 // of the projection's own document
	e.Version = 9
	if !p.Knows(e) {
		t.Error("the same state with another version is another one")
	}
	e.TaxID = "DE136695976"
	if p.Knows(e) {
		t.Error("another tax id is not noticed")
	}
}
