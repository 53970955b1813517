package query

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

func parseTerm(n *esjson.Node) (*Query, error) {
	field, body, err := fieldBody(n, "term", "value", "case_insensitive")
	if err != nil {
		return nil, err
	}
	v := option(body, "value", true)
	if v != nil && v == body && v.Kind == esjson.Null {
		return nil, eserr.IllegalArgument("field name is null or empty")
	}
	if v == nil || !v.IsScalar() || v.Kind == esjson.Null {
		return nil, eserr.IllegalArgument("value cannot be null")
	}
	fold, err := flag(body, "case_insensitive")
	if err != nil {
		return nil, err
	}
	return &Query{Scoring: true, score: 1, bind: func(t *Target) (Matcher, error) { return termMatcher(t, field, []string{v.Str}, fold) }}, nil
}

func parseTerms(n *esjson.Node) (*Query, error) {
	var field string
	var values []string
	for _, f := range n.Fields {
		switch {
		case f.Name == "boost" || f.Name == "_name":
		case f.Value.Kind != esjson.Array:
			return nil, unsupported(n, f, "terms")
		case field != "":
			return nil, f.Value.Errorf("[terms] query does not support multiple fields")
		default:
			field = f.Name
			for _, it := range f.Value.Items {
				if !it.IsScalar() || it.Kind == esjson.Null {
					return nil, it.Errorf("No value specified for terms query")
				}
				values = append(values, it.Str)
			}
		}
	}
	if field == "" {
		return nil, endError(n, "[terms] query requires a field name, followed by array of terms or a document lookup specification")
	}
	if len(values) > 65536 {
		return nil, eserr.IllegalArgument("The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [65536].", len(values))
	}
	return &Query{score: 1, bind: func(t *Target) (Matcher, error) { return termMatcher(t, field, values, false) }}, nil
}

func parseIDs(n *esjson.Node) (*Query, error) {
	var ids []string
	for _, f := range n.Fields {
		switch f.Name {
		case "values":
			for _, it := range f.Value.Items {
				ids = append(ids, it.Str)
			}
		case "boost", "_name":
		default:
			e := f.Unknown("ids")
			return nil, f.Value.Errorf("%s", e.Reason).Wrap(e)
		}
	}
	return &Query{score: 1, bind: func(*Target) (Matcher, error) { return exactStrings(store.IDField, ids), nil }}, nil
}

// exactStrings matches documents whose stored column has one of the values; the bloom filter applies.
func exactStrings(field string, values []string) Matcher {
	m := stringMatcher(func(r *store.Reader) (*column.Column, error) { return r.Column(field) }, setPredicate(values))
	scan := m.match
	m.match = func(r *store.Reader) (store.Bits, error) {
		if found, ok, err := r.Find(field, values); ok || err != nil {
			return found, err
		}
		c, err := r.Column(field)
		if err != nil {
			return nil, err
		}
		if len(values) == 1 && !slices.Contains(c.Dict, values[0]) { // of ids that all differ, a dictionary is as long as the documents
			return store.NewBits(r.Docs), nil
		}
		return scan(r)
	}
	m.may = func(r *store.Reader) bool {
		return slices.ContainsFunc(values, func(v string) bool { return r.MayHave(field, v) })
	}
	return m
}

func setPredicate(values []string) func(string) bool {
	if len(values) == 1 {
		return func(s string) bool { return s == values[0] }
	}
	set := make(map[string]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return func(s string) bool { _, ok := set[s]; return ok }
}

// termMatcher matches documents that have one of the exact values in a field.
func termMatcher(t *Target, name string, values []string, fold bool) (Matcher, error) {
	if name == "_index" {
		if slices.Contains(values, t.Index) {
			return all(), nil
		}
		return none(), nil
	}
	if name == store.IDField {
		return exactStrings(name, values), nil
	}
	if name == mapping.IgnoredField {
		return exactStrings(name, values), nil
	}
	f := t.Mapping.Lookup(name)
	if f == nil || f.IsObject() {
		return none(), nil
	}
	if fold {
		if f.Kind() != column.String || f.Type == mapping.IP {
			return Matcher{}, shardError(t, eserr.IllegalArgument("[%s] field which is of type [%s], does not support case insensitive term queries", name, f.Type))
		}
		keep := func(s string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return lowerASCII(s) == lowerASCII(v) })
		}
		return predicate(f, keep).marked(f, keep), nil
	}
	switch f.Type {
	case mapping.Keyword:
		return exactStrings(f.Path, values).marked(f, setPredicate(values)), nil
	case mapping.GeoPoint:
		return Matcher{}, shardRefusal(t, "Geometry fields do not support exact searching, use dedicated geometry queries instead: [%s]", name)
	case mapping.IP:
		return ipMatcher(t, f, values)
	case mapping.Flattened, mapping.ConstantKeyword:
		return predicate(f, setPredicate(values)), nil
	case mapping.Text, mapping.MatchOnlyText:
		return predicate(f, setPredicate(values)).marked(f, setPredicate(values)), nil
	}
	return numbersMatcher(t, f, values)
}

// predicate matches documents of a string field; of a text field its words are tested.
func predicate(f *mapping.Resolved, keep func(string) bool) Matcher {
	if f.IsText() {
		return wordMatcher(f, keep)
	}
	return stringMatcher(func(r *store.Reader) (*column.Column, error) { return Column(r, f) }, keep)
}

// stringMatcher tests each distinct string of a segment once.
func stringMatcher(load func(*store.Reader) (*column.Column, error), keep func(string) bool) Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		bits := store.NewBits(r.Docs)
		c, err := load(r)
		if err != nil {
			return nil, err
		}
		hits := make([]bool, len(c.Dict))
		found := false
		for i, s := range c.Dict {
			hits[i] = keep(s)
			found = found || hits[i]
		}
		if !found {
			return bits, nil
		}
		scanOrds(bits, c, r.Docs, hits)
		return bits, nil
	}}
}

func ipMatcher(t *Target, f *mapping.Resolved, values []string) (Matcher, error) {
	var exact []string
	var nets []netip.Prefix
	for _, v := range values {
		if strings.Contains(v, "/") {
			p, err := netip.ParsePrefix(v)
			if err != nil {
				address, bits, _ := strings.Cut(v, "/")
				if _, err := netip.ParseAddr(address); err == nil {
					return Matcher{}, shardError(t, eserr.IllegalArgument("Illegal prefix length [%s] in [%s]. Must be 0-32 for IPv4 ranges, 0-128 for IPv6 ranges", bits, v))
				}
				return Matcher{}, shardError(t, eserr.IllegalArgument("'%s' is not an IP string literal.", v))
			}
			nets = append(nets, p)
			continue
		}
		a, err := netip.ParseAddr(v)
		if err != nil {
			return Matcher{}, shardError(t, eserr.IllegalArgument("'%s' is not an IP string literal.", v))
		}
		exact = append(exact, mapping.IPKey(a))
	}
	if nets == nil {
		return exactStrings(f.Path, exact), nil
	}
	return predicate(f, func(s string) bool {
		if slices.Contains(exact, s) {
			return true
		}
		a, ok := netip.AddrFromSlice([]byte(s))
		a = a.Unmap()
		return ok && slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
	}), nil
}

// numbersMatcher matches numbers, booleans and dates that equal one of the values.
func numbersMatcher(t *Target, f *mapping.Resolved, values []string) (Matcher, error) {
	var parts []Matcher
	ints := map[int64]struct{}{}
	for _, v := range values {
		switch {
		case f.Type == mapping.Date:
			rg := bounds{lower: &v, upper: &v, includeLower: true, includeUpper: true}
			m, err := rg.matcher(t, f)
			if err != nil {
				return Matcher{}, err
			}
			parts = append(parts, m)
		case f.Type == mapping.Boolean:
			switch v {
			case "true":
				ints[1] = struct{}{}
			case "false":
				ints[0] = struct{}{}
			default:
				return Matcher{}, shardError(t, eserr.IllegalArgument("Can't parse boolean value [%s], expected [true] or [false]", v))
			}
		default:
			x, err := strconv.ParseFloat(v, 64)
			if err != nil && !math.IsInf(x, 0) {
				return Matcher{}, shardError(t, eserr.New(400, "number_format_exception", "For input string: \"%s\"", v))
			}
			if f.Kind() == column.Float {
				x = f.Narrow(x)
				parts = append(parts, floatMatcher(f, x, x))
			} else if f.Type == mapping.UnsignedLong {
				if u, err := strconv.ParseUint(v, 10, 64); err == nil {
					ints[mapping.Stored(u)] = struct{}{}
				} else if x == math.Trunc(x) && x >= 0 && x < 1<<64 {
					ints[mapping.Stored(uint64(x))] = struct{}{}
				}
			} else if i, err := strconv.ParseInt(v, 10, 64); err == nil {
				ints[i] = struct{}{}
			} else if x == math.Trunc(x) && math.Abs(x) < 1<<63 {
				ints[int64(x)] = struct{}{}
			}
		}
	}
	switch {
	case len(ints) == 1:
		for i := range ints {
			parts = append(parts, intRange(f, i, i))
		}
	case len(ints) > 1:
		parts = append(parts, intMatcher(f, func(i int64) bool { _, ok := ints[i]; return ok }))
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	if len(parts) == 0 {
		return none(), nil
	}
	return atLeast(parts, 1), nil
}

func intMatcher(f *mapping.Resolved, keep func(int64) bool) Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		bits := store.NewBits(r.Docs)
		c, err := Column(r, f)
		if err != nil {
			return nil, err
		}
		scan(bits, c, r.Docs, func(pos uint32) bool { return keep(c.Ints[pos]) })
		return bits, nil
	}}
}

func floatMatcher(f *mapping.Resolved, lo, hi float64) Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		bits := store.NewBits(r.Docs)
		c, err := Column(r, f)
		if err != nil {
			return nil, err
		}
		scanFloats(bits, c, r.Docs, lo, hi)
		return bits, nil
	}}
}
