package audit

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/problem"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 123_456_789, time.FixedZone("CET", 3600))

func entry() Entry {
	return Entry{
		At: noon, Actor: Actor{UserID: "u-1", Role: authz.BackOffice, Tenant: "kreislauf", Behalf: "u-2"}, Operation: "order.reassign",
		Subject: "order/o-1", Reason: "partner has no truck", TraceID: "0af7651916cd43dd8448eb211c80319c",
		Change: Change{Fields: []string{"/partner_id", "/state"}, Before: "b", After: "a"},
	}
}

func TestComplete(t *testing.T) {
	id := regexp.MustCompile(`^a-[a-z2-7]{26}$`)
	for _, tc := range []struct {
		name   string
		change func(*Entry)
		reason bool   // the complaint is about the reason
		want   string // part of the error, empty when it is complete
	}{
		{"whole", func(*Entry) {}, false, ""},
		{"customer without a reason", func(e *Entry) { e.Actor.Role, e.Reason = authz.Customer, "" }, false, ""},
		{"without change and trace", func(e *Entry) { e.Change, e.TraceID = Change{}, "" }, false, ""},
		{"longest reason", func(e *Entry) { e.Reason = strings.Repeat("ü", 500) }, false, ""},
		{"back office without a reason", func(e *Entry) { e.Reason = "" }, true, "say why"},
		{"ops without a reason", func(e *Entry) { e.Actor.Role, e.Reason = authz.Ops, " \t " }, true, "say why"},
		{"short reason", func(e *Entry) { e.Reason = " so  " }, true, "say why"},
		{"customer's short reason", func(e *Entry) { e.Actor.Role, e.Reason = authz.Customer, "so" }, true, "say why"},
		{"long reason", func(e *Entry) { e.Reason = strings.Repeat("ü", 501) }, true, "say why"},
		{"two lines", func(e *Entry) { e.Reason = "because\nof" }, true, "one line"},
		{"no text", func(e *Entry) { e.Reason = "because\xff" }, true, "one line"},
		{"nobody", func(e *Entry) { e.Actor.UserID = "" }, false, "not complete"},
		{"no tenant", func(e *Entry) { e.Actor.Tenant = "" }, false, "not complete"},
		{"unknown role", func(e *Entry) { e.Actor.Role = "admin" }, false, "not complete"},
		{"no operation", func(e *Entry) { e.Operation = "reassign" }, false, "not complete"},
		{"no subject", func(e *Entry) { e.Subject = "o-1" }, false, "There is no"},
		{"an id that nothing can have", func(e *Entry) { e.Subject = "order/' or 1=1" }, false, "There is no"},
		{"no time", func(e *Entry) { e.At = time.Time{} }, false, "not complete"},
	} {
		e := entry()
		tc.change(&e)
		got, err := e.Complete()
		if tc.want == "" {
			if err != nil || !id.MatchString(got.ID) || got.At.Format(time.RFC3339Nano) != "2026-11-29T11:00:00.123Z" {
				t.Errorf("%s: %+v, %v", tc.name, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || (problem.KindOf(err) == problem.Invalid) != tc.reason {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestTrail(t *testing.T) {
	var trail Trail
	if err := trail.Add(Entry{}); err == nil || len(trail.Audit) != 0 || trail.AuditAt != nil {
		t.Errorf("an empty entry: %+v, %v", trail, err)
	}
	for i := range maxWaiting {
		e := entry()
		e.At = noon.Add(time.Duration(i) * time.Second)
		if err := trail.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if !trail.AuditAt.Equal(noon.Truncate(time.Millisecond)) || trail.Audit[0].ID == trail.Audit[1].ID {
		t.Errorf("oldest at %v, ids %s and %s", trail.AuditAt, trail.Audit[0].ID, trail.Audit[1].ID)
	}
	if err := trail.Add(entry()); problem.KindOf(err) != problem.Unavailable || len(trail.Audit) != maxWaiting {
		t.Errorf("%d entries wait, %v", len(trail.Audit), err)
	}
}

func TestString(t *testing.T) {
	e, err := entry().Complete()
	if err != nil {
		t.Fatal(err)
	}
	const want = "2026-11-29T11:00:00.123Z back_office u-1 for u-2: order.reassign order/o-1 (/partner_id, /state)," +
		" because: partner has no truck [trace 0af7651916cd43dd8448eb211c80319c]"
	if got := e.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	short := Entry{At: e.At, Actor: Actor{UserID: "u-1", Role: authz.Driver}, Operation: "order.read", Subject: "order/o-1"}
	if got := short.String(); got != "2026-11-29T11:00:00.123Z driver u-1: order.read order/o-1" {
		t.Errorf("got %s", got)
	}
	b, err := json.Marshal(short)
	if err != nil || strings.Contains(string(b), "change") || strings.Contains(string(b), "reason") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestDiff(t *testing.T) {
	type address struct {
		Street string `json:"street"`
		City   string `json:"city"`
	}
	type state struct {
		State   string   `json:"state"`
		Cents   int64    `json:"cents"`
		Address *address `json:"address,omitempty"`
		List    []int    `json:"list,omitempty"`
		Slash   string   `json:"a/b~c,omitempty"`
		secret  string
	}
	placed := state{State: "placed", Cents: 1 << 60, Address: &address{"Hauptstraße 1", "Köln"}, List: []int{1, 2}, secret: "x"}
	for _, tc := range []struct {
		name   string
		change func(*state)
		want   []string
	}{
		{"nothing", func(*state) {}, nil},
		{"what JSON does not show", func(s *state) { s.secret = "y" }, nil},
		{"one member", func(s *state) { s.State = "matched" }, []string{"/state"}},
		{"a cent of many", func(s *state) { s.Cents++ }, []string{"/cents"}},
		{"deep", func(s *state) { s.Address = &address{"Hauptstraße 2", "Köln"} }, []string{"/address/street"}},
		{"order of a list", func(s *state) { s.List = []int{2, 1} }, []string{"/list"}},
		{"gone", func(s *state) { s.Address = nil }, []string{"/address/city", "/address/street"}},
		{"new", func(s *state) { s.Slash = "x" }, []string{"/a~1b~0c"}},
	} {
		after := placed
		tc.change(&after)
		c, err := Diff(placed, after)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, c.Fields); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if len(c.Before) != 64 || len(c.After) != 64 || (c.Before == c.After) != (tc.want == nil) {
			t.Errorf("%s: digests %q and %q", tc.name, c.Before, c.After)
		}
		text := fmt.Sprint(c)
		if strings.Contains(text, "Hauptstraße") || strings.Contains(text, "Köln") {
			t.Errorf("%s: a value is shown: %s", tc.name, text)
		}
	}
	made, err := Diff(nil, placed)
	all := []string{"/address/city", "/address/street", "/cents", "/list", "/state"}
	if err != nil || made.Before != "" || made.After == "" || !cmp.Equal(made.Fields, all) {
		t.Errorf("made: %+v, %v", made, err)
	}
	gone, err := Diff(placed, nil)
	if err != nil || gone.After != "" || gone.Before != made.After || !cmp.Equal(gone.Fields, made.Fields) {
		t.Errorf("deleted: %+v, %v", gone, err)
	}
	wide := map[string]int{}
	for i := range 100 {
		wide[fmt.Sprintf("f%03d", i)] = i
	}
	if c, err := Diff(nil, wide); err != nil || len(c.Fields) != maxFields+1 || c.Fields[0] != "/f000" || c.Fields[maxFields] != "…" {
		t.Errorf("a hundred fields: %v, %v", c.Fields, err)
	}
	if _, err := Diff(func() {}, nil); err == nil {
		t.Error("a function has a digest")
	}
	if _, err := Diff(nil, func() {}); err == nil {
		t.Error("a function has a digest")
	}
}
