package openapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/catalog/postcodes"
	"kreislauf/internal/client"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
	"kreislauf/internal/session"
	"kreislauf/test/embedded"
)

const (
	wares  = client.CatalogPath
	orders = client.OrdersPath
	jobs   = "/api/order/v1/jobs"
	offers = client.OffersPath
	events = client.EventsPath

	matches = "/api/matching/v1/matches"
	nowhere = "o-aaaaaaaaaaaaaaaa" // an id that no order has
)

// scene is what is asked of one service. Its exchanges are made when its turn comes, because they need what earlier ones have left.
type scene struct {
	name      string
	exchanges func(*testing.T) []exchange
}

// scenes are all that is asked while every store is there. A service whose routes do more than read needs one.
func (p *platform) scenes(c cast) []scene {
	return []scene{
		{"roles", func(t *testing.T) []exchange { return p.roles(t, c) }},
		{"identity", func(t *testing.T) []exchange { return p.identity(t, c) }},
		{"accounts", func(t *testing.T) []exchange { return p.accounts(t, c) }},
		{"companies", func(t *testing.T) []exchange { return p.companies(t, c) }},
		{"disposer", func(t *testing.T) []exchange { return p.disposer(t, c) }},
		{"customer", func(t *testing.T) []exchange { return p.customer(t, c) }},
		{"pricing", p.pricing},
		{"order", func(t *testing.T) []exchange { return p.order(t, c) }},
		{"offers", func(t *testing.T) []exchange { return p.offers(t, c) }},
		{"jobs", func(t *testing.T) []exchange { return p.jobs(t, c) }},
		{"matching", func(*testing.T) []exchange { return p.matching(c) }},
		{"payment", func(t *testing.T) []exchange { return p.payment(t, c) }},
		{"office", func(t *testing.T) []exchange { return p.office(t, c) }},
		{"statistics", func(*testing.T) []exchange { return p.statistics() }},
		{"demo people", func(t *testing.T) []exchange { return p.demo(t) }},
		{"signing out", func(*testing.T) []exchange { return p.signingOut(c) }},
	}
}

func quotes(postcode, waste, size, date string) string {
	return client.QuotesPath + "?postcode=" + postcode + "&waste=" + waste + "&size=" + size + "&date=" + date
}

func (p *platform) earliest(t *testing.T, postcode string) string {
	t.Helper()
	date, ok := p.send(t, exchange{method: "GET", path: wares + "?postcode=" + postcode, status: 200})["earliest_date"].(string)
	if !ok {
		t.Fatal("no earliest_date")
	}
	return date
}

func (p *platform) pricing(t *testing.T) []exchange {
	t.Helper()
	date := p.earliest(t, "17033")
	list := []exchange{
		{name: "catalogue", method: "GET", path: wares, status: 200},
		{name: "catalogue of a place", method: "GET", path: wares + "?postcode=01067", status: 200},
		{name: "catalogue of nowhere", method: "GET", path: wares + "?postcode=00999", status: 422},
		{name: "catalogue of four digits", method: "GET", path: wares + "?postcode=5066", status: 422, breaks: true},
	}
	for _, w := range catalog.Wastes() {
		for _, size := range w.Sizes() {
			list = append(list, exchange{
				name: fmt.Sprintf("%d m3 of %s", size, w.Code), method: "GET",
				path: quotes("17033", w.Code, fmt.Sprint(size), date), status: 200,
			})
		}
	}
	bad := func(name, path string, breaks bool) {
		list = append(list, exchange{name: name, method: "GET", path: path, status: 422, breaks: breaks})
	}
	bad("no parameters", client.QuotesPath, true)
	bad("four digits", quotes("5066", "170904", "7", date), true)
	bad("postcode of nowhere", quotes("00999", "170904", "7", date), false)
	bad("postcode of no place", quotes("50000", "170904", "7", date), false)
	bad("no code", quotes("50667", "soil", "7", date), true)
	bad("unknown code", quotes("50667", "999999", "7", date), false)
	bad("hazardous", quotes("50667", "170503*", "3", date), true)
	bad("no such window", quotes("50667", "170904", "7", date)+"&window=night", true)
	bad("permit of nobody", quotes("50667", "170904", "7", date)+"&permit=perhaps", true)
	bad("no number", quotes("50667", "170904", "big", date), true)
	bad("no size", quotes("50667", "170904", "0", date), true)
	bad("unknown size", quotes("50667", "170904", "8", date), false)
	bad("10 m3 of soil", quotes("50667", "170504", "10", date), false)
	bad("no date", quotes("50667", "170904", "7", "tomorrow"), true)
	bad("past date", quotes("50667", "170904", "7", "2020-01-01"), false)
	return list
}

// newOrder is a good body.
func (p *platform) newOrder(t *testing.T, postcode, waste string) map[string]any {
	t.Helper()
	q := p.send(t, exchange{method: "GET", path: quotes(postcode, waste, "3", p.earliest(t, postcode)), status: 200})
	return map[string]any{
		"quote": q["quote"], "visit_id": "visit-1", "public_ground": true,
		"address": map[string]any{"name": "Test Person", "street": "Hauptstraße 1", "city": postcodes.Towns(postcode)[0]},
	}
}

// permitQuote includes a permit and wishes the morning.
func (p *platform) permitQuote(t *testing.T) any {
	t.Helper()
	path := quotes("50667", "170904", "7", p.earliest(t, "50667")) + "&permit=true&window=morning"
	return p.send(t, exchange{method: "GET", path: path, status: 200})["quote"]
}

// place orders and gives the order's id.
func (p *platform) place(t *testing.T, who *client.Client, postcode, waste string) string {
	t.Helper()
	o := p.send(t, exchange{who: who, method: "POST", path: orders, header: key(), body: p.newOrder(t, postcode, waste), status: 201})
	id, ok := o["order_id"].(string)
	if !ok {
		t.Fatalf("no order_id in %v", o)
	}
	return id
}

func endedQuote(t *testing.T) string {
	t.Helper()
	return signQuote(t, quote.Quote{
		ID: "q-ended", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: time.Now().AddDate(0, 0, 5).Format(time.DateOnly),
		Price: money.FromNet(100_00), ValidUntil: time.Now().Add(-time.Minute),
	})
}

// fullQuote is for a size of which the partner of Cologne has no container. Pricing gives no such quote, unless it has heard of it too late.
func fullQuote(t *testing.T, date string) string {
	t.Helper()
	return signQuote(t, quote.Quote{
		ID: "q-full", Postcode: "50667", Waste: "170904", SizeM3: 5, Date: date, Price: money.FromNet(100_00), ValidUntil: time.Now().Add(time.Hour),
	})
}

func signQuote(t *testing.T, q quote.Quote) string {
	t.Helper()
	k, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	token, err := quote.Sign(k, q)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *platform) order(t *testing.T, c cast) []exchange {
	t.Helper()
	good, again := p.newOrder(t, "50667", "170904"), key()
	annas := p.place(t, c.anna, "50667", "170904")
	post := func(name string, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: c.anna, method: "POST", path: orders, header: key(), body: body, status: status, breaks: breaks}
	}
	as := func(who *client.Client, e exchange) exchange { e.who = who; return e }
	keyed := func(e exchange, header map[string]string) exchange { e.header = header; return e }
	replayed := keyed(post("replay", good, 201, false), again)
	replayed.replayed = true
	csrf := func(value string) map[string]string {
		return map[string]string{"Idempotency-Key": client.NewKey(), "X-CSRF-Token": value}
	}
	get := func(name string, who *client.Client, path string, status int) exchange {
		return exchange{name: name, who: who, method: "GET", path: path, status: status, breaks: who == nil}
	}
	address := func(name string) map[string]any {
		return with(good, "address", map[string]any{"name": name, "street": "Weg 1", "city": "Köln"})
	}
	return []exchange{
		get("none yet", c.bert, orders, 200),
		keyed(post("first", good, 201, false), again), replayed,
		keyed(post("reused key", with(good, "public_ground", false), 422, false), again),
		post("least", with(with(good, "visit_id", nil), "public_ground", nil), 201, false),
		post("full", with(good, "quote", fullQuote(t, p.earliest(t, "50667"))), 409, false),
		post("permit and window", with(with(good, "quote", p.permitQuote(t)), "window", "afternoon"), 201, false),
		post("permit on private ground", with(with(good, "quote", p.permitQuote(t)), "public_ground", false), 422, false),
		post("no such window", with(good, "window", "night"), 422, true),
		post("another town", with(good, "address", map[string]any{"name": "Test Person", "street": "Weg 1", "city": "Ulm"}), 422, false),
		post("longest name", address(strings.Repeat("ä", 100)), 201, false),
		keyed(post("no key", good, 400, true), nil),
		keyed(post("short key", good, 400, true), map[string]string{"Idempotency-Key": "short"}),
		post("malformed", client.Raw(`{"quote":`), 400, true),
		post("unknown member", with(good, "qoute", "x"), 400, true),
		as(nil, keyed(post("no session", good, 401, true), csrf("x"))),
		as(p.forged(), post("forged session", good, 401, false)),
		keyed(post("no token", good, 403, true), csrf("")),
		keyed(post("wrong token", good, 403, false), csrf("wrong")),
		as(c.hand, post("partner", good, 403, false)),
		post("too large", tooLarge(), 413, true),
		post("forged quote", with(good, "quote", "q1.e30.AAAA"), 422, false),
		post("no quote", with(good, "quote", nil), 422, true),
		post("ended quote", with(good, "quote", endedQuote(t)), 422, false),
		post("no address", with(good, "address", nil), 422, true),
		post("short name", address("A"), 422, true),
		post("long name", address(strings.Repeat("ä", 101)), 422, true),
		post("bad visit", with(good, "visit_id", "a b"), 422, true),
		get("list", c.anna, orders, 200),
		get("list without session", nil, orders, 401),
		get("list of a partner", c.hand, orders, 403),
		get("one", c.anna, orders+"/"+annas, 200),
		get("one without session", nil, orders+"/"+annas, 401),
		get("one of a partner", c.hand, orders+"/"+annas, 403),
		get("another's", c.bert, orders+"/"+annas, 404),
		get("unknown", c.anna, orders+"/"+nowhere, 404),
	}
}

// offers follows orders through their states; every answer on the way is compared with the documents.
func (p *platform) offers(t *testing.T, c cast) []exchange {
	become := func(id, state string) {
		p.poll(t, c.anna, orders+"/"+id, func(o map[string]any) bool { return o["state"] == state })
	}
	become(p.place(t, c.anna, "50667", "170904"), "matched")
	nobodys := p.place(t, c.anna, "80331", "170504") // no partner takes soil
	become(nobodys, "unmatched")
	p.send(t, exchange{who: c.office, method: "GET", path: matches + "/" + nobodys, status: 200})
	id := p.place(t, c.anna, "10115", "170904")
	p.poll(t, c.hand, offers, func(a map[string]any) bool { return len(a["offers"].([]any)) == 1 })
	accept := exchange{who: c.hand, method: "POST", path: offers + "/" + id + "/accept", status: 200}
	other, wrong := accept, accept
	other.who, other.status = c.auto, 404
	p.send(t, other)
	wrong.header, wrong.status = map[string]string{"X-CSRF-Token": "wrong"}, 403
	p.send(t, wrong)
	p.send(t, accept)
	p.send(t, accept)
	become(id, "matched")
	return p.secondOffer(t, c, id)
}

// secondOffer is about an order that p-hand declines; taken is one that it has accepted.
func (p *platform) secondOffer(t *testing.T, c cast, taken string) []exchange {
	t.Helper()
	id := p.place(t, c.anna, "10115", "170904")
	p.poll(t, c.hand, offers, func(a map[string]any) bool { return len(a["offers"].([]any)) == 1 })
	decline := func(name string, who *client.Client, id string, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "POST", path: offers + "/" + id + "/decline", body: body, status: status, breaks: breaks}
	}
	reassign := func(name string, who *client.Client, id string, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "POST", path: matches + "/" + id + "/reassign", body: body, status: status, breaks: breaks}
	}
	with403 := func(e exchange) exchange { e.header = map[string]string{"X-CSRF-Token": "wrong"}; return e }
	refusal := map[string]any{"reason": "no-container", "note": "all are out"}
	named := map[string]any{"partner_id": "p-hand", "reason": "agreed by telephone"}
	return []exchange{
		with403(decline("decline with a wrong token", c.hand, id, refusal, 403, false)),
		with403(decline("decline without session", nil, id, refusal, 401, true)),
		decline("decline as customer", c.anna, id, refusal, 403, false),
		decline("decline another's", c.auto, id, refusal, 404, false),
		decline("decline unknown", c.hand, nowhere, refusal, 404, false),
		decline("decline without a reason", c.hand, id, map[string]any{}, 422, true),
		decline("decline for another reason", c.hand, id, with(refusal, "reason", "weather"), 422, true),
		decline("decline with a long note", c.hand, id, with(refusal, "note", strings.Repeat("ä", 201)), 422, true),
		decline("decline with two lines", c.hand, id, with(refusal, "note", "a\nb"), 422, false),
		decline("decline malformed", c.hand, id, client.Raw(`{"reason":`), 400, true),
		decline("decline too large", c.hand, id, tooLarge(), 413, true),
		decline("decline what is accepted", c.hand, taken, refusal, 409, false),
		decline("decline", c.hand, id, with(refusal, "note", strings.Repeat("ä", 200)), 200, false),
		decline("decline again", c.hand, id, refusal, 200, false),
		{name: "accept what was declined", who: c.hand, method: "POST", path: offers + "/" + id + "/accept", status: 409},
		{name: "match", who: c.office, method: "GET", path: matches + "/" + id, status: 200},
		{name: "match of nothing", who: c.office, method: "GET", path: matches + "/" + nowhere, status: 404},
		{name: "match that is taken", who: c.office, method: "GET", path: matches + "/" + taken, status: 200},
		with403(reassign("reassign with a wrong token", c.office, id, named, 403, false)),
		with403(reassign("reassign without session", nil, id, named, 401, true)),
		reassign("reassign as a partner", c.hand, id, named, 403, false),
		reassign("reassign unknown", c.office, nowhere, named, 404, false),
		reassign("reassign to nobody", c.office, id, with(named, "partner_id", "p-nobody"), 422, false),
		reassign("reassign to no id", c.office, id, with(named, "partner_id", "P 1"), 422, true),
		reassign("reassign without a reason", c.office, id, with(named, "reason", nil), 422, true),
		reassign("reassign malformed", c.office, id, client.Raw(`{"reason":`), 400, true),
		reassign("reassign too large", c.office, id, tooLarge(), 413, true),
		reassign("reassign", c.office, id, named, 200, false),
		{name: "accept at last", who: c.hand, method: "POST", path: offers + "/" + id + "/accept", status: 200},
		reassign("reassign what is accepted", c.office, id, named, 409, false),
	}
}

// steps are all changes of an order, each with a good body, and where there is one that is refused in every state, with that (422).
func steps(id string, c cast) []exchange {
	step := func(who *client.Client, path string, body, refused map[string]any) []exchange {
		e := exchange{who: who, method: "POST", path: path, header: key(), body: body}
		if refused == nil {
			return []exchange{e}
		}
		bad := e
		bad.body, bad.status, bad.breaks = refused, 422, true
		return []exchange{e, bad}
	}
	return slices.Concat(
		step(c.anna, orders+"/"+id+"/cancel", map[string]any{"reason": "no longer needed"}, map[string]any{"reason": "no"}),
		step(c.anna, orders+"/"+id+"/pick-up", map[string]any{"date": "2026-12-04"}, nil),
		step(c.auto, jobs+"/"+id+"/plan", map[string]any{"day": today(), "driver_id": "d-1"}, map[string]any{"day": today(), "driver_id": "d 1"}),
		step(c.auto, jobs+"/"+id+"/failed-trip", map[string]any{"reason": "blocked"}, map[string]any{"reason": "rain"}),
		step(c.auto, jobs+"/"+id+"/on-site", map[string]any{"container": "K 17"}, map[string]any{"container": "K"}),
		step(c.auto, jobs+"/"+id+"/swapped", map[string]any{"container": "K 17"}, map[string]any{"container": "K"}),
		step(c.auto, jobs+"/"+id+"/correct", map[string]any{"slip": "W-2", "reason": "misread on site"}, map[string]any{"slip": "W-2", "reason": "no"}),
		step(c.office, orders+"/"+id+"/correct", map[string]any{"slip": "W-2", "reason": "misread on site"}, map[string]any{"slip": "W-2", "reason": "no"}),
		step(c.auto, jobs+"/"+id+"/collected", map[string]any{}, nil),
		step(c.auto, jobs+"/"+id+"/weighed", map[string]any{"gross_kg": 3200, "tare_kg": 1200, "slip": "W-1"},
			map[string]any{"gross_kg": 0, "tare_kg": 1200, "slip": "W-1"}),
	)
}

// swap has the container of an order swapped by a new one.
func (p *platform) swap(t *testing.T, c cast) []exchange {
	t.Helper()
	matched := func(id string) string {
		p.poll(t, c.anna, orders+"/"+id, func(o map[string]any) bool { return o["state"] == "matched" })
		return id
	}
	post := func(name string, who *client.Client, path string, body any, status int) exchange {
		return exchange{name: name, who: who, method: "POST", path: path, header: key(), body: body, status: status}
	}
	old := matched(p.place(t, c.anna, "50667", "170904"))
	p.send(t, post("", c.auto, jobs+"/"+old+"/on-site", map[string]any{"container": "K 17"}, 200))
	body := with(p.newOrder(t, "50667", "170904"), "swap_of", old)
	id := matched(fmt.Sprint(p.send(t, post("", c.anna, orders, body, 201))["order_id"]))
	return []exchange{
		post("a second swap", c.anna, orders, body, 409),
		{name: "job that swaps", who: c.auto, method: "GET", path: jobs + "/" + id, status: 200},
		post("swap", c.auto, jobs+"/"+id+"/swapped", map[string]any{"container": "K 18"}, 200),
		post("swap with other content", c.auto, jobs+"/"+id+"/swapped", map[string]any{"container": "K 19"}, 409),
		{name: "what swaps", who: c.anna, method: "GET", path: orders + "/" + id, status: 200},
		{name: "what is swapped", who: c.anna, method: "GET", path: orders + "/" + old, status: 200},
	}
}

func today() string { return time.Now().Format(time.DateOnly) }

// jobs asks each step in every way that fails, then leads an order through its work.
func (p *platform) jobs(t *testing.T, c cast) []exchange {
	t.Helper()
	id := p.place(t, c.anna, "50667", "170904")
	p.poll(t, c.anna, orders+"/"+id, func(o map[string]any) bool { return o["state"] == "matched" })
	var list []exchange
	add := func(name string, e exchange) {
		e.name = name + " " + e.path
		list = append(list, e)
	}
	for _, e := range steps(id, c) {
		if e.status == 422 {
			add("refused", e)
			continue
		}
		as := func(name string, status int, breaks bool, change func(*exchange)) {
			e := e
			e.status, e.breaks = status, breaks
			change(&e)
			add(name, e)
		}
		stranger := c.bert
		if e.who == c.auto {
			stranger = c.hand
		}
		as("malformed", 400, true, func(e *exchange) { e.body = client.Raw(`{"x":`) })
		as("nobody", 401, true, func(e *exchange) {
			e.who, e.header = nil, map[string]string{"Idempotency-Key": client.NewKey(), "X-CSRF-Token": "x"}
		})
		as("wrong role", 403, false, func(e *exchange) {
			if e.who = c.anna; stranger == c.bert {
				e.who = c.auto
			}
		})
		if e.who != c.office { // which sees every order
			as("stranger", 404, false, func(e *exchange) { e.who = stranger })
		}
		as("unknown", 404, false, func(e *exchange) { e.path = strings.ReplaceAll(e.path, id, nowhere) })
		as("too large", 413, true, func(e *exchange) { e.body = tooLarge() })
	}
	post := func(name string, who *client.Client, path string, body map[string]any, status int) {
		add(name, exchange{who: who, method: "POST", path: path, header: key(), body: body, status: status})
	}
	one, job := orders+"/"+id, jobs+"/"+id
	date := p.earliest(t, "50667")
	trip := exchange{who: c.auto, method: "POST", path: job + "/failed-trip", header: key(), body: map[string]any{"reason": "blocked", "note": "a lorry"}, status: 200}
	again := trip
	again.replayed = true
	weighing := map[string]any{"gross_kg": 3200, "tare_kg": 1200, "slip": "W-1"}
	heavy := map[string]any{"gross_kg": 9200, "tare_kg": 1200, "slip": "W-1"}

	post("too early", c.anna, one+"/pick-up", map[string]any{"date": date}, 409)
	post("too early", c.auto, job+"/collected", map[string]any{}, 409)
	post("too early", c.auto, job+"/weighed", weighing, 409)
	for path, who := range map[string]*client.Client{job: c.auto, one: c.office} {
		post("too early", who, path+"/correct", map[string]any{"slip": "W-2", "reason": "misread on site"}, 409)
	}
	post("first", c.auto, job+"/plan", map[string]any{"day": date, "window": "morning", "driver_id": "d-1", "vehicle": "K-AB 17", "position": 1}, 200)
	add("first", trip)
	add("again", again)
	add("list", exchange{who: c.auto, method: "GET", path: jobs + "?state=matched&limit=1&date=" + date, status: 200})
	add("bad list", exchange{who: c.auto, method: "GET", path: jobs + "?state=paid", status: 422, breaks: true})
	post("future", c.auto, job+"/on-site", map[string]any{"container": "K 17", "at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, 422)
	post("first", c.auto, job+"/on-site", map[string]any{"container": "K 17"}, 200)
	add("again", exchange{
		who: c.auto, method: "POST", path: job + "/on-site", header: key(), body: map[string]any{"container": "K 17"}, status: 200, replayed: true,
	})
	post("another", c.auto, job+"/on-site", map[string]any{"container": "K 18"}, 409)
	post("Sunday", c.anna, one+"/pick-up", map[string]any{"date": "2026-01-04"}, 422)
	post("first", c.anna, one+"/pick-up", map[string]any{"date": date}, 200)
	post("too late", c.anna, one+"/cancel", map[string]any{"reason": "no longer needed"}, 409)
	post("future", c.auto, job+"/collected", map[string]any{"at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, 422)
	post("first", c.auto, job+"/collected", map[string]any{}, 200)
	post("too late", c.auto, job+"/failed-trip", map[string]any{"reason": "overfilled"}, 409)
	post("too heavy", c.auto, job+"/weighed", heavy, 422)
	post("confirmed", c.auto, job+"/weighed", with(heavy, "confirmed", true), 200)
	post("first", c.auto, job+"/correct", map[string]any{"container": "K 71", "reason": "misread on site"}, 200)
	post("first", c.office, one+"/correct", map[string]any{"gross_kg": 9100, "confirmed": true, "reason": "misread on the slip"}, 200)
	post("too late", c.auto, job+"/plan", map[string]any{"day": today()}, 409)
	list = append(list, documents(id, c)...)
	list = append(list, p.swap(t, c)...)
	add("one", exchange{who: c.auto, method: "GET", path: job, status: 200})
	add("another's", exchange{who: c.hand, method: "GET", path: job, status: 404})
	add("done", exchange{who: c.anna, method: "GET", path: one, status: 200})
	post("first", c.anna, orders+"/"+p.place(t, c.anna, "80331", "170504")+"/cancel", map[string]any{"reason": "no longer needed"}, 200)
	return list
}

// documents sends a photo to a job, and reads it.
func documents(id string, c cast) []exchange {
	const proof = "/api/order/v1/proof"
	var pixel bytes.Buffer
	_ = png.Encode(&pixel, image.NewGray(image.Rect(0, 0, 1, 1))) // a buffer takes everything
	picture := pixel.String()
	path := func(root, content string) string {
		return fmt.Sprintf("%s/%s/documents/%x", root, id, sha256.Sum256([]byte(content)))
	}
	put := func(name string, who *client.Client, path, content string, status int, breaks bool) exchange {
		e := exchange{name: name + " document", who: who, method: "PUT", path: path, body: client.Raw(content), status: status, breaks: breaks}
		e.header = map[string]string{"Content-Type": "image/png"}
		if who == nil {
			e.header["X-CSRF-Token"] = "x"
		}
		return e
	}
	get := func(name string, who *client.Client, path string, status int) exchange {
		return exchange{name: name + " reads", who: who, method: "GET", path: path, status: status, breaks: who == nil}
	}
	photo := path(jobs, picture)
	return []exchange{
		put("nobody's", nil, photo+"?kind=photo", picture, 401, true),
		put("a customer's", c.anna, photo+"?kind=photo", picture, 403, false),
		put("a stranger's", c.hand, photo+"?kind=photo", picture, 404, false),
		put("first", c.auto, photo+"?kind=photo", picture, 200, false),
		put("again", c.auto, photo+"?kind=photo", picture, 200, false),
		put("as another kind", c.auto, photo+"?kind=slip", picture, 409, false),
		put("without a kind", c.auto, photo, picture, 422, true),
		put("too large", c.auto, path(jobs, "x")+"?kind=photo", strings.Repeat("x", 8<<20+1), 413, false),
		get("partner", c.auto, photo, 200), get("stranger", c.hand, photo, 404),
		{name: "proof", who: c.anna, method: "GET", path: proof + "?year=" + today()[:4], status: 200},
		{name: "proof of another site", who: c.anna, method: "GET", path: proof + "?year=" + today()[:4] + "&site=s-1", status: 200},
		{name: "proof of no year", who: c.anna, method: "GET", path: proof + "?year=1999", status: 422, breaks: true},
		{name: "proof for a partner", who: c.auto, method: "GET", path: proof + "?year=2026", status: 403},
		{name: "proof for nobody", method: "GET", path: proof + "?year=2026", status: 401, breaks: true},
		get("customer", c.anna, path(orders, picture), 200), get("other customer", c.bert, path(orders, picture), 404),
	}
}

func (p *platform) matching(c cast) []exchange {
	accept := offers + "/" + nowhere + "/accept"
	return []exchange{
		{name: "none", who: c.auto, method: "GET", path: offers, status: 200},
		{name: "no session", method: "GET", path: offers, status: 401, breaks: true},
		{name: "customer", who: c.anna, method: "GET", path: offers, status: 403},
		{name: "accept unknown", who: c.hand, method: "POST", path: accept, status: 404},
		{name: "accept without session", method: "POST", path: accept, header: map[string]string{"X-CSRF-Token": "x"}, status: 401, breaks: true},
		{name: "accept without token", who: c.hand, method: "POST", path: accept, header: map[string]string{"X-CSRF-Token": ""}, status: 403, breaks: true},
		{name: "accept as customer", who: c.anna, method: "POST", path: accept, status: 403},
	}
}

func (p *platform) statistics() []exchange {
	post := func(name string, body any, status int, breaks bool) exchange {
		return exchange{name: name, method: "POST", path: events, body: body, status: status, breaks: breaks}
	}
	typed := func(e exchange, contentType string) exchange {
		e.header = map[string]string{"Content-Type": contentType}
		return e
	}
	data := func(n, nameLen, valueLen int) map[string]any {
		m := map[string]string{}
		for i := range n {
			m[strings.Repeat("k", nameLen-2)+fmt.Sprintf("%02d", i)] = strings.Repeat("v", valueLen)
		}
		return map[string]any{"type": "order-attempt", "data": m}
	}
	full := map[string]any{"type": "order-attempt", "id": "attempt-1", "visit_id": "visit-1", "data": map[string]string{"step": "address"}}
	replayed := post("replay", full, 202, false)
	replayed.replayed = true
	named := post("named by the entry", map[string]any{"type": "page-view"}, 202, false)
	named.header = map[string]string{"X-Request-Id": strings.Repeat("a", 64)}
	unknown := post("unknown key", full, 401, false)
	unknown.header = map[string]string{"X-Api-Key": "nobody's"}
	return []exchange{
		unknown,
		post("full", full, 202, false), replayed,
		post("least", map[string]any{"type": "ab"}, 202, false), named,
		post("most", data(16, 64, 256), 202, false),
		typed(post("beacon", client.Raw(`{"type":"page-view"}`), 202, false), "text/plain;charset=UTF-8"),
		post("malformed", client.Raw(`{"type"`), 400, true),
		post("unknown member", map[string]any{"type": "page-view", "user": "x"}, 400, true),
		post("number in data", map[string]any{"type": "page-view", "data": map[string]any{"n": 1}}, 400, true),
		post("too large", tooLarge(), 413, true),
		post("no type", map[string]any{}, 422, true),
		post("dot in the type", map[string]any{"type": "order.placed"}, 422, true),
		post("long type", map[string]any{"type": strings.Repeat("a", 65)}, 422, true),
		post("short id", map[string]any{"type": "page-view", "id": "1234567"}, 422, true),
		post("bad visit", map[string]any{"type": "page-view", "visit_id": "a b"}, 422, true),
		post("17 members", data(17, 8, 8), 422, true),
		post("long member name", data(1, 65, 8), 422, true),
		post("long value", data(1, 8, 257), 422, true),
	}
}

// storesAway asks operations that need a store which is away: sessions, or for statistics the database.
func (p *platform) storesAway(t *testing.T, c cast) []exchange {
	one := orders + "/" + nowhere
	list := []exchange{
		{name: "sign up", method: "POST", path: users, header: key(), body: signUp("email", "late@example.org"), status: 503},
		{name: "sign in", method: "POST", path: sessions, body: map[string]any{"email": "anna@example.org", "password": password}, status: 503},
		{name: "invite a driver", who: c.hand, method: "POST", path: driverInvitations, body: map[string]any{"driver_id": "d-1"}, status: 503},
		{name: "session", who: c.anna, method: "GET", path: current, status: 503},
		{name: "demo person", method: "POST", path: "/api/identity/v1/demo-sessions", body: map[string]any{"code": demoCode()}, status: 503},
		{name: "end session", who: c.anna, method: "DELETE", path: sessions + "/x", status: 503},
		{name: "end other sessions", who: c.anna, method: "DELETE", path: sessions, status: 503},
		{name: "end sessions of", who: c.office, method: "POST", path: sessions + "/end", body: map[string]any{"user_id": "u-1", "reason": "stolen"}, status: 503},
		{name: "new password", who: c.anna, method: "PUT", path: "/api/identity/v1/password", body: map[string]any{"password": "x", "new_password": password}, status: 503},
		{name: "company", who: c.anna, method: "PUT", path: "/api/identity/v1/company", header: seen(1), status: 503, body: map[string]any{
			"name": "Late GmbH", "street": "Weg 1", "postcode": "50667", "city": "Köln", "email": "late@example.org",
		}},
		{name: "join", who: c.anna, method: "POST", path: "/api/identity/v1/company/join", body: map[string]any{"invite": "x"}, status: 503},
		{name: "remove", who: c.anna, method: "DELETE", path: "/api/identity/v1/company/members/u-1", status: 503},
		{name: "invite", who: c.anna, method: "POST", path: "/api/identity/v1/company/invitations", header: key(), body: map[string]any{"email": "late@example.org"}, status: 503},
		{name: "take back", who: c.anna, method: "DELETE", path: "/api/identity/v1/company/invitations/i-1", status: 503},
		{name: "reverse charge", who: c.office, method: "PUT", path: "/api/identity/v1/companies/c-1/reverse-charge", header: seen(1), body: map[string]any{
			"reverse_charge": true, "reason": "the form was seen",
		}, status: 503},
		{name: "forgotten password", method: "POST", path: "/api/identity/v1/password-resets", body: map[string]any{"email": "anna@example.org"}, status: 503},
		{name: "confirmed password", method: "POST", path: "/api/identity/v1/password-resets/confirm", body: map[string]any{"token": "FORGED", "password": password}, status: 503},
		{name: "sign out", who: c.anna, method: "DELETE", path: current, status: 503},
		{name: "order", who: c.anna, method: "POST", path: orders, header: key(), body: map[string]any{
			"quote": "q1.e30.AAAA", "address": map[string]any{"name": "Test Person", "street": "Weg 1", "city": "Ulm"},
		}, status: 503},
		{name: "orders", who: c.anna, method: "GET", path: orders, status: 503},
		{name: "one order", who: c.anna, method: "GET", path: one, status: 503},
		{name: "profile", who: c.hand, method: "PUT", path: "/api/disposer/v1/profile", header: seen(1), status: 503, body: map[string]any{
			"email": "office@hand.example", "radius_km": 1, "auto_accept": true, "drivers": []any{}, "vehicles": []any{},
		}},
		{name: "partner", who: c.office, method: "PUT", path: "/api/disposer/v1/partners/p-hand", header: seen(1), status: 503, body: map[string]any{
			"partner": newPartner("name", "Late GmbH"), "reason": "too late",
		}},
		{name: "offers", who: c.hand, method: "GET", path: offers, status: 503},
		{name: "accept", who: c.hand, method: "POST", path: offers + "/" + nowhere + "/accept", status: 503},
		{name: "decline", who: c.hand, method: "POST", path: offers + "/" + nowhere + "/decline", body: map[string]any{"reason": "price"}, status: 503},
		{name: "reassign", who: c.office, method: "POST", path: matches + "/" + nowhere + "/reassign", body: map[string]any{
			"partner_id": "p-hand", "reason": "agreed by telephone",
		}, status: 503},
		{name: "retry a mail", who: c.office, method: "POST", path: "/api/mailing/v1/mails/e-nothing/retry", body: reason("the server was away"), status: 503},
		{name: "correction", who: c.anna, method: "POST", path: invoices + "/R-1999-000001/correction", body: reason("wrong price"), status: 503},
		{name: "objection", who: c.hand, method: "POST", path: creditNotes + "/G-1999-000001/objection", body: reason("wrong weight"), status: 503},
		{name: "preview", who: c.anna, method: "POST", path: invoices + "/R-1999-000001/correction-preview", body: heavier(), status: 503},
		{name: "objection to an invoice", who: c.anna, method: "POST", path: invoices + "/R-1999-000001/objection", body: reason("half full"), status: 503},
		{name: "hold", who: c.anna, method: "POST", path: invoices + "/R-1999-000001/hold", body: reason("half full"), status: 503},
		{name: "release", who: c.anna, method: "POST", path: invoices + "/R-1999-000001/release", body: reason("half full"), status: 503},
		{name: "correction of a credit note", who: c.anna, method: "POST", path: creditNotes + "/G-1999-000001/correction", body: reason("wrong price"), status: 503},
		{name: "preview of a credit note", who: c.anna, method: "POST", path: creditNotes + "/G-1999-000001/correction-preview", body: heavier(), status: 503},
		{name: "run", who: c.anna, method: "POST", path: runs, header: key(), body: run("payout"), status: 503},
		{name: "mandate", who: c.anna, method: "PUT", path: mandate, body: account("DE02500105170137075030"), status: 503},
		{name: "mandate revoked", who: c.anna, method: "DELETE", path: mandate, status: 503},
		upload("statements", c.anna, camt("DE89370400440532013000"), 503),
		{name: "statement line", who: c.anna, method: "POST", path: receipts, body: receipt("b-1", 1, "x"), status: 503},
		{name: "assignment", who: c.anna, method: "POST", path: receipts + "/b-1/assign", body: map[string]any{"invoice": "R-1999-000001"}, status: 503},
		{name: "event", method: "POST", path: events, body: map[string]any{"type": "page-view"}, status: 503},
	}
	list = append(list, exchange{
		name: "document", who: c.auto, method: "PUT", path: jobs + "/" + nowhere + "/documents/" + strings.Repeat("a", 64) + "?kind=photo",
		body: client.Raw("x"), header: map[string]string{"Content-Type": "image/png"}, status: 503,
	})
	visitor := p.newPerson().With("Cookie", session.CartCookie+"="+strings.Repeat("a", 43))
	list = append(list,
		exchange{name: "cart", who: visitor, method: "GET", path: cart, status: 503},
		exchange{name: "cart forgotten", who: visitor, method: "DELETE", path: cart, status: 503},
		exchange{name: "visit", method: "POST", path: visits, body: map[string]any{"code": sitePass(t)}, status: 503},
	)
	for _, e := range slices.Concat(steps(nowhere, c), customerCalls(c, noSite, noStanding)) {
		if e.status == 0 && e.method != "GET" { // its body is good
			e.name, e.status = e.path, 503
			list = append(list, e)
		}
	}
	return list
}
