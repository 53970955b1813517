package rebuild_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/broker/offsets"
	"kreislauf/internal/event"
	"kreislauf/internal/local/rebuild"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/process"
	"kreislauf/services"
	"kreislauf/test/embedded"
)

// TestTableIsTrue: a projection follows from events that its service consumes.
func TestTableIsTrue(t *testing.T) {
	for _, p := range services.Projections() {
		if _, known := services.Named(p.Service); !known || len(p.Topics()) == 0 || p.Lines != (p.From == nil) {
			t.Errorf("%+v: there is no such service, or it does not consume these events", p)
		}
	}
	if _, err := rebuild.Run(t.Context(), nil, services.Projection{Service: "pricing", Name: "none", From: []event.Payload{event.Paid{}}}, false); err == nil {
		t.Error("a projection of what a service does not consume was rebuilt")
	}
}

// TestEveryProjectionIsListed reads which collections without events of their own services open: each follows from others' events, or says why not.
func TestEveryProjectionIsListed(t *testing.T) {
	own := []string{"mailing suppressed"} // what mail servers said, and people
	files, err := filepath.Glob("../../../services/*/service.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`process\.Collection\[[^\]]*\]\(p, "([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			found++
			service := filepath.Base(filepath.Dir(file))
			listed := slices.ContainsFunc(services.Projections(), func(p services.Projection) bool { return p.Service == service && p.Name == m[1] })
			if !listed && !slices.Contains(own, service+" "+m[1]) {
				t.Errorf("the collection %s of %s is no projection: add it to services.Projections, so that it can be rebuilt, or to this test", m[1], service)
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d collections were found: the reading is broken", found)
	}
}

// TestRebuild: each projection is emptied while its service runs, and is rebuilt as it was; a wrong document is made right; what no event
// tells of any longer stays; a dry run changes nothing.
func TestRebuild(t *testing.T) {
	for _, p := range services.Projections() {
		t.Run(p.Service+"/"+p.Name, func(t *testing.T) {
			t.Parallel()
			b := embedded.Start(t)
			b.Run(t, p.Service+"-1", nil)
			publish(t, b)
			if p.Lines {
				rebuildLines(t, b, p)
				return
			}
			c := mongodb.OpenCollection[bson.M](b.Database(t, p.Service), p.Name, p.Name)
			await(t, "the projection", func() bool { return len(all(t, c)) == 2*len(p.From) })
			await(t, "the newest events", func() bool { return handled(t, b, p.Service) == expected(p.Service) })
			gone := bson.M{"_id": "x-gone", "version": int64(1), "note": "of an event that the topic no longer has"}
			if _, err := c.Insert(t.Context(), gone); err != nil {
				t.Fatal(err)
			}
			before := all(t, c)
			ids := slices.DeleteFunc(sorted(before), func(id string) bool { return id == "x-gone" })
			if err := c.Delete(t.Context(), ids[0]); err != nil {
				t.Fatal(err)
			}
			if err := c.Put(t.Context(), ids[1], bson.M{"_id": ids[1], "version": int64(99), "known": int64(99), "wrong": true}); err != nil {
				t.Fatal(err)
			}
			spoilt := all(t, c)
			lookup := b.Lookup(p.Service+"-rebuild", nil)
			r := run(t, lookup, p, true)
			if diff := cmp.Diff(spoilt, all(t, c)); diff != "" || r.Rebuilt != 2*len(p.From) || r.Kept != 1 {
				t.Errorf("a dry run says %+v and changed (-before +after):\n%s", r, diff)
			}
			if r := run(t, lookup, p, false); r.Rebuilt != 2*len(p.From) || r.Kept != 1 || len(r.Cut) != 0 {
				t.Errorf("it says %+v; want two documents rebuilt of each type of event, 1 kept, and no topic cut", r)
			}
			if diff := cmp.Diff(before, all(t, c)); diff != "" {
				t.Errorf("projection (-before +rebuilt):\n%s", diff)
			}
		})
	}
}

// TestNothingIsLost: when a topic has lost its events, what follows from them stays, and the report says so.
func TestNothingIsLost(t *testing.T) {
	b := embedded.Start(t)
	b.Run(t, "pricing-1", nil)
	publish(t, b)
	c := mongodb.OpenCollection[bson.M](b.Database(t, "pricing"), "sales", "sales")
	await(t, "the projection", func() bool { return len(all(t, c)) == 2 })
	before := all(t, c)
	k, err := kgo.NewClient(kgo.SeedBrokers(b.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	_, ends, err := offsets.Of(t.Context(), k, event.TopicOrder)
	if err != nil {
		t.Fatal(err)
	}
	req, topic := kmsg.NewPtrDeleteRecordsRequest(), kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = event.TopicOrder
	for partition, end := range ends {
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = partition, end
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	if _, err := req.RequestWith(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	p := services.Projection{Service: "pricing", Name: "sales", From: []event.Payload{event.Placed{}}}
	if r := run(t, b.Lookup("pricing-rebuild", nil), p, false); r.Rebuilt != 0 || r.Kept != 2 || !slices.Equal(r.Cut, []string{event.TopicOrder}) {
		t.Errorf("it says %+v; want 2 documents kept, because %s lost their events", r, event.TopicOrder)
	}
	if diff := cmp.Diff(before, all(t, c)); diff != "" {
		t.Errorf("projection (-before +after):\n%s", diff)
	}
}

// publish tells twice of two partners, and of two people, two companies, two sites, two orders and a full day of each partner.
func publish(t *testing.T, b *embedded.Backends) {
	t.Helper()
	for _, id := range []string{"1", "2"} {
		partner := event.PartnerChanged{PartnerID: "p-" + id, Version: 1, Name: "Hof " + id, Postcode: "50667", RadiusKm: 10, Wastes: []string{"170904"}, Active: true}
		newer := partner
		newer.Version, newer.Name = 2, "Neuer Hof "+id
		b.Publish(t, event.TopicDisposer, "p-"+id, partner, newer)
		b.Publish(t, event.TopicIdentity, "u-"+id, event.SignedUp{UserID: "u-" + id, Role: "customer", Name: "Person", Email: id + "@example.org"})
		b.Publish(t, event.TopicIdentity, "c-"+id, event.CompanyChanged{CompanyID: "c-" + id, Version: 1, Name: "Firma " + id})
		b.Publish(t, event.TopicCustomer, "s-"+id, event.SiteChanged{SiteID: "s-" + id, Version: 1, UserID: "u-" + id, Name: "Neubau", Active: true})
		b.Publish(t, event.TopicOrder, "o-"+id, event.Placed{OrderID: "o-" + id, UserID: "u-" + id, Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-12-01"})
		day := event.CapacityChanged{PartnerID: "p-" + id, SizeM3: 7, Date: "2026-12-01", Full: true, Version: 2}
		b.Publish(t, event.TopicOrder, day.PartnerID+"/7/"+day.Date, day)
	}
}

// expected is how many of the events a service is told.
func expected(service string) int {
	n := 0
	for _, topic := range event.ConsumedBy(service) {
		n += map[string]int{event.TopicDisposer: 4, event.TopicIdentity: 4, event.TopicCustomer: 2, event.TopicOrder: 4}[topic]
	}
	return n
}

// handled counts what the service's instance has handled.
func handled(t *testing.T, b *embedded.Backends, service string) int {
	t.Helper()
	text, err := os.ReadFile(b.LogFile(service, service+"-1"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"event.action":"event.consumed"`) && !strings.Contains(line, `"try":`) {
			n++
		}
	}
	return n
}

func run(t *testing.T, lookup process.Lookup, p services.Projection, dry bool) rebuild.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := rebuild.Run(ctx, lookup, p, dry)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all reads a collection, by id.
func all(t *testing.T, c mongodb.Collection[bson.M]) map[string]bson.M {
	t.Helper()
	m := map[string]bson.M{}
	if err := c.Each(t.Context(), func(d bson.M) error { m[d["_id"].(string)] = d; return nil }); err != nil {
		t.Fatal(err)
	}
	return m
}

func sorted(m map[string]bson.M) []string {
	var ids []string
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// rebuildLines: the lines that are written again are those of the same events, so the search shows each once.
func rebuildLines(t *testing.T, b *embedded.Backends, p services.Projection) {
	t.Helper()
	events := func(instance string) []string {
		text, err := os.ReadFile(b.LogFile(p.Service, instance))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for line := range strings.Lines(string(text)) {
			var l struct {
				Stream string `json:"data_stream.type"`
				Event  string `json:"event.id"`
				At     string `json:"@timestamp"`
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Stream == "events" {
				ids = append(ids, l.At+" "+l.Event)
			}
		}
		slices.Sort(ids)
		return ids
	}
	await(t, "the lines", func() bool { return len(events(p.Service+"-1")) == expected(p.Service) })
	if r := run(t, b.Lookup(p.Service+"-rebuild", nil), p, false); r.Events != expected(p.Service) {
		t.Errorf("it says %+v, want %d events", r, expected(p.Service))
	}
	if diff := cmp.Diff(events(p.Service+"-1"), events(p.Service+"-rebuild")); diff != "" {
		t.Errorf("events with a line (-before +rebuilt):\n%s", diff)
	}
	if _, err := rebuild.Run(t.Context(), b.Lookup(p.Service+"-rebuild", map[string]string{"KREISLAUF_LOG_DIR": ""}), p, false); err == nil {
		t.Error("lines were written where nobody ships them")
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", what)
		}
	}
}
