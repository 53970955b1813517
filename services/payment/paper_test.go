package payment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/services/payment/paper"
)

var partner = newPartner(event.PartnerChanged{
	PartnerID: "p-koeln", Version: 3, Name: "Rheinland Mulden KG", Street: "Hafen 2", Postcode: "50735", City: "Köln",
	Email: "buero@mulden.example", TaxID: "217/5678/1234",
})

// weighed is an order without anything on top.
func weighed() event.Weighed {
	return event.Weighed{
		OrderID: "o-mfzwizltoqxgk3tp", UserID: "u-1", PartnerID: "p-koeln", Postcode: "50667", Waste: "170904", SizeM3: 7,
		Address: event.Address{Name: "Anna Beispiel", Street: "Hauptstraße 1", City: "Köln"}, GrossKg: 13500, TareKg: 12250, NetKg: 1250, Slip: "W-17",
		PlacedOn: "2026-11-10", FetchedOn: "2026-11-21", Price: money.FromNet(483_00), IncludedDays: 10, ExtraDayNetCents: 3_00, IncludedKg: 1250,
		ExtraTonneNetCents: 190_00, Pay: event.Pay{NetCents: 350_00, PerTonneOverCents: 150_00},
	}
}

func TestLines(t *testing.T) {
	type row struct {
		Item     string
		Quantity paper.Quantity
		Unit     paper.Unit
		Net      money.Cents
	}
	base, pay := row{itemService, 1000, paper.Piece, 483_00}, row{itemService, 1000, paper.Piece, 350_00}
	for _, tc := range []struct {
		name    string
		change  func(*event.Weighed)
		invoice []row
		credit  []row
		total   money.Price // of the invoice
	}{
		{
			"nothing on top", func(*event.Weighed) {},
			[]row{base},
			[]row{pay},
			money.FromNet(483_00),
		},
		{
			"fetched the next day", func(w *event.Weighed) { w.FetchedOn = "2026-11-11" },
			[]row{base},
			[]row{pay},
			money.FromNet(483_00),
		},
		{
			"fetched on the day of placing", func(w *event.Weighed) { w.FetchedOn = w.PlacedOn },
			[]row{base},
			[]row{pay},
			money.FromNet(483_00),
		},
		{
			"one day more than included", func(w *event.Weighed) { w.FetchedOn = "2026-11-22" },
			[]row{base, {itemDays, 1000, paper.Day, 3_00}},
			[]row{pay},
			money.FromNet(486_00),
		},
		{
			"over the change to summer time and a month's end", func(w *event.Weighed) { w.PlacedOn, w.FetchedOn = "2026-03-20", "2026-04-01" },
			[]row{base, {itemDays, 1000, paper.Day, 3_00}},
			[]row{pay},
			money.FromNet(486_00),
		},
		{
			"lighter than included", func(w *event.Weighed) { w.NetKg = 20 },
			[]row{base},
			[]row{pay},
			money.FromNet(483_00),
		},
		{
			"a kilogram more: 0.19 and 0.15", func(w *event.Weighed) { w.NetKg = 1251 },
			[]row{base, {itemWeight, 1, paper.Tonne, 19}},
			[]row{pay, {itemWeight, 1, paper.Tonne, 15}},
			money.FromNet(483_19),
		},
		{
			"part of a tonne, half a cent up: 0.345 t at 190.01 is 65.55345, at 150.10 is 51.7845",
			func(w *event.Weighed) { w.NetKg, w.ExtraTonneNetCents, w.Pay.PerTonneOverCents = 1595, 190_01, 150_10 },
			[]row{base, {itemWeight, 345, paper.Tonne, 65_55}},
			[]row{pay, {itemWeight, 345, paper.Tonne, 51_78}},
			money.FromNet(548_55),
		},
		{
			"exactly half a cent is rounded up: 0.005 t at 1.00",
			func(w *event.Weighed) { w.NetKg, w.ExtraTonneNetCents, w.Pay.PerTonneOverCents = 1255, 1_00, 99 },
			[]row{base, {itemWeight, 5, paper.Tonne, 1}},
			[]row{pay, {itemWeight, 5, paper.Tonne, 0}},
			money.FromNet(483_01),
		},
		{
			"everything on top", func(w *event.Weighed) { w.FetchedOn, w.NetKg, w.FailedTrips = "2026-11-24", 3250, 2 },
			[]row{base, {itemDays, 3000, paper.Day, 9_00}, {itemWeight, 2000, paper.Tonne, 380_00}, {itemTrips, 2000, paper.Piece, 110_00}},
			[]row{pay, {itemWeight, 2000, paper.Tonne, 300_00}, {itemTrips, 2000, paper.Piece, 80_00}},
			money.FromNet(982_00),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := weighed()
			tc.change(&w)
			invoice, err := invoicePaper(company, w, person(w, ""), noon)
			if err != nil {
				t.Fatal(err)
			}
			credit, err := creditPaper(company, partner, w, noon)
			if err != nil {
				t.Fatal(err)
			}
			rows := func(p paper.Paper) (list []row) {
				for _, l := range p.Lines {
					list = append(list, row{l.Item, l.Quantity, l.Unit, l.NetCents})
				}
				return list
			}
			if diff := cmp.Diff(tc.invoice, rows(invoice)); diff != "" {
				t.Errorf("invoice (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.credit, rows(credit)); diff != "" {
				t.Errorf("credit note (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.total, invoice.Total); diff != "" {
				t.Errorf("total (-want +got):\n%s", diff)
			}
			for _, p := range []paper.Paper{invoice, credit} {
				var net money.Cents
				for _, l := range p.Lines {
					net += l.NetCents
				}
				want := []paper.Tax{{Category: "S", Percent: 19, NetCents: net, VATCents: (net*19 + 50) / 100}}
				if diff := cmp.Diff(want, p.Taxes); diff != "" || net != p.Total.NetCents || p.Total.GrossCents != net+want[0].VATCents {
					t.Errorf("%s: lines %d, total %+v, taxes (-want +got):\n%s", p.Title, net, p.Total, diff)
				}
			}
		})
	}
}

// TestTaxIsCalculatedOnce: line by line the tax of three times 0.19 would be 0.12, on their sum it is 0.11.
func TestTaxIsCalculatedOnce(t *testing.T) {
	l := line(itemWeight, "x", 1000, paper.Tonne, 19)
	taxes, sum := paper.Total([]paper.Line{l, l, l})
	if taxes[0].VATCents != 11 || sum.GrossCents != 68 {
		t.Errorf("taxes %+v, total %+v", taxes, sum)
	}
}

func TestPapersAreComplete(t *testing.T) {
	today := time.Date(2026, 12, 20, 0, 30, 0, 0, time.UTC)
	w := weighed()
	w.NetKg = 1500
	invoice, err := invoicePaper(company, w, person(w, ""), today)
	if err != nil {
		t.Fatal(err)
	}
	us := paper.Party{
		Name: company.Name, Street: company.Street, Postcode: company.Postcode, City: company.City, Country: "DE", VATID: company.VATID,
		Register: company.Register, Email: company.Email, Phone: company.Phone,
	}
	sum := money.FromNet(530_50)
	want := paper.Paper{
		TypeCode: "380", Title: "Rechnung", IssuedOn: "2026-12-20", SuppliedFrom: "2026-11-10", SuppliedTo: "2026-11-21", DueOn: "2027-01-03", TermDays: 14,
		Seller: us, Buyer: paper.Party{Name: "Anna Beispiel", Street: "Hauptstraße 1", Postcode: "50667", City: "Köln", Country: "DE"},
		Lines: []paper.Line{
			{
				Item: "service", Text: "Container 7 m³ Baumischabfall (AVV 170904): stellen, abholen, verwerten; bis 10 Miettage und 1250 kg enthalten",
				Quantity: 1000, Unit: "C62", UnitCents: 483_00, NetCents: 483_00, Percent: 19, Category: "S",
			},
			{Item: "extra-weight", Text: "Mehrgewicht (1500 kg gewogen)", Quantity: 250, Unit: "TNE", UnitCents: 190_00, NetCents: 47_50, Percent: 19, Category: "S"},
		},
		Taxes: []paper.Tax{{Category: "S", Percent: 19, NetCents: 530_50, VATCents: 100_80}}, Total: sum, IBAN: company.IBAN, BIC: company.BIC, Notes: invoice.Notes, OrderID: w.OrderID, Slip: "W-17",
	}
	if diff := cmp.Diff(want, invoice); diff != "" || len(invoice.Notes) != 2 {
		t.Errorf("invoice (-want +got):\n%s", diff)
	}
	credit, err := creditPaper(company, partner, w, today)
	if err != nil {
		t.Fatal(err)
	}
	pays := money.FromNet(387_50)
	want.TypeCode, want.Title, want.SelfBilled, want.Buyer, want.IBAN, want.BIC = "389", "Gutschrift", true, us, "", ""
	want.Seller = paper.Party{
		Name: "Rheinland Mulden KG", Street: "Hafen 2", Postcode: "50735", City: "Köln", Country: "DE", SellerID: "p-koeln", TaxNumber: "217/5678/1234",
		Email: "buero@mulden.example",
	}
	want.Lines = []paper.Line{
		{Item: "service", Text: "Container 7 m³ Baumischabfall (AVV 170904): stellen, abholen, verwerten", Quantity: 1000, Unit: "C62", UnitCents: 350_00, NetCents: 350_00, Percent: 19, Category: "S"},
		{Item: "extra-weight", Text: "Mehrgewicht (1500 kg gewogen)", Quantity: 250, Unit: "TNE", UnitCents: 150_00, NetCents: 37_50, Percent: 19, Category: "S"},
	}
	want.Taxes, want.Total, want.Notes = []paper.Tax{{Category: "S", Percent: 19, NetCents: 387_50, VATCents: 73_63}}, pays, credit.Notes
	if diff := cmp.Diff(want, credit); diff != "" || len(credit.Notes) != 2 {
		t.Errorf("credit note (-want +got):\n%s", diff)
	}
	if p := newPartner(event.PartnerChanged{PartnerID: "p", Version: 1, TaxID: "DE123456788"}).party(); p.VATID != "DE123456788" || p.TaxNumber != "" {
		t.Errorf("party of a partner with a VAT id: %+v", p)
	}

	correction, err := correctionPaper(invoice, "R-2026-000001", today.AddDate(0, 0, 9))
	if err != nil {
		t.Fatal(err)
	}
	if correction.TypeCode != "384" || correction.IssuedOn != "2026-12-29" || *correction.Corrects != (paper.Reference{Number: "R-2026-000001", IssuedOn: "2026-12-20"}) {
		t.Errorf("correction %+v", correction)
	}
	if diff := cmp.Diff(money.FromNet(-530_50), correction.Total); diff != "" || correction.Total.GrossCents+invoice.Total.GrossCents != 0 {
		t.Errorf("total of the correction (-want +got):\n%s", diff)
	}
	for i, l := range correction.Lines {
		if o := invoice.Lines[i]; l.Quantity != -o.Quantity || l.NetCents != -o.NetCents || l.UnitCents != o.UnitCents {
			t.Errorf("line %+v corrects %+v", l, o)
		}
	}
}

// TestPapersThatMustNotBeIssued: the event goes to the dead letters, so the error says that no retry can mend it.
func TestPapersThatMustNotBeIssued(t *testing.T) {
	for name, change := range map[string]func(*event.Weighed){
		"no customer's name":      func(w *event.Weighed) { w.Address.Name = "" },
		"no street":               func(w *event.Weighed) { w.Address.Street = "" },
		"no price":                func(w *event.Weighed) { w.Price, w.Pay = money.Price{}, event.Pay{} },
		"a negative price":        func(w *event.Weighed) { w.Price = money.FromNet(-1) },
		"no date of placing":      func(w *event.Weighed) { w.PlacedOn = "" },
		"fetched before placing":  func(w *event.Weighed) { w.FetchedOn = "2026-11-09" },
		"a negative extra charge": func(w *event.Weighed) { w.NetKg, w.ExtraTonneNetCents = 2000, -1 },
	} {
		w := weighed()
		change(&w)
		if _, err := invoicePaper(company, w, person(w, ""), noon); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := invoicePaper(company, weighed(), person(weighed(), ""), noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*paper.Paper){
		"VAT a cent off":                   func(p *paper.Paper) { p.Total.VATCents++; p.Total.GrossCents++ },
		"a line that is not its product":   func(p *paper.Paper) { p.Lines[0].NetCents++ },
		"due before it is issued":          func(p *paper.Paper) { p.DueOn = "2026-11-29" },
		"a correction of nothing":          func(p *paper.Paper) { p.TypeCode = "384" },
		"self-billed without its word":     func(p *paper.Paper) { p.SelfBilled = true },
		"a seller who bills itself":        func(p *paper.Paper) { p.Buyer = p.Seller },
		"a seller without any tax id":      func(p *paper.Paper) { p.Seller.VATID = "" },
		"no time of supply":                func(p *paper.Paper) { p.SuppliedTo = "" },
		"an invoice that names an invoice": func(p *paper.Paper) { p.Corrects = &paper.Reference{Number: "R-2026-000001", IssuedOn: "2026-11-30"} },
	} {
		p := good
		p.Lines = append([]paper.Line{}, good.Lines...)
		change(&p)
		if err := check(p); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestQuantity(t *testing.T) {
	for q, want := range map[paper.Quantity]string{0: "0.000", 1: "0.001", 340: "0.340", 1000: "1.000", 12345: "12.345", -340: "-0.340", -2000: "-2.000"} {
		if got := q.String(); got != want {
			t.Errorf("%d prints as %s, want %s", q, got, want)
		}
	}
}
