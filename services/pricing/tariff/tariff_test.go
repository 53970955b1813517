package tariff

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/catalog"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func zone(t *testing.T, postcode string) catalog.Zone {
	t.Helper()
	z, err := catalog.FindZone(postcode)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestPriceTable keeps every price of a dense, a middling and a thin zone. A change here needs a new Version.
func TestPriceTable(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "tariff %s\nmodel,zone,waste,size_m3,net,vat,gross,included_kg,extra_tonne_net\n", Version)
	for _, postcode := range []string{"10115", "44137", "17033"} {
		z := zone(t, postcode)
		for _, w := range catalog.Wastes() {
			for _, size := range w.Sizes() {
				p := money.FromNet(Net(Lines(z, w, size, false)))
				fmt.Fprintf(&b, "%s,%s,%s,%d,%s,%s,%s,%d,%s\n", Model(w), z.Prefix, w.Code, size, p.NetCents, p.VATCents, p.GrossCents,
					IncludedKg(w, size), ExtraTonneNet(w))
			}
		}
	}
	path := filepath.Join("testdata", "prices.csv")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("prices (-want +got); if they are meant, raise Version and run with -update:\n%s", diff)
	}
}

func TestPricesAreSound(t *testing.T) {
	for _, prefix := range catalog.Prefixes() {
		z := zone(t, prefix+"000")
		for _, w := range catalog.Wastes() {
			before := money.Cents(0)
			for _, size := range catalog.Sizes() {
				net := Net(Lines(z, w, size, false))
				if net <= before {
					t.Errorf("zone %s, waste %s: %d m³ cost %s, not more than the next smaller container (%s)", prefix, w.Code, size, net, before)
				}
				if with := Net(Lines(z, w, size, true)); with != net+PermitNet {
					t.Errorf("zone %s, waste %s, %d m³: with a permit %s, without %s", prefix, w.Code, size, with, net)
				}
				if again := Net(Lines(z, w, size, false)); again != net {
					t.Errorf("zone %s, waste %s, %d m³: %s, then %s", prefix, w.Code, size, net, again)
				}
				before = net
			}
		}
	}
}

// TestIncludedWeight: no truck lifts more than what is included, and what is included is nearly all that a full container weighs; by weight
// four fifths.
func TestIncludedWeight(t *testing.T) {
	for _, w := range catalog.Wastes() {
		for _, size := range w.Sizes() {
			full := w.MaxWeightKg(size)
			if Model(w) == quote.Weight {
				full = full * 4 / 5
			}
			if kg := IncludedKg(w, size); kg%100 != 0 || kg > catalog.PayloadKg || kg > full || kg <= full-100 {
				t.Errorf("%d m³ of %s: %d kg are included, and a full one weighs %d kg", size, w.Code, kg, full)
			}
		}
		if ExtraTonneNet(w) <= 0 {
			t.Errorf("%s: a further tonne costs %s", w.Code, ExtraTonneNet(w))
		}
	}
}

func TestEveryWasteHasItsOwnPrice(t *testing.T) {
	other := disposalNetPerM3("no such code")
	for _, w := range catalog.Wastes() {
		if disposalNetPerM3(w.Code) == other {
			t.Errorf("%s has no price of its own", w.Code)
		}
	}
}
