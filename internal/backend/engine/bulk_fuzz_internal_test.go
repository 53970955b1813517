package engine

import (
	"testing"
)

// FuzzBulk reads bulk bodies: whatever comes, each item has an action that exists, and either an index or an error.
func FuzzBulk(f *testing.F) {
	for _, s := range []string{
		"{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n", "{\"create\":{}}\n{}\n{\"delete\":{\"_id\":\"2\"}}\n", "{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{\"a\":{\"b\":1}},\"upsert\":{}}\n",
		"{}\n{}\n", "{\"index\":{\"_index\":\"x\",\"require_alias\":true}}\r\n{}\r\n", "\n\n", "{\"nosuch\":{}}\n", "{\"index\":[]}\n{}\n", "{\"delete\":{}}", "{\"create\":{\"_id\":\"\"}}\n{\"a\":\n",
	} {
		f.Add([]byte(s), "i")
	}
	f.Fuzz(func(t *testing.T, body []byte, index string) {
		items, err := parseBulk(body, index)
		if err != nil {
			return
		}
		if len(items) == 0 {
			t.Fatal("no items and no error")
		}
		for _, it := range items {
			if it.index == "" && it.err == nil || it.action == "update" && it.update == nil {
				t.Fatalf("%+v", it)
			}
			if _, known := map[string]bool{"create": true, "index": true, "update": true, "delete": true}[it.action]; !known {
				t.Fatalf("action %q", it.action)
			}
		}
	})
}
