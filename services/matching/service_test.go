package matching_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kreislauf/internal/audit"
	"kreislauf/internal/auditlog"
	"kreislauf/internal/authz"
	"kreislauf/internal/clock"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
	"kreislauf/services/matching"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is matching on embedded backends, with what it has told.
type stage struct {
	*testing.T
	b     *embedded.Backends
	clock string // file that shifts the instances' clock
	addr  string // of the first instance

	mu   sync.Mutex
	told map[string][]event.Payload // by order; the second delivery of an event is left out
}

// begin starts the first instance, and a reader of its events in order's place.
func begin(t *testing.T) *stage {
	t.Helper()
	s := &stage{T: t, b: embedded.Start(t), clock: filepath.Join(t.TempDir(), "clock"), told: map[string][]event.Payload{}}
	s.addr = s.instance("matching-1")
	p, err := process.Open(t.Context(), "order", s.b.Lookup("order-1", nil), process.Needs{Kafka: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	seen := map[string]bool{}
	p.Consume(func(_ context.Context, e event.Event, payload event.Payload) error {
		if strings.HasPrefix(e.Type, "order.") { // order hears of its own events too
			return nil
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !seen[e.ID] {
			seen[e.ID], s.told[e.Subject] = true, append(s.told[e.Subject], payload)
		}
		return nil
	})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) instance(name string) (addr string) {
	s.Helper()
	return s.b.Run(s.T, name, map[string]string{clock.Setting: s.clock})
}

// partner tells of one that takes mixed construction waste for so many cents a trip.
func (s *stage) partner(id, postcode string, version int64, trip money.Cents, auto bool) {
	s.Helper()
	s.b.Publish(s.T, event.TopicDisposer, id, event.PartnerChanged{
		PartnerID: id, Version: version, Name: strings.ToUpper(id), Postcode: postcode, RadiusKm: 100, Wastes: []string{"170904"},
		AutoAccept: auto, Active: true, Rates: event.Rates{TripCents: trip, PerM3Cents: map[string]money.Cents{"170904": 20_00}},
	})
}

// place orders 7 m³ in Cologne.
func (s *stage) place(id string) {
	s.Helper()
	s.b.Publish(s.T, event.TopicOrder, id, event.Placed{
		OrderID: id, UserID: "u-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-12-07",
		Address: event.Address{Name: "Anna Geheim", Street: "Domstraße 1", City: "Köln"},
	})
}

func (s *stage) await(what string, ok func() bool) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("waited in vain until %s", what)
		}
	}
}

// events gives what was told of an order by now.
func (s *stage) events(id string) []event.Payload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]event.Payload(nil), s.told[id]...)
}

// tells waits until so many events of an order are there, and compares.
func (s *stage) tells(id string, want ...event.Payload) {
	s.Helper()
	s.await(fmt.Sprintf("%d events of %s are there", len(want), id), func() bool { return len(s.events(id)) >= len(want) })
	if d := cmp.Diff(want, s.events(id)); d != "" {
		s.Errorf("events of %s (-want +got):\n%s", id, d)
	}
}

// call sends a request to the first instance.
func (s *stage) call(who *http.Client, method, path, body string) (status int, answer string) {
	s.Helper()
	status, answer, err := send(s.Context(), who, method, "http://"+s.addr+path, body)
	if err != nil {
		s.Fatal(err)
	}
	return status, answer
}

func send(ctx context.Context, who *http.Client, method, url, body string) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := who.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// must demands a status and a part of the answer.
func (s *stage) must(who *http.Client, method, path, body string, status int, says string) {
	s.Helper()
	if got, answer := s.call(who, method, path, body); got != status || !strings.Contains(answer, says) {
		s.Errorf("%s %s: %d %s; want %d with %s", method, path, got, answer, status, says)
	}
}

func (s *stage) dispatcher(partner string) *http.Client {
	s.Helper()
	return s.b.SignedIn(s.T, session.Session{UserID: "u-" + partner, Role: string(authz.Dispatcher), PartnerID: partner})
}

func (s *stage) backOffice() *http.Client {
	s.Helper()
	return s.b.SignedIn(s.T, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
}

// offer waits for a partner's only open offer and gives it as JSON.
func (s *stage) offer(who *http.Client) (offer map[string]any) {
	s.Helper()
	s.await("the offer is open", func() bool {
		_, answer := s.call(who, "GET", "/api/matching/v1/offers", "")
		var list struct{ Offers []map[string]any }
		if err := json.Unmarshal([]byte(answer), &list); err != nil || len(list.Offers) != 1 {
			return false
		}
		offer = list.Offers[0]
		return true
	})
	return offer
}

const offers, matches = "/api/matching/v1/offers/", "/api/matching/v1/matches/"

// TestOrderWaitsForTheNetwork: an order that comes before any partner is known is matched when one is; second deliveries change nothing.
func TestOrderWaitsForTheNetwork(t *testing.T) {
	s := begin(t)
	s.place("o-1")
	s.await("the order was tried", func() bool {
		lines, err := os.ReadFile(s.b.LogFile("matching", "matching-1"))
		return err == nil && bytes.Contains(lines, []byte("no partner is known yet"))
	})
	if got := s.events("o-1"); got != nil {
		t.Errorf("told without partners: %v", got)
	}
	s.partner("p-1", "50735", 3, 90_00, true)
	s.partner("p-1", "50735", 2, 1, true) // an old state comes late
	pay := event.Pay{NetCents: 230_00}
	s.tells("o-1", event.Offered{OrderID: "o-1", PartnerID: "p-1"}, event.Accepted{OrderID: "o-1", PartnerID: "p-1", Automatic: true, Pay: pay})
	s.partner("p-1", "50735", 4, 80_00, true)
	s.place("o-1") // delivered again
	network := mongodb.OpenCollection[matching.Partner](s.b.Database(t, "matching"), "network", "partner")
	s.await("the partner's newest state is known", func() bool {
		p, err := network.Get(t.Context(), "p-1")
		return err == nil && p.Version == 4
	})
	s.place("o-2")
	s.await("the next order is taken", func() bool { return len(s.events("o-2")) == 2 })
	if a, ok := s.events("o-2")[1].(event.Accepted); !ok || a.Pay.NetCents != 220_00 {
		t.Errorf("after the new rates: %+v", s.events("o-2"))
	}
	if got := s.events("o-1"); len(got) != 2 {
		t.Errorf("the second delivery told something: %v", got)
	}
}

// TestOfferGoesOn: by time-out, by declining, and to nobody; the back office reads it all and names a partner.
func TestOfferGoesOn(t *testing.T) {
	s := begin(t)
	s.partner("p-1", "50735", 1, 90_00, false)
	s.partner("p-2", "53111", 1, 90_00, false)
	s.partner("p-3", "10115", 1, 90_00, false) // Berlin is too far away
	s.b.AwaitPartners(t, 3)
	first, second, third, office := s.dispatcher("p-1"), s.dispatcher("p-2"), s.dispatcher("p-3"), s.backOffice()
	s.place("o-1")

	offer := s.offer(first)
	begins, err := time.Parse(time.RFC3339, offer["offered_at"].(string))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"offer_id": "o-1", "order_id": "o-1", "state": "offered", "postcode": "50667", "waste_code": "170904", "size_m3": 7.0,
		"date": "2026-12-07", "distance_km": 0.0, "pay": map[string]any{"net_cents": 230_00.0, "per_tonne_over_cents": 0.0},
		"offered_at": offer["offered_at"], "ends_at": begins.Add(30 * time.Minute).Format("2006-01-02T15:04:05.999Z"),
	}
	if d := cmp.Diff(want, offer); d != "" { // nothing of the customer's address
		t.Errorf("offer (-want +got):\n%s", d)
	}
	s.must(second, "POST", offers+"o-1/accept", "", 404, "no offer o-1 for you")
	s.must(second, "POST", offers+"o-1/decline", `{"reason":"price"}`, 404, "no offer o-1 for you")
	s.must(first, "POST", offers+"o-1/decline", `{"reason":"weather"}`, 422, "/reason")

	if err := clock.Shift(s.clock, 31*time.Minute); err != nil {
		t.Fatal(err)
	}
	s.offer(second)
	s.must(first, "POST", offers+"o-1/accept", "", 409, "ended at")
	s.must(first, "GET", "/api/matching/v1/offers", "", 200, `{"offers":[]}`)
	for range 2 {
		s.must(second, "POST", offers+"o-1/decline", `{"reason":"no-container","note":"all are out"}`, 200, `"state":"declined"`)
	}
	s.must(second, "POST", offers+"o-1/accept", "", 409, "have declined")
	s.must(office, "GET", matches+"o-1", "", 200, `"note":"all are out"`)
	s.must(office, "GET", matches+"o-1", "", 200, `"state":"unmatched","reason":"every partner that was asked declined or did not answer"`)
	s.must(office, "GET", matches+"o-1", "", 200,
		`"score":{"trip_cents":9000,"disposal_cents":14000,"distance_cents":2400,"total_cents":25400},"outcome":"declined","reason":"no-container"`)
	s.must(first, "GET", matches+"o-1", "", 403, "dispatcher")
	s.must(office, "GET", matches+"o-2", "", 404, "no match o-2")

	name := func(partner, reason string) string {
		return fmt.Sprintf(`{"partner_id":%q,"reason":%q}`, partner, reason)
	}
	s.must(first, "POST", matches+"o-1/reassign", name("p-3", "agreed by telephone"), 403, "dispatcher")
	s.must(office, "POST", matches+"o-2/reassign", name("p-3", "agreed by telephone"), 404, "no match o-2")
	s.must(office, "POST", matches+"o-1/reassign", name("p-4", "agreed by telephone"), 422, "/partner_id")
	s.must(office, "POST", matches+"o-1/reassign", name("P 4", "agreed by telephone"), 422, "/partner_id")
	s.must(office, "POST", matches+"o-1/reassign", name("p-3", ""), 422, "/reason")
	s.must(office, "POST", matches+"o-1/reassign", name("p-3", "agreed by telephone"), 200, `"partner_id":"p-3"`)
	s.offer(third)
	for range 2 {
		s.must(third, "POST", offers+"o-1/accept", "", 200, `"state":"accepted"`)
	}
	s.must(office, "POST", matches+"o-1/reassign", name("p-1", "changed my mind"), 409, "is accepted")
	s.tells("o-1",
		event.Offered{OrderID: "o-1", PartnerID: "p-1"},
		event.Declined{OrderID: "o-1", PartnerID: "p-1", Reason: "timed-out"},
		event.Offered{OrderID: "o-1", PartnerID: "p-2"},
		event.Declined{OrderID: "o-1", PartnerID: "p-2", Reason: "no-container"},
		event.Unmatched{OrderID: "o-1", Reason: "every partner that was asked declined or did not answer"},
		event.Offered{OrderID: "o-1", PartnerID: "p-3"},
		event.Accepted{OrderID: "o-1", PartnerID: "p-3", Pay: event.Pay{NetCents: 230_00}},
	)
	log := auditlog.New(s.b.Database(t, "matching"), "matches")
	var entries []audit.Entry
	s.await("the entry is collected", func() bool {
		list, err := log.BySubject(t.Context(), "order/o-1", 10)
		entries = list
		return err == nil && len(list) > 0
	})
	if e := entries[0]; len(entries) != 1 || e.Actor.UserID != "u-office" || e.Reason != "agreed by telephone" || len(e.TraceID) != 32 || len(e.Change.Fields) == 0 {
		t.Errorf("audit entries %v", entries)
	}
}

// TestCancelled: the open offer of a cancelled order disappears, and an order whose end came first is never offered.
func TestCancelled(t *testing.T) {
	s := begin(t)
	s.partner("p-1", "50735", 1, 90_00, false)
	s.b.AwaitPartners(t, 1)
	first, office := s.dispatcher("p-1"), s.backOffice()
	s.place("o-1")
	s.offer(first)
	s.b.Publish(t, event.TopicOrder, "o-1", event.Cancelled{OrderID: "o-1", UserID: "u-1", By: "customer", Reason: "changed plans"})
	s.await("the offer is gone", func() bool {
		_, answer := s.call(first, "GET", "/api/matching/v1/offers", "")
		return strings.Contains(answer, `"offers":[]`)
	})
	s.must(first, "POST", offers+"o-1/accept", "", 409, "was cancelled")
	s.must(office, "POST", matches+"o-1/reassign", `{"partner_id":"p-1","reason":"agreed by telephone"}`, 409, "is withdrawn")

	s.b.Publish(t, event.TopicOrder, "o-2", event.Cancelled{OrderID: "o-2", UserID: "u-1", By: "customer", Reason: "changed plans"})
	s.place("o-2") // a dead letter that is replayed
	s.await("the match is closed", func() bool {
		status, answer := s.call(office, "GET", matches+"o-2", "")
		return status == 200 && strings.Contains(answer, `"state":"withdrawn"`)
	})
	s.place("o-3") // may be in another partition, so the offer alone does not say that o-2 was read
	s.b.Publish(t, event.TopicOrder, "o-2", event.Cancelled{OrderID: "o-2", UserID: "u-1", By: "customer", Reason: "again"})
	s.await("everything of o-2 was read", func() bool {
		lines, err := os.ReadFile(s.b.LogFile("matching", "matching-1"))
		return err == nil && consumed(lines, "o-2") == 3
	})
	s.await("the next order is offered", func() bool { return len(s.events("o-3")) == 1 })
	if got := s.events("o-2"); got != nil {
		t.Errorf("told of an order that was cancelled before it came: %v", got)
	}
	s.tells("o-1", event.Offered{OrderID: "o-1", PartnerID: "p-1"})
}

// consumed counts the log lines of events of a subject that were worked on.
func consumed(lines []byte, subject string) (n int) {
	for line := range bytes.Lines(lines) {
		if bytes.Contains(line, []byte(`"subject":"`+subject+`"`)) && bytes.Contains(line, []byte(`"message":"consumed `)) {
			n++
		}
	}
	return n
}

// TestOneWinner: the dispatchers of the partner that is asked, those of the next one, and the time-out are at every order at the same
// moment, at two instances. Each order is taken once, by the partner that was told so.
func TestOneWinner(t *testing.T) {
	const n = 24
	s := begin(t)
	addrs := []string{s.addr, s.instance("matching-2")}
	s.partner("p-1", "50735", 1, 90_00, false)
	s.partner("p-2", "53111", 1, 90_00, false)
	s.b.AwaitPartners(t, 2)
	clients := map[string]*http.Client{"p-1": s.dispatcher("p-1"), "p-2": s.dispatcher("p-2")}
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("o-%02d", i))
		s.place(ids[i])
	}
	s.await("all are offered", func() bool {
		_, answer := s.call(clients["p-1"], "GET", "/api/matching/v1/offers", "")
		return strings.Count(answer, `"offer_id"`) == n
	})
	taken := func(id string) (by []string) {
		for _, p := range s.events(id) {
			if a, ok := p.(event.Accepted); ok {
				by = append(by, a.PartnerID)
			}
		}
		return by
	}
	var (
		wg sync.WaitGroup
		mu sync.Mutex
	)
	won := map[string]map[string]bool{} // order -> partners that were told 200
	for partner, client := range clients {
		for _, addr := range addrs {
			wg.Go(func() {
				for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
					left := 0
					for _, id := range ids {
						if taken(id) != nil {
							continue
						}
						left++
						status, answer, err := send(t.Context(), client, "POST", "http://"+addr+offers+id+"/accept", "")
						if err != nil || status != 200 && status != 404 && status != 409 {
							t.Errorf("%s accepts %s: %d %s, %v", partner, id, status, answer, err)
							return
						}
						if status == 200 {
							mu.Lock()
							if won[id] == nil {
								won[id] = map[string]bool{}
							}
							won[id][partner] = true
							mu.Unlock()
						}
					}
					if left == 0 {
						return
					}
				}
				t.Error("some orders are taken by nobody")
			})
		}
	}
	s.await("some are taken in time", func() bool { // then the offers of the others end, in the middle of it
		done := 0
		for _, id := range ids {
			done += len(taken(id))
		}
		return done >= n/4
	})
	if err := clock.Shift(s.clock, 31*time.Minute); err != nil {
		t.Error(err)
	}
	wg.Wait()
	stored := mongodb.OpenCollection[matching.Match](s.b.Database(t, "matching"), "matches", "match")
	by := map[string]int{}
	for _, id := range ids {
		m, err := stored.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var accepted []string
		for _, c := range m.Candidates {
			if c.Outcome == "accepted" {
				accepted = append(accepted, c.PartnerID)
			}
		}
		winner := taken(id)
		if len(winner) != 1 || len(accepted) != 1 || m.State != matching.Accepted || accepted[0] != winner[0] || m.PartnerID != winner[0] ||
			len(won[id]) != 1 || !won[id][winner[0]] {
			t.Errorf("%s: the events say %v, the match %s %v, the answers %v", id, winner, m.State, accepted, won[id])
			continue
		}
		by[winner[0]]++
	}
	t.Logf("winners: %v", by)
}
