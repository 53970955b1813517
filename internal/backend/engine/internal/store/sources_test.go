package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// FuzzChunk stores lines of JSON objects and reads them back byte for byte.
func FuzzChunk(f *testing.F) {
	f.Add(`{"a":1,"t":"2026-01-05T00:00:00.086Z","h":"0123456789abcdef","x":{"y":[1, 2]}}` + "\n" + `{"a":-2,"t":"2024-02-29T23:59:59.999Z","h":"ffffffffffffffff","x":null}`)
	f.Add(`{"a":1e3,"t":"2026-02-30T00:00:00.000Z","h":"0123456789abcdeF"}` + "\n" + `{}` + "\n" + ` { "a" : 007 }`)
	f.Add(`{"a":0}` + "\n" + `{"a":-0}` + "\n" + `{"a":999999999999999999}` + "\n" + `{"t":"1969-12-31T00:00:00.000Z"}` + "\n" + `{"h":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		var docs []cutSource
		for line := range strings.SplitSeq(text, "\n") {
			n, err := esjson.Parse([]byte(line))
			if err == nil && n.Kind == esjson.Object && len(docs) < chunkDocs {
				docs = append(docs, cutSource{n.Raw(), mapping.Cuts(n)})
			}
		}
		if len(docs) == 0 {
			return
		}
		got, err := decodeChunk(encodeChunk(nil, docs))
		if err != nil {
			t.Fatal(err)
		}
		from := 0
		for i, d := range docs {
			if s := got.text[from:got.ends[i]]; !bytes.Equal(s, d.text) {
				t.Fatalf("document %d: got %s, want %s", i, s, d.text)
			}
			from = got.ends[i]
		}
	})
}

// FuzzDecodeChunk reads any bytes.
func FuzzDecodeChunk(f *testing.F) {
	f.Add(encodeChunk(nil, []cutSource{{[]byte(`{"a":"0123456789abcdef"}`), []uint32{5, 23}}, {[]byte(`{"a":12}`), []uint32{5, 7}}, {[]byte(`{"a":x}`), []uint32{5, 6}}}))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = decodeChunk(data) })
}

func TestParseTime(t *testing.T) {
	for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2200; at = at.Add(13*time.Hour + 7*time.Minute + 11*time.Second + 77*time.Millisecond) {
		text := at.Format(timeLayout)
		if ms, ok := parseTime([]byte(text)); !ok || ms != at.UnixMilli() {
			t.Fatalf("%s: %d %v", text, ms, ok)
		}
	}
	for _, bad := range []string{"2025-02-29T00:00:00.000Z", "2025-04-31T00:00:00.000Z", "2025-13-01T00:00:00.000Z", "2025-00-01T00:00:00.000Z", "2025-01-01T24:00:00.000Z", "2025-01-01T00:00:60.000Z", "2025-01-01t00:00:00.000Z"} {
		if ms, ok := parseTime(fmt.Appendf(nil, "%q", bad)); ok {
			t.Errorf("%s was read as %d", bad, ms)
		}
	}
}
