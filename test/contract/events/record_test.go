package events_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/event"
	"kreislauf/test/embedded"
)

var (
	recordFrom = flag.String("record", "", "folder in which tests of a release left what their platforms wrote (setting "+embedded.RecordSetting+")")
	recordAs   = flag.String("release", "", "the commit of the release")
)

// TestRecord chooses what is kept of a release: as few events as show every member of every type, and what their consumers need.
func TestRecord(t *testing.T) {
	if *recordFrom == "" {
		t.Skip("make record-events RELEASE=<commit> records a release")
	}
	files, err := filepath.Glob(filepath.Join(*recordFrom, "*.json"))
	if err != nil || len(files) == 0 || *recordAs == "" {
		t.Fatalf("nothing to record for release %q in %s: %v", *recordAs, *recordFrom, err)
	}
	slices.Sort(files)
	var found []candidate
	r := release{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var of embedded.Recorded
		if err := json.Unmarshal(text, &of); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		r.Types = of.Types
		for _, rec := range of.Events {
			if c, ok := newCandidate(rec, &of); ok {
				found = append(found, c)
			}
		}
	}
	orders := map[string]bool{}
	for _, c := range choose(found) {
		r.Events = append(r.Events, c.RecordedEvent)
		doc, there := c.of.Orders[c.order]
		if !there || orders[c.order] {
			continue
		}
		orders[c.order] = true
		text, err := bson.MarshalExtJSON(bson.Raw(doc), true, false)
		if err != nil {
			t.Fatal(err)
		}
		r.Orders = append(r.Orders, text)
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", *recordAs+".json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, typ := range r.Types {
		if !slices.ContainsFunc(found, func(c candidate) bool { return c.typ == typ }) {
			t.Errorf("no test of the release makes an event of the type %s", typ)
		}
	}
}

// candidate is an event that a test's platform wrote.
type candidate struct {
	embedded.RecordedEvent
	of             *embedded.Recorded
	typ            string
	order, partner string // that it tells of
	members        []string
}

// newCandidate leaves out what a test sent itself: only the topic's producer writes as the release does.
func newCandidate(rec embedded.RecordedEvent, of *embedded.Recorded) (candidate, bool) {
	e, err := event.Parse(rec.Event)
	if err != nil || !strings.HasPrefix(rec.Topic, "kreislauf."+e.Source+".") {
		return candidate{}, false
	}
	var about struct {
		OrderID   string `json:"order_id"`
		PartnerID string `json:"partner_id"`
	}
	whole, err := parse(rec.Event)
	if err != nil || json.Unmarshal(e.Data, &about) != nil {
		return candidate{}, false
	}
	c := candidate{RecordedEvent: rec, of: of, typ: e.Type, order: about.OrderID, partner: about.PartnerID}
	c.members = membersOf(e.Type, whole)
	return c, true
}

// membersOf lists the paths of all members and what they are; the items of an array count as one.
func membersOf(at string, v any) (list []string) {
	list = append(list, at+" "+kindOf(v))
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			list = append(list, membersOf(at+"/"+name, member)...)
		}
	case []any:
		for _, item := range v {
			list = append(list, membersOf(at+"/*", item)...)
		}
	}
	return list
}

// choose takes the events with the most members first, and further ones only for what these do not have; with an event its partner's.
func choose(found []candidate) (chosen []candidate) {
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(len(b.members), len(a.members)))
	})
	seen, partners := map[string]bool{}, map[string]bool{}
	take := func(c candidate) {
		chosen = append(chosen, c)
		for _, m := range c.members {
			seen[m] = true
		}
	}
	for _, c := range found {
		if !slices.ContainsFunc(c.members, func(m string) bool { return !seen[m] }) {
			continue
		}
		take(c)
		if c.partner == "" || partners[c.partner] {
			continue
		}
		for _, p := range found {
			if p.Topic == event.TopicDisposer && p.of == c.of && p.partner == c.partner && !partners[c.partner] {
				partners[c.partner] = true
				take(p)
			}
		}
	}
	slices.SortStableFunc(chosen, func(a, b candidate) int { return cmp.Compare(a.typ, b.typ) })
	return slices.CompactFunc(chosen, func(a, b candidate) bool { return fmt.Sprintf("%s", a.Event) == fmt.Sprintf("%s", b.Event) })
}
