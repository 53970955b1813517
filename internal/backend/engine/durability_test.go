package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
)

// runChild serves until it is killed; the parent reads the address from standard output.
func runChild(dir string) {
	srv, err := engine.New(engine.Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(srv.Addr())
	select {}
}

func spawn(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ENGINE_CHILD_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(addr, "error") {
		t.Fatalf("child: %v %s", err, addr)
	}
	return cmd, strings.TrimSpace(addr)
}

// TestKill writes from several clients at once, kills the process, and looks for every acknowledged document.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var acked sync.Map
	for round := range 3 {
		cmd, addr := spawn(t, dir)
		hc := &http.Client{Transport: &http.Transport{}}
		if round == 0 {
			put(t, hc, addr, "/_index_template/x", streamTemplateSimple)
		}
		var count atomic.Int64
		var wg sync.WaitGroup
		enough := make(chan struct{})
		for w := range 4 {
			wg.Go(func() { writeUntilError(hc, addr, fmt.Sprintf("%d-%d", round, w), &acked, &count, enough) })
		}
		<-enough
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // reports the kill
		wg.Wait()
		hc.CloseIdleConnections()
	}
	n := start(t, dir)
	seen := map[string]int{}
	after := ""
	for {
		out := n.must("POST", "/logs-kill-test/_search", `{"size":5000,"sort":["id"],"_source":false`+after+`}`)
		list := get(out, "hits/hits").([]any)
		if len(list) == 0 {
			break
		}
		for _, h := range list {
			seen[get(h, "_id").(string)]++
			key, err := json.Marshal(get(h, "sort"))
			if err != nil {
				t.Fatal(err)
			}
			after = `,"search_after":` + string(key)
		}
	}
	total := 0
	acked.Range(func(id, _ any) bool {
		total++
		if seen[id.(string)] != 1 {
			t.Errorf("acknowledged document %v found %d times", id, seen[id.(string)])
		}
		return total < 1_000_000
	})
	for id, times := range seen {
		if times != 1 {
			t.Errorf("document %s found %d times", id, times)
		}
	}
	if total < 100 {
		t.Errorf("only %d documents were acknowledged", total)
	}
	first := ""
	acked.Range(func(id, _ any) bool { first = id.(string); return false })
	wantEqual(t, "conflict after restart", n.bulk("logs-kill-test", fmt.Sprintf(`{"create":{"_id":%q}}`+"\n"+`{"@timestamp":1,"id":"x"}`+"\n", first)), []string{"409 version_conflict_engine_exception"})
}

const streamTemplateSimple = `{"index_patterns":["logs-*"],"data_stream":{},"template":{"mappings":{"properties":{"id":{"type":"keyword"}}}}}`

func put(t *testing.T, hc *http.Client, addr, path, body string) {
	t.Helper()
	req, err := http.NewRequest("PUT", "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Fatalf("PUT %s: %d", path, res.StatusCode)
	}
}

// writeUntilError sends bulks until the server is gone and records what was acknowledged. Enough is closed
// after a number of bulks of all writers.
func writeUntilError(hc *http.Client, addr, name string, acked *sync.Map, count *atomic.Int64, enough chan struct{}) {
	for i := 0; ; i++ {
		var body bytes.Buffer
		var batch []string
		for j := range 20 {
			id := fmt.Sprintf("%s-%d-%d", name, i, j)
			batch = append(batch, id)
			fmt.Fprintf(&body, `{"create":{"_id":%q}}`+"\n"+`{"@timestamp":%d,"id":%q,"n%d":1}`+"\n", id, i, id, i%50)
		}
		res, err := hc.Post("http://"+addr+"/logs-kill-test/_bulk", "application/x-ndjson", &body)
		if err != nil {
			return
		}
		raw, err := io.ReadAll(res.Body)
		res.Body.Close()
		var out struct{ Errors bool }
		if err != nil || res.StatusCode != 200 || json.Unmarshal(raw, &out) != nil || out.Errors {
			return
		}
		for _, id := range batch {
			acked.Store(id, true)
		}
		if count.Add(1) == 60 {
			close(enough)
		}
	}
}

// files returns the files of the only index whose names match.
func files(t *testing.T, dir, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "indices", "*", "data", pattern))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (n *node) fill(index string, from, to int) {
	n.t.Helper()
	for ; from < to; from += 10 {
		var b strings.Builder
		for i := from; i < min(from+10, to); i++ {
			fmt.Fprintf(&b, `{"create":{"_id":"%d"}}`+"\n"+`{"@timestamp":%d,"n":%d,"k":"v%d"}`+"\n", i, i*1000, i, i%7)
		}
		for _, s := range n.bulk(index, b.String()) {
			if s != "201" {
				n.t.Fatalf("bulk: %s", s)
			}
		}
	}
}

func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	n.fill("plain", 0, 50)
	n.stop()
	logs := files(t, dir, "wal-*")
	f, err := os.OpenFile(logs[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("KLF1\x10\x00\x00\x00half a frame"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	n = start(t, dir)
	n.fill("plain", 50, 60)
	n.stop()
	n = start(t, dir)
	wantEqual(t, "count", get(n.must("GET", "/plain/_count", ""), "count"), any(60.0))
	wantEqual(t, "health", get(n.must("GET", "/_cluster/health", ""), "status"), any("green"))
}

// TestDamage flips bytes in the middle of the log, and of a segment: the rest must stay readable.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	n.must("PUT", "/_index_template/x", streamTemplateSimple)
	n.fill("logs-a-test", 0, 50)
	n.must("POST", "/logs-a-test/_rollover", "")
	n.fill("logs-a-test", 50, 100)
	n.stop()
	damage := func(pattern string) {
		t.Helper()
		for _, path := range files(t, dir, pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(data) == 0 {
				continue // the log after a rollover
			}
			data[len(data)/2] ^= 0xFF
			if err := os.WriteFile(path, data, 0o640); err != nil {
				t.Fatal(err)
			}
		}
	}
	damage("wal-*")
	n = start(t, dir)
	wantEqual(t, "one frame of the log is lost", get(n.must("GET", "/logs-a-test/_count", ""), "count"), any(90.0))
	wantEqual(t, "health", get(n.must("GET", "/_cluster/health", ""), "status"), any("red"))
	n.stop()
	damage("seg-*[0-9]")
	n = start(t, dir)
	wantEqual(t, "the segment is lost", get(n.must("GET", "/logs-a-test/_count", ""), "count"), any(40.0))
	wantEqual(t, "set aside", len(files(t, dir, "*damaged*")) >= 2, true)
	n.fill("logs-a-test", 200, 220)
	n.stop()
	n = start(t, dir)
	wantEqual(t, "still writable", get(n.must("GET", "/logs-a-test/_count", ""), "count"), any(60.0))
}

func TestRestartKeepsSegments(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	n.must("PUT", "/_index_template/x", streamTemplateSimple)
	n.fill("logs-a-test", 0, 300)
	n.must("POST", "/logs-a-test/_rollover", "")
	query := `{"size":3,"query":{"range":{"n":{"gte":100}}},"sort":[{"n":"desc"}],"aggs":{"k":{"terms":{"field":"k.keyword"},"aggs":{"m":{"max":{"field":"n"}}}}}}`
	strip := func(m map[string]any) map[string]any { delete(m, "took"); return m }
	before := strip(n.must("POST", "/logs-a-test/_search", query))
	n.stop()
	n = start(t, dir)
	wantEqual(t, "same answer", strip(n.must("POST", "/logs-a-test/_search", query)), before)
	wantEqual(t, "segment", len(files(t, dir, "seg-*")), 1)
}

// TestOtherFormat opens the data of an engine before format 2, which had no number for it.
func TestOtherFormat(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(`{"uuid":"x","component_templates":{},"index_templates":{},"policies":{}}`), 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := engine.New(engine.Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err == nil || !strings.Contains(err.Error(), "format 1 and this engine reads format 2: move or delete the directory and start again") {
		t.Errorf("error: %v", err)
	}
}

func TestStopIsIdempotent(t *testing.T) {
	n := start(t, t.TempDir())
	n.fill("x", 0, 10)
	for range 3 {
		if err := n.srv.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
