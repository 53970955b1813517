package order_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
	"kreislauf/services/order"
	"kreislauf/test/embedded"
)

// partnerAt places perDay containers of 7 m³ a day; a negative number: as many as are wanted.
func partnerAt(id, postcode string, version int64, perDay int) event.PartnerChanged {
	p := event.PartnerChanged{
		PartnerID: id, Version: version, Name: id, Postcode: postcode, RadiusKm: 100, Wastes: []string{"170904"}, Active: true,
		Rates: event.Rates{TripCents: 90_00, PerM3Cents: map[string]money.Cents{"170904": 20_00}},
	}
	if perDay >= 0 {
		p.Capacity = []event.Capacity{{SizeM3: 7, PerDay: perDay}}
	}
	return p
}

// learnt publishes partners and waits until order knows them.
func (f *fixture) learnt(t *testing.T, partners ...event.PartnerChanged) {
	t.Helper()
	known := mongodb.OpenCollection[network.Partner](f.Database(t, "order"), "network", "partner")
	for _, p := range partners {
		f.Publish(t, event.TopicDisposer, p.PartnerID, p)
		eventually(t, func() string {
			if got, err := known.Get(t.Context(), p.PartnerID); err != nil || got.Version != p.Version {
				return fmt.Sprintf("partner %s: %+v, %v", p.PartnerID, got, err)
			}
			return ""
		})
	}
}

// eventually waits until check finds nothing wrong.
func eventually(t *testing.T, check func() (wrong string)) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		wrong := check()
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(wrong)
		}
	}
}

// openDates are the days on which a container can be placed in Cologne.
func openDates() []string { return catalog.OpenDates("50667", "", time.Now()) }

// placeOn places an order of 7 m³ for a day, and gives status and body of the answer.
func (f *fixture) placeOn(t *testing.T, who *http.Client, key, date string) (status int, body string) {
	t.Helper()
	k, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	token, err := quote.Sign(k, quote.Quote{
		ID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: date, Price: money.FromNet(483_00), ValidUntil: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"quote": token, "address": event.Address{Name: "Anna Beispiel", Street: "Hauptstraße 1", City: "Köln"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+f.addr+orders, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	res, err := who.Do(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		t.Error(err)
	}
	return res.StatusCode, text.String()
}

func (f *fixture) holds(t *testing.T, partnerID, date string) int {
	t.Helper()
	d, err := mongodb.OpenCollection[order.Day](f.Database(t, "order"), "days", "day").Get(t.Context(), partnerID+"/7/"+date)
	if err != nil && problem.KindOf(err) != problem.NotFound {
		t.Fatal(err)
	}
	return len(d.Holds)
}

// TestCapacityIsNeverOversold: of many orders at the same moment for two partners with 3 and 2 places, on two instances, exactly five are
// placed. The others hear of the next free days. A retry gets its answer, and a place that is given back can be had again.
func TestCapacityIsNeverOversold(t *testing.T) {
	f := start(t)
	second := f.Run(t, "order-2", nil)
	f.learnt(t, partnerAt("p-koeln", "50735", 1, 3), partnerAt("p-bonn", "53111", 1, 2))
	dates := openDates()
	const many = 24
	type result struct {
		key, body string
		status    int
	}
	results := make(chan result, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			instance, key := *f, fmt.Sprintf("key-many-%d", i)
			if i%2 == 1 {
				instance.addr = second
			}
			status, body := instance.placeOn(t, f.anna, key, dates[0])
			results <- result{key, body, status}
		})
	}
	wg.Wait()
	close(results)
	var placed []result
	for r := range results {
		switch {
		case r.status == 201:
			placed = append(placed, r)
		case r.status != 409 || !strings.Contains(r.body, dates[1]) || !strings.Contains(r.body, dates[3]) || !strings.Contains(r.body, `"/quote"`):
			t.Errorf("refused with %d: %s", r.status, r.body)
		}
	}
	if len(placed) != 5 || f.holds(t, "p-koeln", dates[0]) != 3 || f.holds(t, "p-bonn", dates[0]) != 2 {
		t.Fatalf("%d orders placed; places taken: %d and %d", len(placed), f.holds(t, "p-koeln", dates[0]), f.holds(t, "p-bonn", dates[0]))
	}
	if status, body := f.placeOn(t, f.anna, placed[0].key, dates[0]); status != 201 || body != placed[0].body {
		t.Errorf("a retry is answered %d: %s", status, body)
	}
	var o struct {
		ID string `json:"order_id"`
	}
	if err := json.Unmarshal([]byte(placed[1].body), &o); err != nil {
		t.Fatal(err)
	}
	f.ask(t, f.anna, "POST", orders+"/"+o.ID+"/cancel", map[string]any{"reason": "no longer needed"}, 200)
	if status, body := f.placeOn(t, f.bert, "key-after-cancel", dates[0]); status != 201 {
		t.Errorf("after a place was given back: %d %s", status, body)
	}
	if status, _ := f.placeOn(t, f.bert, "key-too-late", dates[0]); status != 409 {
		t.Errorf("then another one is answered %d", status)
	}
	if status, body := f.placeOn(t, f.bert, "key-next-day", dates[1]); status != 201 {
		t.Errorf("the next day: %d %s", status, body)
	}
}

// TestCapacityFollowsTheOrder: the place is with whoever has the order; an unmatched order has none; a partner's new number counts at once.
func TestCapacityFollowsTheOrder(t *testing.T) {
	f := start(t)
	f.learnt(t, partnerAt("p-koeln", "50735", 1, 1), partnerAt("p-bonn", "53111", 1, 1))
	date := openDates()[0]
	a, body := f.placeOn(t, f.anna, "key-first-1", date)
	var o struct {
		ID string `json:"order_id"`
	}
	if err := json.Unmarshal([]byte(body), &o); err != nil || a != 201 || f.holds(t, "p-koeln", date) != 1 {
		t.Fatalf("%d %s, %v", a, body, err)
	}
	f.Publish(t, event.TopicMatching, o.ID, event.Accepted{OrderID: o.ID, PartnerID: "p-bonn"})
	eventually(t, func() string {
		if koeln, bonn := f.holds(t, "p-koeln", date), 0; koeln == 0 {
			if bonn = f.holds(t, "p-bonn", date); bonn == 1 {
				return ""
			}
		}
		return "the place did not move to the partner that took the order"
	})
	if status, _ := f.placeOn(t, f.anna, "key-second", date); status != 201 || f.holds(t, "p-koeln", date) != 1 {
		t.Errorf("the place that became free: %d", status)
	}
	if status, _ := f.placeOn(t, f.anna, "key-third-1", date); status != 409 {
		t.Errorf("a third one of two: %d", status)
	}
	f.learnt(t, partnerAt("p-koeln", "50735", 2, 2))
	status, body := f.placeOn(t, f.anna, "key-fourth", date)
	if err := json.Unmarshal([]byte(body), &o); err != nil || status != 201 {
		t.Fatalf("with one more place: %d %s", status, body)
	}
	f.Publish(t, event.TopicMatching, o.ID, event.Unmatched{OrderID: o.ID, Reason: "nobody"})
	eventually(t, func() string {
		if n := f.holds(t, "p-koeln", date); n != 1 {
			return fmt.Sprintf("%d places are taken after an order is unmatched", n)
		}
		return ""
	})
}

// TestCapacityOfAnUnlimitedPartner: orders that it took count from the moment on at which it says a number.
func TestCapacityOfAnUnlimitedPartner(t *testing.T) {
	f := start(t)
	f.learnt(t, partnerAt("p-koeln", "50735", 1, -1))
	date := openDates()[0]
	for i := range 2 {
		status, body := f.placeOn(t, f.anna, fmt.Sprintf("key-unlimited-%d", i), date)
		var o struct {
			ID string `json:"order_id"`
		}
		if err := json.Unmarshal([]byte(body), &o); err != nil || status != 201 {
			t.Fatalf("%d %s, %v", status, body, err)
		}
		f.Publish(t, event.TopicMatching, o.ID, event.Accepted{OrderID: o.ID, PartnerID: "p-koeln"})
		f.await(t, f.anna, o.ID, order.Matched)
	}
	f.learnt(t, partnerAt("p-koeln", "50735", 2, 3))
	eventually(t, func() string {
		days := mongodb.OpenCollection[order.Day](f.Database(t, "order"), "days", "day")
		if d, err := days.Get(t.Context(), "p-koeln/7/"+date); err != nil || len(d.Holds) != 2 {
			return fmt.Sprintf("holds %+v, %v", d.Holds, err)
		}
		return ""
	})
	first, _ := f.placeOn(t, f.anna, "key-limited-1", date)
	second, _ := f.placeOn(t, f.anna, "key-limited-2", date)
	if diff := cmp.Diff([]int{201, 409}, []int{first, second}); diff != "" {
		t.Errorf("two more of three (-want +got):\n%s", diff)
	}
}

// TestPlaceOfADeadInstance: what an instance held when it died is given back, and the order that it was about to place cannot come later.
func TestPlaceOfADeadInstance(t *testing.T) {
	b := embedded.Start(t)
	date := openDates()[0]
	days := mongodb.OpenCollection[order.Day](b.Database(t, "order"), "days", "day")
	id := "p-koeln/7/" + date
	_, err := days.Insert(t.Context(), order.Day{
		Root: aggregate.New(id), PartnerID: "p-koeln", SizeM3: 7, Date: date, Full: true,
		Holds: []order.Hold{{OrderID: "o-never", At: time.Now().Add(-2 * time.Minute)}, {OrderID: "o-young", At: time.Now().Add(time.Hour)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Run(t, "order-1", nil)
	eventually(t, func() string {
		if d, err := days.Get(t.Context(), id); err != nil || len(d.Holds) != 1 || d.Holds[0].OrderID != "o-young" {
			return fmt.Sprintf("holds %+v, %v", d.Holds, err)
		}
		return ""
	})
	stored, err := mongodb.OpenCollection[order.Order](b.Database(t, "order"), "orders", "order").Get(t.Context(), "o-never")
	if err != nil || stored.State != order.Void {
		t.Errorf("in place of the order: %+v, %v", stored, err)
	}
}
