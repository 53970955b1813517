package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/catalog/postcodes"
	"kreislauf/internal/client"
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

func windowOf(c client.Catalog) (window, error) {
	first, errFirst := time.Parse(catalog.DateFormat, c.EarliestDate)
	last, errLast := time.Parse(catalog.DateFormat, c.LatestDate)
	if err := errors.Join(errFirst, errLast); err != nil {
		return window{}, fmt.Errorf("%w: %w", client.ErrUnreadable, err)
	}
	return window{first, last}, nil
}

// readWindow asks for the catalogue.
func readWindow(ctx context.Context, by *client.Client) (window, error) {
	c, err := by.Catalog(ctx, "")
	if err != nil {
		return window{}, err
	}
	return windowOf(c)
}

// firstCatalog fills the cache before the first visit.
func (s *source) firstCatalog(ctx context.Context) error {
	by := s.entry.visitor(s.mix.address(rand.New(rand.NewPCG(s.o.Seed, streamSignUps))), s.mix.agents[0])
	var w window
	o := retry(ctx, func(ctx context.Context) (err error) { w, err = readWindow(ctx, by); return err })
	s.tally.add(func(t *Summary) { t.Retries += o.retries })
	switch _, refused := errors.AsType[*client.Problem](o.err); {
	case o.err == nil:
		s.catalog.put(time.Now(), w)
		return nil
	case refused || errors.Is(o.err, client.ErrUnreadable):
		return fmt.Errorf("get catalogue: %w", o.err)
	default:
		return fmt.Errorf("%w: get catalogue: %w", ErrUnreachable, o.err)
	}
}

// visit is one visitor at work.
type visit struct {
	*source
	plan plan
	by   *client.Client // the visitor, not signed in
	due  time.Time      // when the next step should start
}

func (s *source) visit(ctx context.Context, p plan, due time.Time) {
	v := &visit{source: s, plan: p, by: s.entry.visitor(p.from, p.agent), due: due}
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

// step does one step of this visit, measures it from its due moment, and makes the next one due now.
func (v *visit) step(ctx context.Context, name string, try func(context.Context) error) outcome {
	o := retry(ctx, try)
	now := time.Now()
	v.tally.step(name, now.Sub(v.due), o)
	v.due = now
	return o
}

// dates is the booking window, read again when the shared copy is too old.
func (v *visit) dates(ctx context.Context) window {
	w, stale := v.catalog.claim(time.Now())
	if !stale {
		return w
	}
	var fresh window
	o := v.step(ctx, stepCatalog, func(ctx context.Context) (err error) { fresh, err = readWindow(ctx, v.by); return err })
	if o.err != nil {
		v.tally.fail(stepCatalog, errorKind(o.err))
		return w
	}
	v.catalog.put(time.Now(), fresh)
	return fresh
}

// quote asks for a price; the token is empty without one.
func (v *visit) quote(ctx context.Context, a ask, dates window) string {
	r := client.QuoteRequest{Postcode: v.plan.postcode, Waste: a.waste, SizeM3: a.sizeM3, Date: dates.date(v.plan.postcode, a.days)}
	var q client.Quote
	o := v.step(ctx, stepQuote, func(ctx context.Context) (err error) { q, err = v.by.Quote(ctx, r); return err })
	if o.err != nil {
		v.tally.fail(stepQuote, errorKind(o.err))
		return ""
	}
	v.tally.add(func(t *Summary) { t.Quotes++ })
	return q.Token
}

// blunder asks for a price in a way that must be refused.
func (v *visit) blunder(ctx context.Context, a ask, dates window) {
	r := client.QuoteRequest{Postcode: v.plan.postcode, Waste: a.waste, SizeM3: a.sizeM3, Date: dates.date(v.plan.postcode, a.days)}
	switch a.mistake {
	case unknownPostcode:
		r.Postcode = "00" + r.Postcode[2:] // no German postcode begins with 00
	case tooHeavy:
		r.Waste, r.SizeM3 = "170504", 10
	case pastDate:
		r.Date = dates.earliest.AddDate(0, 0, -30).Format(catalog.DateFormat)
	}
	o := v.step(ctx, stepMistake, func(ctx context.Context) error { _, err := v.by.Quote(ctx, r); return err })
	p, refused := errors.AsType[*client.Problem](o.err)
	switch {
	case o.err == nil || errors.Is(o.err, client.ErrUnreadable):
		v.tally.add(func(t *Summary) { t.WronglyAccepted++ })
	case refused && p.Status/100 == 4 && p.Foreign:
		v.tally.fail(stepMistake, errorKind(o.err)+" without a problem document")
	case refused && p.Status/100 == 4 && p.Status != http.StatusTooManyRequests:
		v.tally.add(func(t *Summary) { t.RefusedAsExpected++ })
	default:
		v.tally.fail(stepMistake, errorKind(o.err))
	}
}

// attempt records that the order button was pressed.
func (v *visit) attempt(ctx context.Context) {
	e := client.Event{Type: stepAttempt, ID: v.id("a", v.plan.number), VisitID: v.id("v", v.plan.number)}
	if o := v.step(ctx, stepAttempt, func(ctx context.Context) error { return v.by.Report(ctx, e) }); o.err != nil {
		v.tally.fail(stepAttempt, errorKind(o.err))
		return
	}
	v.tally.add(func(t *Summary) { t.Attempts++ })
}

// order places the order as one of the customers.
func (v *visit) order(ctx context.Context, quote string) {
	towns := postcodes.Towns(v.plan.postcode) // never empty: the postcode was drawn from those that exist
	by := v.customers[v.plan.customer]
	n := client.NewOrder{
		Key: v.id("k", v.plan.number), Quote: quote, PublicGround: v.plan.public, VisitID: v.id("v", v.plan.number),
		Address: client.Address{Name: by.name, Street: "Hauptstraße " + strconv.Itoa(v.plan.house), City: towns[v.plan.house%len(towns)]},
	}
	here := comingFrom(by.Client, v.plan.from, v.plan.agent)
	var placed client.Order
	o := v.step(ctx, stepOrder, func(ctx context.Context) (err error) { placed, err = here.Place(ctx, n); return err })
	switch {
	case o.err != nil && o.doubt:
		v.orderFailed(errorKind(o.err), n.Key)
	case o.err != nil:
		v.orderFailed(errorKind(o.err), "")
	case !v.tally.placed(placed.ID, placed.Replayed):
		v.orderFailed("id of another order", "")
	default:
		v.works.placed(placed.ID, v.plan.number, by)
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
