package customer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/session"
	"kreislauf/test/embedded"
)

const (
	sites    = "/api/customer/v1/sites"
	visits   = "/api/customer/v1/visits"
	cart     = "/api/customer/v1/cart"
	drafts   = "/api/customer/v1/drafts"
	standing = "/api/customer/v1/standing-orders"
	orders   = "/api/order/v1/orders"
)

type answer map[string]any

func (a answer) text(name string) string { return fmt.Sprint(a[name]) }

func (a answer) list(name string) []any {
	list, _ := a[name].([]any)
	return list
}

// ask sends a request and demands a status.
func ask(t *testing.T, who *http.Client, method, url string, body any, status int, header ...string) answer {
	t.Helper()
	a, got := try(t, who, method, url, body, header...)
	if got != status {
		t.Fatalf("%s %s: %d, want %d: %v", method, url, got, status, a)
	}
	return a
}

func try(t *testing.T, who *http.Client, method, url string, body any, header ...string) (answer, int) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+url, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := who.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if len(got) > 0 {
		if err := json.Unmarshal(got, &a); err != nil {
			t.Fatalf("%s %s: %s: %v", method, url, got, err)
		}
	}
	return a, res.StatusCode
}

func key() []string { return []string{"Idempotency-Key", event.NewID("key")} }

func version(a answer) []string { return []string{"If-Match", fmt.Sprintf(`"%v"`, a["version"])} }

func place(name string) map[string]any {
	return map[string]any{
		"name": name, "street": "Hafenstraße 1", "postcode": "50667", "city": "Köln", "access": "Tor 2, Code 4711", "contact": "Polier Kranz",
		"phone": "0170 1234567", "active": true,
	}
}

func customerOf(company, user string) session.Session {
	return session.Session{UserID: user, Name: "Anna Beispiel", Role: string(authz.Customer), CompanyID: company}
}

// TestSites: a site is its maker's and the company's, and nobody overwrites what it has not seen.
func TestSites(t *testing.T) {
	b := embedded.Start(t)
	addr := b.Run(t, "customer-1", nil)
	anna, colleague, stranger := b.SignedIn(t, customerOf("c-1", "u-anna")), b.SignedIn(t, customerOf("c-1", "u-carl")), b.SignedIn(t, customerOf("", "u-bert"))
	k := key()
	site := ask(t, anna, "POST", addr+sites, place("Neubau"), 201, k...)
	if again := ask(t, anna, "POST", addr+sites, place("Neubau"), 201, k...); again.text("site_id") != site.text("site_id") {
		t.Errorf("the same request made %v and %v", site, again)
	}
	ask(t, anna, "POST", addr+sites, place("Anderer"), 422, k...)
	bad := ask(t, anna, "POST", addr+sites, map[string]any{"name": "x", "postcode": "123", "phone": "ruf mich an"}, 422, key()...)
	if n := len(bad.list("errors")); n != 5 {
		t.Errorf("%d mistakes are named, want 5: %v", n, bad)
	}
	one := addr + sites + "/" + site.text("site_id")
	ask(t, stranger, "GET", one, nil, 404)
	ask(t, stranger, "PUT", one, place("Meins"), 404, version(site)...)
	changed := ask(t, colleague, "PUT", one, place("Neubau Nord"), 200, version(site)...)
	ask(t, anna, "PUT", one, place("Neubau Süd"), 409, version(site)...)
	if list := ask(t, anna, "GET", addr+sites, nil, 200).list("sites"); len(list) != 1 {
		t.Errorf("sites: %v", list)
	}
	if list := ask(t, stranger, "GET", addr+sites, nil, 200).list("sites"); len(list) != 0 {
		t.Errorf("a stranger sees %v", list)
	}
	ask(t, anna, "DELETE", one, nil, 204, version(changed)...)
	ask(t, anna, "DELETE", one, nil, 204, version(changed)...) // again
	ask(t, anna, "GET", one, nil, 404)
}

// TestLinks: a link opens one site, and its end ends the sessions that it opened.
func TestLinks(t *testing.T) {
	b := embedded.Start(t)
	addr := b.Run(t, "customer-1", nil)
	anna := b.SignedIn(t, customerOf("", "u-anna"))
	mine, other := ask(t, anna, "POST", addr+sites, place("Neubau"), 201, key()...), ask(t, anna, "POST", addr+sites, place("Altbau"), 201, key()...)
	one := addr + sites + "/" + mine.text("site_id")
	k := key()
	link := ask(t, anna, "POST", one+"/links", map[string]any{"label": "Polier Kranz", "days": 30}, 201, k...)
	if again := ask(t, anna, "POST", one+"/links", map[string]any{"label": "Polier Kranz", "days": 30}, 201, k...); again.text("code") != link.text("code") {
		t.Errorf("the same request made two links")
	}
	ask(t, anna, "POST", one+"/links", map[string]any{"label": "", "days": 0}, 422, key()...)
	visitor := func() *http.Client {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		who := &http.Client{Jar: jar}
		ask(t, who, "POST", addr+visits, map[string]any{"code": link.text("code")}, 201)
		return who
	}
	manager := visitor()
	seen := ask(t, manager, "GET", one, nil, 200)
	if seen.text("name") != "Neubau" || seen["access"] != nil || seen["phone"] != nil {
		t.Errorf("the site manager sees %v", seen)
	}
	ask(t, manager, "GET", addr+sites+"/"+other.text("site_id"), nil, 404)
	ask(t, manager, "GET", addr+sites, nil, 403)
	ask(t, manager, "POST", addr+visits, map[string]any{"code": link.text("code") + "x"}, 422)
	if list := ask(t, anna, "GET", one+"/links", nil, 200).list("links"); len(list) != 1 {
		t.Errorf("links: %v", list)
	}
	for range 2 {
		ask(t, anna, "DELETE", one+"/links/1", nil, 204)
	}
	ask(t, manager, "GET", one, nil, 401)
	ask(t, http.DefaultClient, "POST", addr+visits, map[string]any{"code": link.text("code")}, 422)
	if list := ask(t, anna, "GET", one+"/links", nil, 200).list("links"); len(list) != 0 {
		t.Errorf("links after revoking: %v", list)
	}
}

// TestDraftsAndCart: what a visitor chose comes along when it signs in, and goes when it is ordered.
func TestDraftsAndCart(t *testing.T) {
	b := embedded.Start(t)
	addr := b.Run(t, "customer-1", nil)
	anna := b.SignedIn(t, customerOf("", "u-anna"))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	anna.Jar = jar
	visitor := &http.Client{Jar: jar} // the same browser, before
	chosen := map[string]any{"postcode": "50667", "waste_code": "170904", "size_m3": 7, "address": map[string]any{"street": "Weg 1"}}
	ask(t, visitor, "PUT", addr+cart, map[string]any{"postcode": "5066", "size_m3": -1}, 422)
	ask(t, visitor, "PUT", addr+cart, chosen, 200)
	if c, _ := ask(t, visitor, "GET", addr+cart, nil, 200)["choice"].(map[string]any); c["waste_code"] != "170904" {
		t.Errorf("cart: %v", c)
	}
	ask(t, http.DefaultClient, "GET", addr+cart, nil, 200) // another browser has another cart
	list := ask(t, anna, "POST", addr+cart+"/take-over", nil, 200).list("drafts")
	if len(list) != 1 {
		t.Fatalf("drafts: %v", list)
	}
	if c := ask(t, visitor, "GET", addr+cart, nil, 200)["choice"]; c != nil {
		t.Errorf("the cart is still there: %v", c)
	}
	for i, size := range []int{3, 5, 5} {
		chosen["size_m3"] = size
		d := ask(t, anna, "PUT", addr+drafts+"/my-draft-1", chosen, 200)
		if want := []string{"1", "2", "2"}[i]; d.text("version") != want {
			t.Errorf("version %v, want %s", d["version"], want)
		}
	}
	for i := range 25 {
		ask(t, anna, "PUT", fmt.Sprintf("%s%s/draft-%04d", addr, drafts, i), chosen, 200)
	}
	if n := len(ask(t, anna, "GET", addr+drafts, nil, 200).list("drafts")); n != 20 {
		t.Errorf("%d drafts, want the newest 20", n)
	}
	ask(t, anna, "DELETE", addr+drafts+"/draft-0024", nil, 204)
	b.Publish(t, event.TopicOrder, "o-1", event.Placed{OrderID: "o-1", UserID: "u-anna", Postcode: "50667", Waste: "170904", SizeM3: 5, Date: "2026-12-04"})
	await(t, "the ordered drafts are gone", func() bool { return len(ask(t, anna, "GET", addr+drafts, nil, 200).list("drafts")) == 0 })
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("this never came true: " + what)
		}
	}
}

// TestStandingOrder: a standing order makes an order by way of pricing and order, once; one that cannot be says why.
func TestStandingOrder(t *testing.T) {
	b := embedded.Start(t)
	addr := b.Run(t, "customer-1", nil)
	b.Run(t, "pricing-1", nil)
	orderAddr := b.Run(t, "order-1", nil)
	anna := b.SignedIn(t, customerOf("", "u-anna"))
	site := ask(t, anna, "POST", addr+sites, place("Neubau"), 201, key()...)
	soon := time.Now().AddDate(0, 0, 3)
	for soon.Weekday() == time.Sunday {
		soon = soon.AddDate(0, 0, 1)
	}
	plan := map[string]any{
		"site_id": site["site_id"], "waste_code": "170904", "size_m3": 7, "every_weeks": 26, "weekday": int(soon.Weekday()), "month_day": 0,
		"from": soon.Format(time.DateOnly), "until": "", "public_ground": false, "state": "active",
	}
	ask(t, anna, "POST", addr+standing, map[string]any{"site_id": "s-1"}, 422, key()...)
	ask(t, b.SignedIn(t, customerOf("", "u-bert")), "POST", addr+standing, plan, 422, key()...)
	made := ask(t, anna, "POST", addr+standing, plan, 201, key()...)
	var one answer
	await(t, "the occurrence is ordered", func() bool {
		one = ask(t, anna, "GET", addr+standing, nil, 200).list("standing_orders")[0].(map[string]any)
		list := one.list("occurrences")
		return len(list) == 1 && list[0].(map[string]any)["state"] == "placed"
	})
	list := ask(t, anna, "GET", orderAddr+orders+"?site_id="+site.text("site_id"), nil, 200).list("orders")
	if len(list) != 1 || list[0].(map[string]any)["standing_id"] != made["standing_id"] {
		t.Errorf("orders: %v", list)
	}
	if list := ask(t, anna, "GET", orderAddr+orders+"?site_id=s-aaaaaaaaaaaaaaaa", nil, 200).list("orders"); len(list) != 0 {
		t.Errorf("orders of another site: %v", list)
	}
	b.Publish(t, event.TopicPricing, "so-1", event.QuoteRefused{
		StandingID: made.text("standing_id"), Occurrence: one.list("occurrences")[0].(map[string]any)["day"].(string), Reason: "late news",
	})
	resting := place("Neubau")
	resting["active"] = false
	ask(t, anna, "PUT", addr+sites+"/"+site.text("site_id"), resting, 200, version(site)...)
	await(t, "the standing order rests with its site", func() bool {
		one = ask(t, anna, "GET", addr+standing, nil, 200).list("standing_orders")[0].(map[string]any)
		return one["state"] == "paused"
	})
	ask(t, anna, "PUT", addr+standing+"/"+made.text("standing_id"), plan, 422, version(one)...) // it cannot go on there
	if list := one.list("occurrences"); list[0].(map[string]any)["state"] != "placed" {
		t.Errorf("late news changed what was placed: %v", list)
	}
	plan["state"] = "ended"
	plan["until"] = soon.AddDate(1, 0, 0).Format(time.DateOnly)
	at := addr + standing + "/" + made.text("standing_id")
	ask(t, anna, "PUT", at, plan, 409, "If-Match", `"1"`)
	done := ask(t, anna, "PUT", at, plan, 200, version(one)...)
	if done["next"] != nil {
		t.Errorf("it goes on: %v", done)
	}
	plan["state"] = "paused"
	if a := ask(t, anna, "PUT", at, plan, 409, version(done)...); !strings.Contains(a.text("detail"), "ended") {
		t.Errorf("revived: %v", a)
	}
}
