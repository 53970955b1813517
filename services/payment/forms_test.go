package payment

import (
	"bytes"
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/services/payment/letter"
	"kreislauf/services/payment/paper"
)

var update = flag.Bool("update", false, "rewrite the golden files; then make check-invoices has to pass")

// everyKind gives documents of every kind, by name and number.
func everyKind(t *testing.T) map[string]struct {
	number string
	paper  paper.Paper
} {
	t.Helper()
	list := map[string]struct {
		number string
		paper  paper.Paper
	}{}
	add := func(name, number string, p paper.Paper, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		list[name] = struct {
			number string
			paper  paper.Paper
		}{number, p}
	}
	small := company // without a VAT id
	small.VATID, small.TaxNumber, small.BIC = "", "215/123/45678", ""
	vat := partner
	vat.TaxID = "DE812458380"
	all := weighed()
	all.FetchedOn, all.NetKg, all.FailedTrips, all.ExtraTonneNetCents, all.Pay.PerTonneOverCents = "2026-11-24", 1595, 2, 190_01, 150_10
	odd := weighed() // what customers write must not break a file
	odd.Address = event.Address{Name: "Müller & Söhne <Bau> GmbH \U0001f6a7", Street: "Straße des 17. Juni 135, Hinterhaus, Aufgang B, bei Wiśniewska", City: "Köln"}

	scrap := weighed() // with rent and a trip for nothing, which bear VAT
	scrap.Waste, scrap.CompanyID, scrap.FetchedOn, scrap.NetKg, scrap.FailedTrips, scrap.PermitNetCents = "170407", "c-1", "2026-11-24", 1595, 1, 68_00
	apart := scrap // the price says what is for disposal
	apart.Lines = []event.PriceLine{{Kind: "service", NetCents: 300_00}, {Kind: "disposal", NetCents: 115_00}, {Kind: "permit", NetCents: 68_00}}
	plain := scrap // no VAT at all
	plain.FetchedOn, plain.FailedTrips, plain.PermitNetCents = "2026-11-21", 0, 0
	byWeight := weighed()
	byWeight.Tariff, byWeight.Price, byWeight.IncludedKg, byWeight.PermitNetCents = weightTariff, money.FromNet(178_00), 0, 68_00
	dealer := Buyer{newClient(event.CompanyChanged{
		CompanyID: "c-1", Version: 1, Name: "Schrotthandel Ruhr GmbH", Street: "Kanalstraße 8", Postcode: "45127", City: "Essen",
		Email: "rechnung@schrott.example", VATID: "DE812379198", ReverseCharge: true,
	}).party(), true, true}
	builder := Buyer{newClient(event.CompanyChanged{
		CompanyID: "c-2", Version: 1, Name: "Bau Nord AG", Street: "Elbe 4", Postcode: "20457", City: "Hamburg", Email: "rechnung@bau.example", VATID: "DE812300009",
	}).party(), true, false}
	trader := partner // §19 UStG
	trader.SmallBusiness = true

	invoice, err := invoicePaper(company, weighed(), person(weighed(), "anna@example.org"), noon)
	add("invoice", "R-2026-000001", invoice, err)
	p, err := invoicePaper(small, all, person(all, "anna@example.org"), noon)
	add("invoice-all", "R-2026-000002", p, err)
	p, err = invoicePaper(company, odd, person(odd, "bau@example.org"), noon)
	add("invoice-odd", "R-2026-000003", p, err)
	p, err = correctionPaper(invoice, "R-2026-000001", noon.AddDate(0, 0, 9))
	add("correction", "K-2026-000001", p, err)
	p, err = invoicePaper(company, weighed(), builder, noon)
	add("invoice-company", "R-2026-000004", p, err)
	reverse, err := invoicePaper(company, scrap, dealer, noon)
	add("invoice-reverse-charge-mixed", "R-2026-000005", reverse, err)
	p, err = invoicePaper(company, apart, dealer, noon)
	add("invoice-reverse-charge-apart", "R-2026-000009", p, err)
	p, err = invoicePaper(company, plain, dealer, noon)
	add("invoice-reverse-charge", "R-2026-000006", p, err)
	p, err = invoicePaper(company, byWeight, person(byWeight, "anna@example.org"), noon)
	add("invoice-weight", "R-2026-000007", p, err)
	p, err = invoicePaper(company, all, person(all, "anna@example.org"), noon.AddDate(0, 0, 9))
	p.Replaces = &paper.Reference{Number: "R-2026-000001", IssuedOn: invoice.IssuedOn}
	add("invoice-replacement", "R-2026-000008", p, cmp.Or(err, check(p)))
	p, err = correctionPaper(reverse, "R-2026-000005", noon.AddDate(0, 0, 9))
	add("correction-reverse-charge", "K-2026-000002", p, err)
	small19, err := creditPaper(company, trader, all, noon)
	add("credit-note-small-business", "G-2026-000003", small19, err)
	p, err = correctionPaper(small19, "G-2026-000003", noon.AddDate(0, 0, 9))
	add("credit-note-correction", "K-2026-000003", p, err)
	p, err = creditPaper(company, vat, weighed(), noon)
	p.Replaces = &paper.Reference{Number: "G-2026-000002", IssuedOn: p.IssuedOn}
	add("credit-note-replacement", "G-2026-000004", p, cmp.Or(err, check(p)))
	p, err = creditPaper(company, vat, weighed(), noon)
	add("credit-note", "G-2026-000001", p, err)
	p, err = creditPaper(company, partner, all, noon)
	add("credit-note-all", "G-2026-000002", p, err)
	return list
}

// TestForms holds every kind of document in every form against the golden files, which make check-invoices gives to the validators.
func TestForms(t *testing.T) {
	const folder = "testdata/invoices"
	for name, d := range everyKind(t) {
		xrechnung, err := paper.XRechnung(d.number, d.paper)
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := letter.PDF(d.number, d.paper)
		if err != nil {
			t.Fatal(err)
		}
		for ext, got := range map[string][]byte{".xrechnung.xml": xrechnung, ".zugferd.xml": paper.ZUGFeRD(d.number, d.paper), ".pdf": pdf} {
			file := filepath.Join(folder, name+ext)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if ext == ".pdf" && !bytes.Equal(want, got) {
				t.Errorf("%s: %d bytes that differ from the golden %d", file, len(got), len(want))
			} else if diff := gocmp.Diff(string(want), string(got)); ext != ".pdf" && diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
	}
}
