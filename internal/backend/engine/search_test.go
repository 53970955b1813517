package engine_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// thing is a random document, kept beside the engine as the truth to compare with.
type thing struct {
	ID   string   `json:"-"`
	Time int64    `json:"@timestamp"`
	K    []string `json:"k,omitempty"`
	N    *int64   `json:"n,omitempty"`
	F    *float64 `json:"f,omitempty"`
	B    *bool    `json:"b,omitempty"`
	IP   string   `json:"ip"`
	Msg  string   `json:"msg"`
	Seq  int      `json:"seq"`
}

const thingTemplate = `{"index_patterns":["things-*"],"data_stream":{},"template":{"mappings":{"properties":{
 "k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"b":{"type":"boolean"},"ip":{"type":"ip"},"seq":{"type":"integer"},
 "msg":{"type":"text","fields":{"raw":{"type":"keyword"}}},"al":{"type":"alias","path":"k"}}}}}`

var base = time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC).UnixMilli()

// things fills a stream with random documents, a part of them in segments and a part in memory.
func things(t *testing.T, n *node, count int) []thing {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	words := []string{"error", "GET", "order-1", "Timeout", "gateway", "don't", "1.5"}
	pick := func() bool { return rnd.IntN(10) < 8 }
	n.must("PUT", "/_index_template/things", thingTemplate)
	var all []thing
	var body strings.Builder
	for i := range count {
		d := thing{ID: strconv.Itoa(i), Seq: i, Time: base + rnd.Int64N(5*86_400_000), IP: fmt.Sprintf("10.0.%d.%d", rnd.IntN(3), rnd.IntN(4))}
		for range rnd.IntN(3) {
			if k := string(rune('a' + rnd.IntN(5))); !slices.Contains(d.K, k) {
				d.K = append(d.K, k)
			}
		}
		if pick() {
			d.N = new(rnd.Int64N(60) - 10)
		}
		if pick() {
			d.F = new(float64(rnd.IntN(1000)) / 8)
		}
		if pick() {
			d.B = new(rnd.IntN(2) == 0)
		}
		for range 1 + rnd.IntN(4) {
			d.Msg += words[rnd.IntN(len(words))] + " "
		}
		all = append(all, d)
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&body, `{"create":{"_id":%q}}`+"\n%s\n", d.ID, raw)
		if i == count/2 || i == count-1 {
			n.bulk("things-x", body.String())
			body.Reset()
		}
		if i == count/2 {
			n.must("POST", "/things-x/_rollover", "")
		}
	}
	return all
}

func matching(all []thing, keep func(thing) bool) []string {
	out := []string{}
	for _, d := range all {
		if keep(d) {
			out = append(out, d.ID)
		}
	}
	return out
}

// TestQueries compares every query with a plain loop over the same documents.
func TestQueries(t *testing.T) {
	n := start(t, t.TempDir())
	all := things(t, n, 400)
	has := func(d thing, word string) bool {
		return slices.Contains(strings.Fields(strings.ToLower(strings.ReplaceAll(d.Msg, "-", " "))), word)
	}
	between := func(v *int64, lo, hi int64) bool { return v != nil && *v >= lo && *v <= hi }
	day := func(d int) int64 { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC).UnixMilli() }
	for _, tc := range []struct {
		query string
		keep  func(thing) bool
	}{
		{`{"match_all":{}}`, func(thing) bool { return true }},
		{`{"match_none":{}}`, func(thing) bool { return false }},
		{`{"term":{"k":"a"}}`, func(d thing) bool { return slices.Contains(d.K, "a") }},
		{`{"term":{"al":"a"}}`, func(d thing) bool { return slices.Contains(d.K, "a") }},
		{`{"term":{"k":{"value":"A","case_insensitive":true}}}`, func(d thing) bool { return slices.Contains(d.K, "a") }},
		{`{"terms":{"k":["a","c","zz"]}}`, func(d thing) bool { return slices.Contains(d.K, "a") || slices.Contains(d.K, "c") }},
		{`{"term":{"n":"7"}}`, func(d thing) bool { return between(d.N, 7, 7) }},
		{`{"term":{"n":7.5}}`, func(thing) bool { return false }},
		{`{"term":{"b":true}}`, func(d thing) bool { return d.B != nil && *d.B }},
		{`{"term":{"ip":"10.0.1.0/24"}}`, func(d thing) bool { return strings.HasPrefix(d.IP, "10.0.1.") }},
		{`{"term":{"ip":"10.0.1.2"}}`, func(d thing) bool { return d.IP == "10.0.1.2" }},
		{`{"term":{"@timestamp":"2026-03-28"}}`, func(d thing) bool { return d.Time >= day(28) && d.Time < day(29) }},
		{`{"range":{"n":{"gt":5,"lte":20.5}}}`, func(d thing) bool { return between(d.N, 6, 20) }},
		{`{"range":{"f":{"gte":10,"lt":50}}}`, func(d thing) bool { return d.F != nil && *d.F >= 10 && *d.F < 50 }},
		{`{"range":{"k":{"gte":"b","lt":"d"}}}`, func(d thing) bool { return slices.Contains(d.K, "b") || slices.Contains(d.K, "c") }},
		{`{"range":{"ip":{"gte":"10.0.1.1","lte":"10.0.2.0"}}}`, func(d thing) bool {
			return strings.HasPrefix(d.IP, "10.0.1.") && d.IP != "10.0.1.0" || d.IP == "10.0.2.0"
		}},
		{`{"range":{"@timestamp":{"gte":"2026-03-28","lte":"2026-03-29"}}}`, func(d thing) bool { return d.Time >= day(28) && d.Time < day(30) }},
		{`{"range":{"@timestamp":{"gt":"2026-03-28","lt":"2026-03-30"}}}`, func(d thing) bool { return d.Time >= day(29) && d.Time < day(30) }},
		{`{"range":{"@timestamp":{"gte":"2026-03-27||+1d/d","lt":"2026-03-28||+1d/d"}}}`, func(d thing) bool { return d.Time >= day(28) && d.Time < day(29) }},
		{`{"range":{"@timestamp":{"gte":"28/03/2026","format":"dd/MM/yyyy","time_zone":"+02:00"}}}`, func(d thing) bool { return d.Time >= day(28)-7_200_000 }},
		{`{"range":{"@timestamp":{"lte":"now-100y/y"}}}`, func(thing) bool { return false }},
		{`{"exists":{"field":"f"}}`, func(d thing) bool { return d.F != nil }},
		{`{"exists":{"field":"nope"}}`, func(thing) bool { return false }},
		{`{"prefix":{"msg.raw":"err"}}`, func(d thing) bool { return strings.HasPrefix(d.Msg, "err") }},
		{`{"wildcard":{"msg.raw":"*T?meout*"}}`, func(d thing) bool { return strings.Contains(d.Msg, "Timeout") }},
		{`{"match":{"msg":"ERROR gateway"}}`, func(d thing) bool { return has(d, "error") || has(d, "gateway") }},
		{`{"match":{"msg":{"query":"error gateway","operator":"and"}}}`, func(d thing) bool { return has(d, "error") && has(d, "gateway") }},
		{`{"match_phrase":{"msg":"error gateway"}}`, func(d thing) bool { return strings.Contains(d.Msg, "error gateway") }},
		{`{"match":{"msg":"order"}}`, func(d thing) bool { return strings.Contains(d.Msg, "order-1") }},
		{`{"ids":{"values":["3","399","nope"]}}`, func(d thing) bool { return d.ID == "3" || d.ID == "399" }},
		{`{"bool":{"filter":[{"term":{"k":"a"}}],"must_not":{"term":{"b":true}}}}`, func(d thing) bool { return slices.Contains(d.K, "a") && (d.B == nil || !*d.B) }},
		{`{"bool":{"should":[{"term":{"k":"a"}},{"term":{"k":"b"}},{"term":{"b":true}}],"minimum_should_match":2}}`, func(d thing) bool {
			c := 0
			for _, hit := range []bool{slices.Contains(d.K, "a"), slices.Contains(d.K, "b"), d.B != nil && *d.B} {
				if hit {
					c++
				}
			}
			return c >= 2
		}},
		{`{"bool":{"must":[{"term":{"k":"a"}}],"should":[{"term":{"k":"b"}}]}}`, func(d thing) bool { return slices.Contains(d.K, "a") }},
		{`{"query_string":{"query":"k:(a OR b) AND n:[1 TO 9] -b:true"}}`, func(d thing) bool {
			return (slices.Contains(d.K, "a") || slices.Contains(d.K, "b")) && between(d.N, 1, 9) && (d.B == nil || !*d.B)
		}},
		{`{"query_string":{"query":"msg:\"error gateway\" OR n:>48"}}`, func(d thing) bool { return strings.Contains(d.Msg, "error gateway") || between(d.N, 49, 100) }},
	} {
		out := n.must("POST", "/things-*/_search", `{"size":1000,"sort":["seq"],"_source":false,"query":`+tc.query+`}`)
		want := matching(all, tc.keep)
		wantEqual(t, tc.query, ids(out), want)
		count := n.must("POST", "/things-*/_count", `{"query":`+tc.query+`}`)
		wantEqual(t, "count "+tc.query, get(count, "count"), any(float64(len(want))))
	}
}

// TestPaging walks all documents with search_after and compares with one large page, for several orders.
func TestPaging(t *testing.T) {
	n := start(t, t.TempDir())
	all := things(t, n, 300)
	for _, sort := range []string{
		`[{"@timestamp":"desc"},"seq"]`, `[{"n":"asc"},"seq"]`, `[{"n":{"order":"desc","missing":"_first"}},"seq"]`, `[{"f":{"order":"asc","missing":3}},"seq"]`,
		`[{"k":"desc"},"seq"]`, `[{"ip":"asc"},"seq"]`, `[{"b":"asc"},"seq"]`, `["_doc"]`,
	} {
		whole := ids(n.must("POST", "/things-*/_search", `{"size":1000,"sort":`+sort+`}`))
		var paged []string
		after := ""
		for {
			out := n.must("POST", "/things-*/_search", `{"size":37,"sort":`+sort+after+`}`)
			page := ids(out)
			if len(page) == 0 {
				break
			}
			paged = append(paged, page...)
			key, err := json.Marshal(get(out, fmt.Sprintf("hits/hits/%d/sort", len(page)-1)))
			if err != nil {
				t.Fatal(err)
			}
			after = `,"search_after":` + string(key)
		}
		wantEqual(t, sort, paged, whole)
		if len(whole) != len(all) {
			t.Errorf("%s: %d hits", sort, len(whole))
		}
	}
	from := ids(n.must("POST", "/things-*/_search", `{"from":20,"size":5,"sort":["seq"]}`))
	wantEqual(t, "from", from, []string{"20", "21", "22", "23", "24"})
}

func TestHits(t *testing.T) {
	n := start(t, t.TempDir())
	n.must("PUT", "/i", `{"mappings":{"properties":{"d":{"type":"date"},"s":{"type":"keyword","ignore_above":3},"p":{"type":"geo_point"},"m":{"type":"long","ignore_malformed":true}}}}`)
	n.bulk("i", `{"index":{"_id":"1"}}`+"\n"+`{"d":"2026-01-02T03:04:05Z","s":"long one","o.x":1,"o":{"y":2},"p":[1.5,2],"m":"bad","list":[{"a":1},{"a":2,"b":3}]}`+"\n")
	for _, tc := range []struct{ body, path, want string }{
		{`{"_source":["o.*"]}`, "_source", `{"o.x":1,"o":{"y":2}}`},
		{`{"_source":{"includes":["o","list.a"],"excludes":["o.x"]}}`, "_source", `{"o":{"y":2},"list":[{"a":1},{"a":2}]}`},
		{`{"_source":false,"fields":[{"field":"d","format":"dd.MM.yyyy"},"list.a"]}`, "fields", `{"d":["02.01.2026"],"list.a":[1,2]}`},
		{`{}`, "_ignored", `["s","m"]`},
		{`{"query":{"bool":{"filter":{"match_all":{}}}}}`, "_score", `0`},
		{`{"query":{"match":{"o.x":1}}}`, "_score", `1`},
		{`{"sort":["d"]}`, "sort", `[1767323045000]`},
	} {
		out := n.must("POST", "/i/_search", tc.body)
		wantEqual(t, tc.body, get(out, "hits/hits/0/"+tc.path), decode(t, tc.want))
	}
	wantEqual(t, "relation", get(n.must("POST", "/i/_search?rest_total_hits_as_int=true", ""), "hits/total"), any(1.0))
	none := n.must("POST", "/nope-*/_search", `{"aggs":{"x":{"date_histogram":{"field":"d","fixed_interval":"1d","extended_bounds":{"min":"now-1d","max":"now"}}}}}`)
	wantEqual(t, "nothing to search", []any{none["aggregations"], get(none, "hits/total/value"), get(none, "_shards/total")}, []any{nil, 0.0, 0.0})
	status, out := n.call("POST", "/_msearch", `{"index":"i"}`+"\n"+`{"size":0}`+"\n"+`{"index":"nope"}`+"\n{}\n")
	wantEqual(t, "msearch", []any{status, get(out, "responses/0/hits/total/value"), get(out, "responses/1/status")}, []any{200, 1.0, 404.0})
}
