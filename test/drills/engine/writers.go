package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
)

// stream is the data stream that drills write to, with its template.
const (
	stream   = "logs-drill-test"
	template = `{"index_patterns":["logs-*"],"data_stream":{},"template":{"mappings":{"properties":{"id":{"type":"keyword"},"k":{"type":"keyword"},"n":{"type":"long"},"text":{"type":"match_only_text"}}}}}`
)

// ledger knows what was acknowledged, and what was sent and is not known to be stored.
type ledger struct {
	mu      sync.Mutex
	acked   map[string]int64 // id to n
	pending map[int][]string // per writer the ids of the bulk without an answer
	next    map[int]int      // per writer the number of its next bulk
}

func newLedger() *ledger {
	return &ledger{acked: map[string]int64{}, pending: map[int][]string{}, next: map[int]int{}}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// number is n of a document, made of its id.
func number(id string) int64 {
	var h int64 = 17
	for _, c := range id {
		h = (h*31 + int64(c)) % 1_000_003
	}
	return h
}

// bulkBody creates documents with these ids.
func bulkBody(ids []string) string {
	var b strings.Builder
	for i, id := range ids {
		n := number(id)
		fmt.Fprintf(&b, `{"create":{"_id":%q}}`+"\n", id)
		fmt.Fprintf(&b, `{"@timestamp":%d,"id":%q,"k":"k%d","n":%d,"text":"GET /path/%d %d","pad":"%0*d"}`+"\n", 1_767_600_000_000+int64(i), id, n%7, n, n%50, 200+n%5, n%90, n)
	}
	return b.String()
}

// write sends bulks until the engine is gone or stop is closed. What had no answer is sent again first: create makes that safe.
func (l *ledger) write(n *node, writer, size int, stop <-chan struct{}, sent *atomic.Int64) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		l.mu.Lock()
		ids := l.pending[writer]
		if ids == nil {
			for i := range size {
				ids = append(ids, fmt.Sprintf("w%d-%d-%d", writer, l.next[writer], i))
			}
			l.next[writer]++
			l.pending[writer] = ids
		}
		l.mu.Unlock()
		out, err := n.call("POST", "/"+stream+"/_bulk", bulkBody(ids))
		var no *refused
		if errors.As(err, &no) {
			return err
		}
		if err != nil {
			return nil // killed; the next round sends these again
		}
		if err := l.settle(writer, ids, out); err != nil {
			return err
		}
		sent.Add(int64(len(ids)))
	}
}

// settle records the answers of a bulk: 201 and 409 both mean that the document is stored.
func (l *ledger) settle(writer int, ids []string, out map[string]any) error {
	items, _ := at(out, "items").([]any)
	if len(items) != len(ids) {
		return fmt.Errorf("%d items for %d documents", len(items), len(ids))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, it := range items {
		if s := fmt.Sprint(at(it, "create", "status")); s != "201" && s != "409" {
			return fmt.Errorf("item: %v", it)
		}
		l.acked[ids[i]] = number(ids[i])
	}
	delete(l.pending, writer)
	return nil
}

// round runs writers until some documents are written, then for a random time more, kills the engine, and returns.
// Beside is called again and again meanwhile.
func (l *ledger) round(n *node, writers, size int, least int64, rnd *rand.Rand, beside func() error) error {
	stop := make(chan struct{})
	var sent atomic.Int64
	errs := make(chan error, writers+1)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() { errs <- l.write(n, w, size, stop, &sent) })
	}
	until := least + rnd.Int64N(least+1)
	for sent.Load() < until {
		if err := beside(); err != nil {
			errs <- err
			break
		}
		select {
		case <-n.exited:
			errs <- fmt.Errorf("the engine ended by itself: %s", n.log)
			until = 0
		default:
		}
	}
	n.kill()
	close(stop)
	wg.Wait()
	close(errs)
	for err := range errs {
		var no *refused
		if err != nil && (errors.As(err, &no) || !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "connection")) {
			return err
		}
	}
	return nil
}

// found are all documents of the stream, read page by page, with n as their source has it.
func found(n *node) (map[string]int64, error) {
	out := map[string]int64{}
	after := ""
	for {
		page, err := n.call("POST", "/"+stream+"/_search", `{"size":10000,"sort":["id"]`+after+`}`)
		if err != nil {
			return nil, err
		}
		hits, _ := at(page, "hits", "hits").([]any)
		if len(hits) == 0 {
			return out, nil
		}
		for _, h := range hits {
			id, _ := at(h, "_id").(string)
			if _, twice := out[id]; twice {
				return nil, fmt.Errorf("document %s is there twice", id)
			}
			num, ok := at(h, "_source", "n").(json.Number)
			if !ok {
				return nil, fmt.Errorf("document %s has no n: %v", id, h)
			}
			if out[id], err = num.Int64(); err != nil {
				return nil, fmt.Errorf("document %s: %w", id, err)
			}
		}
		key, err := json.Marshal(at(hits[len(hits)-1], "sort"))
		if err != nil {
			return nil, fmt.Errorf("encode sort: %w", err)
		}
		after = `,"search_after":` + string(key)
	}
}

// check compares everything found with the ledger, then counts and aggregations with sums over the sources. It returns
// how many documents are there beyond those acknowledged: sent, and stored before the kill.
func (l *ledger) check(n *node) (extra int, err error) {
	docs, err := found(n)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := 0
	for id, want := range l.acked {
		if got, ok := docs[id]; !ok {
			lost++
		} else if got != want {
			return 0, fmt.Errorf("document %s has n %d, written was %d", id, got, want)
		}
	}
	if lost > 0 {
		return 0, fmt.Errorf("%d of %d acknowledged documents are lost", lost, len(l.acked))
	}
	return len(docs) - len(l.acked), checkFigures(n, docs)
}

// checkFigures compares _count and a nested aggregation with the same computed from the documents.
func checkFigures(n *node, docs map[string]int64) error {
	count, err := n.call("GET", "/"+stream+"/_count", "")
	if err != nil {
		return err
	}
	if got := fmt.Sprint(at(count, "count")); got != fmt.Sprint(len(docs)) {
		return fmt.Errorf("_count is %s, found are %d", got, len(docs))
	}
	out, err := n.call("POST", "/"+stream+"/_search", `{"size":0,"track_total_hits":true,"aggs":{"k":{"terms":{"field":"k","size":10,"order":{"_key":"asc"}},"aggs":{"s":{"stats":{"field":"n"}}}}}}`)
	if err != nil {
		return err
	}
	type figures struct{ count, sum, min, max int64 }
	want := map[string]figures{}
	for _, v := range docs {
		key := fmt.Sprintf("k%d", v%7)
		f := want[key]
		if f.count == 0 {
			f.min, f.max = v, v
		}
		want[key] = figures{f.count + 1, f.sum + v, min(f.min, v), max(f.max, v)}
	}
	got := map[string]figures{}
	buckets, _ := at(out, "aggregations", "k", "buckets").([]any)
	for _, b := range buckets {
		value := func(name string) int64 {
			x, _ := at(b, "s", name).(json.Number)
			f, _ := x.Float64() // compared below
			return int64(f)
		}
		got[fmt.Sprint(at(b, "key"))] = figures{value("count"), value("sum"), value("min"), value("max")}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) { // maps print in the order of their keys
		return fmt.Errorf("aggregation %v, from the sources %v", got, want)
	}
	return nil
}
