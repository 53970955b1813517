package aggs

import (
	"cmp"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// values is the field an aggregation reads.
type values struct {
	field   string
	agg     string // type of the aggregation
	missing *esjson.Node
	format  *dates.Format
	digits  *number // a format of numbers
	zone    *time.Location
	points  bool // geo_point is allowed: only whether there is a value counts

	typ  string // of the first index that maps the field
	kind column.Kind
	col  *column.Column // of the prepared segment
	conv *key           // missing as a key
}

// key is a value that names a bucket: a number or a string.
type key struct {
	s string
	n int64 // an integer, or the bits of a float
}

// option reads what all aggregations over a field share.
func (v *values) option(f esjson.Field) (known bool, err error) {
	switch f.Name {
	case "field":
		v.field = f.Value.Str
	case "missing":
		v.missing = f.Value
	case "format":
		if v.digits = parseNumber(f.Value.Str); v.digits == nil {
			v.format, err = dates.ParseFormat(f.Value.Str)
		}
	case "time_zone":
		v.zone, err = dates.ParseZone(f.Value.Str)
	default:
		return false, nil
	}
	return true, err
}

func (v *values) need(a *agg) error {
	v.agg = a.typ
	if v.field == "" {
		return eserr.IllegalArgument("Required one of fields [field, script], but none were specified. ")
	}
	return nil
}

func (v *values) prepare(t *query.Target, r *store.Reader) error {
	v.col = &column.Column{}
	var f *mapping.Resolved
	if v.field == "_index" {
		f = &mapping.Resolved{Field: &mapping.Field{Path: v.field, Type: mapping.ConstantKeyword, Constant: t.Index, HasConstant: true}}
	} else if f = t.Mapping.Lookup(v.field); f == nil {
		if v.typ == "" && v.missing != nil && v.missing.Kind == esjson.String {
			v.kind = column.String
		}
		return v.setMissing()
	}
	if err := hits.Aggregatable(t, v.field, f); err != nil {
		return err
	}
	if f.Type == mapping.GeoPoint && !v.points {
		return eserr.IllegalArgument("Field [%s] of type [geo_point] is not supported for aggregation [%s]", v.field, v.agg)
	}
	switch {
	case v.typ == "":
		v.typ, v.kind = f.Type, f.Kind()
		v.conv = nil
	case v.kind != f.Kind():
		return eserr.IllegalArgument("field [%s] has incompatible types [%s] and [%s] in the searched indices", v.field, v.typ, f.Type)
	}
	if f.Type == mapping.Date && v.format == nil {
		v.format = f.DateFormat
	}
	var err error
	if v.col, err = query.Column(r, f); err != nil {
		return err
	}
	return v.setMissing()
}

func (v *values) setMissing() error {
	if v.missing == nil || v.conv != nil {
		return nil
	}
	k, err := v.parseKey(v.missing)
	v.conv = &k
	return err
}

// parseKey reads a value of a request: missing, or a part of after.
func (v *values) parseKey(n *esjson.Node) (key, error) {
	bad := eserr.IllegalArgument("Invalid value [%s] for field [%s]", n.Str, v.field)
	switch {
	case v.typ == mapping.IP:
		a, err := netip.ParseAddr(n.Str)
		if err != nil {
			return key{}, eserr.IllegalArgument("'%s' is not an IP string literal.", n.Str)
		}
		return key{s: mapping.IPKey(a)}, nil
	case v.kind == column.String && v.typ != "":
		return key{s: n.Str}, nil
	case v.kind == column.Float:
		f, ok := n.Float()
		if !ok {
			return key{}, bad
		}
		return key{n: int64(math.Float64bits(f))}, nil
	case v.typ == mapping.Boolean && n.Kind != esjson.Number:
		if n.Str == "true" {
			return key{n: 1}, nil
		}
		return key{}, nil
	}
	if v.typ == mapping.UnsignedLong {
		u, err := strconv.ParseUint(n.Str, 10, 64)
		if err != nil {
			return key{}, bad
		}
		return key{n: mapping.Stored(u)}, nil
	}
	if i, ok := n.Int(); ok {
		return key{n: i}, nil
	}
	if v.kind == column.String {
		return key{s: n.Str}, nil
	}
	format := v.format
	if format == nil {
		format = dates.MustDefault()
	}
	ms, err := format.Parse(n.Str, v.zone, false)
	if err != nil {
		return key{}, bad
	}
	return key{n: ms}, nil
}

// each visits the distinct keys of a document, or the missing value.
func (v *values) each(doc int, visit func(key) error) error {
	from, to := v.col.Range(doc)
	if from == to {
		if v.conv == nil {
			return nil
		}
		return visit(*v.conv)
	}
	if to == from+1 {
		return visit(v.keyAt(from))
	}
	seen := make([]key, 0, 8)
next:
	for ; from < to; from++ {
		k := v.keyAt(from)
		for _, s := range seen {
			if s == k {
				continue next
			}
		}
		seen = append(seen, k)
		if err := visit(k); err != nil {
			return err
		}
	}
	return nil
}

func (v *values) keyAt(pos uint32) key {
	switch v.col.Kind {
	case column.Int:
		return key{n: v.col.Ints[pos]}
	case column.Float:
		return key{n: int64(math.Float64bits(v.col.Floats[pos]))}
	}
	return key{s: v.col.Str(pos)}
}

// numbers visits all numeric values of a document, or the missing one.
func (v *values) numbers(doc int, visit func(float64)) {
	from, to := v.col.Range(doc)
	if from == to && v.conv != nil {
		visit(v.number(*v.conv))
	}
	for ; from < to; from++ {
		if v.typ == mapping.UnsignedLong {
			visit(float64(mapping.Unsigned(v.col.Ints[from])))
			continue
		}
		visit(v.col.Float(from))
	}
}

func (v *values) number(k key) float64 {
	if v.kind == column.Float {
		return math.Float64frombits(uint64(k.n))
	}
	if v.typ == mapping.UnsignedLong {
		return float64(mapping.Unsigned(k.n))
	}
	return float64(k.n)
}

func (v *values) compare(a, b key) int {
	switch v.kind {
	case column.Float:
		return cmp.Compare(v.number(a), v.number(b))
	case column.Int:
		return cmp.Compare(a.n, b.n)
	}
	return strings.Compare(a.s, b.s)
}

// print is the key as an answer shows it.
func (v *values) print(k key) any {
	switch {
	case v.typ == mapping.IP:
		return mapping.IPText(k.s)
	case v.kind == column.String:
		return k.s
	case v.kind == column.Float:
		return hits.Number(v.number(k))
	case v.typ == mapping.UnsignedLong:
		return mapping.Unsigned(k.n)
	}
	return k.n
}

// sortable is the key as pipelines compare it.
func (v *values) sortable(k key) any {
	if v.kind == column.String {
		return k.s
	}
	return v.number(k)
}

// asString is key_as_string, if the type has one.
func (v *values) asString(k key) (string, bool) {
	switch {
	case v.digits != nil && v.kind != column.String && v.typ != mapping.Date:
		return v.digits.print(v.number(k)), true
	case v.typ == mapping.Boolean:
		return strconv.FormatBool(k.n != 0), true
	case v.typ == mapping.Date && v.format != nil:
		return v.format.Print(k.n, v.zone), true
	}
	return "", false
}

// mustBeNumeric refuses string fields for arithmetic.
func (v *values) mustBeNumeric(a *agg) error {
	if v.typ != "" && v.kind == column.String {
		return eserr.IllegalArgument("Field [%s] of type [%s] is not supported for aggregation [%s]", v.field, v.typ, a.typ)
	}
	return nil
}
