package funnel

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk"
	"kreislauf/elk/elktest"
)

var update = flag.Bool("update", false, "write the golden files")

var ten = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func definition(t *testing.T) Definition {
	t.Helper()
	d, err := Load(elk.Files(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// story turns "0 a v1" lines into events: seconds after ten, action (a attempt, p placed, m matched, x cancelled), visit or -,
// order or -, cents.
func story(t *testing.T, lines string) []event {
	t.Helper()
	var events []event
	for line := range strings.Lines(lines) {
		var (
			seconds             int
			action, visit, link string
			cents               int64
		)
		if n, _ := fmt.Sscanf(line, "%d %s %s %s %d", &seconds, &action, &visit, &link, &cents); n < 3 {
			continue
		}
		events = append(events, event{
			at: ten.Add(time.Duration(seconds) * time.Second), step: strings.Index("apm", action),
			visit: strings.TrimPrefix(visit, "-"), link: strings.TrimPrefix(link, "-"), trace: "t-" + visit, cents: cents,
		})
	}
	return events
}

func TestCount(t *testing.T) {
	for name, c := range map[string]struct {
		events string
		want   []int // reached
		out    int
	}{
		"all the way":                   {"0 a v1\n5 p v1 o1\n9 m v1 o1", []int{1, 1, 1}, 0},
		"drops":                         {"0 a v1\n1 a v2\n5 p v1 o1", []int{2, 1, 0}, 0},
		"many attempts count once":      {"0 a v1\n1 a v1\n2 a v1\n5 p v1 o1", []int{1, 1, 0}, 0},
		"two orders of a visit":         {"0 a v1\n5 p v1 o1\n6 p v1 o2\n9 m v1 o2", []int{1, 1, 1}, 0},
		"order counts":                  {"0 p v1 o1\n5 a v1", []int{1, 0, 0}, 0},
		"same millisecond":              {"0 a v1\n0 p v1 o1", []int{1, 1, 0}, 0},
		"no skipping":                   {"0 a v1\n9 m v1 o1", []int{1, 0, 0}, 0},
		"outside":                       {"0 p v1 o1\n9 m v1 o1", []int{0, 0, 0}, 1},
		"matched by the order id":       {"0 a v1\n5 p v1 o1\n9 m - o1", []int{1, 1, 1}, 0},
		"link known later":              {"0 a v1\n4 p - o1\n5 p v1 o1", []int{1, 1, 0}, 0},
		"order without a visit":         {"0 p - o1\n5 m - o1", []int{0, 0, 0}, 1},
		"nobody":                        {"", []int{0, 0, 0}, 0},
		"neither visit nor order":       {"0 a - -\n1 a v1", []int{1, 0, 0}, 0},
		"at the end of the window":      {"0 a v1\n7200 p v1 o1", []int{1, 1, 0}, 0},
		"after the window":              {"0 a v1\n7201 p v1 o1", []int{1, 0, 0}, 0},
		"a second attempt opens none":   {"0 a v1\n7000 a v1\n7300 p v1 o1", []int{1, 0, 0}, 0},
		"begins in range, ends after":   {"3599 a v1\n3700 p v1 o1", []int{1, 1, 0}, 0},
		"begins after the range":        {"3600 a v1\n3700 p v1 o1", []int{0, 0, 0}, 0},
		"outside counts only the range": {"3700 p v1 o1", []int{0, 0, 0}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := count(definition(t), story(t, c.events), ten.Add(time.Hour))
			var have []int
			for i, s := range r.Steps {
				have = append(have, s.Reached)
				if i > 0 && r.Steps[i-1].Dropped+r.Steps[i-1].Open != r.Steps[i-1].Reached-s.Reached {
					t.Errorf("step %d: %d dropped, reached %d then %d", i-1, r.Steps[i-1].Dropped, r.Steps[i-1].Reached, s.Reached)
				}
			}
			if diff := cmp.Diff(c.want, have); diff != "" || r.Outside != c.out {
				t.Errorf("outside %d, want %d, reached (-want +have):\n%s", r.Outside, c.out, diff)
			}
		})
	}
}

func TestCountDetails(t *testing.T) {
	d := definition(t)
	d.Examples = 1
	r := count(d, story(t, `
		0 a v1 - 100
		1 a v2 - 200
		2 a v3 - 300
		3 a v4 - 400
		10 p v1 o1 1000
		31 p v2 o2 2000
		42 p v3 o3 3000
		60 m v3 o3 0
		70 x - o2 0`), ten.Add(time.Hour))
	want := []StepResult{
		{Step: d.Steps[0], Reached: 4, OfFirst: 1, OfPrevious: 1, ValueCents: 1000, Dropped: 1, LostCents: 400, DropOffs: []DropOff{{Visit: "v4", Order: "", TraceID: "t-v4", At: ten.Add(3 * time.Second)}}},
		{
			Step: d.Steps[1], Reached: 3, OfFirst: 0.75, OfPrevious: 0.75, MedianTime: 30 * time.Second, ValueCents: 6000, Dropped: 1, LostCents: 2000, Open: 1, OpenCents: 1000,
			DropOffs: []DropOff{{Visit: "v2", Order: "o2", TraceID: "t-v2", At: ten.Add(31 * time.Second)}},
		},
		{Step: d.Steps[2], Reached: 1, OfFirst: 0.25, OfPrevious: 1.0 / 3, MedianTime: 18 * time.Second},
	}
	if diff := cmp.Diff(want, r.Steps); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// TestWaiting: an order that waits for a partner is open, not lost, until it is taken, however late, or cancelled.
func TestWaiting(t *testing.T) {
	for name, c := range map[string]struct {
		events     string
		open, lost int // after the order was placed
		accepted   int
	}{
		"waits":                         {"0 a v1\n5 p v1 o1", 1, 0, 0},
		"waits longer than the window":  {"0 a v1\n5 p v1 o1\n9000 a v2", 1, 0, 0},
		"accepted after the window":     {"0 a v1\n5 p v1 o1\n9000 m - o1", 0, 0, 1},
		"cancelled":                     {"0 a v1\n5 p v1 o1\n60 x - o1", 0, 1, 0},
		"cancelled after it was taken":  {"0 a v1\n5 p v1 o1\n60 m - o1\n90 x - o1", 0, 0, 1},
		"another order was cancelled":   {"0 a v1\n5 p v1 o1\n6 p v1 o2\n60 x - o2", 1, 0, 0},
		"cancelled and ordered again":   {"0 a v1\n5 p v1 o1\n6 p v1 o2\n60 x - o1\n70 m - o2", 0, 0, 1},
		"cancelled before anything":     {"0 x v1 o1\n1 a v1", 0, 0, 0},
		"an attempt waits for nobody":   {"0 a v1", 0, 0, 0},
		"two visits, one of them waits": {"0 a v1\n1 a v2\n5 p v1 o1\n6 p v2 o2\n60 x - o2", 1, 1, 0},
	} {
		r := count(definition(t), story(t, c.events), ten.Add(time.Hour))
		placed := r.Steps[1]
		if got := [3]int{placed.Open, placed.Dropped, r.Steps[2].Reached}; got != [3]int{c.open, c.lost, c.accepted} {
			t.Errorf("%s: %d open, %d lost, %d accepted; want %d, %d, %d", name, got[0], got[1], got[2], c.open, c.lost, c.accepted)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct{ times, want []time.Duration }{
		{nil, []time.Duration{0}},
		{[]time.Duration{5}, []time.Duration{5}},
		{[]time.Duration{9, 1}, []time.Duration{5}},
		{[]time.Duration{9, 1, 2}, []time.Duration{2}},
	} {
		if have := median(c.times); have != c.want[0] {
			t.Errorf("%v: %d", c.times, have)
		}
	}
}

// seed writes 40 visits: every second one orders, every fourth is accepted, two orders are cancelled, visits 8k have no visit id at the end.
func seed(n int) []map[string]any {
	var docs []map[string]any
	add := func(at time.Time, action, visit, order string, cents int) {
		d := map[string]any{
			"@timestamp": at.Format("2006-01-02T15:04:05.000Z"), "data_stream.type": "events", "data_stream.dataset": "kreislauf",
			"event.id": fmt.Sprintf("%s-%s%s", action, visit, order), "event.action": action, "trace.id": fmt.Sprintf("%032x", len(docs)+1), "value_cents": cents,
		}
		if visit != "" {
			d["visit.id"] = visit
		}
		if order != "" {
			d["order.id"] = order
		}
		docs = append(docs, d)
	}
	for i := range n {
		at, visit, order := ten.Add(time.Duration(i)*time.Minute), fmt.Sprintf("v%02d", i), fmt.Sprintf("o%02d", i)
		add(at, "page-view", visit, "", 0)
		add(at, "order-attempt", visit, "", 10000)
		if i%2 == 0 {
			add(at.Add(time.Duration(1+i%5)*time.Second), "order.placed", visit, order, 10000+i)
		}
		if i%8 == 0 {
			visit = ""
		}
		if i%20 == 2 {
			add(at.Add(80*time.Second), "order.cancelled", "", order, 0)
		}
		if i%4 == 0 {
			add(at.Add(90*time.Second), "matching.accepted", visit, order, 0)
		}
	}
	return docs
}

func TestRunOverTheWire(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	empty, err := Run(t.Context(), client, definition(t), env, ten, ten.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if empty.Events != 0 || empty.Steps[0].Reached != 0 {
		t.Errorf("without a data stream: %+v", empty)
	}
	elktest.Index(t, client, env, seed(40)...)
	r, err := Run(t.Context(), client, definition(t), env, ten, ten.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	r.Env = "local" // the test's own environment has a random name
	golden(t, "orders.txt", r)
	if _, err := Run(t.Context(), client, definition(t), env, ten, ten); err == nil {
		t.Error("an empty range is accepted")
	}
}

func TestWriteTextOfNobody(t *testing.T) {
	d := definition(t)
	r := count(d, nil, ten)
	r.Env, r.From, r.To = "local", ten, ten.Add(time.Hour)
	golden(t, "nobody.txt", r)
}

func golden(t *testing.T, name string, r Result) {
	t.Helper()
	var have bytes.Buffer
	if err := r.WriteText(&have); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, have.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), have.String()); diff != "" {
		t.Errorf("%s (-want +have):\n%s", file, diff)
	}
}

func TestLoadErrors(t *testing.T) {
	const good = `{"name":"f","index":"i","key":"visit.id","window":"1h","steps":[{"name":"A","action":"a"},{"name":"B","action":"b"}]}`
	for name, c := range map[string]struct{ old, new, want string }{
		"good":     {"", "", ""},
		"name":     {`"f"`, `"g"`, `funnels/f.json: name: "g" must be the file's name, "f"`},
		"one step": {`,{"name":"B","action":"b"}`, "", "funnels/f.json: steps: a funnel has at least two steps"},
		"twice":    {`"action":"b"`, `"action":"a"`, "funnels/f.json: steps[1]: name and action must not be empty, and an action belongs to one step"},
		"unknown":  {`"action":"b"`, `"event":"b"`, "funnels/f.json: steps[1].event: unknown key; allowed are action, name, waits"},
		"window":   {`"1h"`, `"0s"`, "funnels/f.json: window: must be longer than 0s"},
		"key":      {`"visit.id"`, `""`, "funnels/f.json: index and key must not be empty"},
		"ends":     {`"index"`, `"ends":["a"],"index"`, `funnels/f.json: ends: "a" must be an action, and none of a step`},
		"waits":    {`"action":"b"`, `"action":"b","waits":true`, "funnels/f.json: steps: nobody waits at the last step"},
		"examples": {`"index"`, `"examples":-1,"index"`, "funnels/f.json: examples: must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"funnels/f.json": {Data: []byte(strings.Replace(good, c.old, c.new, 1))}}
			_, err := Load(fsys, "f")
			have := ""
			if err != nil {
				have = err.Error()
			}
			if diff := cmp.Diff(c.want, have); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, "none"); err == nil {
		t.Error("a missing funnel is accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"f","index":"i","key":"visit.id","window":"1h","steps":[{"name":"A","action":"a"},{"name":"B","action":"b"}]}`))
	f.Add([]byte(`{"steps":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parse("f.json", raw)
		if err == nil && (len(d.Steps) < 2 || d.Window <= 0 || d.Key == "" || d.Examples < 1) {
			t.Fatalf("accepted %q as %+v", raw, d)
		}
	})
}
