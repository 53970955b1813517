package payment_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/event"
	"kreislauf/test/embedded"
)

// upload sends a statement file.
func (a api) upload(file string, status int) map[string]any {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), "POST", a.base+"/statements", strings.NewReader(file))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/xml")
	return a.answer(req, status)
}

// keyed posts with an Idempotency-Key.
func (a api) keyed(path, key, body string, status int) map[string]any {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), "POST", a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	return a.answer(req, status)
}

func statement(id string, entries ...string) string {
	return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>` + id + `</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>` +
		strings.Join(entries, "") + `</Stmt></BkToCstmrStmt></Document>`
}

func entry(ref, side, amount, endToEnd, text string) string {
	return `<Ntry><Amt Ccy="EUR">` + amount + `</Amt><CdtDbtInd>` + side + `</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-15</Dt></BookgDt><AcctSvcrRef>` + ref +
		`</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>` + endToEnd + `</EndToEndId></Refs><RmtInf><Ustrd>` + text + `</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`
}

// TestBankFiles takes money in and out by files: partly paid, paid too much, nobody knows, debited, returned, paid out, come back.
func TestBankFiles(t *testing.T) {
	b := embedded.Start(t)
	clock := filepath.Join(t.TempDir(), "clock")
	if err := os.WriteFile(clock, []byte("0s"), 0o600); err != nil {
		t.Fatal(err)
	}
	company := filepath.Join(t.TempDir(), "company.json")
	if err := os.WriteFile(company, []byte(strings.Replace(embedded.Company, `"name"`, `"creditor_id":"DE98ZZZ09999999999","name"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	nobody := api{t: t, base: "http://" + b.Run(t, "payment-1", map[string]string{"KREISLAUF_CLOCK_FILE": clock, "KREISLAUF_COMPANY_FILE": company}) + "/api/payment/v1"}
	back, customer, partner := nobody.as(b, office), nobody.as(b, anna), nobody.as(b, mulden)
	paid := koeln
	paid.IBAN = "DE02120300000000202051"
	b.Publish(t, event.TopicDisposer, "p-koeln", paid)
	for i := range 3 {
		b.Publish(t, event.TopicOrder, weighed(i).OrderID, weighed(i))
		await(t, "an invoice and a credit note", func() bool {
			return len(back.list("/invoices", "invoices")) == i+1 && len(back.list("/credit-notes", "credit_notes")) == i+1
		})
	}
	year := time.Now().In(time.FixedZone("", 3600)).Format("2006")
	r := func(i int) string { return fmt.Sprintf("R-%s-%06d", year, i) }
	first := statement("1",
		entry("B-1", "CRDT", "574.77", "NOTPROVIDED", "Rechnung "+r(1)),
		entry("B-2", "CRDT", "100.00", "", r(2)),
		entry("B-3", "CRDT", "50.00", "", "Container"))
	for i, fresh := range []float64{3, 0} {
		got := back.upload(first, 200)
		if got["entries"] != 3.0 || got["new"] != fresh || got["assigned"] != 2.0 || got["unassigned"] != 1.0 {
			t.Errorf("file %d: %v", i+1, got)
		}
	}
	back.upload(strings.Replace(first, "DE89370400440532013000", "DE02120300000000202051", 1), 422)
	back.upload("no statement", 422)
	customer.upload(first, 403)
	compare(t, map[string]float64{
		"bank": 724_77, "unassigned-receipts": -50_00, "receivables": 474_77 + 574_77, "revenue": 3 * -483_00, "vat-output": 3 * -91_77,
		"payables": 3 * -416_50, "cost-of-disposal": 3 * 350_00, "vat-input": 3 * 66_50,
	}, back.ledger())

	// The first payment is returned, and the invoice is open again; the second one is paid too much.
	back.upload(statement("2", entry("B-4", "DBIT", "574.77", r(1), ""), entry("B-5", "CRDT", "500.00", "", r(2))), 200)
	if got := customer.call("GET", "/invoices/"+r(1), nil, 200); got["state"] != "issued" || got["open_cents"] != 574_77.0 || len(got["payments"].([]any)) != 2 {
		t.Errorf("returned: %v", got)
	}
	if got := customer.call("GET", "/invoices/"+r(2), nil, 200); got["state"] != "paid" {
		t.Errorf("paid too much: %v", got)
	}

	// A mandate, and a run that collects what is due.
	if none := customer.call("GET", "/mandate", nil, 200); len(none) != 0 {
		t.Errorf("mandate %v", none)
	}
	customer.call("PUT", "/mandate", map[string]any{"holder": "Anna Beispiel", "iban": "DE01", "accepted": false}, 422)
	mandate := customer.call("PUT", "/mandate", map[string]any{"holder": "Anna Beispiel", "iban": "DE02 5001 0517 0137 0750 30", "accepted": true}, 200)
	if again := customer.call("GET", "/mandate", nil, 200)["mandate"].(map[string]any); again["iban"] != "DE02**************5030" || again["reference"] != mandate["reference"] {
		t.Errorf("mandate %v", again)
	}
	if err := os.WriteFile(clock, []byte("340h"), 0o600); err != nil { // all is due
		t.Fatal(err)
	}
	on := time.Now().Add(360 * time.Hour).Format(time.DateOnly)
	back.keyed("/runs", "collect-01", `{"kind":"collection","on":"2020-01-01"}`, 422)
	collection := back.keyed("/runs", "collect-01", `{"kind":"collection","on":"`+on+`"}`, 201)
	if again := back.keyed("/runs", "collect-01", `{"kind":"collection","on":"`+on+`"}`, 201); again["id"] != collection["id"] {
		t.Errorf("the same key again: %v", again)
	}
	back.keyed("/runs", "collect-01", `{"kind":"payout","on":"`+on+`"}`, 422)
	if collection["sum_cents"] != 2*574_77.0 || len(collection["items"].([]any)) != 2 {
		t.Errorf("collection %v", collection)
	}
	if file := back.get("/runs/"+collection["id"].(string)+"/file", 200); !strings.Contains(file, "<EndToEndId>"+r(3)+"</EndToEndId>") || !strings.Contains(file, "pain.008.001.08") {
		t.Errorf("file %s", file)
	}
	if none := back.keyed("/runs", "collect-02", `{"kind":"collection","on":"`+on+`"}`, 201); len(none["items"].([]any)) != 0 {
		t.Errorf("collected twice: %v", none)
	}
	back.upload(statement("3", entry("B-6", "CRDT", "574.77", r(3), "")), 200)
	if got := customer.call("GET", "/invoices/"+r(3), nil, 200); got["state"] != "paid" {
		t.Errorf("collected: %v", got)
	}

	// The partner is paid what it is owed, in one transfer.
	payout := back.keyed("/runs", "payout-01", `{"kind":"payout","on":"`+on+`"}`, 201)
	items, _ := payout["items"].([]any)
	if payout["sum_cents"] != 3*416_50.0 || len(items) != 1 {
		t.Fatalf("payout %v", payout)
	}
	reference, _ := items[0].(map[string]any)["end_to_end"].(string)
	if file := back.get("/runs/"+payout["id"].(string)+"/file", 200); !strings.Contains(file, "<EndToEndId>"+reference+"</EndToEndId>") || !strings.Contains(file, paid.IBAN) {
		t.Errorf("file %s", file)
	}
	notes := func(state string) int { return len(partner.list("/credit-notes?state="+state, "credit_notes")) }
	for range 2 {
		back.upload(statement("4", entry("B-7", "DBIT", "1249.50", reference, "")), 200)
	}
	if notes("paid") != 3 {
		t.Errorf("%d credit notes are paid", notes("paid"))
	}
	books := map[string]float64{
		"bank": 150_00 + 500_00 + 574_77 - 1249_50, "unassigned-receipts": -50_00, "receivables": 574_77, "customer-prepayments": -25_23,
		"revenue": 3 * -483_00, "vat-output": 3 * -91_77, "cost-of-disposal": 3 * 350_00, "vat-input": 3 * 66_50,
	}
	compare(t, books, back.ledger())
	back.upload(statement("5", entry("B-8", "CRDT", "1249.50", reference, "account closed")), 200)
	if notes("issued") != 3 {
		t.Errorf("%d credit notes are open again", notes("issued"))
	}
	// One was wrong: it is cancelled after it was paid, which the next run sets off.
	again := back.keyed("/runs", "payout-02", `{"kind":"payout","on":"`+on+`"}`, 201)["items"].([]any)[0].(map[string]any)["end_to_end"].(string)
	back.upload(statement("6", entry("B-9", "DBIT", "1249.50", again, "")), 200)
	back.call("POST", "/credit-notes/G-"+year+"-000001/correction", map[string]any{"reason": "never driven"}, 201)
	if skipped := back.keyed("/runs", "payout-03", `{"kind":"payout","on":"`+on+`"}`, 201)["skipped"].([]any); len(skipped) != 1 {
		t.Errorf("skipped %v", skipped)
	}
	books["payables"], books["cost-of-disposal"], books["vat-input"] = 416_50, 2*350_00, 2*66_50
	compare(t, books, back.ledger())
}

// get gives an answer that is no JSON.
func (a api) get(path string, status int) string {
	a.t.Helper()
	got, text := a.try("GET", path, nil)
	if got != status {
		a.t.Fatalf("GET %s: %d, want %d: %s", path, got, status, text)
	}
	return string(text)
}

// answer sends a request and gives the members of its answer.
func (a api) answer(req *http.Request, status int) map[string]any {
	a.t.Helper()
	res, err := a.who.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if res.StatusCode != status {
		a.t.Fatalf("%s %s: %d, want %d: %s", req.Method, req.URL.Path, res.StatusCode, status, text)
	}
	return members(a.t, bytes.TrimSpace(text))
}
