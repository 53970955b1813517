package payment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/services/payment/paper"
)

// TestVAT: which lines bear which category, and what that makes of the total.
func TestVAT(t *testing.T) {
	dealer := Client{ID: "c-1", Name: "Schrott GmbH", Street: "Kai 1", Postcode: "45127", City: "Essen", VATID: "DE812379198", ReverseCharge: true}
	noID, builder := dealer, dealer
	noID.VATID, builder.ReverseCharge = "", false
	all := func(waste string) event.Weighed {
		w := weighed()
		w.Waste, w.CompanyID, w.FetchedOn, w.NetKg, w.FailedTrips, w.PermitNetCents = waste, "c-1", "2026-11-24", 2250, 1, 68_00
		return w // 415 service, 68 permit, 9 rent, 190 weight, 55 trip: 737
	}
	standard, mixed := []paper.Tax{{Category: "S", Percent: 19, NetCents: 737_00, VATCents: 140_03}}, []paper.Tax{
		{Category: "S", Percent: 19, NetCents: 132_00, VATCents: 25_08}, {Category: "AE", NetCents: 605_00},
	}
	split := []paper.Tax{{Category: "S", Percent: 19, NetCents: 432_00, VATCents: 82_08}, {Category: "AE", NetCents: 305_00}}
	told := []event.PriceLine{{Kind: "service", NetCents: 300_00}, {Kind: "disposal", NetCents: 115_00}, {Kind: "permit", NetCents: 68_00}}
	for name, tc := range map[string]struct {
		client Client
		waste  string
		lines  []event.PriceLine
		taxes  []paper.Tax
	}{
		"scrap of a dealer":                  {dealer, "170407", nil, mixed},
		"iron of a dealer":                   {dealer, "170405", nil, mixed},
		"scrap of a dealer, told apart":      {dealer, "170407", told, split},
		"scrap of a builder, told apart":     {builder, "170407", told, standard},
		"rubble of a dealer":                 {dealer, "170107", nil, standard},
		"scrap of a builder":                 {builder, "170407", nil, standard},
		"scrap of a dealer without a VAT id": {noID, "170407", nil, standard},
	} {
		w := all(tc.waste)
		w.Lines = tc.lines
		p, err := invoicePaper(company, w, Buyer{tc.client.party(), true, tc.client.reverses(w.Waste)}, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tc.taxes, p.Taxes); diff != "" || p.Total.GrossCents != 737_00+tc.taxes[0].VATCents {
			t.Errorf("%s: total %v, taxes (-want +got):\n%s", name, p.Total, diff)
		}
		d := Document{Kind: Invoice, UserID: "u-1", Paper: p}
		if err := d.Follows(w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	small := partner
	small.SmallBusiness = true
	p, err := creditPaper(company, small, all("170407"), noon)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]paper.Tax{{Category: "E", NetCents: 540_00}}, p.Taxes); diff != "" || p.Total != (money.Price{NetCents: 540_00, GrossCents: 540_00, Currency: "EUR"}) {
		t.Errorf("credit note of a small trader: total %v, taxes (-want +got):\n%s", p.Total, diff)
	}
	d := Document{Kind: CreditNote, PartnerID: "p-koeln", Paper: p}
	if err := d.Follows(all("170407")); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*paper.Paper){
		"no note":                   func(p *paper.Paper) { p.Notes = nil },
		"a rate":                    func(p *paper.Paper) { p.Lines[0].Percent = 19 },
		"one line with tax":         func(p *paper.Paper) { p.Lines[0].Category, p.Lines[0].Percent = "S", 19 },
		"a partner who owes no tax": func(p *paper.Paper) { p.Lines = taxed(p.Lines, paper.ReverseCharge) },
		"an unknown category":       func(p *paper.Paper) { p.Lines[0].Category = "O" },
		"tax where there is none":   func(p *paper.Paper) { p.Taxes = []paper.Tax{{Category: "E", NetCents: 540_00, VATCents: 1}} },
	} {
		broken := p
		broken.Lines = append([]paper.Line{}, p.Lines...)
		change(&broken)
		if broken.Check() == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}

// TestScrapIsWhatTheCatalogSays: what can be ordered has the same mark there.
func TestScrapIsWhatTheCatalogSays(t *testing.T) {
	for _, w := range catalog.Wastes() {
		if (scrap()[w.Code] > 0) != w.ReverseCharge {
			t.Errorf("%s: annex 3 no. %d, catalog %v", w.Code, scrap()[w.Code], w.ReverseCharge)
		}
	}
}
