package disposer_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
	"kreislauf/services"
	"kreislauf/services/disposer"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const file = `[
 {"id":"p-koeln","name":"Rheinland Mulden KG","street":"Weg 1","postcode":"50735","city":"Köln","email":"office@rheinland.example","tax_id":"DE136695976",
  "radius_km":150,"waste_codes":["170904"],"auto_accept":true,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1","valid_until":"2999-12-31"}],"drivers":[{"id":"d-1","name":"Jonas Petersen"}],"vehicles":[{"plate":"K-RM 117","kind":"skip"}]},
 {"id":"p-bonn","name":"Bonn Container","street":"Weg 2","postcode":"53111","city":"Bonn","email":"office@bonn.example","tax_id":"DE123456788",
  "radius_km":50,"waste_codes":["170904"],"auto_accept":false,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-2"}],"drivers":[],"vehicles":[]}]`

// masterData writes the file.
func masterData(t *testing.T, text string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "partners.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"KREISLAUF_PARTNERS_FILE": path}
}

// once runs an instance until it serves, which is when the file is imported, and until its outboxes are empty.
func once(t *testing.T, b *embedded.Backends, instance string, extra map[string]string) {
	t.Helper()
	s, _ := services.Named("disposer")
	p, err := s.Open(t.Context(), b.Lookup(instance, extra))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// partners reads all of them as they are stored, by id.
func partners(t *testing.T, b *embedded.Backends) map[string]disposer.Partner {
	t.Helper()
	list, err := mongodb.OpenCollection[disposer.Partner](b.Database(t, "disposer"), "partners", "partner").Find(t.Context(), bson.D{}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]disposer.Partner{}
	for _, p := range list {
		m[p.ID] = p
	}
	return m
}

// versions are those of all partners.
func versions(t *testing.T, b *embedded.Backends) map[string]int64 {
	t.Helper()
	m := map[string]int64{}
	for id, p := range partners(t, b) {
		m[id] = p.Version
	}
	return m
}

// reader reads what is told of partners, as another service does.
func reader(t *testing.T, b *embedded.Backends) <-chan event.PartnerChanged {
	t.Helper()
	told := make(chan event.PartnerChanged, 100)
	s := services.Service{Name: "payment", Needs: process.Needs{MongoDB: true, Kafka: true}, Wire: func(p *process.Process) error {
		p.Consume(func(_ context.Context, _ event.Event, payload event.Payload) error {
			if c, ok := payload.(event.PartnerChanged); ok {
				told <- c
			}
			return nil
		})
		return nil
	}}
	p, err := s.Open(t.Context(), b.Lookup("payment-1", nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return told
}

// await waits until a partner is told of as wanted.
func await(t *testing.T, told <-chan event.PartnerChanged, what string, as func(event.PartnerChanged) bool) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case c := <-told:
			if as(c) {
				return
			}
		case <-deadline:
			t.Fatalf("nothing is told of %s", what)
		}
	}
}

// TestImport: the file comes in once, whoever imports it how often and at the same time, and a change of it once more.
func TestImport(t *testing.T) {
	b := embedded.Start(t)
	told := reader(t, b)
	extra := masterData(t, file)
	var wg sync.WaitGroup
	for _, instance := range []string{"disposer-1", "disposer-2", "disposer-3"} {
		wg.Go(func() { once(t, b, instance, extra) })
	}
	wg.Wait()
	once(t, b, "disposer-1", extra)
	if diff := cmp.Diff(map[string]int64{"p-koeln": 1, "p-bonn": 1}, versions(t, b)); diff != "" {
		t.Fatalf("versions after four imports (-want +got):\n%s", diff)
	}
	once(t, b, "disposer-1", masterData(t, strings.Replace(file, `"radius_km":50`, `"radius_km":60`, 1)))
	if diff := cmp.Diff(map[string]int64{"p-koeln": 1, "p-bonn": 2}, versions(t, b)); diff != "" {
		t.Errorf("versions after another file (-want +got):\n%s", diff)
	}
	await(t, told, "the change", func(c event.PartnerChanged) bool {
		return c.PartnerID == "p-bonn" && c.Version == 2 && c.RadiusKm == 60
	})
}

func TestFilesThatAreRefused(t *testing.T) {
	b := embedded.Start(t)
	s, _ := services.Named("disposer")
	for want, text := range map[string]string{
		`partner 2, "p-koeln": invalid`: strings.Replace(file, "p-bonn", "p-koeln", 1),
		"/tax_id":                       strings.Replace(file, "DE123456788", "DE123456789", 1),
		`unknown field "radius"`:        strings.Replace(file, "radius_km", "radius", 1),
		"a short name of a to z":        strings.Replace(file, "p-bonn", "Bonn", 1),
		"unexpected EOF":                file[:100],
	} {
		p, err := s.Open(t.Context(), b.Lookup("disposer-1", masterData(t, text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Config.Err(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "KREISLAUF_PARTNERS_FILE") {
			t.Errorf("%v, want %q", err, want)
		}
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestPermitEnds shifts the day: the partner is active until its notice ends, and no longer.
func TestPermitEnds(t *testing.T) {
	b := embedded.Start(t)
	told := reader(t, b)
	clock := filepath.Join(t.TempDir(), "clock")
	shift := func(by string) {
		t.Helper()
		if err := os.WriteFile(clock, []byte(by), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shift("0s")
	extra := masterData(t, strings.Replace(file, "2999-12-31", time.Now().AddDate(0, 0, 2).Format(time.DateOnly), 1))
	extra["KREISLAUF_CLOCK_FILE"] = clock
	b.Run(t, "disposer-1", extra)
	await(t, told, "p-koeln", func(c event.PartnerChanged) bool { return c.PartnerID == "p-koeln" && c.Version == 1 && c.Active })
	shift("96h")
	await(t, told, "the end of its notice", func(c event.PartnerChanged) bool { return c.PartnerID == "p-koeln" && c.Version == 2 && !c.Active })
	if p := partners(t, b)["p-koeln"]; p.DueAt != nil {
		t.Errorf("work is planned for an inactive partner: %v", p.DueAt)
	}
}

// asked is an answer to a person.
type asked struct {
	status int
	header http.Header
	body   string
}

// ask sends a request with headers as pairs of name and value.
func ask(t *testing.T, who *http.Client, method, url, body string, headers ...string) asked {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := who.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return asked{res.StatusCode, res.Header, string(text)}
}

// TestPeopleChangePartners plays the back office, a dispatcher and a driver.
func TestPeopleChangePartners(t *testing.T) {
	b := embedded.Start(t)
	extra := masterData(t, file)
	api := "http://" + b.Run(t, "disposer-1", extra) + "/api/disposer/v1/"
	office := b.SignedIn(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
	dispatcher := b.SignedIn(t, session.Session{UserID: "u-disp", Role: "partner", PartnerID: "p-koeln"})
	driver := b.SignedIn(t, session.Session{UserID: "u-driver", Role: string(authz.Driver), PartnerID: "p-koeln", DriverID: "d-1"})
	former := b.SignedIn(t, session.Session{UserID: "u-former", Role: string(authz.Driver), PartnerID: "p-koeln", DriverID: "d-9"})
	want := func(name string, got asked, status int, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(got.body, text) {
				t.Errorf("%s: %s does not say %s", name, got.body, text)
			}
		}
		if got.status != status {
			t.Fatalf("%s: %d %s, want %d", name, got.status, got.body, status)
		}
	}

	got := ask(t, office, "GET", api+"partners", "")
	want("list", got, 200, `"partner_id":"p-bonn"`, `"partner_id":"p-koeln"`)
	got = ask(t, dispatcher, "GET", api+"profile", "")
	want("own profile", got, 200, `"partner_id":"p-koeln"`, `"trip_cents":7800`)
	if tag := got.header.Get("ETag"); tag != `"1"` {
		t.Errorf("ETag %s", tag)
	}
	got = ask(t, driver, "GET", api+"profile", "")
	want("driver's profile", got, 200, `"driver":{"id":"d-1","name":"Jonas Petersen"}`)
	if strings.Contains(got.body, "cents") || strings.Contains(got.body, "tax_id") {
		t.Errorf("a driver sees %s", got.body)
	}
	want("former driver", ask(t, former, "GET", api+"profile", ""), 404, "ask its dispatcher")
	want("driver changes", ask(t, driver, "PUT", api+"profile", "{}", "If-Match", `"1"`), 403)

	const profile = `{"email":"new@rheinland.example","radius_km":20,"auto_accept":false,"drivers":[{"id":"d-1","name":"Jonas Petersen"}],"vehicles":[]}`
	want("no version", ask(t, dispatcher, "PUT", api+"profile", profile), 400, "If-Match")
	want("money", ask(t, dispatcher, "PUT", api+"profile", `{"rates":{}}`, "If-Match", `"1"`), 400, "unknown member")
	want("faults", ask(t, dispatcher, "PUT", api+"profile", `{"email":"x"}`, "If-Match", `"1"`), 422, `"/email"`, `"/radius_km"`)
	for _, tag := range []string{`"1"`, `W/"1"`} { // again: the same
		got = ask(t, dispatcher, "PUT", api+"profile", profile, "If-Match", tag)
		want("profile", got, 200, `"version":2`, `"radius_km":20`, `"trip_cents":7800`)
	}

	partner := func(id, member string, value any) string {
		t.Helper()
		var in struct {
			Partner map[string]any `json:"partner"`
			Reason  string         `json:"reason"`
		}
		if err := json.Unmarshal([]byte(ask(t, office, "GET", api+"partners/"+id, "").body), &in.Partner); err != nil {
			t.Fatal(err)
		}
		delete(in.Partner, "partner_id")
		delete(in.Partner, "version")
		in.Partner[member], in.Reason = value, "contract of November"
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	dearer := partner("p-koeln", "rates", map[string]any{"trip_cents": 8000, "per_m3_cents": map[string]int{"170904": 4300}, "per_tonne_over_cents": 600})
	want("overwritten blindly", ask(t, office, "PUT", api+"partners/p-koeln", dearer, "If-Match", `"1"`), 409, "it has version 2 now")
	want("changed", ask(t, office, "PUT", api+"partners/p-koeln", dearer, "If-Match", `"2"`), 200, `"version":3`, `"trip_cents":8000`)
	want("changed again", ask(t, office, "PUT", api+"partners/p-koeln", dearer, "If-Match", `"2"`), 200, `"version":3`)
	want("no reason", ask(t, office, "PUT", api+"partners/p-koeln", strings.Replace(dearer, "contract of November", "", 1), "If-Match", `"3"`), 422, `"/reason"`)
	want("unknown", ask(t, office, "PUT", api+"partners/p-new", dearer, "If-Match", `"3"`), 404)
	want("created", ask(t, office, "PUT", api+"partners/p-new", dearer, "If-None-Match", "*"), 201, `"version":1`, `"partner_id":"p-new"`)
	want("created again", ask(t, office, "PUT", api+"partners/p-new", dearer, "If-None-Match", "*"), 200, `"version":1`)
	want("taken", ask(t, office, "PUT", api+"partners/p-bonn", dearer, "If-None-Match", "*"), 409, "There is a partner p-bonn already")
	want("ended", ask(t, office, "PUT", api+"partners/p-bonn", partner("p-bonn", "certificates", []any{}), "If-Match", `"1"`), 422, `"/partner/active"`)

	// What people have changed outlives another import of the same file.
	once(t, b, "disposer-2", extra)
	if diff := cmp.Diff(map[string]int64{"p-koeln": 3, "p-bonn": 1, "p-new": 1}, versions(t, b)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	entries := mongodb.OpenCollection[audit.Entry](b.Database(t, "disposer"), "audit", "entry")
	var lines []string
	for deadline := time.Now().Add(time.Minute); len(lines) < 3; time.Sleep(20 * time.Millisecond) {
		list, err := entries.Find(t.Context(), bson.D{}, bson.D{{Key: "at", Value: 1}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		lines = nil
		for _, e := range list {
			lines = append(lines, strings.Join([]string{e.Actor.UserID, e.Operation, e.Subject, strings.Join(e.Change.Fields, " "), e.Reason}, "|"))
		}
		if time.Now().After(deadline) {
			t.Fatalf("audit entries: %v", lines)
		}
	}
	slices.Sort(lines)
	if diff := cmp.Diff([]string{
		"u-disp|partner.profile|partner/p-koeln|/auto_accept /email /radius_km /vehicles|",
		"u-office|partner.change|partner/p-koeln|/rates/per_m3_cents/170904 /rates/trip_cents|contract of November",
		"u-office|partner.create|partner/p-new|" + fieldsOfAll + "|contract of November",
	}, lines); diff != "" {
		t.Errorf("audit entries (-want +got):\n%s", diff)
	}
}

// fieldsOfAll are the members of a new partner.
const fieldsOfAll = "/active /auto_accept /certificates /city /drivers /email /name /postcode /radius_km /rates/per_m3_cents/170904 " +
	"/rates/per_tonne_over_cents /rates/trip_cents /street /tax_id /vehicles /waste_codes"
