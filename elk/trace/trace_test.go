package trace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
	"kreislauf/elk/trace"
)

var update = flag.Bool("update", false, "write the golden files")

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

// fixture is one order as the platform records it, one document a line.
func fixture(t *testing.T) []map[string]any {
	t.Helper()
	raw, err := os.ReadFile("testdata/order.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var sources []map[string]any
	for line := range bytes.Lines(raw) {
		var source map[string]any
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.UseNumber()
		if err := dec.Decode(&source); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	return sources
}

func docs(sources []map[string]any) []connect.Doc {
	out := make([]connect.Doc, 0, len(sources))
	for _, s := range sources {
		out = append(out, connect.Flatten(s))
	}
	return out
}

func golden(t *testing.T, name string, s trace.Story, width int, color bool) {
	t.Helper()
	var have bytes.Buffer
	if err := s.WriteText(&have, width, color); err != nil {
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

func TestWriteText(t *testing.T) {
	story := trace.Build(traceID, docs(fixture(t)))
	story.Env = "local"
	golden(t, "order.120.txt", story, 120, false)
	golden(t, "order.60.txt", story, 10, false) // narrower than the minimum
	golden(t, "order.color.txt", story, 120, true)
}

// TestMissingParts takes spans away: nothing else may disappear.
func TestMissingParts(t *testing.T) {
	without := func(ids ...string) trace.Story {
		kept := slices.DeleteFunc(fixture(t), func(s map[string]any) bool {
			id, _ := s["span.id"].(string)
			return slices.Contains(ids, id) && (s["data_stream.type"] == "traces" || s["service_name"] == "nginx")
		})
		story := trace.Build(traceID, docs(kept))
		story.Env, story.Cut = "local", true
		return story
	}
	golden(t, "no-entry.txt", without("a000000000000001"), 120, false)
	golden(t, "no-producer.txt", without("b000000000000004"), 120, false)
}

func TestOrderAndCopiesDoNotMatter(t *testing.T) {
	want := trace.Build(traceID, docs(fixture(t)))
	twice := append(docs(fixture(t)), docs(fixture(t))...)
	slices.Reverse(twice)
	if diff := cmp.Diff(want, trace.Build(traceID, twice)); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

func TestNestedSourceIsTheSameStory(t *testing.T) {
	nested := fixture(t)
	for i, source := range nested {
		tree := map[string]any{}
		for key, value := range source {
			node := tree
			parts := strings.Split(key, ".")
			for _, part := range parts[:len(parts)-1] {
				if node[part] == nil {
					node[part] = map[string]any{}
				}
				node = node[part].(map[string]any)
			}
			node[parts[len(parts)-1]] = value
		}
		nested[i] = tree
	}
	if diff := cmp.Diff(trace.Build(traceID, docs(fixture(t))), trace.Build(traceID, docs(nested))); diff != "" {
		t.Errorf("(-dotted +nested):\n%s", diff)
	}
}

// TestCirclesAndSelfParents must end and show every span once.
func TestCirclesAndSelfParents(t *testing.T) {
	span := func(id, parent string) connect.Doc {
		return connect.Doc{
			"@timestamp": "2026-11-22T10:00:00Z", "data_stream.type": "traces", "service_name": "order", "span.name": "span-" + id,
			"span.id": id, "parent.id": parent, "span.kind": "internal", "event.duration": json.Number("1000"), "trace.id": "t",
		}
	}
	story := trace.Build("t", []connect.Doc{span("a", "b"), span("b", "c"), span("c", "a"), span("self", "self"), span("d", "a"), span("", "a"), span("root", "")})
	var out bytes.Buffer
	if err := story.WriteText(&out, 100, false); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"span-a", "span-b", "span-c", "span-self", "span-d", "span- ", "span-root"} {
		if n := strings.Count(out.String(), name+" ") + strings.Count(out.String(), name+"  "); n == 0 {
			t.Errorf("%s is missing:\n%s", name, out.String())
		}
	}
	if rows := strings.Count(out.String(), "order internal"); rows != 7 {
		t.Errorf("%d rows for 7 spans:\n%s", rows, out.String())
	}
}

// FuzzBuild throws any documents at the tree: every span must come out once, and no row may be wider than asked.
func FuzzBuild(f *testing.F) {
	f.Add("ab ba cc d- ", "x")
	f.Add("a- ba cb dc", "\x1b[2J")
	f.Fuzz(func(t *testing.T, links, name string) {
		var in []connect.Doc
		for i, pair := range strings.Fields(links) {
			if len(pair) != 2 || len(in) == 50 {
				continue
			}
			in = append(in, connect.Doc{
				"@timestamp": time.Unix(int64(i), 0).UTC().Format(time.RFC3339Nano), "data_stream.type": "traces", "span.id": pair[:1],
				"parent.id": strings.TrimPrefix(pair[1:], "-"), "span.name": name, "span.kind": []string{"producer", "consumer"}[i%2], "service_name": "s", "trace.id": "t",
			})
		}
		story := trace.Build("t", in)
		var out bytes.Buffer
		if err := story.WriteText(&out, 80, false); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsRune(out.String(), '\x1b') {
			t.Fatalf("control characters reach the terminal: %q", out.String())
		}
		rows := 0
		for line := range strings.Lines(out.String()) {
			if strings.HasSuffix(line, "|\n") && strings.Count(line, "|") >= 2 {
				rows++
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
					t.Fatalf("a row of %d columns: %q", n, line)
				}
			}
		}
		if rows != len(in) {
			t.Fatalf("%d rows for %d spans:\n%s", rows, len(in), out.String())
		}
	})
}

func TestFetchAndResolve(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	sources := fixture(t)
	// Ids of this run only: Resolve looks into every environment.
	raw, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	unique := fmt.Sprintf("%032x", time.Now().UnixNano())
	order := "ord-" + env
	text := strings.NewReplacer(traceID, unique, "ord-42", order, `"request_id":"`+traceID, `"request_id":"req-`+env).Replace(string(raw))
	sources = nil
	if err := json.Unmarshal([]byte(text), &sources); err != nil {
		t.Fatal(err)
	}
	later := map[string]any{
		"@timestamp": "2026-11-22T12:00:00.000Z", "data_stream.type": "logs", "data_stream.dataset": "kreislauf.order", "service_name": "order",
		"trace.id": strings.Repeat("f", 32), "order.id": order, "request_id": "later-" + env, "message": "order read", "env": env,
	}
	elktest.Index(t, client, env, append(sources, later)...)

	have, err := trace.Fetch(t.Context(), client, unique, env)
	if err != nil {
		t.Fatal(err)
	}
	want := trace.Build(unique, docs(sources))
	want.Env = env
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	for ref, id := range map[string]string{unique: unique, order: unique, " " + order + "\n": unique, "later-" + env: strings.Repeat("f", 32)} {
		if have, err := trace.Resolve(t.Context(), client, ref); err != nil || have != id {
			t.Errorf("resolve %q: %q, %v; want %q", ref, have, err, id)
		}
	}
	if _, err := trace.Resolve(t.Context(), client, "nothing-"+env); !errors.Is(err, trace.ErrNotFound) {
		t.Errorf("error: %v", err)
	}
	if _, err := trace.Fetch(t.Context(), client, strings.Repeat("0", 32), env); !errors.Is(err, trace.ErrNotFound) {
		t.Errorf("error: %v", err)
	}
}
