package payment_test

import (
	"testing"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/session"
	"kreislauf/test/embedded"
)

// TestCompany: the invoice of a company names it, waits for its event, and is its people's. The newest event counts, however they come.
func TestCompany(t *testing.T) {
	b := embedded.Start(t)
	nobody := api{t: t, base: "http://" + b.Run(t, "payment-1", nil) + "/api/payment/v1"}
	back := nobody.as(b, office)
	b.Publish(t, event.TopicDisposer, "p-koeln", koeln)
	w := weighed(1)
	w.CompanyID, w.Waste = "c-1", "170407"
	b.Publish(t, event.TopicOrder, w.OrderID, w)
	dealer := event.CompanyChanged{
		CompanyID: "c-1", Version: 2, Name: "Schrotthandel Ruhr GmbH", Street: "Kanalstraße 8", Postcode: "45127", City: "Essen",
		Email: "rechnung@schrott.example", VATID: "DE812379198", ReverseCharge: true,
	}
	before := dealer
	before.Version, before.Name, before.ReverseCharge = 1, "Ruhr GbR", false
	b.Publish(t, event.TopicIdentity, "c-1", dealer, before)
	await(t, "invoice and credit note", func() bool {
		return len(back.list("/invoices", "invoices")) == 1 && len(back.list("/credit-notes", "credit_notes")) == 1
	})
	for name, who := range map[string]struct {
		session.Session
		sees int
	}{
		"who ordered":            {session.Session{UserID: "u-1", Role: string(authz.Customer), CompanyID: "c-1"}, 1},
		"a colleague":            {session.Session{UserID: "u-7", Role: string(authz.Customer), CompanyID: "c-1"}, 1},
		"somebody of another":    {session.Session{UserID: "u-8", Role: string(authz.Customer), CompanyID: "c-2"}, 0},
		"somebody of no company": {session.Session{UserID: "u-8", Role: string(authz.Customer)}, 0},
	} {
		a := nobody.as(b, who.Session)
		list := a.list("/invoices", "invoices")
		if len(list) != who.sees {
			t.Errorf("%s sees %d invoices, want %d", name, len(list), who.sees)
			continue
		}
		if who.sees == 0 {
			number, _ := back.list("/invoices", "invoices")[0]["number"].(string)
			a.call("GET", "/invoices/"+number, nil, 404)
			continue
		}
		number, _ := list[0]["number"].(string)
		invoice := a.call("GET", "/invoices/"+number, nil, 200)
		if buyer, _ := invoice["buyer"].(map[string]any); buyer["name"] != dealer.Name || buyer["vat_id"] != dealer.VATID || buyer["email"] != dealer.Email {
			t.Errorf("%s: buyer %v", name, buyer)
		}
		if total, _ := invoice["total"].(map[string]any); total["vat_cents"] != 0.0 || total["gross_cents"] != 483_00.0 {
			t.Errorf("%s: total %v", name, total)
		}
	}
	compare(t, map[string]float64{
		"receivables": 483_00, "revenue": -483_00, "payables": -416_50, "cost-of-disposal": 350_00, "vat-input": 66_50,
	}, back.ledger())
}
