package pricing

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/quote"
)

// TestQuoteStanding: an occurrence gets the price of any customer, good until its day, or a reason that the customer can read.
func TestQuoteStanding(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256([]byte("key"))
	now := time.Date(2026, 12, 1, 6, 0, 0, 0, zone)
	meta := event.Meta{Source: "pricing", At: now}
	good := event.StandingDue{
		StandingID: "so-1", Occurrence: "2026-12-08", UserID: "u-1", SiteID: "s-1", Waste: "170904", SizeM3: 7, Postcode: "50667", Date: "2026-12-08",
	}
	q, err := quoteStanding(good, key[:], now, meta)
	if err != nil {
		t.Fatal(err)
	}
	told, err := event.Decode[event.StandingQuoted](q.Outbox[0])
	if err != nil {
		t.Fatal(err)
	}
	promised, err := quote.Verify(key[:], told.Quote, now.AddDate(0, 0, 6))
	if err != nil || promised.Date != good.Date || promised.SizeM3 != 7 || promised.Price != told.Price || told.Price.GrossCents <= 0 {
		t.Errorf("%+v, %v", promised, err)
	}
	if diff := cmp.Diff(good, told.Due); diff != "" || q.ID != "so-1/2026-12-08" {
		t.Errorf("%s: what was asked for (-want +got):\n%s", q.ID, diff)
	}

	heavy, closed := good, good
	heavy.Waste, heavy.SizeM3 = "170504", 10
	closed.Date = "2026-12-06"
	for want, due := range map[string]event.StandingDue{"10 m³": heavy, "Sunday": closed} {
		q, err := quoteStanding(due, key[:], now, meta)
		if err != nil {
			t.Fatal(err)
		}
		told, err := event.Decode[event.QuoteRefused](q.Outbox[0])
		if err != nil || !strings.Contains(told.Reason, want) || told.UserID != "u-1" || told.Date != due.Date {
			t.Errorf("%+v, %v; want a reason with %s", told, err, want)
		}
	}
}
