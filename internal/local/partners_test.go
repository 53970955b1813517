package local

import (
	"slices"
	"testing"

	"kreislauf/internal/catalog"
	"kreislauf/internal/money"
	"kreislauf/services/disposer"
	"kreislauf/services/pricing/tariff"
)

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
					price := tariff.Net(catalog.Zone{Prefix: prefix}, w, size)
					if share := pay * 100 / price; share < 50 || share > 86 {
						t.Errorf("%s gets %s of %s for %d m³ of %s in %s: %d %%", p.ID, pay, price, size, w.Code, prefix, share)
					}
				}
			}
		}
	}
}
