package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/session"
	"kreislauf/services"
	"kreislauf/test/embedded"
)

// release is what one release wrote.
type release struct {
	Types  []string                 `json:"types"` // all that it could write
	Events []embedded.RecordedEvent `json:"events"`
	Orders []json.RawMessage        `json:"orders"` // the documents, as extended JSON
}

// releases reads testdata: commit -> what it wrote.
func releases(t *testing.T) map[string]release {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no release was recorded: %v", err)
	}
	all := map[string]release{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r release
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = r
	}
	return all
}

// TestEventsOfReleases: today's structs read each recorded event, keep all that it says, and still write each of its members.
func TestEventsOfReleases(t *testing.T) {
	payloads := map[string]event.Payload{} // by topic and type
	for _, topic := range event.Topics() {
		for _, p := range topic.Payloads {
			payloads[topic.Name+" "+p.Type()] = p
		}
	}
	for commit, r := range releases(t) {
		seen := map[string]bool{}
		for _, rec := range r.Events {
			e, err := event.Parse(rec.Event)
			if err != nil {
				t.Errorf("%s: %v", commit, err)
				continue
			}
			seen[e.Type] = true
			payload, known := payloads[rec.Topic+" "+e.Type]
			if !known {
				t.Errorf("%s wrote %s to %s; the table of topics no longer has it there", commit, e.Type, rec.Topic)
				continue
			}
			if _, err := event.Open(e); err != nil {
				t.Errorf("%s: %v", commit, err)
			}
			for _, b := range append(breaks(rec.Event, reflect.TypeFor[event.Event]()), breaks(e.Data, reflect.TypeOf(payload))...) {
				t.Errorf("%s of %s: %s. Members are only added; a change that breaks readers is a new version of the topic", e.Type, commit, b)
			}
		}
		for _, typ := range r.Types {
			if !seen[typ] {
				t.Errorf("%s: no event of the type %s was recorded", commit, typ)
			}
		}
	}
}

// TestConsumersHandleEventsOfReleases: each service that consumes is told what the releases wrote, and makes no dead letter of it.
func TestConsumersHandleEventsOfReleases(t *testing.T) {
	for commit, r := range releases(t) {
		for _, s := range services.All() {
			topics := event.ConsumedBy(s.Name)
			if len(topics) == 0 {
				continue
			}
			t.Run(commit+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				b := embedded.Start(t)
				if s.Name == "order" {
					storeOrders(t, b, r)
				}
				addr := b.Run(t, s.Name+"-1", nil)
				sent := tell(t, b, r, topics)
				awaitHandled(t, b, s.Name, sent)
				if s.Name == "order" {
					readOrders(t, b, r, addr)
				}
			})
		}
	}
}

// tell publishes the events of some topics: partners first, because some services cannot act on an order before they know its partner.
func tell(t *testing.T, b *embedded.Backends, r release, topics []string) (sent int) {
	t.Helper()
	for _, partners := range []bool{true, false} {
		for _, rec := range r.Events {
			if !slices.Contains(topics, rec.Topic) || partners != (rec.Topic == event.TopicDisposer) {
				continue
			}
			e, err := event.Parse(rec.Event)
			if err != nil {
				t.Fatal(err)
			}
			b.Send(t, rec.Topic, e)
			sent++
		}
	}
	if sent == 0 {
		t.Fatal("nothing was recorded of these topics")
	}
	return sent
}

// awaitHandled waits until a service has handled all that it was told, and none of it became a dead letter.
func awaitHandled(t *testing.T, b *embedded.Backends, service string, sent int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(b.LogFile(service, service+"-1"))
		if err != nil {
			t.Fatal(err)
		}
		handled, last := 0, ""
		for line := range strings.Lines(string(text)) {
			switch {
			case strings.Contains(line, `"event.action":"event.dead-lettered"`):
				t.Fatalf("%s could not handle an event: %s", service, line)
			case !strings.Contains(line, `"event.action":"event.consumed"`):
			case strings.Contains(line, `"try":`):
				last = line
			default:
				handled++
			}
		}
		if handled == sent {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s handled %d of %d events; the last that it tried again: %s", service, handled, sent, last)
		}
	}
}

// storeOrders puts the release's orders into the database: no event makes one, and a consumer of order needs it.
func storeOrders(t *testing.T, b *embedded.Backends, r release) {
	t.Helper()
	orders := mongodb.OpenCollection[bson.D](b.Database(t, "order"), "orders", "order")
	for _, text := range r.Orders {
		var doc bson.D
		if err := bson.UnmarshalExtJSON(text, true, &doc); err != nil {
			t.Fatal(err)
		}
		if _, err := orders.Insert(context.Background(), doc); err != nil {
			t.Fatal(err)
		}
	}
}

// readOrders asks today's service for the release's orders, as their customers.
func readOrders(t *testing.T, b *embedded.Backends, r release, addr string) {
	t.Helper()
	for _, text := range r.Orders {
		var doc struct {
			ID   string `bson:"_id"`
			User string `bson:"user_id"`
		}
		if err := bson.UnmarshalExtJSON(text, true, &doc); err != nil {
			t.Fatal(err)
		}
		res, err := b.SignedIn(t, session.Session{UserID: doc.User, Role: string(authz.Customer)}).Get("http://" + addr + "/api/order/v1/orders/" + doc.ID)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("the order %s of the release: %s", doc.ID, res.Status)
		}
	}
}

// TestBreakingChangesAreFound plants changes into a payload and holds each against a recorded event.
func TestBreakingChangesAreFound(t *testing.T) {
	placed := reflect.TypeFor[event.Placed]()
	changed := func(t reflect.Type, name string, change func(*reflect.StructField)) reflect.Type {
		var fields []reflect.StructField
		for f := range slices.Values(reflect.VisibleFields(t)) {
			if f.Name == name {
				change(&f)
			}
			if f.Name != "" {
				fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
			}
		}
		return reflect.StructOf(fields)
	}
	tag := func(s string) func(*reflect.StructField) {
		return func(f *reflect.StructField) { f.Tag = reflect.StructTag(`json:"` + s + `"`) }
	}
	typ := func(t reflect.Type) func(*reflect.StructField) {
		return func(f *reflect.StructField) { f.Type = t }
	}
	inside := func(of reflect.Type, name string, change func(*reflect.StructField)) func(*reflect.StructField) {
		return typ(changed(of, name, change))
	}
	added := append(slices.Collect(func(yield func(reflect.StructField) bool) {
		for f := range slices.Values(reflect.VisibleFields(placed)) {
			if !yield(f) {
				return
			}
		}
	}), reflect.StructField{Name: "Access", Type: reflect.TypeFor[string](), Tag: `json:"access"`})
	slices.Reverse(added)
	for _, c := range []struct {
		name string
		now  reflect.Type
		want string // part of what is found; empty: it breaks nobody
	}{
		{"nothing", placed, ""},
		{"a member more, in another order", reflect.StructOf(added), ""},
		{"a member less", changed(placed, "Date", func(f *reflect.StructField) { f.Name = "" }), "/date is no longer written"},
		{"a member of another name", changed(placed, "Waste", tag("waste")), "/waste_code is no longer written"},
		{"a number as text", changed(placed, "SizeM3", typ(reflect.TypeFor[string]())), "/size_m3 was of the type integer and is string"},
		{"text as a number", changed(placed, "Postcode", typ(reflect.TypeFor[int]())), "/postcode was of the type string and is integer"},
		{"an integer with a fraction", changed(placed, "SizeM3", typ(reflect.TypeFor[float64]())), "/size_m3 was of the type integer and is number"},
		{"one as many", changed(placed, "Postcode", typ(reflect.TypeFor[[]string]())), "/postcode was of the type string and is array"},
		{"an object as text", changed(placed, "Address", typ(reflect.TypeFor[string]())), "/address was of the type object and is string"},
		{"a member that is left out when it is empty", changed(placed, "PublicGround", tag("public_ground,omitempty")), "/public_ground is lost"},
		{"a member of a member of another name", changed(placed, "Address", inside(reflect.TypeFor[event.Address](), "Street", tag("road"))), "/address/street is no longer written"},
		{"a member of a member of another type", changed(placed, "Price", inside(reflect.TypeFor[money.Price](), "GrossCents", typ(reflect.TypeFor[string]()))), "/price/gross_cents was of"},
		{"a member that nobody keeps", changed(placed, "UserID", tag("-")), "/user_id is lost"},
	} {
		for commit, r := range releases(t) {
			found := 0
			for _, rec := range r.Events {
				e, err := event.Parse(rec.Event)
				if err != nil || e.Type != (event.Placed{}).Type() {
					continue
				}
				found++
				switch got := strings.Join(breaks(e.Data, c.now), "; "); {
				case c.want == "" && got != "":
					t.Errorf("%s against %s: it breaks nobody, but %s", c.name, commit, got)
				case !strings.Contains(got, c.want):
					t.Errorf("%s against %s: found %q, want %q", c.name, commit, got, c.want)
				}
			}
			if found == 0 {
				t.Errorf("%s: no order.placed was recorded", commit)
			}
		}
	}
	for _, c := range []string{"ID", "Type", "Subject", "Time", "Data", "Customer"} {
		now := changed(reflect.TypeFor[event.Event](), c, tag("another"))
		for commit, r := range releases(t) {
			if len(breaks(r.Events[0].Event, now)) == 0 {
				t.Errorf("an envelope with another name for %s breaks nothing of %s", c, commit)
			}
		}
	}
	if got := fmt.Sprint(shapeOf(reflect.TypeFor[map[string]money.Cents]())); !strings.Contains(got, "*:{integer") {
		t.Errorf("a map of numbers has the shape %s", got)
	}
}
