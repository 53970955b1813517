// Package hits orders matching documents and prints them.
//
// A Collector keeps the best documents of a search, segment by segment, and prints hits with sort values,
// filtered _source and fields. Order is total: equal sort values keep the order of index, segment and document.
package hits

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// sortKey is one criterion. Field is a field name, _doc or _score.
type sortKey struct {
	field        string
	desc         bool
	missing      *esjson.Node // a value, or _first or _last; nil is _last
	mode         string       // min, max, sum, avg, median; "" is min ascending and max descending
	unmappedType string
	format       *dates.Format

	// Of the segment that is read.
	res *mapping.Resolved
	col *column.Column
}

// value is one sort value. Exactly one of the members counts, by kind; absent is a missing string.
type value struct {
	kind   column.Kind
	i      int64
	f      float64
	s      string
	absent bool
}

func parseSort(n *esjson.Node) ([]*sortKey, error) {
	items := []*esjson.Node{n}
	if n.Kind == esjson.Array {
		items = n.Items
	}
	var out []*sortKey
	for _, it := range items {
		switch it.Kind {
		case esjson.String:
			out = append(out, &sortKey{field: it.Str, desc: it.Str == "_score"})
		case esjson.Object:
			for _, f := range it.Fields {
				k := &sortKey{field: f.Name, desc: f.Name == "_score"}
				if err := k.parse(f.Value); err != nil {
					return nil, err
				}
				out = append(out, k)
			}
		default:
			return nil, eserr.IllegalArgument("malformed sort format, within the sort array, an object, or an actual string are allowed")
		}
	}
	return out, nil
}

func (k *sortKey) order(n *esjson.Node) error {
	switch strings.ToLower(n.Str) {
	case "asc":
		k.desc = false
	case "desc":
		k.desc = true
	default:
		return eserr.IllegalArgument("No enum constant org.elasticsearch.search.sort.SortOrder.%s", strings.ToUpper(n.Str))
	}
	return nil
}

func (k *sortKey) parse(n *esjson.Node) error {
	if n.Kind == esjson.String {
		return k.order(n)
	}
	for _, f := range n.Fields {
		var err error
		switch f.Name {
		case "order":
			if err = k.order(f.Value); err != nil {
				line, col := f.Value.Pos()
				err = eserr.Within(line, col, "field_sort", f.Name, err)
			}
		case "missing":
			k.missing = f.Value
		case "mode":
			if k.mode = strings.ToLower(f.Value.Str); !slices.Contains([]string{"min", "max", "sum", "avg", "median"}, k.mode) {
				line, col := f.Value.Pos()
				err = eserr.Within(line, col, "field_sort", f.Name, eserr.IllegalArgument("Unknown SortMode [%s]", f.Value.Str))
			}
		case "unmapped_type":
			k.unmappedType = f.Value.Str
		case "numeric_type":
			err = eserr.IllegalArgument("[numeric_type] is not supported here")
		case "format":
			k.format, err = dates.ParseFormat(f.Value.Str)
		default:
			err = f.Unknown("field_sort")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare resolves the key for a segment.
func (k *sortKey) prepare(t *query.Target, r *store.Reader) error {
	k.res, k.col = nil, &column.Column{}
	if k.field == "_doc" || k.field == "_score" {
		return nil
	}
	if k.field == store.IDField {
		return eserr.IllegalArgument("Fielddata access on the _id field is disallowed, you can re-enable it by updating the dynamic cluster setting: indices.id_field_data.enabled")
	}
	k.res = t.Mapping.Lookup(k.field)
	switch {
	case k.res == nil && k.unmappedType == "":
		e := eserr.New(400, "query_shard_exception", "No mapping found for [%s] in order to sort on", k.field)
		e.Extra = map[string]any{"index": t.Index, "index_uuid": t.UUID}
		return e
	case k.res == nil:
		k.res = &mapping.Resolved{Field: &mapping.Field{Path: k.field, Type: k.unmappedType, DateFormat: dates.MustDefault()}}
		return nil
	}
	if err := Aggregatable(t, k.field, k.res); err != nil {
		return err
	}
	if k.mode != "" && k.mode != "min" && k.mode != "max" && k.res.Kind() == column.String {
		e := eserr.New(400, "query_shard_exception", "we only support AVG, MEDIAN and SUM on number based fields")
		e.Extra = map[string]any{"index": t.Index, "index_uuid": t.UUID}
		return e
	}
	if k.res.Type == mapping.GeoPoint {
		return eserr.IllegalArgument("can't sort on geo_point field without using specific sorting feature, like geo_distance")
	}
	var err error
	k.col, err = query.Column(r, k.res)
	return err
}

// Aggregatable refuses text fields and objects, whose values cannot be sorted or aggregated.
func Aggregatable(t *query.Target, name string, f *mapping.Resolved) error {
	if f.IsText() {
		return eserr.IllegalArgument("Fielddata is disabled on [%s] in [%s]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [%s] in order to load field data by uninverting the inverted index. Note that this can use significant memory.", name, t.Index, name)
	}
	if f.IsObject() {
		return eserr.IllegalArgument("field [%s] of type [object] does not support sorting or aggregating", name)
	}
	return nil
}

// at returns the sort value of a document. Ord is the document's place in the whole search.
func (k *sortKey) at(doc, ord int) (value, error) {
	switch k.field {
	case "_doc":
		return value{i: int64(ord)}, nil
	case "_score":
		return value{}, nil
	}
	v := value{kind: k.res.Kind()}
	from, to := k.col.Range(doc)
	if from == to {
		return k.absentValue()
	}
	if k.mode == "sum" || k.mode == "avg" || k.mode == "median" {
		return k.combined(from, to), nil
	}
	wantMax := k.desc && k.mode == "" || k.mode == "max"
	for pos := from; pos < to; pos++ {
		var x value
		switch v.kind {
		case column.Int:
			x = value{kind: v.kind, i: k.col.Ints[pos]}
		case column.Float:
			x = value{kind: v.kind, f: k.col.Floats[pos]}
		default:
			x = value{kind: v.kind, s: k.col.Str(pos)}
		}
		if pos == from || (x.compare(v) > 0) == wantMax {
			v = x
		}
	}
	return v, nil
}

// combined is one value made of all of a document. Whole numbers are rounded as Java's Math.round does.
func (k *sortKey) combined(from, to uint32) value {
	all := make([]float64, 0, to-from)
	sum := 0.0
	for pos := from; pos < to; pos++ {
		x := k.col.Float(pos)
		if k.res.Type == mapping.UnsignedLong {
			x = float64(mapping.Unsigned(k.col.Ints[pos]))
		}
		all = append(all, x)
		sum += x
	}
	x := sum
	switch n := len(all); k.mode {
	case "avg":
		x = sum / float64(n)
	case "median":
		slices.Sort(all)
		if x = all[n/2]; n%2 == 0 {
			x = (all[n/2-1] + all[n/2]) / 2
		}
	}
	if k.res.Kind() == column.Float {
		return value{kind: column.Float, f: x}
	}
	i := int64(math.Floor(x + 0.5))
	if k.res.Type == mapping.UnsignedLong {
		i = mapping.Stored(uint64(math.Floor(x + 0.5)))
	}
	return value{kind: column.Int, i: i}
}

func (k *sortKey) absentValue() (value, error) {
	v := value{kind: k.res.Kind()}
	first := k.missing != nil && k.missing.Str == "_first"
	if k.missing != nil && !first && k.missing.Str != "_last" {
		return k.fromNode(k.missing)
	}
	high := first == k.desc // a missing value sorts as the highest or the lowest one
	switch v.kind {
	case column.String:
		v.absent = true
		v.i = 1
		if !high {
			v.i = -1
		}
	case column.Float:
		v.f = math.Inf(1)
		if !high {
			v.f = math.Inf(-1)
		}
	default:
		v.i = math.MaxInt64
		if !high {
			v.i = math.MinInt64
		}
	}
	return v, nil
}

// fromNode reads a sort value of a request: of search_after or missing.
func (k *sortKey) fromNode(n *esjson.Node) (value, error) {
	if k.res == nil {
		i, ok := n.Int()
		if !ok {
			return value{}, eserr.IllegalArgument("Failed to parse search_after value for field [%s].", k.field)
		}
		return value{i: i}, nil
	}
	v := value{kind: k.res.Kind(), s: n.Str}
	if n.Kind == esjson.Null {
		null := *k
		null.missing = nil
		if k.missing != nil && k.missing.Str == "_first" {
			null.missing = k.missing
		}
		return null.absentValue()
	}
	ok := true
	switch {
	case v.kind == column.Float:
		v.f, ok = n.Float()
	case v.kind == column.Int && k.res.Type == mapping.Boolean && n.Kind != esjson.Number:
		if n.Str == "true" {
			v.i = 1
		}
	case v.kind == column.Int:
		if f, isFloat := n.Float(); isFloat && math.Abs(f) >= 1<<63 {
			// The value of a missing number, from a client that reads numbers as doubles.
			v.i = math.MaxInt64
			if f < 0 {
				v.i = math.MinInt64
			}
			return v, nil
		}
		if k.res.Type == mapping.UnsignedLong {
			u, err := strconv.ParseUint(n.Str, 10, 64)
			v.i, ok = mapping.Stored(u), err == nil
			break
		}
		if v.i, ok = n.Int(); !ok && k.res.Type == mapping.Date {
			format := k.res.DateFormat
			if k.format != nil {
				format = k.format
			}
			ms, err := format.Parse(n.Str, nil, false)
			v.i, ok = ms, err == nil
		}
	case k.res.Type == mapping.IP:
		v.s, ok = ipKey(n.Str)
	}
	if !ok {
		e := eserr.IllegalArgument("Failed to parse search_after value for field [%s].", k.field)
		if v.kind != column.String && k.res.Type != mapping.Date {
			return v, e.Wrap(eserr.New(400, "number_format_exception", "For input string: \"%s\"", n.Str))
		}
		return v, e
	}
	return v, nil
}

func (v value) compare(o value) int {
	switch {
	case v.kind != o.kind:
		return cmp.Compare(v.number(), o.number())
	case v.kind == column.Float:
		return cmp.Compare(v.f, o.f)
	case v.kind == column.Int:
		return cmp.Compare(v.i, o.i)
	case v.absent || o.absent:
		return cmp.Compare(v.i, o.i)
	}
	return strings.Compare(v.s, o.s)
}

func (v value) number() float64 {
	if v.kind == column.Float {
		return v.f
	}
	return float64(v.i)
}

// print is the sort value as a hit shows it.
func (k *sortKey) print(v value, typ string) any {
	switch {
	case k.field == "_score":
		return nil
	case v.kind == column.Int && k.format != nil && typ == mapping.Date && v.i != math.MaxInt64 && v.i != math.MinInt64:
		return k.format.Print(v.i, nil)
	case typ == mapping.UnsignedLong:
		return mapping.Unsigned(v.i)
	case v.kind == column.Int:
		return v.i
	case v.kind == column.Float && math.IsInf(v.f, 1):
		return "Infinity"
	case v.kind == column.Float && math.IsInf(v.f, -1):
		return "-Infinity"
	case v.kind == column.Float && (typ == mapping.Float || typ == mapping.HalfFloat):
		text := strconv.FormatFloat(v.f, 'g', -1, 32)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return json.RawMessage(text)
	case v.kind == column.Float:
		return Number(v.f)
	case v.absent:
		return nil
	case typ == mapping.IP:
		return mapping.IPText(v.s)
	}
	return v.s
}

// Number prints a double as Elasticsearch does: always with a fraction. NaN and infinities become null.
func Number(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	b, err := json.Marshal(f)
	if err != nil {
		return nil
	}
	if !strings.ContainsAny(string(b), ".e") {
		b = append(b, ".0"...)
	}
	return json.RawMessage(b)
}
