package payment_test

import (
	"testing"
	"time"

	"kreislauf/internal/event"
	"kreislauf/test/embedded"
)

// TestCorrectedOrder: when the order is corrected, its documents are, once; one that does not change stays.
func TestCorrectedOrder(t *testing.T) {
	b := embedded.Start(t)
	back := api{t: t, base: "http://" + b.Run(t, "payment-1", nil) + "/api/payment/v1"}.as(b, office)
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	w, rent := weighed(1), weighed(1)
	heavier := w
	heavier.GrossKg, heavier.NetKg = 14750, 2250
	heavier.ExtraDayNetCents, rent = 3_00, heavier
	rent.FetchedOn = "2026-11-22" // a day more than included, which the partner does not get
	correct := func(w event.Weighed) event.Corrected {
		return event.Corrected{OrderID: w.OrderID, UserID: w.UserID, PartnerID: w.PartnerID, By: "back_office", Reason: "the slip was read wrong", Bill: &w}
	}
	b.Publish(t, event.TopicOrder, w.OrderID, w, event.Corrected{OrderID: w.OrderID}, correct(w), correct(heavier), correct(heavier), correct(rent))
	state := func(path, member string) (list []string) {
		for _, d := range back.list(path, member) {
			list = append(list, d["state"].(string))
		}
		return list
	}
	await(t, "three invoices and two credit notes", func() bool {
		return len(state("/invoices?state=cancelled", "invoices")) == 2 && len(state("/invoices?state=issued", "invoices")) == 1 &&
			len(state("/credit-notes?state=issued", "credit_notes")) == 1
	})
	if n := len(state("/credit-notes", "credit_notes")); n != 2 {
		t.Errorf("%d credit notes", n)
	}
	compare(t, map[string]float64{
		"receivables": 804_44, "revenue": -676_00, "vat-output": -128_44, "payables": -595_00, "cost-of-disposal": 500_00, "vat-input": 95_00,
	}, back.ledger())
}

// TestCorrection: a wrong weight replaces invoice and credit note, a wrong buyer only the invoice; what was paid is taken over; what the
// preview says is what happens; and the books add up after each step.
func TestCorrection(t *testing.T) {
	b := embedded.Start(t)
	nobody := api{t: t, base: "http://" + b.Run(t, "payment-1", nil) + "/api/payment/v1"}
	back, customer, partner := nobody.as(b, office), nobody.as(b, anna), nobody.as(b, mulden)
	read := b.Read(t, "mailing")
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	w := weighed(1)
	b.Publish(t, event.TopicOrder, w.OrderID, w)
	await(t, "invoice and credit note", func() bool {
		return len(back.list("/invoices", "invoices")) == 1 && len(back.list("/credit-notes", "credit_notes")) == 1
	})
	year := time.Now().In(time.FixedZone("", 3600)).Format("2006")
	n := func(series string, i string) string { return series + "-" + year + "-00000" + i }
	back.call("POST", "/statement-lines", map[string]any{
		"id": "b-1", "booked_on": "2026-01-15", "amount_cents": 574_77, "remitter": "Anna Beispiel", "reference": n("R", "1"),
	}, 201)
	before := back.ledger()
	// 2250 kg instead of 1000: a tonne more, 190.00 net for the customer, 150.00 for the partner
	weight := map[string]any{"gross_kg": 14750, "tare_kg": 12500}
	preview := back.call("POST", "/invoices/"+n("R", "1")+"/correction-preview", map[string]any{"replacement": weight}, 200)
	if preview["customer_cents"] != 226_10.0 || preview["partner_cents"] != 178_50.0 || len(preview["changes"].([]any)) != 2 {
		t.Errorf("preview %v", preview)
	}
	compare(t, before, back.ledger())
	for name, tc := range map[string]struct {
		path string
		body map[string]any
	}{
		"no reason":            {"/invoices/" + n("R", "1"), map[string]any{"replacement": weight}},
		"half a weight":        {"/invoices/" + n("R", "1"), map[string]any{"reason": "wrong weight", "replacement": map[string]any{"gross_kg": 14750}}},
		"lighter than empty":   {"/invoices/" + n("R", "1"), map[string]any{"reason": "wrong weight", "replacement": map[string]any{"gross_kg": 10, "tare_kg": 20}}},
		"a buyer of a partner": {"/credit-notes/" + n("G", "1"), map[string]any{"reason": "wrong buyer", "replacement": map[string]any{"buyer": map[string]any{"company_id": "c-1"}}}},
		"no such company":      {"/invoices/" + n("R", "1"), map[string]any{"reason": "wrong buyer", "replacement": map[string]any{"buyer": map[string]any{"company_id": "c-1"}}}},
		"a name alone":         {"/invoices/" + n("R", "1"), map[string]any{"reason": "wrong buyer", "replacement": map[string]any{"buyer": map[string]any{"name": "Bau"}}}},
	} {
		if status, text := back.try("POST", tc.path+"/correction", tc.body); status != 422 {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	customer.call("POST", "/invoices/"+n("R", "1")+"/correction", map[string]any{"reason": "too much"}, 403)
	for range 2 {
		got := back.call("POST", "/invoices/"+n("R", "1")+"/correction", map[string]any{"reason": "the slip was read wrong", "replacement": weight}, 201)
		if got["number"] != n("R", "2") || got["replaces"].(map[string]any)["number"] != n("R", "1") || got["open_cents"] != 226_10.0 || got["carried_cents"] != 574_77.0 {
			t.Errorf("new invoice %v", got)
		}
	}
	back.call("POST", "/invoices/"+n("R", "1")+"/correction", map[string]any{"reason": "the slip was read wrong", "replacement": map[string]any{"gross_kg": 14751, "tare_kg": 12500}}, 409)
	after := before
	for account, cents := range preview["ledger"].(map[string]any) {
		if after[account] += cents.(float64); after[account] == 0 {
			delete(after, account)
		}
	}
	compare(t, after, back.ledger())
	compare(t, map[string]float64{
		"bank": 574_77, "receivables": 226_10, "revenue": -673_00, "vat-output": -127_87, "payables": -595_00, "cost-of-disposal": 500_00, "vat-input": 95_00,
	}, after)
	if old := customer.call("GET", "/invoices/"+n("R", "1"), nil, 200); old["state"] != "cancelled" || old["replaced_by"] != n("R", "2") {
		t.Errorf("old invoice %v", old)
	}
	if old := partner.call("GET", "/credit-notes/"+n("G", "1"), nil, 200); old["state"] != "cancelled" || old["replaced_by"] != n("G", "2") {
		t.Errorf("old credit note %v", old)
	}
	partner.call("GET", "/credit-notes/"+n("K", "2"), nil, 200)
	partner.call("POST", "/credit-notes/"+n("G", "1")+"/objection", map[string]any{"reason": "wrong weight"}, 409)

	// The old number in a transfer pays the new invoice.
	back.call("POST", "/statement-lines", map[string]any{
		"id": "b-2", "booked_on": "2026-01-16", "amount_cents": 226_10, "remitter": "Anna Beispiel", "reference": n("R", "1"),
	}, 201)
	if got := customer.call("GET", "/invoices/"+n("R", "2"), nil, 200); got["state"] != "paid" {
		t.Errorf("new invoice %v", got)
	}
	// The buyer was wrong: another new invoice, and it is paid at once.
	buyer := map[string]any{"name": "Beispiel Bau GmbH", "street": "Hauptstraße 1", "postcode": "50667", "city": "Köln", "vat_id": "DE812379198"}
	got := back.call("POST", "/invoices/"+n("R", "2")+"/correction", map[string]any{"reason": "ordered for the company", "replacement": map[string]any{"buyer": buyer}}, 201)
	if got["number"] != n("R", "3") || got["state"] != "paid" || got["buyer"].(map[string]any)["name"] != buyer["name"] {
		t.Errorf("invoice of the company %v", got)
	}
	// The partner objects, and gets another one.
	partner.call("POST", "/credit-notes/"+n("G", "2")+"/objection", map[string]any{"reason": "agreed on 360"}, 200)
	back.call("POST", "/credit-notes/"+n("G", "2")+"/correction", map[string]any{"reason": "it has no effect anyway"}, 409)
	got = back.call("POST", "/credit-notes/"+n("G", "2")+"/correction", map[string]any{"reason": "agreed by telephone", "replacement": map[string]any{"pay_net_cents": 360_00}}, 201)
	if got["number"] != n("G", "3") || got["total"].(map[string]any)["net_cents"] != 510_00.0 {
		t.Errorf("credit note after the objection %v", got)
	}
	compare(t, map[string]float64{
		"bank": 800_87, "revenue": -673_00, "vat-output": -127_87, "payables": -606_90, "cost-of-disposal": 510_00, "vat-input": 96_90,
	}, back.ledger())
	want := map[string]int{
		"payment.corrected invoice-" + w.OrderID: 1, "payment.corrected credit-note-" + w.OrderID: 1, "payment.corrected invoice-" + w.OrderID + "-2": 1,
		"payment.objected credit-note-" + w.OrderID + "-2": 1, "payment.objection-answered credit-note-" + w.OrderID + "-2": 1,
		"payment.invoiced invoice-" + w.OrderID + "-3": 1, "payment.paid invoice-" + w.OrderID + "-3": 1,
	}
	await(t, "all events", func() bool {
		seen := map[string]int{}
		for _, e := range told(read) {
			seen[e]++
		}
		for e, n := range want {
			if seen[e] != n {
				return false
			}
		}
		return true
	})
}
