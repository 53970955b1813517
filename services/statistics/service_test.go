package statistics_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kreislauf/test/embedded"
)

// TestApplicationsAndStrangers: an application with a key is named in its events, a stranger is marked as one and cannot take the
// application's ids, an unknown key is refused, and a limit is the application's alone.
func TestApplicationsAndStrangers(t *testing.T) {
	const hash = "c625b81a17aa1448875b597b20236f242cfdf206dd48258740401ed56219b6a3" // of "key of the erp"
	b := embedded.Start(t)
	addr := b.Run(t, "statistics-1", map[string]string{"KREISLAUF_APPLICATIONS": `[{"name":"erp","key_sha256":"` + hash + `","per_minute":2}]`})
	post := func(key, typ, id string) *http.Response {
		t.Helper()
		body := strings.NewReader(`{"type":"` + typ + `","id":"` + id + `"}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/api/statistics/v1/events", body)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			req.Header.Set("X-Api-Key", key)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, c := range []struct {
		key, typ, id string
		status       int
		replayed     string
	}{
		{"", "page-view", "the-same-1", 202, ""},
		{"key of the erp", "delivery", "the-same-1", 202, ""}, // no repetition of the stranger's
		{"key of the erp", "delivery", "the-same-1", 202, "true"},
		{"wrong", "delivery", "the-same-2", 401, ""},
		{"", "page-view", "the-same-3", 202, ""},
	} {
		if res := post(c.key, c.typ, c.id); res.StatusCode != c.status || res.Header.Get("Idempotency-Replayed") != c.replayed {
			t.Errorf("%s %s with the key %q: %s, replayed %q", c.typ, c.id, c.key, res.Status, res.Header.Get("Idempotency-Replayed"))
		}
	}
	limited := false
	for try := 0; try < 10 && !limited; try++ { // a new minute may begin meanwhile
		limited = post("key of the erp", "delivery", "the-same-9").StatusCode == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("the application may post more than two events a minute")
	}
	want := map[string]string{
		`"event.action":"delivery"`:  `"event.source_trust":"application","event.provider":"erp"`,
		`"event.action":"page-view"`: `"event.source_trust":"stranger"`,
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(b.LogFile("statistics", "statistics-1"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range bytes.Lines(text) {
			for action, marked := range want {
				if !bytes.Contains(line, []byte(`"data_stream.type":"events"`)) || !bytes.Contains(line, []byte(action)) {
					continue
				}
				if !bytes.Contains(line, []byte(marked)) {
					t.Fatalf("the line lacks %s: %s", marked, line)
				}
				found++
			}
		}
		if bytes.Contains(text, []byte("key of the erp")) {
			t.Fatal("the key stands in the log")
		}
		if found >= 3 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprint("there are ", found, " event lines, want 3"))
		}
	}
}
