package openapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/session"
)

const (
	invoices    = "/api/payment/v1/invoices"
	creditNotes = "/api/payment/v1/credit-notes"
	receipts    = "/api/payment/v1/statement-lines"
	ledger      = "/api/payment/v1/ledger"
)

// as is somebody with a session and without an account.
func (p *platform) as(t *testing.T, who session.Session) *client.Client {
	t.Helper()
	token, csrf := p.b.Session(t, who)
	return p.newPerson().With("Cookie", session.Cookie+"="+token).With(session.CSRFHeader, csrf)
}

func reason(why string) map[string]any { return map[string]any{"reason": why} }

// receipt is money that came in.
func receipt(id string, cents int, reference string) map[string]any {
	return map[string]any{"id": id, "booked_on": "2026-01-15", "amount_cents": cents, "remitter": "Paula Zahl", "reference": reference}
}

// bill has an order billed that payment is told of, and gives the numbers of its invoice and its credit note.
func (p *platform) bill(t *testing.T, back *client.Client, orderID string) (invoice, credit string) {
	t.Helper()
	p.b.Publish(t, event.TopicDisposer, "p-pay", event.PartnerChanged{
		PartnerID: "p-pay", Version: 1, Name: "Pay KG", Street: "Hof 1", Postcode: "50735", City: "Köln", Email: "pay@pay.example", TaxID: "217/5678/1234", IBAN: "DE02120300000000202051",
	})
	p.b.Publish(t, event.TopicOrder, orderID, event.Weighed{
		OrderID: orderID, UserID: "u-pay", PartnerID: "p-pay", Postcode: "50667", Waste: "170904", SizeM3: 7,
		Address: event.Address{Name: "Paula Zahl", Street: "Hauptstraße 1", City: "Köln"}, GrossKg: 14000, TareKg: 12000, NetKg: 2000, Slip: "W-17",
		PlacedOn: "2026-01-05", FetchedOn: "2026-01-20", Price: money.FromNet(483_00), IncludedDays: 10, ExtraDayNetCents: 3_00, IncludedKg: 1250,
		ExtraTonneNetCents: 190_00, Pay: event.Pay{NetCents: 350_00, PerTonneOverCents: 150_00}, FailedTrips: 1,
	})
	number := func(path, member string) (n string) {
		p.poll(t, back, path+"?order_id="+orderID, func(a map[string]any) bool {
			list, ok := a[member].([]any)
			if !ok || len(list) != 1 {
				return false
			}
			n, ok = list[0].(map[string]any)["number"].(string)
			return ok
		})
		return n
	}
	return number(invoices, "invoices"), number(creditNotes, "credit_notes")
}

// learnAddress bills orders until an invoice has the customer's address: its event is on another topic than theirs.
func (p *platform) learnAddress(t *testing.T, back *client.Client) {
	t.Helper()
	for _, last := range "abcdefghijklmnopqrstuvw" {
		number, _ := p.bill(t, back, "o-paypaypaypaypa2"+string(last))
		answer := p.send(t, exchange{who: back, method: "GET", path: invoices + "/" + number, status: 200})
		if buyer, ok := answer["buyer"].(map[string]any); ok && buyer["email"] != nil {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatal("the customer's address was never known")
}

// payment follows two orders from weighing to money.
func (p *platform) payment(t *testing.T, c cast) []exchange {
	t.Helper()
	back := p.as(t, session.Session{UserID: "u-back", Role: string(authz.BackOffice)})
	paula := p.as(t, session.Session{UserID: "u-pay", Role: string(authz.Customer)})
	disp := p.as(t, session.Session{UserID: "u-disp", Role: string(authz.Dispatcher), PartnerID: "p-pay"})
	unknown, _ := p.bill(t, back, "o-paypaypaypaypay4") // before the customer's address is known
	p.b.Publish(t, event.TopicIdentity, "u-pay", event.SignedUp{UserID: "u-pay", Role: string(authz.Customer), Name: "Paula Zahl", Email: "paula@zahl.example"})
	p.learnAddress(t, back)
	invoice, credit := p.bill(t, back, "o-paypaypaypaypay2")
	second, late := p.bill(t, back, "o-paypaypaypaypay3")
	p.objectTooLate(t, disp, late)
	for _, cents := range []int{100_00, 900_00} {
		p.send(t, exchange{who: back, method: "POST", path: receipts, body: receipt("b-"+money.Cents(cents).String(), cents, invoice), status: 201})
	}
	answer := p.send(t, exchange{who: back, method: "POST", path: invoices + "/" + second + "/correction", body: reason("wrong size"), status: 201})
	correction, ok := answer["number"].(string)
	if !ok {
		t.Fatalf("no number in %v", answer)
	}
	var files []string // of a run with something for the bank, and of one without
	for _, key := range []string{"payout-3", "payout-4"} {
		answer := p.send(t, keyed(exchange{who: back, method: "POST", path: runs, body: run("payout"), status: 201}, key))
		id, ok := answer["id"].(string)
		if !ok {
			t.Fatalf("no id in %v", answer)
		}
		files = append(files, runs+"/"+id+"/file")
	}
	get := func(name string, who *client.Client, path string, status int) exchange {
		return exchange{name: name, who: who, method: "GET", path: path, status: status}
	}
	post := func(name string, who *client.Client, path string, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "POST", path: path, body: body, status: status, breaks: breaks}
	}
	untoken := func(e exchange, value string) exchange {
		e.header = map[string]string{session.CSRFHeader: value}
		return e
	}
	broken := func(e exchange) exchange { e.breaks = true; return e }
	again := func(e exchange) exchange { e.replayed = true; return e }
	list := []exchange{
		get("own invoices", paula, invoices, 200),
		get("paid invoices", back, invoices+"?state=paid", 200),
		get("an invoice", paula, invoices+"/"+invoice, 200),
		get("an invoice as PDF", paula, invoices+"/"+invoice+"/pdf", 200),
		get("an invoice as XRechnung", paula, invoices+"/"+invoice+"/xml", 200),
		get("an invoice as XRechnung, without an address", back, invoices+"/"+unknown+"/xml", 409),
		get("another's invoice as PDF", c.bert, invoices+"/"+invoice+"/pdf", 404),
		get("another's invoice as XRechnung", c.bert, invoices+"/"+invoice+"/xml", 404),
		get("an invoice as PDF for a dispatcher", disp, invoices+"/"+invoice+"/pdf", 403),
		get("an invoice as XRechnung for a dispatcher", disp, invoices+"/"+invoice+"/xml", 403),
		broken(get("an invoice as PDF for nobody", nil, invoices+"/"+invoice+"/pdf", 401)),
		broken(get("an invoice as XRechnung for nobody", nil, invoices+"/"+invoice+"/xml", 401)),
		get("a credit note as PDF", disp, creditNotes+"/"+credit+"/pdf", 200),
		get("a credit note as XRechnung", disp, creditNotes+"/"+credit+"/xml", 200),
		get("another's credit note as PDF", c.hand, creditNotes+"/"+credit+"/pdf", 404),
		get("another's credit note as XRechnung", c.hand, creditNotes+"/"+credit+"/xml", 404),
		get("a credit note as PDF for a customer", paula, creditNotes+"/"+credit+"/pdf", 403),
		get("a credit note as XRechnung for a customer", paula, creditNotes+"/"+credit+"/xml", 403),
		broken(get("a credit note as PDF for nobody", nil, creditNotes+"/"+credit+"/pdf", 401)),
		broken(get("a credit note as XRechnung for nobody", nil, creditNotes+"/"+credit+"/xml", 401)),
		get("another's invoice", c.bert, invoices+"/"+invoice, 404),
		get("own credit notes", disp, creditNotes, 200),
		get("a credit note", disp, creditNotes+"/"+credit, 200),
		get("another's credit note", c.hand, creditNotes+"/"+credit, 404),
		get("the books", back, ledger, 200),
		post("a line for nothing known", back, receipts, receipt("b-3", 50_00, "Container"), 201, false),
		again(post("the same line", back, receipts, receipt("b-3", 50_00, "Container"), 201, false)),
		post("another line with its id", back, receipts, receipt("b-3", 51_00, "Container"), 422, false),
		post("a line without a reference", back, receipts, with(receipt("b-4", 1, ""), "reference", nil), 201, false),
		post("a line of nothing", back, receipts, receipt("b-5", 0, ""), 422, true),
		post("a line of tomorrow", back, receipts, with(receipt("b-5", 1, ""), "booked_on", "2999-01-01"), 422, false),
		get("the work list", back, receipts+"?state=unassigned", 200),
		get("all lines", back, receipts, 200),
		post("assigned", back, receipts+"/b-3/assign", map[string]any{"invoice": second}, 200, false),
		post("assigned again", back, receipts+"/b-3/assign", map[string]any{"invoice": second}, 200, false),
		post("assigned to another", back, receipts+"/b-3/assign", map[string]any{"invoice": invoice}, 409, false),
		post("assigned to nothing", back, receipts+"/b-4/assign", map[string]any{"invoice": "R-1999-000001"}, 422, false),
		post("no such line", back, receipts+"/b-9/assign", map[string]any{"invoice": invoice}, 404, false),
		post("objected", disp, creditNotes+"/"+credit+"/objection", reason("the slip says 1520 kg"), 200, false),
		post("objected again", disp, creditNotes+"/"+credit+"/objection", reason("the slip says 1520 kg"), 200, false),
		post("correcting what has no effect", back, creditNotes+"/"+credit+"/correction", reason("it was objected to"), 409, false),
		post("correcting what has no effect, before", back, creditNotes+"/"+credit+"/correction-preview", map[string]any{}, 409, false),
		get("the list of objections", back, creditNotes+"?state=objected", 200),
		post("another's objection", c.hand, creditNotes+"/"+credit+"/objection", reason("the slip says 1520 kg"), 404, false),
		post("objection without a reason", disp, creditNotes+"/"+credit+"/objection", reason(""), 422, true),
		again(post("corrected again", back, invoices+"/"+second+"/correction", reason("wrong size"), 201, false)),
		get("a cancelled invoice", paula, invoices+"/"+second, 200),
		get("its correction", paula, invoices+"/"+correction, 200),
		post("no such invoice", back, invoices+"/R-1999-000001/correction", reason("wrong size"), 404, false),
		post("a short reason", back, invoices+"/"+invoice+"/correction", reason("no"), 422, true),
		post("what a replacement would do", back, invoices+"/"+invoice+"/correction-preview", heavier(), 200, false),
		post("of no invoice", back, invoices+"/R-1999-000001/correction-preview", heavier(), 404, false),
		post("of half a weight", back, invoices+"/"+invoice+"/correction-preview", map[string]any{"replacement": map[string]any{"gross_kg": 14000}}, 422, false),
		post("replaced", back, invoices+"/"+invoice+"/correction", with(heavier(), "reason", "wrong weight"), 201, false),
		again(post("replaced again", back, invoices+"/"+invoice+"/correction", with(heavier(), "reason", "wrong weight"), 201, false)),
		post("replaced by nothing", back, invoices+"/"+invoice+"/correction", map[string]any{"reason": "wrong weight", "replacement": map[string]any{}}, 409, false),
		post("replaced by nothing, before", back, invoices+"/"+invoice+"/correction-preview", map[string]any{"replacement": map[string]any{}}, 409, false),
		get("a replaced invoice", paula, invoices+"/"+invoice, 200),
		get("paid out credit notes", back, creditNotes+"?state=paid", 200),
		post("what a credit note's correction would do", back, creditNotes+"/"+late+"/correction-preview", map[string]any{}, 200, false),
		post("of no credit note", back, creditNotes+"/G-1999-000001/correction-preview", heavier(), 404, false),
		post("with a buyer", back, creditNotes+"/"+late+"/correction-preview", buyerless(), 422, false),
		post("a cancelled credit note", back, creditNotes+"/"+late+"/correction", reason("never driven"), 201, false),
		again(post("a cancelled credit note again", back, creditNotes+"/"+late+"/correction", reason("never driven"), 201, false)),
		post("an objection to it", disp, creditNotes+"/"+late+"/objection", reason("it was driven"), 409, false),
		post("no such credit note", back, creditNotes+"/G-1999-000001/correction", reason("never driven"), 404, false),
		post("a credit note for another buyer", back, creditNotes+"/"+late+"/correction", with(buyerless(), "reason", "wrong buyer"), 422, false),
		post("an objection to an invoice", paula, invoices+"/"+unknown+"/objection", reason("it was half full"), 200, false),
		post("to a paid one", paula, invoices+"/"+second+"/objection", reason("it was half full"), 409, false),
		post("to another's invoice", c.bert, invoices+"/"+unknown+"/objection", reason("it was half full"), 404, false),
		post("an objection without a reason", paula, invoices+"/"+unknown+"/objection", reason(""), 422, true),
		post("held", back, invoices+"/"+unknown+"/hold", reason("a lawyer writes"), 200, false),
		post("held, a cancelled one", back, invoices+"/"+second+"/hold", reason("a lawyer writes"), 409, false),
		post("held, none", back, invoices+"/R-1999-000001/hold", reason("a lawyer writes"), 404, false),
		post("held without a reason", back, invoices+"/"+unknown+"/hold", reason("no"), 422, true),
		post("released", back, invoices+"/"+unknown+"/release", reason("it was settled"), 200, false),
		post("released, none", back, invoices+"/R-1999-000001/release", reason("it was settled"), 404, false),
		post("released without a reason", back, invoices+"/"+unknown+"/release", reason("no"), 422, true),
		upload("statements", back, camt("DE89370400440532013000"), 200),
		upload("statements of another account", back, camt("DE02120300000000202051"), 422),
		upload("statements for a customer", paula, camt("DE89370400440532013000"), 403),
		broken(upload("statements for nobody", nil, camt("DE89370400440532013000"), 401)),
		get("no mandate", paula, mandate, 200),
		put("a mandate", paula, account("DE02500105170137075030"), 200, false),
		get("the mandate", paula, mandate, 200),
		put("a mandate with a wrong IBAN", paula, account("DE20500105170137075030"), 422, false),
		{name: "revoked", who: paula, method: "DELETE", path: mandate, status: 204},
		keyed(post("a payout", back, runs, run("payout"), 201, false), "payout-1"),
		again(keyed(post("the same payout", back, runs, run("payout"), 201, false), "payout-1")),
		keyed(post("a payout of yesterday", back, runs, with(run("payout"), "on", "2020-01-01"), 422, false), "payout-2"),
		keyed(post("debits without a creditor id", back, runs, run("collection"), 409, false), "collect-1"),
		get("runs", back, runs, 200),
		get("the file of a run", back, files[0], 200),
		get("the file of an empty run", back, files[1], 409),
		upload("large statements", back, strings.Repeat(" ", 4<<20+1), 413),
		{name: "revoked by the back office", who: back, method: "DELETE", path: mandate, status: 403},
		untoken(exchange{name: "revoked by nobody", method: "DELETE", path: mandate, status: 401, breaks: true}, "x"),
		keyed(post("a payout by a customer", paula, runs, run("payout"), 403, false), "payout-5"),
		keyed(post("a payout by nobody", nil, runs, run("payout"), 401, true), "payout-5"),
		keyed(post("a malformed run", back, runs, client.Raw(`{"kind":`), 400, true), "payout-5"),
		keyed(post("a large run", back, runs, tooLarge(), 413, true), "payout-5"),
		put("a mandate of the back office", back, account("DE02500105170137075030"), 403, false),
		untoken(put("a mandate of nobody", nil, account("DE02500105170137075030"), 401, true), "x"),
		put("a malformed mandate", paula, client.Raw(`{"iban":`), 400, true),
		put("a large mandate", paula, tooLarge(), 413, true),
		get("no run", back, runs+"/run-aaaaaaaaaaaaaaaa/file", 404),
		get("the books at the end", back, ledger, 200),
	}
	for _, path := range []string{invoices, creditNotes, receipts} {
		wrong := get("unknown state "+path, back, path+"?state=draft", 422)
		wrong.breaks = true
		list = append(list, wrong)
	}
	for _, op := range []struct {
		path, forbidden string
		who, stranger   *client.Client
		body            map[string]any
	}{
		{invoices + "/" + invoice + "/correction", "a customer corrects", back, paula, reason("wrong size")},
		{invoices + "/" + invoice + "/correction-preview", "a customer looks", back, paula, heavier()},
		{invoices + "/" + unknown + "/objection", "the back office objects to an invoice", paula, back, reason("it was half full")},
		{invoices + "/" + unknown + "/hold", "a customer holds", back, paula, reason("it was half full")},
		{invoices + "/" + unknown + "/release", "a customer releases", back, paula, reason("it was half full")},
		{creditNotes + "/" + credit + "/correction", "a dispatcher corrects", back, disp, reason("wrong size")},
		{creditNotes + "/" + credit + "/correction-preview", "a dispatcher looks", back, disp, heavier()},
		{creditNotes + "/" + credit + "/objection", "the back office objects", disp, back, reason("wrong weight")},
		{receipts, "a customer books", back, paula, receipt("b-9", 1, "")},
		{receipts + "/b-4/assign", "a dispatcher assigns", back, disp, map[string]any{"invoice": invoice}},
	} {
		list = append(list,
			post(op.forbidden, op.stranger, op.path, op.body, 403, false),
			untoken(post("without a token "+op.path, op.who, op.path, op.body, 403, true), ""),
			untoken(post("without a session "+op.path, nil, op.path, op.body, 401, true), "x"),
			post("malformed "+op.path, op.who, op.path, client.Raw(`{"id":`), 400, true),
			post("unknown member "+op.path, op.who, op.path, with(op.body, "x", 1), 400, true),
			post("too large "+op.path, op.who, op.path, tooLarge(), 413, true))
	}
	return list
}

// heavier is the replacement of a document by one of another weight.
func heavier() map[string]any {
	return map[string]any{"replacement": map[string]any{"gross_kg": 14750, "tare_kg": 12000}}
}

// buyerless is a replacement with a buyer, which a credit note does not have.
func buyerless() map[string]any {
	return map[string]any{"replacement": map[string]any{"buyer": map[string]any{"company_id": "c-1"}}}
}

// Paths and bodies of the bank.
const (
	statements = "/api/payment/v1/statements"
	runs       = "/api/payment/v1/runs"
	mandate    = "/api/payment/v1/mandate"
)

func upload(name string, who *client.Client, file string, status int) exchange {
	return exchange{name: name, who: who, method: "POST", path: statements, header: map[string]string{"Content-Type": "application/xml"}, body: client.Raw(file), status: status}
}

func camt(iban string) string {
	return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>` + iban +
		`</IBAN></Id></Acct></Stmt></BkToCstmrStmt></Document>`
}

func put(name string, who *client.Client, body any, status int, breaks bool) exchange {
	return exchange{name: name, who: who, method: "PUT", path: mandate, body: body, status: status, breaks: breaks}
}

func account(iban string) map[string]any {
	return map[string]any{"holder": "Paula Zahl", "iban": iban, "accepted": true}
}

func run(kind string) map[string]any {
	return map[string]any{"kind": kind, "on": time.Now().AddDate(0, 0, 20).Format(time.DateOnly)}
}

func keyed(e exchange, key string) exchange {
	e.header = map[string]string{"Idempotency-Key": key + "-of-the-test"}
	return e
}

// objectTooLate asks an instance whose clock is fifteen days ahead.
func (p *platform) objectTooLate(t *testing.T, disp *client.Client, credit string) {
	t.Helper()
	clock := filepath.Join(t.TempDir(), "clock")
	if err := os.WriteFile(clock, []byte("360h"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := p.addrs["payment"]
	p.addrs["payment"] = p.b.Run(t, "payment-9", map[string]string{"KREISLAUF_CLOCK_FILE": clock})
	p.send(t, exchange{who: disp, method: "POST", path: creditNotes + "/" + credit + "/objection", body: reason("wrong weight"), status: 409})
	p.addrs["payment"] = now
}
