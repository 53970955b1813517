package event

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/money"
)

func TestTableIsConsistent(t *testing.T) {
	topicOf := map[string]string{}
	name := regexp.MustCompile(`^kreislauf\.[a-z-]+(\.[a-z-]+)?\.v[0-9]+$`)
	for _, topic := range Topics() {
		if !name.MatchString(topic.Name) {
			t.Errorf("topic name %q", topic.Name)
		}
		if k := topic.Keep; k.Partitions < 1 || k.Segment < 1<<20 || !k.Compact && (k.Bytes < k.Segment || k.Age < 24*time.Hour) {
			t.Errorf("%s is kept as %+v", topic.Name, k)
		}
		if topic.Name == TopicDeadLetter {
			continue
		}
		if !strings.HasPrefix(topic.Name, "kreislauf."+topic.Producer+".") {
			t.Errorf("%s is written by %q", topic.Name, topic.Producer)
		}
		if len(topic.Consumers) == 0 {
			t.Errorf("%s is read by nobody", topic.Name)
		}
		for _, c := range topic.Consumers {
			if !slices.Contains(ConsumedBy(c), topic.Name) {
				t.Errorf("ConsumedBy(%q) lacks %s", c, topic.Name)
			}
		}
		for _, payload := range topic.Payloads {
			typ := payload.Type()
			if before, ok := topicOf[typ]; ok {
				t.Errorf("%s is in %s and in %s", typ, before, topic.Name)
			}
			topicOf[typ] = topic.Name
			if !strings.HasPrefix(typ, topic.Producer+".") {
				t.Errorf("%s is written by %s", typ, topic.Producer)
			}
		}
	}
	for typ := range payloadTypes(t) {
		if _, ok := topicOf[typ]; !ok {
			t.Errorf("event type %s is in no topic: add its payload to a row of Topics", typ)
		}
	}
	if got := ConsumedBy("nobody"); got != nil {
		t.Errorf("nobody reads %v", got)
	}
}

// TestTopicsAreDocumented holds the table of topics in docs/architecture.md against this one.
func TestTopicsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(kreislauf\\.[a-z.-]+\\.v[0-9]+)` \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = m[2]
	}
	for _, topic := range Topics() {
		var types []string
		for _, p := range topic.Payloads {
			types = append(types, "`"+p.Type()+"`")
		}
		row, there := documented[topic.Name]
		if want := strings.Join(types, ", "); !there || want != "" && row != want {
			t.Errorf("docs/architecture.md says that %s has %q; it has %q", topic.Name, row, want)
		}
	}
	if len(documented) != len(Topics()) {
		t.Errorf("docs/architecture.md has %d topics, and there are %d", len(documented), len(Topics()))
	}
}

func TestNewParseDecode(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 30, 0, 123e6, time.FixedZone("CET", 3600))
	data := Placed{OrderID: "o-1", Waste: "170904", SizeM3: 7, Price: money.FromNet(100), PublicGround: true}
	e, err := New(Meta{Source: "order", Subject: "o-1", Customer: "kreislauf", VisitID: "v", Traceparent: "tp", At: at}, data)
	if err != nil {
		t.Fatal(err)
	}
	if e.Time.Location() != time.UTC || !e.Time.Equal(at) || e.SpecVersion != "1.0" || e.DataSchema != "v1" {
		t.Errorf("envelope %+v", e)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, back); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
	got, err := Decode[Placed](back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(data, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	opened, err := Open(back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Payload(data), opened); diff != "" {
		t.Errorf("opened payload (-want +got):\n%s", diff)
	}
	if _, err := Decode[Matched](back); err == nil || !strings.Contains(err.Error(), e.ID) {
		t.Errorf("decoding as another type: %v", err)
	}
	back.Data = []byte(`{"size_m3":"seven"}`)
	if _, err := Decode[Placed](back); err == nil || !strings.Contains(err.Error(), e.ID) {
		t.Errorf("decoding another shape: %v", err)
	}
	if _, err := Open(back); err == nil || !strings.Contains(err.Error(), e.ID) {
		t.Errorf("opening another shape: %v", err)
	}
	if p, err := Open(Event{Type: "order.of-a-later-version"}); p != nil || err != nil {
		t.Errorf("an unknown type opens as %v, %v", p, err)
	}
	if _, err := New(Meta{}, unwritable{}); err == nil {
		t.Error("a function was encoded")
	}
}

// unwritable is a payload that JSON cannot hold.
type unwritable struct{ F func() }

func (unwritable) Type() string { return "x" }

// payloadTypes reads payload.go: the names of the event types, by the structs that have a method Type.
func payloadTypes(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("payload.go")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^func \((\w+)\) Type\(\) string +{ return "([^"]+)" }`).FindAllStringSubmatch(string(text), -1) {
		types[m[2]] = m[1]
	}
	for _, m := range regexp.MustCompile(`(?m)^type (\w+) struct`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(slices.Collect(maps.Values(types)), m[1]) {
			t.Errorf("payload %s has no type of event: write func (%s) Type() string at the end of payload.go", m[1], m[1])
		}
	}
	return types
}

func TestNewID(t *testing.T) {
	shape, seen := regexp.MustCompile(`^o-[a-z2-7]{26}$`), map[string]bool{}
	for range 1000 {
		id := NewID("o")
		if !shape.MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"specversion":"1.0","id":"e-1","type":"order.placed","subject":"o-1","data":{}}`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"1.0"`, `"0.3"`}, {`"e-1"`, `""`}, {`"order.placed"`, `""`}, {`"o-1"`, `""`}, {`"1.0"`, `1`}, {`}`, ``},
	} {
		if _, err := Parse([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s instead of %s was accepted", change[1], change[0])
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","id":"e-1","type":"t","subject":"s","time":"2026-11-02T09:30:00Z","data":{"a":[1,"x"]}}`))
	f.Add([]byte(`{"specversion":"1.0","id":"e-1","type":"t","subject":"s"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err != nil {
			return
		}
		if e.ID == "" || e.Type == "" || e.Subject == "" || e.SpecVersion != "1.0" {
			t.Fatalf("accepted %+v", e)
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("an event that was read cannot be written: %v", err)
		}
		if _, err := Parse(again); err != nil {
			t.Fatalf("an event that was written cannot be read: %v", err)
		}
	})
}
