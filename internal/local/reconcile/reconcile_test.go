package reconcile_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"kreislauf/internal/authz"
	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/client"
	"kreislauf/internal/event"
	"kreislauf/internal/load"
	"kreislauf/internal/local/reconcile"
	"kreislauf/services"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
)

// fixture is a platform on which orders have lived; its services are stopped, so what is planted stays.
type fixture struct {
	b         *embedded.Backends
	databases map[string]*mongo.Database
	p         reconcile.Platform
}

// invite makes invitations as the platform's owner does.
func invite(role authz.Role, partnerID string) (string, error) {
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		return "", err
	}
	return identity.SealInvite(key, identity.Invite{Role: role, PartnerID: partnerID, Until: time.Now().Add(time.Hour)})
}

// live runs all services, lets customers, partners and the back office do their work, and stops the services when all agrees.
func live(t *testing.T) *fixture {
	f := &fixture{b: embedded.Start(t), databases: map[string]*mongo.Database{}}
	f.p = reconcile.Platform{
		Database: func(service string) (string, error) { return f.b.DatabaseURI(service), nil }, Kafka: []string{f.b.Kafka},
	}
	for _, s := range services.All() {
		f.databases[s.Name] = f.b.Database(t, s.Name).Database
	}
	alive := t.Run("the life of orders", func(t *testing.T) {
		targets := map[string]*url.URL{}
		for _, s := range services.All() {
			addr := f.b.Run(t, s.Name+"-1", map[string]string{"KREISLAUF_PARTNERS_FILE": "../partners.json"})
			targets[s.Name] = &url.URL{Scheme: "http", Host: addr}
		}
		f.b.AwaitPartners(t, 10)
		entry := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			service, _, _ := strings.Cut(strings.TrimPrefix(r.In.URL.Path, "/api/"), "/")
			r.SetURL(targets[service])
		}})
		defer entry.Close()
		// Of the seed, trucks come in vain and customers pay in parts.
		sum, err := load.Run(t.Context(), load.Options{
			Entry: entry.URL, Rate: 40, Duration: 2 * time.Second, Customers: 4, Seed: 5, Invite: invite, Pace: 200 * time.Millisecond, Finish: time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.Failures) > 0 || sum.Unfinished > 0 || sum.WronglyAccepted > 0 || sum.Partners != 10 {
			t.Errorf("%d partners, failures %v, %d orders not at their end", sum.Partners, sum.Failures, sum.Unfinished)
		}
		for _, stage := range []string{"placed", "matched", "on_site", "collected", "weighed", "invoiced", "paid"} {
			if sum.Stages[stage] == 0 {
				t.Errorf("no order came to the stage %s: %v", stage, sum.Stages)
			}
		}
		if sum.Stages["placed"] != len(sum.OrderIDs) || sum.Receipts <= sum.Stages["paid"] || sum.FailedTrips == 0 || sum.Accepted == 0 {
			t.Errorf("%+v", sum)
		}
		f.correct(t, entry.URL)
		f.cancel(t, entry.URL)
		f.swap(t, entry.URL)
		r := reconcile.Wait(t.Context(), f.p, time.Minute)
		if !r.Clean() || len(r.UnderWay) > 0 || r.Orders != len(sum.OrderIDs)+3 || r.Invoices != sum.Stages["invoiced"] || r.CreditNotes != r.Invoices {
			t.Fatalf("not clean: %+v", r)
		}
	})
	if !alive {
		t.FailNow()
	}
	return f
}

// correct has the back office cancel an invoice.
func (f *fixture) correct(t *testing.T, entry string) {
	t.Helper()
	code, err := invite(authz.BackOffice, "")
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(client.Entry(entry), nil)
	if _, err := c.SignUp(t.Context(), client.Account{Email: "office@example.org", Password: "correct horse", Name: "Office", Invite: code}); err != nil {
		t.Fatal(err)
	}
	list, err := c.Invoices(t.Context(), "paid")
	if err != nil || len(list) == 0 {
		t.Fatalf("paid invoices: %v, %v", list, err)
	}
	a, err := c.Do(t.Context(), client.Call{
		Method: http.MethodPost, Path: client.InvoicesPath + "/" + list[0].Number + "/correction", Body: map[string]string{"reason": "wrong recipient"},
	})
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// signUp makes an account; the invitation is that of a dispatcher, if any.
func signUp(t *testing.T, entry, email, invitation string) *client.Client {
	t.Helper()
	c := client.New(client.Entry(entry), nil)
	if _, err := c.SignUp(t.Context(), client.Account{Email: email, Password: "correct horse", Name: "Anna", Invite: invitation}); err != nil {
		t.Fatal(err)
	}
	return c
}

// cancel has a customer order and cancel.
func (f *fixture) cancel(t *testing.T, entry string) {
	t.Helper()
	c := signUp(t, entry, "anna@example.org", "")
	o := order(t, c, "")
	if _, err := c.Cancel(t.Context(), o.ID, "no longer needed"); err != nil {
		t.Fatal(err)
	}
}

// swap has a customer's container swapped by the partner that has put it there.
func (f *fixture) swap(t *testing.T, entry string) {
	t.Helper()
	c := signUp(t, entry, "berta@example.org", "")
	old := order(t, c, "")
	await := func(id, state string) client.Order {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if o, err := c.Order(t.Context(), id); err == nil && o.State == state {
				return o
			} else if time.Now().After(deadline) {
				t.Fatalf("order %s never became %s: %+v, %v", id, state, o, err)
			}
		}
	}
	code, err := invite(authz.Dispatcher, await(old.ID, "matched").PartnerID)
	if err != nil {
		t.Fatal(err)
	}
	partner := signUp(t, entry, "swap@example.org", code)
	if _, err := partner.PutOnSite(t.Context(), old.ID, client.Placing{Container: "K 17"}); err != nil {
		t.Fatal(err)
	}
	o := order(t, c, old.ID)
	await(o.ID, "matched")
	if _, err := partner.PutSwapped(t.Context(), o.ID, client.Placing{Container: "K 18"}); err != nil {
		t.Fatal(err)
	}
	await(old.ID, "collected")
}

// order orders 7 m³ in Cologne, and swaps an older order's container, if any.
func order(t *testing.T, c *client.Client, swapOf string) client.Order {
	t.Helper()
	catalog, err := c.Catalog(t.Context(), "50667")
	if err != nil {
		t.Fatal(err)
	}
	q, err := c.Quote(t.Context(), client.QuoteRequest{Postcode: "50667", Waste: "170904", SizeM3: 7, Date: catalog.EarliestDate})
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Place(t.Context(), client.NewOrder{Quote: q.Token, Address: client.Address{Name: "Anna", Street: "Weg 1", City: "Köln"}, SwapOf: swapOf})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// document is one document of a service's database.
type document struct{ service, collection string }

// find reads the first document that fits.
func (f *fixture) find(t *testing.T, d document, filter bson.D) bson.M {
	t.Helper()
	var m bson.M
	if err := f.databases[d.service].Collection(d.collection).FindOne(t.Context(), filter).Decode(&m); err != nil {
		t.Fatalf("find %v in %v: %v", filter, d, err)
	}
	return m
}

// put stores a document in place of the one with its id; undo puts the old one back.
func (f *fixture) put(t *testing.T, d document, m bson.M) {
	t.Helper()
	coll := f.databases[d.service].Collection(d.collection)
	id := bson.D{{Key: "_id", Value: m["_id"]}}
	var old bson.M
	err := coll.FindOne(t.Context(), id).Decode(&old)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		t.Fatal(err)
	}
	f.remove(t, d, m["_id"])
	if _, err := coll.InsertOne(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if old == nil {
		t.Cleanup(func() { f.delete(t, d, m["_id"]) })
	}
}

// remove takes a document out; it comes back with the end of the test.
func (f *fixture) remove(t *testing.T, d document, id any) {
	t.Helper()
	coll := f.databases[d.service].Collection(d.collection)
	var old bson.M
	if err := coll.FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&old); err != nil {
		return // nothing to take out
	}
	f.delete(t, d, id)
	t.Cleanup(func() {
		f.delete(t, d, id)
		if _, err := coll.InsertOne(context.WithoutCancel(t.Context()), old); err != nil {
			t.Error(err)
		}
	})
}

func (f *fixture) delete(t *testing.T, d document, id any) {
	t.Helper()
	if _, err := f.databases[d.service].Collection(d.collection).DeleteOne(context.WithoutCancel(t.Context()), bson.D{{Key: "_id", Value: id}}); err != nil {
		t.Error(err)
	}
}

// change changes the first document that fits.
func (f *fixture) change(t *testing.T, d document, filter bson.D, by func(bson.M)) {
	t.Helper()
	m := f.find(t, d, filter)
	by(m)
	f.put(t, d, m)
}

func is(name string, value any) bson.D { return bson.D{{Key: name, Value: value}} }

// member finds a document within a document.
func member(m bson.M, path ...any) bson.D {
	var at any = m
	for _, p := range path {
		switch v := at.(type) {
		case bson.M:
			at = v[p.(string)]
		case bson.D:
			i := slices.IndexFunc(v, func(e bson.E) bool { return e.Key == p.(string) })
			at = v[i].Value
		case bson.A:
			at = v[p.(int)]
		}
	}
	return at.(bson.D)
}

// add adds to an integer member.
func add(d bson.D, name string, n int64) {
	for i, e := range d {
		if e.Key == name {
			switch v := e.Value.(type) {
			case int32:
				d[i].Value = int64(v) + n
			case int64:
				d[i].Value = v + n
			}
		}
	}
}

// TestDifferences plants each kind of difference.
func TestDifferences(t *testing.T) {
	f := live(t)
	later := f.p
	later.Now = func() time.Time { return time.Now().Add(time.Hour) } // nothing is under way any more
	if r := reconcile.Look(t.Context(), later); !r.Clean() || len(r.UnderWay) > 0 {
		t.Fatalf("differences before one is planted: %+v", r)
	}
	orders, matches, network := document{"order", "orders"}, document{"matching", "matches"}, document{"matching", "network"}
	docs, lines, numbers := document{"payment", "documents"}, document{"payment", "statement_lines"}, document{"payment", "numbers"}
	mails, billed, partners := document{"mailing", "mails"}, document{"payment", "partners"}, document{"disposer", "partners"}
	standing := document{"customer", "standing"}
	invoice, credit := is("kind", "invoice"), is("kind", "credit-note")
	for _, tc := range []struct {
		name  string
		plant func(t *testing.T)
		want  string // part of one difference
	}{
		{"a day of a standing order was never ordered", func(t *testing.T) {
			f.put(t, standing, bson.M{"_id": "so-1", "version": 2, "occurrences": bson.A{bson.M{"day": "2026-12-07", "state": "due", "at": time.Now()}}})
		}, "its day 2026-12-07 has neither an order nor a refusal"},
		{"a day of a standing order was ordered twice", func(t *testing.T) {
			f.put(t, standing, bson.M{"_id": "so-1", "version": 2, "occurrences": bson.A{}})
			for _, id := range []string{"o-one", "o-two"} {
				m := f.find(t, orders, is("state", "cancelled"))
				m["_id"], m["standing_id"], m["occurrence"] = id, "so-1", "2026-12-07"
				f.put(t, orders, m)
			}
		}, "its day 2026-12-07 has two orders"},
		{"no invoice", func(t *testing.T) { f.remove(t, docs, f.find(t, docs, invoice)["_id"]) }, "has no invoice"},
		{"no credit note", func(t *testing.T) { f.remove(t, docs, f.find(t, docs, credit)["_id"]) }, "has no credit-note"},
		{"two invoices", func(t *testing.T) {
			m := f.find(t, docs, invoice)
			m["_id"], m["number"] = "invoice-again", "R-2026-999999"
			f.put(t, docs, m)
		}, "it has 2 documents invoice"},
		{"an invoice is a cent too high", func(t *testing.T) {
			f.change(t, docs, invoice, func(m bson.M) { add(member(m, "paper", "total"), "gross_cents", 1) })
		}, "gross, and"},
		{"a line of a credit note is a cent too high", func(t *testing.T) {
			f.change(t, docs, credit, func(m bson.M) { add(member(m, "paper", "lines", 0), "net_cents", 1) })
		}, "its lines are not those that follow from the order"},
		{"an invoice of another customer", func(t *testing.T) {
			f.change(t, docs, invoice, func(m bson.M) { m["user_id"] = "u-other" })
		}, "it is for u-other"},
		{"a weight was changed", func(t *testing.T) {
			f.change(t, orders, is("state", "paid"), func(m bson.M) { m["included_kg"] = 1 })
		}, "follows from the order"},
		{"a draft", func(t *testing.T) {
			f.change(t, docs, credit, func(m bson.M) { m["state"] = "draft"; delete(m, "number") })
		}, "has no number yet"},
		{"an order forgot that it is paid", func(t *testing.T) {
			f.change(t, orders, is("state", "paid"), func(m bson.M) { m["state"] = "invoiced" })
		}, "it is invoiced and its invoice R-"},
		{"an order is paid and its invoice is not", func(t *testing.T) {
			f.change(t, docs, is("state", "paid"), func(m bson.M) { m["state"] = "issued" })
		}, "is issued; look"},
		{"an order has the number of another invoice", func(t *testing.T) {
			f.change(t, orders, is("state", "paid"), func(m bson.M) { m["invoice"] = bson.M{"number": "R-2026-777777"} })
		}, "it says that it has the invoice R-2026-777777"},
		{"an order does not know the due date", func(t *testing.T) {
			f.change(t, orders, is("state", "paid"), func(m bson.M) {
				i := member(m, "invoice")
				m["invoice"] = slices.DeleteFunc(i, func(e bson.E) bool { return e.Key == "due_on" })
			})
		}, "does not know when its invoice"},
		{"a cancelled order was billed", func(t *testing.T) {
			f.change(t, orders, is("state", "paid"), func(m bson.M) { m["state"] = "cancelled" })
		}, "it is cancelled and has the"},
		{"a swap is half done", func(t *testing.T) {
			f.change(t, orders, is("container", "K 17"), func(m bson.M) {
				m["state"] = "on_site"
				m["history"] = m["history"].(bson.A)[:3]
			})
		}, "it has swapped the container of order"},
		{"a swap that the older order does not know", func(t *testing.T) {
			f.change(t, orders, is("container", "K 18"), func(m bson.M) {
				swap := member(m, "swap")
				m["swap"] = slices.DeleteFunc(swap, func(e bson.E) bool { return e.Key == "done" })
			})
		}, "it is to swap the container of order"},
		{"a document without its order", func(t *testing.T) {
			f.remove(t, orders, f.find(t, orders, is("state", "paid"))["_id"])
		}, "does not exist; find out who removed it, and correct the document"},
		{"a correction is missing", func(t *testing.T) {
			f.remove(t, docs, f.find(t, docs, is("kind", "correction"))["_id"])
		}, "it is cancelled and has 0 corrections"},
		{"a correction takes back too little", func(t *testing.T) {
			f.change(t, docs, is("kind", "correction"), func(m bson.M) { add(member(m, "paper", "total"), "gross_cents", 1) })
		}, "correction K-"},
		{"an invoice is corrected and still valid", func(t *testing.T) {
			f.change(t, docs, is("state", "cancelled"), func(m bson.M) { m["state"] = "paid" })
		}, "is paid, not cancelled"},
		{"a gap in the numbers", func(t *testing.T) {
			f.remove(t, numbers, f.find(t, numbers, is("n", 2))["_id"])
		}, "has a gap: 2 is missing"},
		{"a number that was never given", func(t *testing.T) {
			last := f.find(t, docs, credit)["number"]
			f.remove(t, numbers, "kreislauf/"+last.(string))
		}, "which was never given"},
		{"a number of somebody else", func(t *testing.T) {
			f.change(t, numbers, is("n", 1), func(m bson.M) { m["owner"] = "invoice-o-nobody" })
		}, "is reserved for invoice-o-nobody, which does not bear it"},
		{"a balance that is not that of its bookings", func(t *testing.T) {
			f.change(t, docs, invoice, func(m bson.M) { add(member(m, "balance"), "revenue", 1) })
		}, "and its bookings add up to"},
		{"books that do not add up", func(t *testing.T) {
			f.change(t, lines, bson.D{}, func(m bson.M) { add(member(m, "balance"), "bank", 1) })
		}, "all bookings add up to 0.01"},
		{"a booking out of balance", func(t *testing.T) {
			f.change(t, docs, credit, func(m bson.M) {
				add(member(m, "balance"), "payables", 1)
				e := member(m, "entries", 0)
				for _, p := range e {
					if p.Key == "postings" {
						add(p.Value.(bson.A)[0].(bson.D), "cents", 1)
					}
				}
			})
		}, `its booking "credit note" is out of balance by 0.01`},
		{"money that no invoice took", func(t *testing.T) {
			f.change(t, docs, is("state", "paid"), func(m bson.M) { m["payments"] = bson.A{} })
		}, "which has not taken it"},
		{"money from nowhere", func(t *testing.T) { f.remove(t, lines, f.find(t, lines, bson.D{})["_id"]) }, "which does not exist"},
		{"an order is with another partner", func(t *testing.T) {
			f.change(t, matches, is("state", "accepted"), func(m bson.M) { m["partner_id"] = "p-other" })
		}, "its match is accepted with p-other"},
		{"a match that nobody accepted", func(t *testing.T) {
			f.change(t, matches, is("state", "accepted"), func(m bson.M) { m["state"] = "offered" })
		}, "its match is offered"},
		{"a cancelled order is still somebody's", func(t *testing.T) {
			f.change(t, matches, is("state", "withdrawn"), func(m bson.M) { m["state"] = "accepted" })
		}, "it is cancelled with"},
		{"an order that matching does not know", func(t *testing.T) {
			f.remove(t, matches, f.find(t, matches, bson.D{})["_id"])
		}, "matching does not know it"},
		{"a match without its order", func(t *testing.T) {
			f.remove(t, orders, f.find(t, orders, is("state", "cancelled"))["_id"])
		}, "its order does not exist"},
		{"a stuck outbox", func(t *testing.T) {
			f.change(t, orders, bson.D{}, func(m bson.M) { m["outbox_at"] = time.Now().Add(-time.Minute) })
		}, "outbox: order/orders o-"},
		{"a stuck outbox of another service", func(t *testing.T) {
			f.change(t, document{"identity", "users"}, bson.D{}, func(m bson.M) { m["outbox_at"] = time.Now().Add(-time.Minute) })
		}, "outbox: identity/users "},
		{"matching has an older partner", func(t *testing.T) {
			f.change(t, network, bson.D{}, func(m bson.M) { m["version"] = int64(0) })
		}, "matching 0, payment 1"},
		{"matching has another partner", func(t *testing.T) {
			f.change(t, network, bson.D{}, func(m bson.M) { m["radius_km"] = 1 })
		}, "matching has another state of it"},
		{"payment has another partner", func(t *testing.T) {
			f.change(t, billed, bson.D{}, func(m bson.M) { m["tax_id"] = "DE1" })
		}, "payment has another state of it"},
		{"payment does not know a partner", func(t *testing.T) {
			f.remove(t, billed, "p-koeln")
		}, "partner p-koeln: known to matching: true, to payment: false"},
		{"a partner that disposer does not know", func(t *testing.T) {
			f.remove(t, partners, "p-koeln")
		}, "partner p-koeln: payment knows it, disposer does not"},
		{"a mail is missing", func(t *testing.T) {
			f.remove(t, mails, f.find(t, mails, is("event.type", "payment.invoiced"))["_id"])
		}, "there is no mail about payment.invoiced"},
		{"a mail about an event that was made twice", func(t *testing.T) {
			m := f.find(t, mails, is("event.type", "order.weighed"))
			m["_id"] = "e-again"
			f.put(t, mails, m)
		}, "there are 2 mails about order.weighed"},
		{"a mail about what did not happen", func(t *testing.T) {
			m := f.find(t, mails, is("order_id", f.find(t, orders, is("state", "paid"))["_id"]))
			m["_id"], m["event"] = "e-wrong", bson.M{"type": "order.cancelled", "time": time.Now()}
			f.put(t, mails, m)
		}, "there is a mail about order.cancelled, and that did not happen"},
		{"a mail that waits", func(t *testing.T) {
			f.change(t, mails, bson.D{}, func(m bson.M) { m["state"] = "queued" })
		}, "it is queued since"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.plant(t)
			r := reconcile.Look(t.Context(), later)
			if len(r.Unreadable) > 0 || len(r.UnderWay) > 0 || !contain(r.Differences, tc.want) {
				t.Errorf("want %q, got %+v", tc.want, r)
			}
		})
	}
	if r := reconcile.Look(t.Context(), later); !r.Clean() || len(r.UnderWay) > 0 {
		t.Fatalf("differences after all were taken back: %+v", r)
	}
	t.Run("what is young is under way", func(t *testing.T) {
		f.change(t, orders, is("state", "paid"), func(m bson.M) { m["state"] = "invoiced" })
		now := f.p
		now.Now = func() time.Time { return time.Now().Add(-time.Minute) } // however long the tests took
		if r := reconcile.Look(t.Context(), now); !r.Clean() || !contain(r.UnderWay, "it is invoiced and its invoice R-") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("absence of data is no health", func(t *testing.T) { f.unreadable(t, later) })
	t.Run("Kafka", func(t *testing.T) { f.unhandled(t, later) })
}

func contain(list []reconcile.Finding, text string) bool {
	return slices.ContainsFunc(list, func(f reconcile.Finding) bool { return strings.Contains(f.Text, text) })
}

func (f *fixture) unreadable(t *testing.T, p reconcile.Platform) {
	for name, spoil := range map[string]func(*reconcile.Platform){
		"wrong password": func(p *reconcile.Platform) {
			p.Database = func(s string) (string, error) { return f.b.DatabaseURI("order"), nil } // may read its own database alone
		},
		"no address": func(p *reconcile.Platform) {
			p.Database = func(s string) (string, error) { return "", errors.New("no secrets") }
		},
		"no Kafka": func(p *reconcile.Platform) { p.Kafka = []string{"127.0.0.1:1"} },
	} {
		t.Run(name, func(t *testing.T) {
			broken := p
			spoil(&broken)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			r := reconcile.Look(ctx, broken)
			var b strings.Builder
			if err := r.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			if r.Clean() || len(r.Unreadable) == 0 || len(r.Differences) > 0 || !strings.Contains(b.String(), "could not be read") {
				t.Errorf("%+v\n%s", r, b.String())
			}
		})
	}
	t.Run("a document that cannot be read", func(t *testing.T) {
		f.change(t, document{"order", "orders"}, bson.D{}, func(m bson.M) { m["size_m3"] = "seven" })
		if r := reconcile.Look(t.Context(), p); r.Clean() || len(r.Unreadable) != 1 || len(r.Differences) > 0 {
			t.Errorf("%+v", r)
		}
	})
}

// unhandled leaves an event and a dead letter behind.
func (f *fixture) unhandled(t *testing.T, p reconcile.Platform) {
	k, err := kgo.NewClient(kgo.SeedBrokers(f.b.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	r := &kgo.Record{Topic: event.TopicOrder, Key: []byte("o-x"), Value: []byte("{}")}
	if err := k.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := deadletter.Write(t.Context(), k, r, "payment", errors.New("no such partner")); err != nil {
		t.Fatal(err)
	}
	got := reconcile.Look(t.Context(), p)
	for _, consumer := range []string{"customer", "mailing", "matching", "order", "payment", "pricing", "statistics"} {
		if !contain(got.Differences, "lag: "+consumer+" has not handled 1 events of "+event.TopicOrder) {
			t.Errorf("no lag of %s: %+v", consumer, got)
		}
	}
	if len(got.Differences) != 8 || !contain(got.Differences, "payment could not handle") {
		t.Errorf("%+v", got)
	}
	letters, err := deadletter.Open([]string{f.b.Kafka})
	if err != nil {
		t.Fatal(err)
	}
	defer letters.Close()
	list, err := letters.List(t.Context(), deadletter.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if _, err := letters.Replay(t.Context(), list[0].ID, false, false); err != nil {
		t.Fatal(err)
	}
	if got := reconcile.Look(t.Context(), p); contain(got.Differences, "dead letter") {
		t.Errorf("a letter that was replayed: %+v", got)
	}
}
