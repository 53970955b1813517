package statistics

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/telemetry"
)

// later is a type of a later version: it is in no table.
type later struct{}

func (later) Type() string { return "order.swapped" }

var update = flag.Bool("update", false, "rewrite the golden files")

func TestEventLines(t *testing.T) {
	s := &service{settings: config.Process{Env: "test", Instance: "statistics-1", PlatformVersion: "v1"}}
	ctx := telemetry.WithRemote(t.Context(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	var out strings.Builder
	for _, payload := range []event.Payload{
		event.SignedUp{UserID: "u-1", Role: "customer", Name: "A person", Email: "person@example.org"},
		event.PartnerChanged{PartnerID: "p-1", Version: 3, Name: "Hof", Email: "hof@example.org", TaxID: "DE123456789"},
		event.Placed{
			OrderID: "o-1", UserID: "u-1", QuoteID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-25",
			Price: money.FromNet(100_00),
		},
		event.Offered{OrderID: "o-1", PartnerID: "p-1"},
		event.Accepted{OrderID: "o-1", PartnerID: "p-1", Automatic: true},
		event.Unmatched{OrderID: "o-1", Reason: "nobody"},
		event.Declined{OrderID: "o-1", PartnerID: "p-1", Reason: "timed-out"},
		event.Matched{OrderID: "o-1", PartnerID: "p-1"},
		event.Scheduled{OrderID: "o-1", UserID: "u-1", PartnerID: "p-1", Trip: "place", Day: "2026-11-24"},
		event.OnSite{OrderID: "o-1", UserID: "u-1", PartnerID: "p-1", Container: "K 7-112"},
		event.Collected{OrderID: "o-1", UserID: "u-1", PartnerID: "p-1", Container: "K 7-112"},
		event.Weighed{
			OrderID: "o-1", UserID: "u-1", PartnerID: "p-1", Postcode: "50667", Waste: "170904", SizeM3: 7, GrossKg: 9000, TareKg: 7200, NetKg: 1800,
			Price: money.FromNet(100_00), Address: event.Address{Name: "A person", Street: "Hauptstr. 1", City: "Köln"},
		},
		event.Corrected{OrderID: "o-1", UserID: "u-1", PartnerID: "p-1", By: "back_office", Reason: "misread", Container: "K 7-112"},
		event.Cancelled{OrderID: "o-1", UserID: "u-1", By: "customer", Reason: "not needed"},
		event.Invoiced{OrderID: "o-1", UserID: "u-1", Number: "R-2026-000001", Total: money.FromNet(100_00), DueOn: "2026-12-20"},
		event.Credited{OrderID: "o-1", PartnerID: "p-1", Number: "G-2026-000001", Total: money.FromNet(80_00)},
		event.Reminded{OrderID: "o-1", UserID: "u-1", Number: "R-2026-000001", Level: 1, OpenCents: 119_00, DueOn: "2026-12-20", PayBy: "2027-01-04"},
		event.Paid{OrderID: "o-1", UserID: "u-1", Number: "R-2026-000001", Total: money.FromNet(100_00)},
		event.Recorded{Name: "order-attempt", Data: map[string]string{"step": "4", "quote": "\"x\""}},
		later{},
	} {
		e, err := event.New(event.Meta{Source: "t", Subject: "o-1", Customer: "kreislauf", VisitID: "v-1", At: time.Date(2026, 11, 22, 10, 0, 0, 123e6, time.UTC)}, payload)
		if err != nil {
			t.Fatal(err)
		}
		e.ID = "e-" + e.Type
		read, err := event.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(s.line(ctx, e, read))
	}
	const golden = "testdata/lines.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Error(d)
	}
}
