package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kreislauf/internal/catalog"
)

// Steps of a visit, as named in failures and latencies.
const (
	stepCatalog = "catalog"
	stepMistake = "mistake"
	stepQuote   = "quote"
	stepAttempt = "order-attempt"
	stepOrder   = "order"
)

const catalogAge = time.Minute

// catalogCache is the visitors' shared copy of the catalogue, as old as its Cache-Control allows.
type catalogCache struct {
	mu     sync.Mutex // guards what follows
	at     time.Time
	window window
}

// claim gives the window; stale is true for the one caller a minute who is to read the catalogue again.
func (c *catalogCache) claim(now time.Time) (w window, stale bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stale = now.Sub(c.at) >= catalogAge; stale {
		c.at = now
	}
	return c.window, stale
}

func (c *catalogCache) put(now time.Time, w window) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.window = now, w
}

func readWindow(body []byte) (window, error) {
	var v struct {
		Earliest string `json:"earliest_date"`
		Latest   string `json:"latest_date"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return window{}, fmt.Errorf("read catalogue: %w", err)
	}
	first, errFirst := time.Parse(catalog.DateFormat, v.Earliest)
	last, errLast := time.Parse(catalog.DateFormat, v.Latest)
	return window{first, last}, errors.Join(errFirst, errLast)
}

// firstCatalog fills the cache before the first visit.
func (s *source) firstCatalog(ctx context.Context) error {
	from := s.mix.address(rand.New(rand.NewPCG(s.o.Seed, streamSignUps)))
	a := s.client.send(ctx, request{method: http.MethodGet, path: catalogPath, from: from, agent: s.mix.agents[0]})
	s.tally.add(func(t *Summary) { t.Retries += a.retries })
	switch {
	case a.err != nil:
		return fmt.Errorf("%w: get catalogue: %w", ErrUnreachable, a.err)
	case !a.ok():
		return fmt.Errorf("get catalogue: %s: %s", a.kind(), detail(a.body))
	}
	w, err := readWindow(a.body)
	if err != nil {
		return err
	}
	s.catalog.put(time.Now(), w)
	return nil
}

const (
	catalogPath = "/api/pricing/v1/catalog"
	quotePath   = "/api/pricing/v1/quotes"
	eventPath   = "/api/statistics/v1/events"
	orderPath   = "/api/order/v1/orders"
)

// visit is one visitor at work.
type visit struct {
	*source
	plan plan
	due  time.Time // when the next step should start
}

func (s *source) visit(ctx context.Context, p plan, due time.Time) {
	v := &visit{source: s, plan: p, due: due}
	defer func() { s.tally.visited(time.Since(due)) }()
	dates := v.dates(ctx)
	quote := ""
	for _, a := range p.asks {
		if a.mistake != noMistake {
			v.blunder(ctx, a, dates)
		}
		quote = v.quote(ctx, a, dates)
	}
	if !p.order {
		return
	}
	v.attempt(ctx)
	if quote == "" {
		v.orderFailed("no quote", "")
		return
	}
	v.order(ctx, quote)
}

// step sends a request of this visit, measures it from its due moment, and makes the next one due now.
func (v *visit) step(ctx context.Context, name string, r request) answer {
	r.from, r.agent = v.plan.from, v.plan.agent
	a := v.client.send(ctx, r)
	now := time.Now()
	v.tally.step(name, now.Sub(v.due), a)
	v.due = now
	return a
}

// dates is the booking window, read again when the shared copy is too old.
func (v *visit) dates(ctx context.Context) window {
	w, stale := v.catalog.claim(time.Now())
	if !stale {
		return w
	}
	a := v.step(ctx, stepCatalog, request{method: http.MethodGet, path: catalogPath})
	if !a.ok() {
		v.tally.fail(stepCatalog, a.kind())
		return w
	}
	fresh, err := readWindow(a.body)
	if err != nil {
		v.tally.fail(stepCatalog, "unreadable answer")
		return w
	}
	v.catalog.put(time.Now(), fresh)
	return fresh
}

func quoteRequest(postcode, waste string, sizeM3 int, date string) request {
	q := url.Values{"postcode": {postcode}, "waste": {waste}, "size": {strconv.Itoa(sizeM3)}, "date": {date}}
	return request{method: http.MethodGet, path: quotePath + "?" + q.Encode()}
}

// quote asks for a price; the token is empty without one.
func (v *visit) quote(ctx context.Context, a ask, dates window) string {
	got := v.step(ctx, stepQuote, quoteRequest(v.plan.postcode, a.waste, a.sizeM3, dates.date(a.days)))
	if !got.ok() {
		v.tally.fail(stepQuote, got.kind())
		return ""
	}
	var q struct {
		Quote string `json:"quote"`
	}
	if err := json.Unmarshal(got.body, &q); err != nil || q.Quote == "" {
		v.tally.fail(stepQuote, "unreadable answer")
		return ""
	}
	v.tally.add(func(t *Summary) { t.Quotes++ })
	return q.Quote
}

// blunder asks for a price in a way that must be refused.
func (v *visit) blunder(ctx context.Context, a ask, dates window) {
	postcode, waste, size, date := v.plan.postcode, a.waste, a.sizeM3, dates.date(a.days)
	switch a.mistake {
	case unknownPostcode:
		postcode = "00" + postcode[2:] // no German postcode begins with 00
	case tooHeavy:
		waste, size = "170504", 10
	case pastDate:
		date = dates.earliest.AddDate(0, 0, -30).Format(catalog.DateFormat)
	}
	got := v.step(ctx, stepMistake, quoteRequest(postcode, waste, size, date))
	isProblem := strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json")
	switch {
	case got.ok():
		v.tally.add(func(t *Summary) { t.WronglyAccepted++ })
	case got.status/100 == 4 && got.status != http.StatusTooManyRequests && isProblem:
		v.tally.add(func(t *Summary) { t.RefusedAsExpected++ })
	case got.status/100 == 4 && !isProblem:
		v.tally.fail(stepMistake, got.kind()+" without a problem document")
	default:
		v.tally.fail(stepMistake, got.kind())
	}
}

// attempt records that the order button was pressed.
func (v *visit) attempt(ctx context.Context) {
	body := encode(map[string]string{"type": "order-attempt", "id": v.id("a", v.plan.number), "visit_id": v.id("v", v.plan.number)})
	a := v.step(ctx, stepAttempt, request{method: http.MethodPost, path: eventPath, body: body})
	if !a.ok() {
		v.tally.fail(stepAttempt, a.kind())
		return
	}
	v.tally.add(func(t *Summary) { t.Attempts++ })
}

// encode makes a request body of strings and bools, which always have a JSON form.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("load: encode request: %v", err))
	}
	return b
}

type orderBody struct {
	Quote   string `json:"quote"`
	Address struct {
		Name   string `json:"name"`
		Street string `json:"street"`
		City   string `json:"city"`
	} `json:"address"`
	PublicGround bool   `json:"public_ground"`
	VisitID      string `json:"visit_id"`
}

// order places the order as one of the customers.
func (v *visit) order(ctx context.Context, quote string) {
	by := v.customers[v.plan.customer]
	b := orderBody{Quote: quote, PublicGround: v.plan.public, VisitID: v.id("v", v.plan.number)}
	zone, err := catalog.FindZone(v.plan.postcode)
	if err != nil {
		panic(fmt.Sprintf("load: %v", err)) // cannot happen: the postcode was drawn from the catalogue's zones
	}
	b.Address.Name, b.Address.Street, b.Address.City = by.name, "Hauptstraße "+strconv.Itoa(v.plan.house), zone.Region
	key := v.id("k", v.plan.number)
	a := v.step(ctx, stepOrder, request{method: http.MethodPost, path: orderPath, body: encode(b), key: key, by: by})
	var placed struct {
		ID string `json:"order_id"`
	}
	switch {
	case !a.ok() && a.doubt:
		v.orderFailed(a.kind(), key)
	case !a.ok():
		v.orderFailed(a.kind(), "")
	case json.Unmarshal(a.body, &placed) != nil || placed.ID == "":
		v.orderFailed("unreadable answer", key)
	case !v.tally.placed(placed.ID, a.header.Get("Idempotency-Replayed") == "true"):
		v.orderFailed("id of another order", "")
	}
}

// orderFailed counts an intended order without a confirmation; key is given when the order may exist nevertheless.
func (v *visit) orderFailed(kind, key string) {
	v.tally.add(func(t *Summary) {
		t.OrdersFailed++
		t.Failures[stepOrder+": "+kind]++
		if key != "" {
			t.UnknownOrders = append(t.UnknownOrders, key)
		}
	})
}
