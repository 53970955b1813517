package payment

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
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

	invoice, err := invoicePaper(company, weighed(), "anna@example.org", noon)
	add("invoice", "R-2026-000001", invoice, err)
	p, err := invoicePaper(small, all, "anna@example.org", noon)
	add("invoice-all", "R-2026-000002", p, err)
	p, err = invoicePaper(company, odd, "bau@example.org", noon)
	add("invoice-odd", "R-2026-000003", p, err)
	p, err = correctionPaper(invoice, "R-2026-000001", noon.AddDate(0, 0, 9))
	add("correction", "K-2026-000001", p, err)
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
			} else if diff := cmp.Diff(string(want), string(got)); ext != ".pdf" && diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
	}
}
