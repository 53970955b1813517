package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

func FuzzBulkBody(f *testing.F) {
	f.Add([]byte("{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"2\"}}\r\n"), "i")
	f.Add([]byte("{}\n"), "")
	f.Add([]byte("{\"create\":{\"_index\":null}}\n\n"), "i")
	f.Fuzz(func(t *testing.T, body []byte, index string) {
		items, err := parseBulk(body, index)
		if err != nil {
			if eserr.From(err).Status != 400 {
				t.Fatal(err)
			}
			return
		}
		for _, it := range items {
			if it.index == "" || it.action == "" {
				t.Fatalf("item without index or action: %+v", it)
			}
		}
	})
}

func opened(t *testing.T, dir string) *cluster {
	t.Helper()
	c, err := openCluster(dir, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func putRaw(t *testing.T, c *cluster, what, name, body string) {
	t.Helper()
	a := newAPI(c, zerolog.Nop(), "")
	r := &request{body: []byte(body), vars: map[string]string{"name": name}, args: map[string]string{}}
	handle := a.putTemplate
	if what == "policy" {
		handle = a.putPolicy
	}
	if _, _, err := handle(r); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, c *cluster, index, id string) error {
	t.Helper()
	it := &bulkItem{action: "create", index: index, id: id, source: []byte(`{"@timestamp":1,"f":"x"}`)}
	newAPI(c, zerolog.Nop(), "").runItems([]*bulkItem{it})
	return it.err
}

// TestLifecycle carries out rollover and deletion at chosen times.
func TestLifecycle(t *testing.T) {
	c := opened(t, t.TempDir())
	putRaw(t, c, "policy", "p", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_age":"1d","max_docs":3},"set_priority":{"priority":100}}},"warm":{"min_age":"2d","actions":{"forcemerge":{"max_num_segments":1}}},"delete":{"min_age":"30d","actions":{"delete":{}}}}}}`)
	putRaw(t, c, "template", "a", `{"index_patterns":["logs-*"],"data_stream":{},"template":{"settings":{"index.lifecycle.name":"p"}}}`)
	putRaw(t, c, "template", "b", `{"index_patterns":["kept-*"],"data_stream":{},"template":{"lifecycle":{"data_retention":"7d"}}}`)
	now := time.Now()
	generations := func(name string) int { return len(c.streams[name].indices) }
	for _, name := range []string{"logs-x", "kept-x"} {
		if err := write(t, c, name, "1"); err != nil {
			t.Fatal(err)
		}
	}
	step := func(after time.Duration, logs, kept int) {
		t.Helper()
		c.applyPolicies(now.Add(after))
		if generations("logs-x") != logs || generations("kept-x") != kept {
			t.Errorf("after %s: %d and %d backing indices, want %d and %d", after, generations("logs-x"), generations("kept-x"), logs, kept)
		}
	}
	step(time.Hour, 1, 1)
	step(25*time.Hour, 2, 2)
	step(50*time.Hour, 2, 2) // empty indices are not rolled over
	for _, id := range []string{"2", "3", "4"} {
		if err := write(t, c, "logs-x", id); err != nil {
			t.Fatal(err)
		}
	}
	step(time.Hour, 3, 2)
	step(9*24*time.Hour, 3, 1)
	step(60*24*time.Hour, 1, 1)
}

func TestParsePolicyRefusesUnknown(t *testing.T) {
	for _, body := range []string{`{}`, `{"policy":{"phases":{"foo":{}}}}`, `{"policy":{"phases":{"hot":{"actions":{"foo":{}}}}}}`, `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_age":"x"}}}}}}`} {
		n, err := esjson.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsePolicy(n); err == nil {
			t.Errorf("%s was accepted", body)
		}
	}
}

// TestWriteFailure makes the mapping impossible to save: the write is refused as by a full disk, and works again
// once there is room.
func TestWriteFailure(t *testing.T) {
	c := opened(t, t.TempDir())
	if err := write(t, c, "plain", "1"); err != nil {
		t.Fatal(err)
	}
	x := c.indices["plain"]
	block := filepath.Join(x.dir, "index.json.tmp")
	if err := os.Mkdir(block, 0o750); err != nil { // a directory in the place of the temporary file
		t.Fatal(err)
	}
	it := &bulkItem{action: "create", index: "plain", id: "2", source: []byte(`{"new":"field"}`)}
	newAPI(c, zerolog.Nop(), "").runItems([]*bulkItem{it})
	if e, ok := errors.AsType[*eserr.Error](it.err); !ok || e.Status != 429 || !strings.Contains(e.Reason, "flood-stage") {
		t.Errorf("error of a write that cannot be stored: %v", it.err)
	}
	if got := x.store.Stats().Docs; got != 1 {
		t.Errorf("%d documents after a refused write", got)
	}
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	it.err = nil
	newAPI(c, zerolog.Nop(), "").runItems([]*bulkItem{it})
	if it.err != nil || x.store.Stats().Docs != 2 {
		t.Errorf("after recovery: %v", it.err)
	}
}
