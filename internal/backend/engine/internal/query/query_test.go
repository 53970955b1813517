package query

import (
	"testing"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

func TestWildcard(t *testing.T) {
	for _, tc := range []struct {
		s, pattern string
		want       bool
	}{
		{"abc", "a*c", true},
		{"abc", "a?c", true},
		{"aäc", "a?c", true},
		{"abc", "*", true},
		{"", "*", true},
		{"", "?", false},
		{"a*c", `a\*c`, true},
		{"abc", `a\*c`, false},
		{"aXbXc", "*X*X*", true},
		{"abab", "*ab", true},
		{"abc", "abcd", false},
		{"abc", "ab", false},
	} {
		if got := wildcardMatch(tc.s, tc.pattern); got != tc.want {
			t.Errorf("%q matches %q: %v", tc.s, tc.pattern, got)
		}
	}
}

// FuzzParse parses and binds any query: it must end with an Elasticsearch error or run on an empty segment.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"bool":{"must":[{"term":{"k":"a"}}],"should":{"match":{"t":"x y"}},"minimum_should_match":"-50%"}}`,
		`{"range":{"d":{"gte":"now-1d/d","lt":"2026||/M","time_zone":"+01:00"}}}`, `{"query_string":{"query":"k:(a OR b) -n:[1 TO *}"}}`,
		`{"terms":{"ip":["10.0.0.0/8","::1"]}}`, `{"wildcard":{"k":{"value":"a*?\\*","case_insensitive":true}}}`, `{"exists":{"field":"f.x"}}`, `{"range":{"n":{"gt":1e300}}}`,
	} {
		f.Add([]byte(s))
	}
	m, err := mapping.ParseBytes([]byte(`{"properties":{"k":{"type":"keyword"},"t":{"type":"text"},"n":{"type":"long"},"x":{"type":"float"},"d":{"type":"date"},"ip":{"type":"ip"},"b":{"type":"boolean"},"f":{"type":"flattened"},"g":{"type":"geo_point"}}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := esjson.Parse(data)
		if err != nil {
			return
		}
		q, err := Parse(n)
		if err == nil {
			var matcher Matcher
			if matcher, err = q.Bind(&Target{Index: "i", Mapping: m}); err == nil {
				_, err = matcher.Match(&store.Reader{Docs: 3})
			}
		}
		if err != nil && eserr.From(err).Status != 400 {
			t.Fatalf("%s: %v", data, err)
		}
	})
}
