package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/mapping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func document(id string, source []byte) (*mapping.Document, error) {
	return &mapping.Document{
		ID: id, Source: source, MinTime: int64(len(id)), MaxTime: int64(len(id)), HasTime: true,
		Values: []column.Value{{Field: "src", Kind: column.String, Str: string(source)}},
	}, nil
}

func open(t *testing.T, dir string) *Index {
	t.Helper()
	x, err := Open(Options{Dir: dir, Cache: NewCache(1 << 20), Log: zerolog.Nop(), Read: document, IsTerm: func(string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func op(t *testing.T, kind OpKind, id, source string) Op {
	t.Helper()
	doc, err := document(id, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return Op{Kind: kind, ID: id, Doc: doc}
}

func outcomes(t *testing.T, x *Index, ops ...Op) []Outcome {
	t.Helper()
	results, err := x.Write(ops)
	if err != nil {
		t.Fatal(err)
	}
	var out []Outcome
	for _, r := range results {
		out = append(out, r.Outcome)
	}
	return out
}

func view(t *testing.T, x *Index) []*Reader {
	t.Helper()
	readers, err := x.View()
	if err != nil {
		t.Error(err)
	}
	return readers
}

// content reads all documents that are not deleted.
func content(t *testing.T, x *Index) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range view(t, x) {
		for doc := range r.Docs {
			if r.Deleted.Has(doc) {
				continue
			}
			id, err := r.ID(doc)
			if err != nil {
				t.Fatal(err)
			}
			src, err := r.Source(doc)
			if err != nil {
				t.Fatal(err)
			}
			out[id] += string(src)
		}
	}
	return out
}

// TestOperations checks outcomes and content, in memory, in a segment, and after a restart of each.
func TestOperations(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	got := outcomes(t, x, op(t, Create, "a", "1"), op(t, Create, "a", "2"), op(t, Put, "a", "3"), op(t, Put, "b", "4"), Op{Kind: Delete, ID: "zz"}, op(t, Create, "c", "5"), Op{Kind: Delete, ID: "c"}, op(t, Create, "c", "6"))
	if d := cmp.Diff([]Outcome{Created, Conflict, Updated, Created, NotFound, Created, Deleted, Created}, got); d != "" {
		t.Errorf("outcomes (-want +got):\n%s", d)
	}
	want := map[string]string{"a": "3", "b": "4", "c": "6"}
	check := func(when string) {
		t.Helper()
		if d := cmp.Diff(want, content(t, x)); d != "" {
			t.Errorf("%s (-want +got):\n%s", when, d)
		}
		if st := x.Stats(); st.Docs != len(want) {
			t.Errorf("%s: %d documents counted", when, st.Docs)
		}
		for id, source := range want {
			if src, ok, err := x.Get(id); err != nil || !ok || string(src) != source {
				t.Errorf("%s: get %s: %s %v %v", when, id, src, ok, err)
			}
		}
	}
	reopen := func() {
		t.Helper()
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		x = open(t, dir)
	}
	check("in memory")
	reopen()
	check("after a restart")
	if err := x.Seal(); err != nil {
		t.Fatal(err)
	}
	check("in a segment")
	outcomes(t, x, op(t, Put, "a", "7"), Op{Kind: Delete, ID: "b"})
	want = map[string]string{"a": "7", "c": "6"}
	check("replaced")
	reopen()
	check("replaced after a restart")
	if err := x.Seal(); err != nil {
		t.Fatal(err)
	}
	reopen()
	check("two segments")
	if got := outcomes(t, x, op(t, Create, "c", "8")); got[0] != Conflict {
		t.Errorf("create of an id in a segment: %v", got)
	}
}

// TestSmallWritesBecomeSegments writes thousands of tiny batches from several goroutines while others read.
func TestSmallWritesBecomeSegments(t *testing.T) {
	x := open(t, t.TempDir())
	const writers, each, size = 4, 410, 20 // a little more than FlushDocs
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				var ops []Op
				for j := range size {
					id := fmt.Sprintf("%d-%d-%d", w, i, j)
					doc, err := document(id, []byte(id))
					if err != nil {
						t.Error(err)
						return
					}
					ops = append(ops, Op{Kind: Create, ID: id, Doc: doc})
				}
				if _, err := x.Write(ops); err != nil {
					t.Error(err)
					return
				}
				if i%50 == 0 {
					for _, r := range view(t, x) {
						if _, err := r.ID(r.Docs - 1); err != nil {
							t.Error(err)
						}
					}
				}
			}
		})
	}
	wg.Wait()
	st := x.Stats()
	for end := time.Now().Add(20 * time.Second); st.Segments == 0 && time.Now().Before(end); st = x.Stats() { // the last write is answered first
		time.Sleep(time.Millisecond)
	}
	if st.Docs != writers*each*size || st.Segments != 1 {
		t.Errorf("stats: %+v", st)
	}
	if got := content(t, x); len(got) != st.Docs || got["3-409-19"] != "3-409-19" {
		t.Errorf("content of %d documents", len(got))
	}
	skipped := 0
	for _, r := range view(t, x) {
		if !r.MayHave("src", "not there") {
			skipped++
		}
		if r.seg != nil && !r.MayHave("src", "0-0-0") {
			t.Error("the filter denies a term that exists")
		}
	}
	if skipped != 1 {
		t.Errorf("%d segments skipped", skipped)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := NewCache(100)
	segs := make([]segment, 30)
	for i := range segs {
		c.put(cacheKey{&segs[i], "a"}, i, 10)
		c.get(cacheKey{&segs[0], "a"})
	}
	if c.used > 100 || len(c.items) != 10 {
		t.Errorf("cache holds %d bytes in %d items", c.used, len(c.items))
	}
	if _, ok := c.get(cacheKey{&segs[0], "a"}); !ok {
		t.Error("the most used item is gone")
	}
	c.drop(&segs[0])
	if _, ok := c.get(cacheKey{&segs[0], "a"}); ok {
		t.Error("a dropped segment is still cached")
	}
}

// TestIDTable compares with a map, where half of the hashes collide.
func TestIDTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	table, want := newIDTable(0), map[uint32]uint32{} // id to place
	idOf := map[uint32]uint32{}                       // place to id
	for place := range uint32(20_000) {
		id := rnd.Uint32N(8000)
		h := uint64(id / 2)
		same := func(p uint32) bool { return idOf[p] == id }
		slot := table.find(h, same)
		old, exists := want[id]
		if exists != (slot >= 0) || exists && table.places[slot] != old {
			t.Fatalf("id %d: slot %d, want place %d %v", id, slot, old, exists)
		}
		if exists {
			table.remove(slot)
			delete(want, id)
		}
		if !exists || rnd.IntN(3) > 0 {
			idOf[place] = id
			table.insert(h, place)
			want[id] = place
		}
	}
}

func TestBloom(t *testing.T) {
	b := newBloom(1000)
	for i := range 1000 {
		b.add(termHash("f", fmt.Sprint(i)))
	}
	wrong := 0
	for i := range 1000 {
		if !b.has(termHash("f", fmt.Sprint(i))) {
			t.Fatalf("term %d is denied", i)
		}
		if b.has(termHash("g", fmt.Sprint(i))) {
			wrong++
		}
	}
	if wrong > 50 {
		t.Errorf("%d of 1000 wrong positives", wrong)
	}
}

func FuzzReadFrame(f *testing.F) {
	good := appendFrame(nil, s2.Encode(nil, encodeOps(nil, []rawOp{{kind: Put, id: "a", source: []byte(`{"a":1}`)}, {kind: Delete, id: "b"}})))
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add(bytes.Repeat([]byte(walMagic), 5))
	f.Fuzz(func(t *testing.T, data []byte) {
		ops, size, err := readFrame(data)
		if err != nil {
			return
		}
		if size > len(data) {
			t.Fatalf("frame of %d bytes in %d", size, len(data))
		}
		if again, err := decodeOps(encodeOps(nil, ops)); err != nil || len(again) != len(ops) {
			t.Fatalf("operations do not survive a round trip: %v", err)
		}
	})
}
