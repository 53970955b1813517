package pricing_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/test/embedded"
)

type offer struct {
	SizeM3     int         `json:"size_m3"`
	GrossCents money.Cents `json:"gross_cents"`
	Reason     string      `json:"reason"`
	Taken      []string    `json:"taken_dates"`
}

// offerOf reads what the catalogue of Cologne says of a waste in a size.
func offerOf(t *testing.T, addr, waste string, sizeM3 int) (o offer) {
	t.Helper()
	var c struct {
		Towns  []string `json:"towns"`
		Wastes []struct {
			Code   string  `json:"code"`
			Offers []offer `json:"offers"`
		} `json:"wastes"`
	}
	if status, body := get(t, addr, "catalog?postcode=50667"); status != 200 || json.Unmarshal(body, &c) != nil || !slices.Equal(c.Towns, []string{"Köln"}) {
		t.Fatalf("catalogue: %d %s", status, body)
	}
	for _, w := range c.Wastes {
		if i := slices.IndexFunc(w.Offers, func(o offer) bool { return o.SizeM3 == sizeM3 }); w.Code == waste && i >= 0 {
			return w.Offers[i]
		}
	}
	t.Fatalf("no %d m³ of %s in %+v", sizeM3, waste, c)
	return o
}

func get(t *testing.T, addr, path string) (status int, body []byte) {
	t.Helper()
	res, err := http.Get("http://" + addr + "/api/pricing/v1/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// TestTakenDays: a day on which all who could come are full is shown and refused, with the next free one; it is free again when one of them
// is, and while the database is away all that stays.
func TestTakenDays(t *testing.T) {
	b := embedded.Start(t)
	addr := b.Run(t, "pricing-1", nil)
	dates := catalog.OpenDates("50667", "", time.Now())
	for i, id := range []string{"p-koeln", "p-bonn"} {
		b.Publish(t, event.TopicDisposer, id, event.PartnerChanged{
			PartnerID: id, Version: 1, Name: id, Postcode: []string{"50735", "53111"}[i], RadiusKm: 100, Wastes: []string{"170904"}, Active: true,
			Rates:    event.Rates{TripCents: 90_00, PerM3Cents: map[string]money.Cents{"170904": 20_00}},
			Capacity: []event.Capacity{{SizeM3: 7, PerDay: 2}, {SizeM3: 3, PerDay: 0}},
		})
	}
	day := func(partner, date string, full bool, version int64) {
		id := partner + "/7/" + date
		b.Publish(t, event.TopicOrder, id, event.CapacityChanged{PartnerID: partner, SizeM3: 7, Date: date, Full: full, Version: version})
	}
	await := func(want ...string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			got := offerOf(t, addr, "170904", 7)
			if slices.Equal(got.Taken, want) && got.GrossCents > 0 && got.Reason == "" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v, want %v taken", got, want)
			}
		}
	}
	quoted := func(size int, date string) (int, string) {
		status, body := get(t, addr, fmt.Sprintf("quotes?postcode=50667&waste=170904&size=%d&date=%s", size, date))
		return status, string(body)
	}
	day("p-koeln", dates[1], true, 2)
	day("p-koeln", dates[2], true, 2)
	day("p-bonn", dates[2], true, 5)
	await(dates[2])
	if status, body := quoted(7, dates[2]); status != 422 || !strings.Contains(body, "next free day is "+dates[3]) {
		t.Errorf("a taken day: %d %s", status, body)
	}
	if status, body := quoted(7, dates[1]); status != 200 {
		t.Errorf("a day of which one partner has room: %d %s", status, body)
	}
	if got := offerOf(t, addr, "170904", 3); got.Reason != "taken" || got.Taken != nil {
		t.Errorf("a size that nobody has: %+v", got)
	}
	if got := offerOf(t, addr, "170107", 7); got.Taken != nil { // nobody takes rubble: the back office finds somebody
		t.Errorf("a waste that nobody takes: %+v", got)
	}
	if got := offerOf(t, addr, "170504", 10); got.Reason != "too-heavy" || got.GrossCents != 0 {
		t.Errorf("10 m³ of soil: %+v", got)
	}
	day("p-bonn", dates[2], false, 6)
	day("p-bonn", dates[2], true, 5) // of before; the newest counts
	await()
	day("p-bonn", dates[1], true, 2)
	await(dates[1])
	b.Stop("mongodb")
	await(dates[1])
	if status, _ := quoted(7, dates[3]); status != 200 {
		t.Errorf("a quote while the database is away: %d", status)
	}
}
