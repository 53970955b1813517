package journey_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/internal/session"
)

// TestWhatWorksWhileAPartIsAway is the table of docs/architecture.md: who can still do what. What answers late comes later is not seen here.
func TestWhatWorksWhileAPartIsAway(t *testing.T) {
	for away, lost := range map[string][]string{
		"pricing-1":    {"catalogue", "quote"}, // the entry has a copy of the catalogue; see package nginx
		"matching-1":   {"offers", "match"},
		"order-1":      {"order", "own order", "job", "step"},
		"disposer-1":   {"profile"},
		"identity-1":   {"sign up"},
		"customer-1":   {"cart", "sites"},
		"payment-1":    {"invoices", "credit notes", "ledger"},
		"mailing-1":    nil,
		"statistics-1": nil,
		"kafka":        nil,
		"mailbox":      nil,
		"redis":        {"cart", "credit notes", "invoices", "job", "ledger", "match", "offers", "order", "own order", "profile", "sign up", "sites", "step"},
		"mongodb":      {"credit notes", "invoices", "job", "ledger", "match", "offers", "order", "own order", "profile", "sign up", "sites", "step"},
	} {
		t.Run(away, func(t *testing.T) {
			p := startPlatform(t)
			c, partner := p.browser(), p.browser()
			c.signUp("vera@example.org", "")
			partner.signUp("disp@p-auto.example", p.invite("p-auto"))
			token, csrf := p.b.Session(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
			office := p.browser().with("Cookie", session.Cookie+"="+token).with(session.CSRFHeader, csrf)
			id := c.order("50667", "170904", 7).ID
			c.awaitState(id, "matched")
			body := c.orderBody("50667", "170904", 7)
			date := c.earliest("50667")
			p.b.Stop(away)

			get := func(who *browser, path string) func() bool { return func() bool { return who.works("GET", path, nil) } }
			abilities := map[string]func() bool{
				"catalogue": get(c, "/api/pricing/v1/catalog"),
				"quote":     get(c, "/api/pricing/v1/quotes?postcode=50667&waste=170904&size=7&date="+date),
				"order":     func() bool { return c.works("POST", client.OrdersPath, body) },
				"own order": get(c, client.OrdersPath+"/"+id),
				"sign up": func() bool {
					return p.browser().works("POST", "/api/identity/v1/users", map[string]string{"email": "new@example.org", "password": password, "name": "New Person"})
				},
				"sites": get(c, "/api/customer/v1/sites"),
				"cart": func() bool {
					return p.browser().works("PUT", "/api/customer/v1/cart", map[string]string{"postcode": "50667"})
				},
				"offers":  get(partner, "/api/matching/v1/offers"),
				"match":   get(office, "/api/matching/v1/matches/"+id),
				"profile": get(partner, "/api/disposer/v1/profile"),
				"job":     get(partner, client.JobsPath+"/"+id),
				"step": func() bool {
					return partner.works("POST", client.JobsPath+"/"+id+"/on-site", client.Placing{Container: "K 17"})
				},
				"invoices":     get(c, "/api/payment/v1/invoices"),
				"credit notes": get(partner, "/api/payment/v1/credit-notes"),
				"ledger":       get(office, "/api/payment/v1/ledger"),
			}
			var gone []string
			for what, works := range abilities {
				if !works() {
					gone = append(gone, what)
				}
			}
			slices.Sort(gone)
			slices.Sort(lost)
			if diff := cmp.Diff(lost, gone); diff != "" {
				t.Errorf("what is lost without %s (-want +got):\n%s", away, diff)
			}
		})
	}
}

// works says whether a request is served. What is away refuses the connection, or another service says 503 because it needs it.
func (b *browser) works(method, path string, body any) bool {
	b.t.Helper()
	got, err := b.Do(b.t.Context(), client.Call{Method: method, Path: path, Body: body, Header: map[string]string{"Idempotency-Key": client.NewKey()}})
	switch {
	case err != nil || got.Status == http.StatusServiceUnavailable:
		return false
	case got.Status/100 != 2:
		b.t.Errorf("%s %s: %d %s", method, path, got.Status, got.Body)
	}
	return true
}
