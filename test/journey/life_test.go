package journey_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/client"
	"kreislauf/internal/session"
)

// TestWholeLife: a customer orders; the partner drives in vain once, places, fetches and weighs more than the price includes; the customer
// is billed for all of it, pays in two parts, and a second bill is corrected; the partner is credited and objects; each step is in a mail; a full container is swapped;
// the books add up to nothing, whatever happened.
func TestWholeLife(t *testing.T) {
	p := startPlatform(t)
	c, partner := p.browser(), p.browser()
	c.signUp("petra@example.org", "")
	partner.signUp("disp@p-auto.example", p.invite("p-auto"))
	token, csrf := p.b.Session(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
	office := p.browser().with("Cookie", session.Cookie+"="+token).with(session.CSRFHeader, csrf)

	first, second := c.work(partner, 1), c.work(partner, 0)
	c.swap(partner)
	invoice := c.invoiceOf(first)
	want := []string{"service 1.000 C62: 48300", "extra-weight 1.250 TNE: 26000", "failed-trips 1.000 C62: 5500"}
	if diff := cmp.Diff(want, linesOf(invoice)); diff != "" {
		t.Errorf("lines of the invoice (-want +got):\n%s", diff)
	}
	number, total := invoice.str("number"), int(invoice["total"].(map[string]any)["gross_cents"].(float64))

	pay := func(id string, cents int) {
		office.must("POST", "/api/payment/v1/statement-lines", map[string]any{
			"id": id, "booked_on": time.Now().AddDate(0, 0, -1).Format(time.DateOnly), "amount_cents": cents, "remitter": "Test Person", "reference": "Rechnung " + number,
		}, 201)
	}
	pay("s-1", 10_000)
	if left := int(c.must("GET", "/api/payment/v1/invoices/"+number, nil, 200)["open_cents"].(float64)); left != total-10_000 {
		t.Errorf("%d cents are open after 100.00 of %d were paid", left, total)
	}
	c.awaitState(first, "invoiced")
	pay("s-2", total-10_000)
	c.awaitState(first, "paid")

	wrong := c.invoiceOf(second).str("number")
	office.must("POST", "/api/payment/v1/invoices/"+wrong+"/correction", map[string]any{"reason": "billed to the wrong company"}, 201)
	if state := c.must("GET", "/api/payment/v1/invoices/"+wrong, nil, 200).str("state"); state != "cancelled" {
		t.Errorf("the corrected invoice is %s", state)
	}
	notes := partner.must("GET", "/api/payment/v1/credit-notes", nil, 200)["credit_notes"].([]any)
	if len(notes) != 4 {
		t.Fatalf("credit notes %v; want one for each order", notes)
	}
	credit := notes[0].(map[string]any)["number"].(string)
	if title := partner.must("GET", "/api/payment/v1/credit-notes/"+credit, nil, 200).str("title"); title != "Gutschrift" {
		t.Errorf("the credit note's title is %q", title)
	}
	partner.must("POST", "/api/payment/v1/credit-notes/"+credit+"/objection", map[string]any{"reason": "the trip in vain is missing"}, 200)
	if sum := office.must("GET", "/api/payment/v1/ledger", nil, 200)["sum_cents"]; sum != 0.0 {
		t.Errorf("the books add up to %v", sum)
	}

	mails := func() ([]mailbox.Mail, error) { return mailbox.List(p.b.Mails, 100) }
	await(t, "the customer's mails", mails, func(list []mailbox.Mail) bool {
		told := func(what string) bool {
			return slices.ContainsFunc(list, func(m mailbox.Mail) bool { return strings.Contains(m.Subject, what) })
		}
		return told(number) && told(wrong) && told("abgeholt") && len(list) >= 2*6+1 // placed, matched, on site, collected, weighed, invoice; one paid
	})
}

// swap has a full container swapped for an empty one in one trip, and both fetched and weighed in the end: two orders, two bills.
func (b *browser) swap(partner *browser) {
	b.t.Helper()
	ctx := b.t.Context()
	must := func(_ client.Job, err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	old := b.order("50667", "170904", 7).ID
	b.awaitState(old, "matched")
	must(partner.Plan(ctx, old, client.Plan{Day: time.Now().Format(time.DateOnly), Window: "morning"}))
	must(partner.PutOnSite(ctx, old, client.Placing{Container: "K 17"}))
	swap := client.NewOrder{Quote: b.quote("50667", "170904", 7), Address: client.Address{Name: "Test Person", Street: "Hauptstraße 1", City: "Köln"}, SwapOf: old}
	placed, err := b.Place(ctx, swap)
	if err != nil {
		b.t.Fatal(err)
	}
	b.awaitState(placed.ID, "matched")
	var refused *client.Problem
	if _, err := b.Place(ctx, swap); !errors.As(err, &refused) || refused.Status != 409 {
		b.t.Errorf("a second swap of the container: %v", err)
	}
	must(partner.PutSwapped(ctx, placed.ID, client.Placing{Container: "K 18"}))
	b.awaitState(old, "collected")
	must(partner.Collect(ctx, placed.ID, time.Time{}))
	for _, id := range []string{old, placed.ID} {
		must(partner.Weigh(ctx, id, client.Weighing{GrossKg: 3200, TareKg: 1200, Slip: "W-2"}))
		if lines := linesOf(b.invoiceOf(id)); !slices.Equal(lines, []string{"service 1.000 C62: 48300", "extra-weight 0.300 TNE: 6240"}) {
			b.t.Errorf("lines of the invoice of %s: %v", id, lines)
		}
	}
}

// work leads an order of the customer to its weighing and gives its id; the first drives in vain so many times.
func (b *browser) work(partner *browser, inVain int) string {
	b.t.Helper()
	id := b.order("50667", "170904", 7).ID
	b.awaitState(id, "matched")
	ctx := b.t.Context()
	must := func(_ client.Job, err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	for range inVain {
		must(partner.FailTrip(ctx, id, client.FailedTrip{Reason: "blocked", Note: "a car stood there"}))
	}
	must(partner.PutOnSite(ctx, id, client.Placing{Container: "K 17"}))
	must(partner.Collect(ctx, id, time.Time{}))
	must(partner.Weigh(ctx, id, client.Weighing{GrossKg: 5000, TareKg: 2050, Slip: "W-1", Confirmed: true}))
	return id
}

// invoiceOf waits for the invoice of an order and reads it.
func (b *browser) invoiceOf(order string) answer {
	b.t.Helper()
	list := func() ([]any, error) {
		return b.must("GET", "/api/payment/v1/invoices?order_id="+order, nil, 200)["invoices"].([]any), nil
	}
	found := await(b.t, "invoice of "+order, list, func(l []any) bool { return len(l) == 1 })
	return b.must("GET", "/api/payment/v1/invoices/"+found[0].(map[string]any)["number"].(string), nil, 200)
}

func linesOf(paper answer) (lines []string) {
	for _, l := range paper["lines"].([]any) {
		l := answer(l.(map[string]any))
		lines = append(lines, fmt.Sprintf("%s %s %s: %v", l.str("item"), l.str("quantity"), l.str("unit"), l["net_cents"]))
	}
	return lines
}
