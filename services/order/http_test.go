package order_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/quote"
	"kreislauf/internal/session"
	"kreislauf/services/order"
	"kreislauf/test/embedded"
)

const (
	orders = "/api/order/v1/orders"
	jobs   = "/api/order/v1/jobs"
)

// fixture is one instance of order, with nobody else of the platform.
type fixture struct {
	*embedded.Backends
	addr                              string
	anna, bert                        *http.Client // customers
	dispatcher, driver, other, office *http.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	b := embedded.Start(t)
	as := func(s session.Session) *http.Client { return b.SignedIn(t, s) }
	return &fixture{
		Backends: b, addr: b.Run(t, "order-1", nil),
		anna:       as(session.Session{UserID: "u-anna", Role: string(authz.Customer)}),
		bert:       as(session.Session{UserID: "u-bert", Role: string(authz.Customer)}),
		dispatcher: as(session.Session{UserID: "u-disp", Role: string(authz.Dispatcher), PartnerID: "p-1"}),
		driver:     as(session.Session{UserID: "u-driver", Role: string(authz.Driver), PartnerID: "p-1", DriverID: "d-1"}),
		other:      as(session.Session{UserID: "u-other", Role: string(authz.Dispatcher), PartnerID: "p-2"}),
		office:     as(session.Session{UserID: "u-office", Role: string(authz.BackOffice)}),
	}
}

type answer map[string]any

// ask sends a request and demands a status.
func (f *fixture) ask(t *testing.T, who *http.Client, method, path string, body any, status int, header ...string) answer {
	t.Helper()
	a, got := f.try(t, who, method, path, body, header...)
	if got != status {
		t.Fatalf("%s %s: %d, want %d: %v", method, path, got, status, a)
	}
	return a
}

// try sends a request.
func (f *fixture) try(t *testing.T, who *http.Client, method, path string, body any, header ...string) (answer, int) {
	t.Helper()
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.addr+path, content)
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
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s %s: %s, %v: %s", method, path, res.Status, err, got)
	}
	return a, res.StatusCode
}

// place orders 7 m³ of mixed construction waste.
func (f *fixture) place(t *testing.T, who *http.Client) (id string) {
	t.Helper()
	return fmt.Sprint(f.ask(t, who, "POST", orders, f.request(t), 201, "Idempotency-Key", event.NewID("key"))["order_id"])
}

// request is the body of an order of 7 m³ of mixed construction waste.
func (f *fixture) request(t *testing.T) map[string]any {
	t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := catalog.Window("50667", time.Now())
	token, err := quote.Sign(key, quote.Quote{
		ID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: first.Format(time.DateOnly), Price: money.FromNet(483_00), IncludedDays: 10,
		IncludedKg: 1700, ExtraDayNetCents: 300, ExtraTonneNetCents: 208_00, ValidUntil: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"quote": token, "address": event.Address{Name: "Anna Beispiel", Street: "Hauptstraße 1", City: "Köln"}}
}

// await asks until the order is in the state.
func (f *fixture) await(t *testing.T, who *http.Client, id string, state order.State) answer {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := f.ask(t, who, "GET", orders+"/"+id, nil, 200)
		if a["state"] == string(state) {
			return a
		}
		if time.Now().After(deadline) {
			t.Fatalf("the order never became %s: %v", state, a)
		}
	}
}

func (f *fixture) accept(t *testing.T, id string) {
	t.Helper()
	f.Publish(t, event.TopicMatching, id, event.Accepted{OrderID: id, PartnerID: "p-1", Pay: event.Pay{NetCents: 300_00, PerTonneOverCents: 90_00}})
	f.await(t, f.anna, id, order.Matched)
}

func (f *fixture) listed(t *testing.T, who *http.Client, query string) []string {
	t.Helper()
	ids := []string{}
	for _, j := range f.ask(t, who, "GET", jobs+query, nil, 200)["jobs"].([]any) {
		ids = append(ids, j.(map[string]any)["order_id"].(string))
	}
	return ids
}

// TestLifeOfAnOrder goes from placed to paid over HTTP and Kafka.
func TestLifeOfAnOrder(t *testing.T) {
	f := start(t)
	id := f.place(t, f.anna)
	one, job := orders+"/"+id, jobs+"/"+id
	f.ask(t, f.dispatcher, "GET", job, nil, 404) // nobody's job yet
	f.accept(t, id)
	f.ask(t, f.other, "GET", job, nil, 404)
	f.ask(t, f.driver, "GET", job, nil, 404)
	if a := f.ask(t, f.dispatcher, "GET", job, nil, 200); a["price"] != nil || a["pay"].(map[string]any)["net_cents"] != 300_00.0 ||
		a["address"].(map[string]any)["name"] != "Anna Beispiel" {
		t.Errorf("job: %v", a)
	}
	if a := f.ask(t, f.anna, "GET", one, nil, 200); a["pay"] != nil {
		t.Errorf("the customer sees the partner's pay: %v", a)
	}
	today := time.Now().Format(time.DateOnly)
	f.ask(t, f.dispatcher, "POST", job+"/plan", map[string]any{"day": today, "driver_id": "d-1"}, 200)
	f.ask(t, f.driver, "POST", job+"/plan", map[string]any{"day": today, "driver_id": "d-2"}, 403)
	trip := map[string]any{"reason": "blocked", "note": "a lorry in front of the gate"}
	for range 2 {
		f.ask(t, f.driver, "POST", job+"/failed-trip", trip, 200, "Idempotency-Key", "trip-0001")
	}
	if got := f.listed(t, f.driver, "?state=matched"); !cmp.Equal(got, []string{id}) {
		t.Errorf("the driver's jobs: %v", got)
	}
	if a := f.ask(t, f.driver, "GET", job, nil, 200); a["pay"] != nil {
		t.Errorf("the driver sees what its partner is paid: %v", a)
	}
	f.ask(t, f.driver, "POST", job+"/weighed", map[string]any{"gross_kg": 3200, "tare_kg": 1200, "slip": "W-1"}, 409)
	placed := map[string]any{"container": "K 17", "at": time.Now().Add(-time.Minute)} // of a phone whose clock is behind
	for range 2 {
		a := f.ask(t, f.driver, "POST", job+"/on-site", placed, 200, "Idempotency-Key", "on-site-0001")
		if d := cmp.Diff(map[string]any{"least": 87.0, "most": 3500.0}, a["plausible_kg"]); d != "" {
			t.Errorf("plausible net weight (-want +got):\n%s", d)
		}
	}
	f.ask(t, f.driver, "POST", job+"/on-site", map[string]any{"container": "K 18"}, 409)
	first, _ := catalog.Window("50667", time.Now())
	f.ask(t, f.anna, "POST", one+"/pick-up", map[string]any{"date": first.Format(time.DateOnly)}, 200)
	f.ask(t, f.anna, "POST", one+"/cancel", map[string]any{"reason": "wrong size"}, 409)
	f.ask(t, f.driver, "POST", job+"/collected", map[string]any{}, 200)
	f.ask(t, f.driver, "POST", job+"/weighed", map[string]any{"gross_kg": 9200, "tare_kg": 1200, "slip": "W-1"}, 422)
	if a := f.ask(t, f.driver, "POST", job+"/weighed", map[string]any{"gross_kg": 3200, "tare_kg": 1200, "slip": "W-1"}, 200); a["pick_up_on"] == nil {
		t.Errorf("the partner does not see when the customer wanted it fetched: %v", a)
	}
	if got := f.listed(t, f.dispatcher, ""); len(got) != 0 {
		t.Errorf("open jobs after the last step: %v", got)
	}
	total := money.FromNet(545_40)
	f.Publish(t, event.TopicPayment, "i-1", event.Invoiced{OrderID: id, Number: "R-2026-000001", Total: total, DueOn: "2026-12-20"})
	f.await(t, f.anna, id, order.Invoiced)
	f.Publish(t, event.TopicPayment, "i-1", event.Paid{OrderID: id, Number: "R-2026-000001", Total: total})
	a := f.await(t, f.anna, id, order.Paid)
	var states []string
	for _, s := range a["history"].([]any) {
		states = append(states, s.(map[string]any)["state"].(string))
	}
	want := []string{"placed", "matched", "matched", "matched", "on_site", "collected", "weighed", "invoiced", "paid"}
	if d := cmp.Diff(want, states); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
	if a["weighing"].(map[string]any)["net_kg"] != 2000.0 || a["invoice"].(map[string]any)["number"] != "R-2026-000001" || a["container"] != "K 17" {
		t.Errorf("order: %v", a)
	}
}

// TestCancelling: customers cancel their own orders, the back office everybody's, which is written down; nobody else cancels.
func TestCancelling(t *testing.T) {
	f := start(t)
	own, helped := f.place(t, f.anna), f.place(t, f.anna)
	body := map[string]any{"reason": "no longer needed"}
	f.accept(t, own)
	f.ask(t, f.bert, "POST", orders+"/"+own+"/cancel", body, 404)
	f.ask(t, f.dispatcher, "POST", orders+"/"+own+"/cancel", body, 403)
	f.ask(t, f.office, "GET", orders+"/"+helped, nil, 200)
	for range 2 {
		f.ask(t, f.anna, "POST", orders+"/"+own+"/cancel", body, 200)
		f.ask(t, f.office, "POST", orders+"/"+helped+"/cancel", body, 200)
	}
	if a := f.ask(t, f.dispatcher, "GET", jobs+"/"+own, nil, 200); a["state"] != "cancelled" {
		t.Errorf("the partner's job: %v", a)
	}
	entries := mongodb.OpenCollection[bson.M](f.Database(t, "order"), "audit", "entry")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		list, err := entries.Find(t.Context(), bson.D{}, nil, 0)
		if err == nil && len(list) == 1 && list[0]["subject"] == "order/"+helped && list[0]["operation"] == "order.cancel" {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("audit entries: %v, %v", list, err)
		}
	}
}

// TestSwap goes through a swap over HTTP and Kafka: one at a time, of an own order, done in one step.
func TestSwap(t *testing.T) {
	f := start(t)
	old := f.place(t, f.anna)
	body := f.request(t)
	body["swap_of"] = old
	f.ask(t, f.anna, "POST", orders, body, 409, "Idempotency-Key", "swap-early")
	f.accept(t, old)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+old+"/on-site", map[string]any{"container": "K 17"}, 200)
	f.ask(t, f.bert, "POST", orders, body, 422, "Idempotency-Key", "swap-bert1")
	first := fmt.Sprint(f.ask(t, f.anna, "POST", orders, body, 201, "Idempotency-Key", "swap-0001")["order_id"])
	f.ask(t, f.anna, "POST", orders, body, 409, "Idempotency-Key", "swap-0002")
	f.ask(t, f.anna, "POST", orders+"/"+first+"/cancel", map[string]any{"reason": "no longer needed"}, 200)
	second := fmt.Sprint(f.ask(t, f.anna, "POST", orders, body, 201, "Idempotency-Key", "swap-0002")["order_id"])
	f.accept(t, second)
	if a := f.ask(t, f.dispatcher, "GET", jobs+"/"+second, nil, 200); !cmp.Equal(a["swap"], any(map[string]any{"order_id": old, "container": "K 17"})) {
		t.Errorf("the job: %v", a)
	}
	f.ask(t, f.dispatcher, "POST", jobs+"/"+second+"/swapped", map[string]any{"container": "K 17"}, 422)
	all := mongodb.OpenCollection[bson.M](f.Database(t, "order"), "orders", "order")
	var before bson.M
	for deadline := time.Now().Add(time.Minute); before["swapped_by"] == nil; time.Sleep(20 * time.Millisecond) { // it has heard of the swap
		var err error
		if before, err = all.Get(t.Context(), old); err != nil || time.Now().After(deadline) {
			t.Fatal(before, err)
		}
	}
	for range 2 {
		f.ask(t, f.dispatcher, "POST", jobs+"/"+second+"/swapped", map[string]any{"container": "K 18"}, 200)
	}
	gone, there := f.await(t, f.anna, old, order.Collected), f.ask(t, f.anna, "GET", orders+"/"+second, nil, 200)
	last := func(a answer) any { h := a["history"].([]any); return h[len(h)-1].(map[string]any)["at"] }
	if there["state"] != "on_site" || there["swap_of"] != old || gone["swapped_by"] != second || last(gone) != last(there) {
		t.Errorf("the new order: %v\nthe old one: %v", there, gone)
	}
	f.ask(t, f.anna, "POST", orders, body, 409, "Idempotency-Key", "swap-0003")

	// A process died between the two documents: the event, which is in the document of the new order, brings the old one where it belongs.
	if err := all.Put(t.Context(), old, before); err != nil {
		t.Fatal(err)
	}
	f.ask(t, f.anna, "GET", orders+"/"+old, nil, 200)
	at, err := time.Parse(time.RFC3339, fmt.Sprint(last(there)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f.Publish(t, event.TopicOrder, second, event.OnSite{OrderID: second, PartnerID: "p-1", Container: "K 18", At: at, SwapOf: old, Swapped: true})
	}
	if a := f.await(t, f.anna, old, order.Collected); last(a) != last(there) || len(a["history"].([]any)) != len(gone["history"].([]any)) {
		t.Errorf("the old order: %v", a)
	}
	if a := f.ask(t, f.anna, "POST", orders, body, 201, "Idempotency-Key", "swap-0002"); a["order_id"] != second {
		t.Errorf("tried again after all is done: %v", a)
	}
}

func TestJobsAreListedByDate(t *testing.T) {
	f := start(t)
	a, b := f.place(t, f.anna), f.place(t, f.anna)
	f.accept(t, a)
	f.accept(t, b)
	first, _ := catalog.Window("50667", time.Now())
	tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+b+"/plan", map[string]any{"day": tomorrow, "driver_id": "d-1", "position": 2}, 200)
	for _, tc := range []struct {
		name  string
		who   *http.Client
		query string
		want  int
	}{
		{"all", f.dispatcher, "", 2},
		{"one", f.dispatcher, "?limit=1", 1},
		{"of the day", f.dispatcher, "?date=" + first.Format(time.DateOnly), 1},
		{"of the planned day", f.dispatcher, "?date=" + tomorrow, 1},
		{"of another day", f.dispatcher, "?date=2020-01-01", 0},
		{"in another state", f.dispatcher, "?state=on_site", 0},
		{"another partner's", f.other, "", 0},
		{"the driver's", f.driver, "", 1},
		{"the driver's of the day", f.driver, "?date=" + first.Format(time.DateOnly), 1},
		{"the driver's of an earlier day", f.driver, "?date=2020-01-01", 0},
		{"the driver's overdue ones", f.driver, "?date=" + first.AddDate(0, 0, 9).Format(time.DateOnly), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := f.listed(t, tc.who, tc.query); len(got) != tc.want {
				t.Errorf("%d jobs, want %d: %v", len(got), tc.want, got)
			}
		})
	}
	bad := f.ask(t, f.dispatcher, "GET", jobs+"?state=paid&date=today&limit=0", nil, 422)
	if n := len(bad["errors"].([]any)); n != 3 {
		t.Errorf("%d mistakes are named, want 3: %v", n, bad)
	}
}

// send is ask for a body that is no JSON.
func (f *fixture) send(t *testing.T, who *http.Client, method, path, contentType string, body []byte, status int) (http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.addr+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := who.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d, %v: %s", method, path, res.Status, status, err, got)
	}
	return res.Header, got
}

// noise is a picture with more bytes than a body of JSON may have.
func noise(t *testing.T) []byte {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, 400, 400))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = byte(random.Uint32())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil || b.Len() < 100_000 {
		t.Fatal(b.Len(), err)
	}
	return b.Bytes()
}

// TestPhotoIsShownBare: the photo keeps the name under which it was sent, and what is shown of it says nothing of the place.
func TestPhotoIsShownBare(t *testing.T) {
	f := start(t)
	id := f.place(t, f.anna)
	f.accept(t, id)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	plain := b.Bytes()
	sent := slices.Concat(plain[:2], []byte("\xff\xfe\x00\x0cGPS 50.94,"), plain[2:])
	path := func(root string) string { return fmt.Sprintf("%s/%s/documents/%x", root, id, sha256.Sum256(sent)) }
	for range 2 {
		f.send(t, f.dispatcher, "PUT", path(jobs)+"?kind=photo", "image/jpeg", sent, 200)
	}
	for root, who := range map[string]*http.Client{orders: f.anna, jobs: f.dispatcher} {
		if _, got := f.send(t, who, "GET", path(root), "", nil, 200); !bytes.Equal(got, plain) {
			t.Errorf("%s shows %q", root, got)
		}
	}
	if docs := f.ask(t, f.anna, "GET", orders+"/"+id, nil, 200)["documents"].([]any); len(docs) != 1 || docs[0].(map[string]any)["size"] != float64(len(plain)) {
		t.Errorf("documents: %v", docs)
	}
}

// TestProof: the customer gets what is kept of its orders, the same bytes each time, with what is missing named; and nothing of others.
func TestProof(t *testing.T) {
	f := start(t)
	id := f.place(t, f.anna)
	f.Publish(t, event.TopicDisposer, "p-1", event.PartnerChanged{PartnerID: "p-1", Version: 1, Name: "Hof", Street: "Weg 1", Postcode: "50667", City: "Köln"})
	f.accept(t, id)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+id+"/on-site", map[string]any{"container": "K 17"}, 200)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+id+"/collected", map[string]any{}, 200)
	f.ask(t, f.dispatcher, "POST", jobs+"/"+id+"/weighed", map[string]any{"gross_kg": 3200, "tare_kg": 1200, "slip": "W-1"}, 200)
	photo, slip := noise(t), []byte("%PDF-1.7 weighing slip")
	for kind, content := range map[string][]byte{"photo": photo, "slip": slip} {
		typ := map[string]string{"photo": "image/png", "slip": "application/pdf"}[kind]
		f.send(t, f.dispatcher, "PUT", fmt.Sprintf("%s/%s/documents/%x?kind=%s", jobs, id, sha256.Sum256(content), kind), typ, content, 200)
	}
	path := fmt.Sprintf("/api/order/v1/proof?year=%d", time.Now().Year())
	read := func(who *http.Client) (all []byte, files map[string]string) {
		t.Helper()
		_, all = f.send(t, who, "GET", path, "", nil, 200)
		z, err := zip.NewReader(bytes.NewReader(all), int64(len(all)))
		if err != nil {
			t.Fatal(err)
		}
		files = map[string]string{}
		for _, entry := range z.File {
			r, err := entry.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			files[entry.Name] = string(b)
		}
		return all, files
	}
	first, files := read(f.anna)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(files["register.csv"], "Hof"); first, files = read(f.anna) { // order has heard of the partner
		if time.Now().After(deadline) {
			t.Fatalf("register: %s", files["register.csv"])
		}
	}
	second, _ := read(f.anna)
	if !bytes.Equal(first, second) {
		t.Error("the proof has other bytes the second time")
	}
	folder := time.Now().In(zone(t)).Format(time.DateOnly) + "_" + id + "/"
	if len(files) != 4 || files[fmt.Sprintf("%sphoto-%.8s.png", folder, fmt.Sprintf("%x", sha256.Sum256(photo)))] != string(photo) ||
		files[fmt.Sprintf("%sslip-%.8s.pdf", folder, fmt.Sprintf("%x", sha256.Sum256(slip)))] == "" || !strings.Contains(files["register.csv"], "2,000;Hof;Weg 1, 50667 Köln;W-1;K 17;"+id) {
		t.Errorf("files %v, register %s", slices.Sorted(maps.Keys(files)), files["register.csv"])
	}
	if _, files := read(f.bert); len(files) != 2 || strings.Contains(files["register.csv"], id) {
		t.Errorf("another customer's proof: %v", slices.Sorted(maps.Keys(files)))
	}
	f.send(t, f.anna, "GET", "/api/order/v1/proof?year=1999&site=%2F", "", nil, 422)
}

func zone(t *testing.T) *time.Location {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return berlin
}

// TestDocuments: what the partner sends is there once, for customer, partner and back office, and as nothing but a file.
func TestDocuments(t *testing.T) {
	f := start(t)
	id := f.place(t, f.anna)
	f.accept(t, id)
	picture := noise(t)
	slip := []byte("%PDF-1.7 weighing slip")
	at := func(root string, content []byte) string {
		return fmt.Sprintf("%s/%s/documents/%x", root, id, sha256.Sum256(content))
	}
	photo := at(jobs, picture)
	f.send(t, f.other, "PUT", photo+"?kind=photo", "image/png", picture, 404)
	f.send(t, f.anna, "PUT", photo+"?kind=photo", "image/png", picture, 403)
	f.send(t, f.anna, "GET", at(orders, picture), "", nil, 404)
	for range 2 {
		f.send(t, f.dispatcher, "PUT", photo+"?kind=photo", "image/png", picture, 200)
	}
	f.send(t, f.dispatcher, "PUT", at(jobs, slip)+"?kind=slip", "application/pdf", slip, 200)
	for name, tc := range map[string]struct {
		path, typ string
		body      []byte
		status    int
	}{
		"no kind":               {at(jobs, slip), "application/pdf", slip, 422},
		"a photo as PDF":        {at(jobs, []byte("%PDF-1.7 x")) + "?kind=photo", "application/pdf", []byte("%PDF-1.7 x"), 422},
		"no type":               {at(jobs, []byte("x")) + "?kind=photo", "", []byte("x"), 422},
		"not what it says":      {at(jobs, []byte("<html>")) + "?kind=photo", "image/png", []byte("<html>"), 422},
		"another digest":        {at(jobs, []byte("y")) + "?kind=photo", "image/png", picture, 422},
		"no digest":             {jobs + "/" + id + "/documents/abc?kind=photo", "image/png", picture, 422},
		"the same as two kinds": {photo + "?kind=slip", "image/png", picture, 409},
		"a picture of Apple's":  {at(jobs, []byte("h")) + "?kind=photo", "image/heic", []byte("h"), 422},
		"no picture inside":     {at(jobs, []byte("\x89PNG\r\n\x1a\nx")) + "?kind=photo", "image/png", []byte("\x89PNG\r\n\x1a\nx"), 422},
		"too large":             {at(jobs, []byte("z")) + "?kind=photo", "image/png", make([]byte, 8<<20+1), 413},
	} {
		t.Run(name, func(t *testing.T) { f.send(t, f.dispatcher, "PUT", tc.path, tc.typ, tc.body, tc.status) })
	}
	f.send(t, f.other, "GET", photo, "", nil, 404)
	f.send(t, f.bert, "GET", at(orders, picture), "", nil, 404)
	for name, who := range map[string]*http.Client{at(orders, picture): f.anna, at(orders, picture) + "?": f.office, photo: f.dispatcher} {
		h, got := f.send(t, who, "GET", name, "", nil, 200)
		want := fmt.Sprintf(`attachment; filename="photo-%x.png"`, sha256.Sum256(picture))[:len(`attachment; filename="photo-`)+8] + `.png"`
		if !bytes.Equal(got, picture) || h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Disposition") != want || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d bytes with %v", name, len(got), h)
		}
	}
	var kinds []string
	for _, d := range f.ask(t, f.anna, "GET", orders+"/"+id, nil, 200)["documents"].([]any) {
		kinds = append(kinds, fmt.Sprint(d.(map[string]any)["kind"]))
	}
	if d := cmp.Diff([]string{"photo", "slip"}, kinds); d != "" {
		t.Errorf("the customer's documents (-want +got):\n%s", d)
	}
}
