package query

import (
	"encoding/json"
	"testing"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

func fuzzTarget(tb testing.TB) *Target {
	tb.Helper()
	m, err := mapping.ParseBytes([]byte(`{"properties":{"k":{"type":"keyword"},"t":{"type":"text"},"n":{"type":"long"},"u":{"type":"unsigned_long"},
		"f":{"type":"half_float"},"b":{"type":"boolean"},"d":{"type":"date"},"ip":{"type":"ip"},"g":{"type":"geo_point"},"fl":{"type":"flattened"},
		"o":{"properties":{"x":{"type":"keyword"}}},"a":{"type":"alias","path":"k"},"c":{"type":"constant_keyword","value":"v"}}}`))
	if err != nil {
		tb.Fatal(err)
	}
	return &Target{Index: "i", UUID: "u", Mapping: m, Now: time.UnixMilli(1_767_225_600_000)}
}

// tryQuery binds a query and matches an empty segment. Errors must be those of the API.
func tryQuery(t *testing.T, target *Target, q *Query, err error) {
	t.Helper()
	var m Matcher
	if err == nil {
		m, err = q.Bind(target)
	}
	if err == nil {
		_, err = m.Match(&store.Reader{MinTime: 1})
	}
	if err != nil {
		if e := eserr.From(err); e.Status < 400 || e.Status >= 500 {
			t.Fatalf("status %d: %v", e.Status, err)
		}
	}
}

// FuzzDSL reads query objects.
func FuzzDSL(f *testing.F) {
	for _, s := range []string{
		`{"match_all":{}}`, `{"bool":{"must":[{"term":{"k":"x"}}],"should":{"match":{"t":"a b"}},"minimum_should_match":"2<-25%"}}`,
		`{"range":{"d":{"gte":"now-1d/d","lt":"2026||+1M/M","time_zone":"+01:00"}}}`, `{"terms":{"n":[1,"2"]}}`, `{"ids":{"values":["1"]}}`,
		`{"wildcard":{"k":{"value":"a*?\\*","case_insensitive":true}}}`, `{"geo_bounding_box":{"g":{"top_left":"52,8","bottom_right":[12,49]}}}`,
		`{"multi_match":{"query":"x","fields":["t^2","k"],"type":"phrase"}}`, `{"match_phrase":{"t":{"query":"a b c","slop":3}}}`,
		`{"query_string":{"query":"a AND (b OR c)","fields":["t"]}}`, `{"simple_query_string":{"query":"a + -b","flags":"OR|AND"}}`, `{"exists":{"field":"o"}}`,
	} {
		f.Add([]byte(s))
	}
	target := fuzzTarget(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := esjson.Parse(body)
		if err != nil {
			return
		}
		q, err := Parse(n)
		tryQuery(t, target, q, err)
	})
}

// FuzzLucene reads texts as people type them, in both syntaxes.
func FuzzLucene(f *testing.F) {
	for _, s := range []string{
		`*:*`, `k:x AND NOT t:(a OR "b c"~2)`, `n:[1 TO *} OR d:{now-1d TO now]`, `+a -b !c && d || e`, `ip:10.0.0.0\/8`, `fl.a.b:>=5`, `"open`, `(((`, `a^2.5 b~1`,
		`/re.*/`, `_exists_:k`, `u:<=18446744073709551615`, `\u0041\`, `a:b:c`, `k:*x?y*`, `“ü” 名`,
	} {
		f.Add(s, true)
	}
	target := fuzzTarget(f)
	f.Fuzz(func(t *testing.T, text string, and bool) {
		quoted, err := json.Marshal(text)
		if err != nil {
			return
		}
		op := "or"
		if and {
			op = "and"
		}
		for _, body := range []string{
			`{"query_string":{"default_operator":"` + op + `","query":` + string(quoted) + `}}`,
			`{"query_string":{"fields":["t","n"],"lenient":true,"query":` + string(quoted) + `}}`,
			`{"simple_query_string":{"default_operator":"` + op + `","query":` + string(quoted) + `}}`,
		} {
			n, err := esjson.Parse([]byte(body))
			if err != nil {
				return
			}
			q, err := Parse(n)
			tryQuery(t, target, q, err)
		}
	})
}
