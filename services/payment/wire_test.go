package payment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/numbering"
	"kreislauf/internal/session"
	"kreislauf/services"
	"kreislauf/services/payment"
	"kreislauf/test/embedded"
)

// instanceVar turns the test binary into an instance of the service that runs until it is killed: its settings as JSON.
const instanceVar = "KREISLAUF_TEST_PAYMENT"

func TestMain(m *testing.M) {
	if settings := os.Getenv(instanceVar); settings != "" {
		fmt.Println(instance(settings))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

var koeln = event.PartnerChanged{
	PartnerID: "p-koeln", Version: 1, Name: "Rheinland Mulden KG", Street: "Hafen 2", Postcode: "50735", City: "Köln",
	Email: "buero@mulden.example", TaxID: "217/5678/1234",
}

// weighed is order i of customer u-1: 483.00 net for the customer, 350.00 for the partner.
func weighed(i int) event.Weighed {
	letters := strings.NewReplacer("0", "a", "1", "b", "8", "x", "9", "y") // ids have no such digits
	return event.Weighed{
		OrderID: "o-" + letters.Replace(fmt.Sprintf("%016d", i)), UserID: "u-1", PartnerID: "p-koeln", Postcode: "50667",
		Waste: "170904", SizeM3: 7, Address: event.Address{Name: "Anna Beispiel", Street: "Hauptstraße 1", City: "Köln"},
		GrossKg: 13500, TareKg: 12500, NetKg: 1000, Slip: "W-17", PlacedOn: "2026-11-10", FetchedOn: "2026-11-21",
		Price: money.FromNet(483_00), IncludedDays: 10, ExtraDayNetCents: 3_00, IncludedKg: 1250, ExtraTonneNetCents: 190_00, Pay: event.Pay{NetCents: 350_00, PerTonneOverCents: 150_00},
	}
}

// api asks an instance as somebody.
type api struct {
	t    *testing.T
	who  *http.Client
	base string
}

func (a api) as(b *embedded.Backends, s session.Session) api {
	a.who = b.SignedIn(a.t, s)
	return a
}

// call gives the answer's members; the status must be as wanted.
func (a api) call(method, path string, body any, status int) map[string]any {
	a.t.Helper()
	got, text := a.try(method, path, body)
	if got != status {
		a.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, text)
	}
	return members(a.t, text)
}

func members(t *testing.T, text []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (a api) try(method, path string, body any) (status int, text []byte) {
	a.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, r)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := a.who.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err = io.ReadAll(res.Body); err != nil {
		a.t.Fatal(err)
	}
	return res.StatusCode, text
}

// list gives the members of a list.
func (a api) list(path, member string) []map[string]any {
	a.t.Helper()
	var out []map[string]any
	for _, v := range a.call("GET", path, nil, 200)[member].([]any) {
		out = append(out, v.(map[string]any))
	}
	return out
}

// ledger gives the balances that are not zero; their sum must be.
func (a api) ledger() map[string]float64 {
	a.t.Helper()
	l := a.call("GET", "/ledger", nil, 200)
	if l["sum_cents"] != 0.0 {
		a.t.Errorf("the books add up to %v", l["sum_cents"])
	}
	out := map[string]float64{}
	for _, v := range l["accounts"].([]any) {
		if m := v.(map[string]any); m["balance_cents"] != 0.0 {
			out[m["account"].(string)] = m["balance_cents"].(float64)
		}
	}
	return out
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to this: " + what)
		}
	}
}

var (
	anna   = session.Session{UserID: "u-1", Role: string(authz.Customer)}
	bert   = session.Session{UserID: "u-2", Role: string(authz.Customer)}
	office = session.Session{UserID: "u-9", Role: string(authz.BackOffice)}
	mulden = session.Session{UserID: "u-3", Role: string(authz.Dispatcher), PartnerID: "p-koeln"}
	others = session.Session{UserID: "u-4", Role: string(authz.Dispatcher), PartnerID: "p-bonn"}
)

// TestFromWeighedToPaid follows an order through the service: documents, books, bank, events, and who sees what.
func TestFromWeighedToPaid(t *testing.T) {
	b := embedded.Start(t)
	nobody := api{t: t, base: "http://" + b.Run(t, "payment-1", nil) + "/api/payment/v1"}
	read := b.Read(t, "mailing")
	back, customer, partner := nobody.as(b, office), nobody.as(b, anna), nobody.as(b, mulden)
	w := weighed(1)
	b.Publish(t, event.TopicOrder, w.OrderID, event.Placed{OrderID: w.OrderID}, w, w) // the partner is not known yet
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	await(t, "an invoice and a credit note", func() bool {
		return len(back.list("/invoices", "invoices")) == 1 && len(back.list("/credit-notes", "credit_notes")) == 1
	})
	year := time.Now().In(time.FixedZone("", 3600)).Format("2006")
	rNumber, gNumber := "R-"+year+"-000001", "G-"+year+"-000001"

	invoice := customer.call("GET", "/invoices/"+rNumber, nil, 200)
	credit := partner.call("GET", "/credit-notes/"+gNumber, nil, 200)
	for _, f := range []struct {
		of           map[string]any
		member, want string
	}{
		{invoice, "title", "Rechnung"},
		{invoice, "type_code", "380"},
		{invoice, "state", "issued"},
		{invoice, "order_id", w.OrderID},
		{invoice, "iban", "DE89370400440532013000"},
		{invoice, "supplied_to", "2026-11-21"},
		{credit, "title", "Gutschrift"},
		{credit, "type_code", "389"},
		{credit, "state", "issued"},
	} {
		if f.of[f.member] != f.want {
			t.Errorf("%s is %v, want %s", f.member, f.of[f.member], f.want)
		}
	}
	if s := credit["seller"].(map[string]any); s["name"] != koeln.Name || s["tax_number"] != koeln.TaxID || s["seller_id"] != "p-koeln" {
		t.Errorf("seller of the credit note: %v", s)
	}
	if s := invoice["seller"].(map[string]any); s["name"] != "Test Kreislauf GmbH" || s["vat_id"] != "DE123456788" {
		t.Errorf("seller of the invoice: %v", s)
	}
	for _, who := range []struct {
		api    api
		path   string
		status int
	}{
		{nobody.as(b, bert), "/invoices/" + rNumber, 404},
		{nobody.as(b, others), "/credit-notes/" + gNumber, 404},
		{customer, "/credit-notes/" + gNumber, 403},
		{partner, "/invoices/" + rNumber, 403},
		{back, "/invoices/" + gNumber, 404},
		{customer, "/ledger", 403},
		{partner, "/statement-lines", 403},
		{back, "/invoices?order_id=x", 422},
		{back, "/invoices?state=draft", 422},
		{back, "/statement-lines?state=assigned", 422},
	} {
		who.api.call("GET", who.path, nil, who.status)
	}
	if n := len(nobody.as(b, bert).list("/invoices", "invoices")) + len(nobody.as(b, others).list("/credit-notes", "credit_notes")); n != 0 {
		t.Errorf("others see %d documents", n)
	}
	for orderID, want := range map[string]int{w.OrderID: 1, weighed(2).OrderID: 0} {
		if n := len(back.list("/invoices?state=issued&order_id="+orderID, "invoices")); n != want {
			t.Errorf("%d invoices of order %s, want %d", n, orderID, want)
		}
	}
	books := map[string]float64{
		"receivables": 574_77, "revenue": -483_00, "vat-output": -91_77, "payables": -416_50, "cost-of-disposal": 350_00, "vat-input": 66_50,
	}
	compare(t, books, back.ledger())

	line := func(id string, cents int, reference string) map[string]any {
		return map[string]any{"id": id, "booked_on": "2026-01-15", "amount_cents": cents, "remitter": "Anna Beispiel", "reference": reference}
	}
	part := line("b-1", 100_00, "RG "+strings.ReplaceAll(rNumber, "-", " "))
	for range 2 { // the second one changes nothing
		if l := back.call("POST", "/statement-lines", part, 201); l["state"] != "assigned" || l["invoice"] != rNumber {
			t.Errorf("line %v", l)
		}
	}
	back.call("POST", "/statement-lines", line("b-1", 200_00, "x"), 422)
	if got := customer.call("GET", "/invoices/"+rNumber, nil, 200); got["open_cents"] != 474_77.0 || got["state"] != "issued" {
		t.Errorf("after a part: %v", got)
	}
	if l := back.call("POST", "/statement-lines", line("b-2", 500_00, "Container"), 201); l["state"] != "unassigned" {
		t.Errorf("line %v", l)
	}
	if work := back.list("/statement-lines?state=unassigned", "statement_lines"); len(work) != 1 || work[0]["id"] != "b-2" {
		t.Errorf("work list %v", work)
	}
	books["bank"], books["receivables"], books["unassigned-receipts"] = 600_00, 474_77, -500_00
	compare(t, books, back.ledger())
	back.call("POST", "/statement-lines/b-2/assign", map[string]any{"invoice": gNumber}, 422)
	back.call("POST", "/statement-lines/b-3/assign", map[string]any{"invoice": rNumber}, 404)
	for range 2 {
		back.call("POST", "/statement-lines/b-2/assign", map[string]any{"invoice": rNumber}, 200)
	}
	if work := back.list("/statement-lines?state=unassigned", "statement_lines"); len(work) != 0 {
		t.Errorf("work list %v", work)
	}
	if got := customer.call("GET", "/invoices/"+rNumber, nil, 200); got["open_cents"] != 0.0 || got["state"] != "paid" || len(got["payments"].([]any)) != 2 {
		t.Errorf("after all: %v", got)
	}
	delete(books, "unassigned-receipts")
	delete(books, "receivables")
	books["customer-prepayments"] = -25_23
	compare(t, books, back.ledger())

	// The partner objects, and the invoice is cancelled: what is left is the customer's money.
	partner.call("POST", "/credit-notes/"+gNumber+"/objection", map[string]any{"reason": ""}, 422)
	nobody.as(b, others).call("POST", "/credit-notes/"+gNumber+"/objection", map[string]any{"reason": "wrong weight"}, 404)
	for range 2 {
		if got := partner.call("POST", "/credit-notes/"+gNumber+"/objection", map[string]any{"reason": "wrong weight"}, 200); got["state"] != "objected" {
			t.Errorf("after the objection: %v", got)
		}
	}
	if work := back.list("/credit-notes?state=objected", "credit_notes"); len(work) != 1 || work[0]["number"] != gNumber {
		t.Errorf("work list %v", work)
	}
	back.call("POST", "/invoices/"+rNumber+"/correction", map[string]any{"reason": "no"}, 422)
	for range 2 {
		got := back.call("POST", "/invoices/"+rNumber+"/correction", map[string]any{"reason": "wrong price"}, 201)
		if got["number"] != "K-"+year+"-000001" || got["corrects"].(map[string]any)["number"] != rNumber || got["type_code"] != "384" {
			t.Errorf("correction %v", got)
		}
	}
	if got := customer.call("GET", "/invoices/"+rNumber, nil, 200); got["state"] != "cancelled" || got["correction"] != "K-"+year+"-000001" {
		t.Errorf("after the correction: %v", got)
	}
	customer.call("GET", "/invoices/K-"+year+"-000001", nil, 200)
	compare(t, map[string]float64{"bank": 600_00, "customer-prepayments": -600_00}, back.ledger())

	db := b.Database(t, "payment")
	await(t, "both changes in the audit trail", func() bool {
		list, err := mongodb.OpenCollection[bson.D](db, "audit", "entry").Find(t.Context(), bson.D{}, nil, 0)
		return err == nil && len(list) == 2
	})
	documents := mongodb.OpenCollection[payment.Document](db, "documents", "document")
	await(t, "all events published", func() bool {
		list, err := documents.Find(t.Context(), bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$exists", Value: true}}}}, nil, 0)
		return err == nil && len(list) == 0
	})
	want := []string{
		"payment.corrected invoice-" + w.OrderID, "payment.credited credit-note-" + w.OrderID, "payment.invoiced invoice-" + w.OrderID,
		"payment.objected credit-note-" + w.OrderID, "payment.paid invoice-" + w.OrderID,
	}
	await(t, strings.Join(want, ", "), func() bool { return len(told(read)) >= len(want) })
	if diff := cmp.Diff(want, told(read)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// told lists types and subjects of the service's events, each once, because an event may be published twice.
func told(read func() []event.Event) (list []string) {
	ids := map[string]bool{}
	for _, e := range read() {
		if e.Source == "payment" && !ids[e.ID] {
			ids[e.ID], list = true, append(list, e.Type+" "+e.Subject)
		}
	}
	slices.Sort(list)
	return list
}

func compare(t *testing.T, want, got map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

// instance runs the service until it is killed.
func instance(settings string) error {
	var m map[string]string
	if err := json.Unmarshal([]byte(settings), &m); err != nil {
		return err
	}
	s, _ := services.Named("payment")
	return s.Run(context.Background(), config.FromMap(m))
}

// TestKill kills instances at any moment while orders are billed, corrected and paid by others, two instances at a time, and starts them
// again. In the end each order has one invoice and one credit note, their numbers have no gap, each is told of, and the books are zero.
func TestKill(t *testing.T) {
	const orders, kills = 48, 6
	b := embedded.Start(t)
	addr := b.Run(t, "payment-1", nil) // makes the topics, and answers questions
	read := b.Read(t, "mailing")
	back := api{t: t, base: "http://" + addr + "/api/payment/v1"}.as(b, office)
	lookup := b.Lookup("payment-2", nil)
	settings := map[string]string{}
	for _, name := range []string{
		"KREISLAUF_ENV", "KREISLAUF_MONGODB_URI", "KREISLAUF_KAFKA_BROKERS", "KREISLAUF_REDIS_ADDR", "KREISLAUF_REDIS_PASSWORD", "KREISLAUF_COMPANY_FILE", "KREISLAUF_DOCUMENTS_URL",
	} {
		settings[name], _ = lookup(name)
	}
	run := func(name string) *exec.Cmd {
		settings["KREISLAUF_INSTANCE"] = name
		text, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), instanceVar+"="+string(text))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // says that it was killed
	}
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	instances := []*exec.Cmd{run("payment-2"), run("payment-3")}
	next := 0
	for i := range kills {
		for range orders / kills {
			next++
			w := weighed(next)
			b.Publish(t, event.TopicOrder, w.OrderID, w, w)
		}
		time.Sleep(rand.N(300 * time.Millisecond)) // so that it dies anywhere
		kill(instances[i%2])
		instances[i%2] = run(fmt.Sprintf("payment-%d", i+4))
	}
	await(t, "all orders are billed", func() bool {
		return len(back.list("/invoices", "invoices")) >= orders && len(back.list("/credit-notes", "credit_notes")) >= orders && len(told(read)) >= 2*orders
	})
	for _, cmd := range instances {
		kill(cmd)
	}
	complete(t, b, back, orders)
	var want []string
	for i := range orders {
		id := weighed(i + 1).OrderID
		want = append(want, "payment.credited credit-note-"+id, "payment.invoiced invoice-"+id)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, told(read)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// complete holds numbers, documents and books against each other.
func complete(t *testing.T, b *embedded.Backends, back api, orders int) {
	t.Helper()
	db := b.Database(t, "payment")
	book, year := numbering.New(db, "kreislauf"), time.Now().In(time.FixedZone("", 3600)).Format("2006")
	list, err := mongodb.OpenCollection[payment.Document](db, "documents", "document").Find(t.Context(), bson.D{}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := map[payment.Kind]int{}
	for _, d := range list {
		count[d.Kind]++
		n, found, err := book.Of(t.Context(), d.ID)
		if err != nil || !found || n.Text() != d.Number || n.OpenSince != nil || d.OpenSince != nil {
			t.Errorf("%s has the number %q, reserved is %+v, %v", d.ID, d.Number, n, err)
		}
	}
	for kind, series := range map[payment.Kind]string{payment.Invoice: "R-", payment.CreditNote: "G-"} {
		last, err := book.Verify(t.Context(), series+year+"-")
		if err != nil || count[kind] != orders || last != int64(orders) {
			t.Errorf("%s: %d of %d, the last number is %d, %v", kind, count[kind], orders, last, err)
		}
	}
	n := float64(orders)
	compare(t, map[string]float64{
		"receivables": n * 574_77, "revenue": n * -483_00, "vat-output": n * -91_77, "payables": n * -416_50,
		"cost-of-disposal": n * 350_00, "vat-input": n * 66_50,
	}, back.ledger())
}

// TestUnfinishedIsFinished leaves documents as an instance leaves them that dies between two steps, one of each kind. Whoever is alive
// finishes them: with the numbers that were reserved, without a gap, and the money where it belongs.
func TestUnfinishedIsFinished(t *testing.T) {
	b := embedded.Start(t)
	back := api{t: t, base: "http://" + b.Run(t, "payment-1", nil) + "/api/payment/v1"}.as(b, office)
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	for i := range 4 {
		b.Publish(t, event.TopicOrder, weighed(i).OrderID, weighed(i))
	}
	await(t, "all are billed", func() bool {
		return len(back.list("/invoices", "invoices")) == 4 && len(back.list("/credit-notes", "credit_notes")) == 4
	})
	db := b.Database(t, "payment")
	documents, year := mongodb.OpenCollection[payment.Document](db, "documents", "document"), time.Now().In(time.FixedZone("", 3600)).Format("2006")
	invoice := func(n int) payment.Document {
		number := fmt.Sprintf("R-%s-%06d", year, n)
		d, found, err := documents.First(t.Context(), bson.D{{Key: "number", Value: number}})
		if err != nil || !found {
			t.Fatalf("invoice %s: %v", number, err)
		}
		return d
	}
	unbound, reserved, cancelled, written := invoice(1), invoice(2), invoice(3), invoice(4)
	back.call("POST", "/invoices/"+cancelled.Number+"/correction", map[string]any{"reason": "wrong size"}, 201)

	long := time.Now().Add(-time.Hour)
	update := func(collection, id string, change bson.D) {
		t.Helper()
		change = append(change, bson.E{Key: "$inc", Value: bson.D{{Key: "version", Value: 1}}})
		res, err := db.Collection(collection).UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}}, change)
		if err != nil || res.MatchedCount != 1 {
			t.Fatalf("update %s: %+v, %v", id, res, err)
		}
	}
	remove := func(collection, id string) {
		t.Helper()
		if res, err := db.Collection(collection).DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}}); err != nil || res.DeletedCount != 1 {
			t.Fatalf("delete %s: %+v, %v", id, res, err)
		}
	}
	open := bson.E{Key: "$set", Value: bson.D{{Key: "open_since", Value: long}}}
	unnumber := func(id string) {
		update("documents", id, bson.D{
			{Key: "$set", Value: bson.D{{Key: "open_since", Value: long}, {Key: "state", Value: payment.Draft}}},
			{Key: "$unset", Value: bson.D{{Key: "number", Value: ""}, {Key: "entries", Value: ""}, {Key: "balance", Value: ""}}},
		})
	}
	// Each is left at another step, the last number first, so that it is free for nobody else meanwhile.
	remove("numbers", "kreislauf/"+written.Number)
	unnumber(written.ID)
	unnumber(reserved.ID)
	update("numbers", "kreislauf/"+reserved.Number, bson.D{open})
	update("numbers", "kreislauf/"+unbound.Number, bson.D{open})
	remove("documents", "correction-"+cancelled.OrderID)
	remove("numbers", "kreislauf/K-"+year+"-000001")
	update("documents", cancelled.ID, bson.D{open, {Key: "$unset", Value: bson.D{{Key: "correction", Value: ""}}}})
	line := payment.StatementLine{
		Root: aggregate.New("b-1"), BookedOn: "2026-01-15", Cents: 100_00, Remitter: "Anna", Invoice: unbound.Number, At: long, OpenSince: &long,
	}
	in, out := payment.Posting{Account: payment.Bank, Cents: 100_00}, payment.Posting{Account: payment.Unassigned, Cents: -100_00}
	if err := line.Book(long, "receipt", in, out); err != nil {
		t.Fatal(err)
	}
	if _, err := mongodb.OpenCollection[payment.StatementLine](db, "statement_lines", "line").Insert(t.Context(), line); err != nil {
		t.Fatal(err)
	}

	numbers, isOpen := numbering.New(db, "kreislauf"), bson.D{{Key: "open_since", Value: bson.D{{Key: "$exists", Value: true}}}}
	await(t, "nothing is left open", func() bool {
		left, err := numbers.Open(t.Context(), time.Now().Add(time.Hour), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, collection := range []string{"documents", "statement_lines"} {
			_, found, err := mongodb.OpenCollection[bson.D](db, collection, "document").First(t.Context(), isOpen)
			if err != nil {
				t.Fatal(err)
			}
			if found {
				return false
			}
		}
		return len(left) == 0
	})
	for _, before := range []payment.Document{unbound, reserved, cancelled, written} {
		d, err := documents.Get(t.Context(), before.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.Paper, d.Paper); d.Number != before.Number || diff != "" {
			t.Errorf("%s has the number %s, had %s; what it says (-before +after):\n%s", d.ID, d.Number, before.Number, diff)
		}
	}
	for _, series := range []string{"R-", "K-"} {
		if last, err := numbers.Verify(t.Context(), series+year+"-"); err != nil || last != map[string]int64{"R-": 4, "K-": 1}[series] {
			t.Errorf("%s: the last number is %d, %v", series, last, err)
		}
	}
	if got := back.call("GET", "/invoices/"+cancelled.Number, nil, 200); got["correction"] != "K-"+year+"-000001" {
		t.Errorf("cancelled invoice %v", got)
	}
	compare(t, map[string]float64{
		"bank": 100_00, "receivables": 3*574_77 - 100_00, "revenue": 3 * -483_00, "vat-output": 3 * -91_77, "payables": 4 * -416_50,
		"cost-of-disposal": 4 * 350_00, "vat-input": 4 * 66_50,
	}, back.ledger())
}

// TestReminder moves the clock past the date of the reminder: it is sent once, whichever of two instances is faster, and not for what is
// paid.
func TestReminder(t *testing.T) {
	b := embedded.Start(t)
	clock := filepath.Join(t.TempDir(), "clock")
	shift := func(by string) {
		if err := os.WriteFile(clock, []byte(by), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shift("0s")
	extra := map[string]string{"KREISLAUF_CLOCK_FILE": clock}
	back := api{t: t, base: "http://" + b.Run(t, "payment-1", extra) + "/api/payment/v1"}.as(b, office)
	b.Run(t, "payment-2", extra)
	read := b.Read(t, "mailing")
	late, paid := weighed(1), weighed(2)
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	b.Publish(t, event.TopicOrder, late.OrderID, late)
	b.Publish(t, event.TopicOrder, paid.OrderID, paid)
	await(t, "both are billed", func() bool { return len(back.list("/invoices", "invoices")) == 2 })
	number := func(orderID string) string {
		n, _ := back.list("/invoices?order_id="+orderID, "invoices")[0]["number"].(string)
		return n
	}
	back.call("POST", "/statement-lines", map[string]any{
		"id": "b-1", "booked_on": "2026-01-15", "amount_cents": 574_77, "remitter": "Anna Beispiel", "reference": number(paid.OrderID),
	}, 201)
	shift("530h") // 22 days: 14 to pay, 7 of patience, and the day after
	reminder := "payment.reminded invoice-" + late.OrderID
	count := func() (n int) {
		for _, e := range told(read) {
			if e == reminder {
				n++
			}
		}
		return n
	}
	await(t, "the reminder", func() bool { return count() == 1 })
	got := back.call("GET", "/invoices/"+number(late.OrderID), nil, 200)
	if list, ok := got["reminders"].([]any); !ok || len(list) != 1 || got["state"] != "issued" {
		t.Errorf("the late invoice: %v", got)
	}
	if got := back.call("GET", "/invoices/"+number(paid.OrderID), nil, 200); got["reminders"] != nil || got["state"] != "paid" {
		t.Errorf("the paid invoice: %v", got)
	}
	for range 2 {
		back.call("POST", "/invoices/"+number(late.OrderID)+"/hold", map[string]any{"reason": "customer pays in rates"}, 200)
	}
	shift("1200h") // the second one would be due, with its fee
	for range 2 {
		back.call("POST", "/invoices/"+number(late.OrderID)+"/release", map[string]any{"reason": "no rate has come"}, 200)
	}
	await(t, "the second reminder", func() bool { return count() == 2 })
	if got := back.call("GET", "/invoices/"+number(late.OrderID), nil, 200); got["open_cents"] != 579_77.0 || got["hold"] != nil {
		t.Errorf("after the second reminder: %v", got)
	}
	back.ledger()
	if got := told(read); len(got) != 7 { // two of each document, one payment, two reminders
		t.Errorf("events %v", got)
	}
}
