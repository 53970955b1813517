package local

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kreislauf/internal/catalog"
	"kreislauf/internal/money"
	"kreislauf/services/disposer"
	"kreislauf/services/pricing/tariff"
)

// TestWritePartners: a file of somebody's own stays; the demo network of an older version does not, because the disposer refuses it.
func TestWritePartners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "partners.json")
	for _, tc := range []struct{ name, before, after string }{
		{"none", "", string(demoPartners)},
		{"the same again", string(demoPartners), string(demoPartners)},
		{"somebody's own", "[]", "[]"},
		{"an older demo", formerDemoText(t), string(demoPartners)},
	} {
		if tc.before != "" {
			if err := os.WriteFile(path, []byte(tc.before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeDemo(path, demoPartners); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != tc.after {
			t.Errorf("%s: %d bytes, %v; want %d", tc.name, len(got), err, len(tc.after))
		}
	}
}

// formerDemoText is the demo network as it was.
func formerDemoText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/partners-2026-11.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDemoPartnersLeaveAMargin holds the rates of the demo network against the prices of every zone: what a partner is paid is below what
// the customer pays, without being a pittance.
func TestDemoPartnersLeaveAMargin(t *testing.T) {
	list, err := disposer.ReadFile("partners.json")
	if err != nil || len(list) < 10 {
		t.Fatalf("%d partners: %v", len(list), err)
	}
	for _, p := range list {
		if !p.Active {
			t.Errorf("%s is not active", p.ID)
		}
		for _, w := range catalog.Wastes() {
			if !slices.Contains(p.Wastes, w.Code) {
				continue
			}
			for _, size := range w.Sizes() {
				pay := p.Rates.TripCents + p.Rates.PerM3Cents[w.Code]*money.Cents(size)
				for _, prefix := range catalog.Prefixes() {
					price := tariff.Net(tariff.Lines(catalog.Zone{Prefix: prefix}, w, size, false))
					if share := pay * 100 / price; share < 50 || share > 86 {
						t.Errorf("%s gets %s of %s for %d m³ of %s in %s: %d %%", p.ID, pay, price, size, w.Code, prefix, share)
					}
				}
			}
		}
	}
}
