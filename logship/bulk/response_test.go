package bulk

import (
	"testing"
)

func TestVerdicts(t *testing.T) {
	for status, want := range map[int]verdict{
		0: again, 200: stored, 201: stored, 400: reject, 401: hold, 403: hold, 404: hold, 409: duplicate,
		413: reject, 422: reject, 429: again, 500: again, 502: again, 503: again, 504: again,
	} {
		if got := itemVerdict(status); got != want {
			t.Errorf("status %d: %d, want %d", status, got, want)
		}
	}
}

func TestFastPathTrustsOnlyCompleteAnswers(t *testing.T) {
	const two = `"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"\"status\":201","status":201}}]}`
	for _, c := range []struct {
		name, body string
		n          int
		want       bool
	}{
		{"all stored", `{"errors":false,"took":3,` + two, 2, true},
		{"the other order", `{"took":3,"errors":false,` + two, 2, true},
		{"errors", `{"errors":true,"took":3,` + two, 2, false},
		{"too few", `{"errors":false,"took":3,` + two, 3, false},
		{"none", `{"errors":false,"took":3,"items":[]}`, 1, false},
		{"failure store", `{"errors":false,"items":[{"create":{"_id":"a","status":201,"failure_store":"used"}}]}`, 1, false},
		{"the shortest form", `{"errors":false,"items":[` + storedItem + `,` + storedItem + `]}`, 2, true},
		{"the shortest form, too few", `{"errors":false,"items":[` + storedItem + `,` + storedItem + `]}`, 3, false},
		{"the shortest form, too many", `{"errors":false,"items":[` + storedItem + `,` + storedItem + `]}`, 1, false},
		{"the shortest form and another", `{"errors":false,"items":[` + storedItem + `,{"create":{"status":409}}]}`, 2, false},
		{"another text", `hello`, 0, false},
	} {
		if got := allStored([]byte(c.body), c.n); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestItems(t *testing.T) {
	body := `{"errors":true,"items":[{"create":{"status":201,"failure_store":"used"}},{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"no"}}}]}`
	got, err := items([]byte(body), 2)
	if err != nil || got[0].Status != 201 || got[0].FailureStore != "used" || got[1].reason() != "status 400 document_parsing_exception: no" || got[0].reason() != "status 201" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{body[:len(body)-1], `{"items":[]}`, `{"items":[{"index":{"status":201}},{"create":{"status":201}}]}`, `<html>`} {
		if got, err := items([]byte(bad), 2); err == nil {
			t.Errorf("%s: %+v", bad, got)
		}
	}
}

func testBatch() *Batch {
	b := &Batch{Files: []string{"/log/a.log"}}
	for i, doc := range []string{`{"a":1,"added":2}`, `{"message":"x y","tags":["invalid_json"]}`, `{"c":3}`} {
		item := Item{Start: uint32(len(b.Buf)), Offset: int64(10 * i), Raw: []uint32{6, 0, 6}[i]}
		b.Buf = append(b.Buf, `{"create":{"_index":"i","_id":"id`+string(rune('0'+i))+`"}}`+"\n"...)
		item.Doc = uint32(len(b.Buf))
		b.Buf = append(b.Buf, doc+"\n"...)
		b.Items = append(b.Items, item)
	}
	return b
}

func TestBatchBodies(t *testing.T) {
	b := testBatch()
	if got := string(b.body(b.all())); got != string(b.Buf) {
		t.Errorf("all: %s", got)
	}
	if got, want := string(b.body([]int{1, 2})), string(b.bytes(1))+string(b.bytes(2)); got != want {
		t.Errorf("neighbours: %s", got)
	}
	if got, want := string(b.body([]int{0, 2})), string(b.bytes(0))+string(b.bytes(2)); got != want {
		t.Errorf("with a gap: %s", got)
	}
	if n := b.prefix(b.all(), 1); n != 1 {
		t.Errorf("%d items in one byte", n)
	}
	if n := b.prefix(b.all(), len(b.bytes(0))+len(b.bytes(1))); n != 2 {
		t.Errorf("%d items in the length of two", n)
	}
	if n := b.prefix(b.all(), 1<<20); n != 3 {
		t.Errorf("%d items in plenty", n)
	}
}
