package query

import (
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// parseMultiMatch reads a match or match_phrase over several fields.
func parseMultiMatch(n *esjson.Node) (*Query, error) {
	s := &stringSpec{}
	m := matchSpec{}
	for _, f := range n.Fields {
		if f.Name == "default_operator" {
			return nil, unsupported(n, f, "multi_match")
		}
		if f.Name == "operator" {
			f.Name = "default_operator"
		}
		if f.Name == "fields" && f.Value.Kind == esjson.String {
			field, err := unboosted(f.Value.Str)
			if err != nil {
				return nil, err
			}
			s.fields = []string{field}
			continue
		}
		if known, err := s.option(n, f, "multi_match"); err != nil {
			return nil, err
		} else if known && f.Name != "analyze_wildcard" && f.Name != "quote_field_suffix" {
			continue
		}
		switch f.Name {
		case "type":
			switch f.Value.Str {
			case "best_fields", "most_fields":
			case "phrase":
				m.phrase = true
			case "cross_fields", "phrase_prefix", "bool_prefix":
				return nil, unsupportedValue("multi_match", f)
			default:
				return nil, eserr.New(400, "parse_exception", "failed to parse [multi_match] query type [%s]. unknown type.", f.Value.Str)
			}
		case "slop":
			v, ok := f.Value.Int()
			if !ok || v < 0 || v > maxSlop {
				return nil, unsupportedValue("multi_match", f)
			}
			m.slop = int(v)
		case "zero_terms_query":
			m.emptyAll = strings.EqualFold(f.Value.Str, "all")
		case "tie_breaker", "prefix_length", "max_expansions", "fuzzy_rewrite":
		default:
			return nil, unsupported(n, f, "multi_match")
		}
	}
	if n.Get("query") == nil {
		return nil, endError(n, "No text specified for multi_match query")
	}
	m.text, m.minimum = s.text, s.minimum
	if s.and && m.minimum == "" {
		m.minimum = "100%"
	}
	return &Query{Scoring: true, score: 1, bind: func(t *Target) (Matcher, error) {
		var parts []Matcher
		for _, field := range expand(t, s.fields) {
			one := m
			one.field = field
			part, err := one.bind(t)
			if err != nil && (s.lenient || s.all("")) {
				continue
			}
			if err != nil {
				return Matcher{}, err
			}
			parts = append(parts, part)
		}
		return atLeast(parts, 1), nil
	}}, nil
}
