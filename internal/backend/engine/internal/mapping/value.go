package mapping

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// maxTerm is the longest keyword in bytes, the limit of Lucene.
const maxTerm = 32766

func itoa(i int) string { return strconv.Itoa(i) }

// valueError says why a value does not fit its field.
type valueError struct{ typ, reason string }

func (e *valueError) Error() string { return e.reason }

func invalid(format string, args ...any) error {
	return &valueError{"illegal_argument_exception", fmt.Sprintf(format, args...)}
}

// bad is the error of a value that does not fit, with the words of the real server.
func (p *docParser) bad(n *esjson.Node, f *Field, causeType, cause string) error {
	line, col := n.Pos()
	if f.Type == GeoPoint {
		return documentError(line, col, fmt.Sprintf("failed to parse field [%s] of type [%s]", f.Path, f.Type), causeType, cause)
	}
	preview := javaString(n)
	if len(preview) > 100 {
		preview = strings.ToValidUTF8(preview[:100], "")
	}
	return documentError(line, col, fmt.Sprintf("failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'",
		f.Path, f.Type, p.doc.ID, preview), causeType, cause)
}

// javaString prints a value as Java prints maps and lists, which is what previews show.
func javaString(n *esjson.Node) string {
	switch n.Kind {
	case esjson.Object:
		parts := make([]string, len(n.Fields))
		for i, f := range n.Fields {
			parts[i] = f.Name + "=" + javaString(f.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case esjson.Array:
		parts := make([]string, len(n.Items))
		for i, it := range n.Items {
			parts[i] = javaString(it)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return n.Str
}

// leaf stores one value in its field and its multi-fields.
func (p *docParser) leaf(n *esjson.Node, f *Field) error {
	if n.Kind == esjson.Null {
		null, ok := f.NullValue.(*esjson.Node)
		if !ok {
			return nil
		}
		n = null
	}
	if err := p.store(n, f); err != nil {
		return err
	}
	for _, sub := range f.Multi {
		if err := p.store(n, sub); err != nil {
			return err
		}
	}
	return nil
}

func (p *docParser) store(n *esjson.Node, f *Field) error {
	v, keep, err := f.convert(n)
	if err != nil {
		ve, ok := err.(*valueError)
		if !ok {
			return err
		}
		if f.IgnoreMalformed || p.opt.IgnoreMalformed && f.canIgnore() && n.IsScalar() {
			p.ignore(f.Path)
			return nil
		}
		return p.bad(n, f, ve.typ, ve.reason)
	}
	if f.Type == ConstantKeyword {
		return p.constant(n, f, v.Str)
	}
	if f.Path == TimestampField && f.Type == Date {
		p.times++
		if p.times == 1 {
			p.doc.MinTime, p.doc.MaxTime = v.Int, v.Int
		}
		p.doc.MinTime, p.doc.MaxTime = min(p.doc.MinTime, v.Int), max(p.doc.MaxTime, v.Int)
		p.doc.HasTime = true
	}
	if !keep {
		p.ignore(f.Path)
		return nil
	}
	if f.NoColumn {
		return nil
	}
	v.Field, v.Kind = f.Path, f.Kind()
	p.doc.Values = append(p.doc.Values, v)
	if f.Type == GeoPoint {
		// A point is two values, latitude first.
		p.doc.Values = append(p.doc.Values, column.Value{Field: f.Path, Kind: column.Float, Float: math.Float64frombits(uint64(v.Int))})
	}
	return nil
}

// canIgnore says whether index.mapping.ignore_malformed applies to the type; @timestamp is never ignored.
func (f *Field) canIgnore() bool {
	switch f.Type {
	case Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat, Date, IP, GeoPoint, Boolean:
		return f.Path != TimestampField
	}
	return false
}

// constant checks a value against a constant_keyword, or fixes the constant with the first value.
func (p *docParser) constant(n *esjson.Node, f *Field, s string) error {
	if f.HasConstant && f.Constant != s {
		return p.bad(n, f, "illegal_argument_exception", fmt.Sprintf(
			"[constant_keyword] field [%s] only accepts values that are equal to the value defined in the mappings [%s], but got [%s]", f.Path, f.Constant, s))
	}
	if !f.HasConstant {
		set := *f
		set.Constant, set.HasConstant = strings.Clone(s), true
		p.add(&set)
	}
	return nil
}

// Accepts says whether a value fits the field.
func (f *Field) Accepts(n *esjson.Node) bool {
	_, _, err := f.convert(n)
	return err == nil
}

// convert turns a JSON value into a column value. Keep is false for keywords above ignore_above.
// A geo_point returns the latitude in Float and the bits of the longitude in Int.
func (f *Field) convert(n *esjson.Node) (v column.Value, keep bool, err error) {
	if n.Kind == esjson.Object && f.Type != GeoPoint {
		line, col := n.Pos()
		return v, false, &valueError{"illegal_state_exception", fmt.Sprintf("Can't get text on a START_OBJECT at %d:%d", line, col)}
	}
	switch f.Type {
	case Keyword, ConstantKeyword:
		if f.IgnoreAbove > 0 && utf8.RuneCountInString(n.Str) > f.IgnoreAbove {
			return v, false, nil
		}
		if len(n.Str) > maxTerm {
			return v, false, invalid("Document contains at least one immense term in field=\"%s\" (whose UTF8 encoding is longer than the max length %d)", f.Path, maxTerm)
		}
		v.Str = n.Str
	case Text, MatchOnlyText:
		v.Str = n.Str
	case Boolean:
		switch {
		case n.Kind == esjson.Number || n.Str != "true" && n.Str != "false" && n.Str != "":
			return v, false, invalid("Failed to parse value [%s] as only [true] or [false] are allowed.", n.Str)
		case n.Str == "true":
			v.Int = 1
		}
	case Date:
		if n.Kind == esjson.Bool {
			return v, false, invalid("failed to parse date field [%s] with format [%s]", n.Str, f.DateFormat.Spec)
		}
		v.Int, err = f.DateFormat.Parse(n.Str, nil, false)
		if err != nil {
			return v, false, invalid("%s", err.Error())
		}
	case IP:
		addr, err := netip.ParseAddr(n.Str)
		if err != nil || addr.Zone() != "" {
			return v, false, invalid("'%s' is not an IP string literal.", n.Str)
		}
		v.Str = IPKey(addr)
	case GeoPoint:
		lat, lon, err := geoPoint(n)
		if err != nil {
			return v, false, err
		}
		v.Float, v.Int = lat, int64(math.Float64bits(lon))
	case Double, Float, HalfFloat, ScaledFloat:
		v.Float, err = f.float(n)
	case UnsignedLong:
		v.Int, err = f.unsigned(n)
	default:
		v.Int, err = f.integer(n)
	}
	return v, err == nil, err
}

// notNumber is the cause for text where a number is expected.
func (f *Field) notNumber(s string) error {
	typ := "number_format_exception"
	if f.Type == Long {
		typ = "illegal_argument_exception"
	}
	return &valueError{typ, fmt.Sprintf("For input string: \"%s\"", s)}
}

func (f *Field) float(n *esjson.Node) (float64, error) {
	if n.Kind == esjson.String && f.NoCoerce {
		return 0, invalid("%s value passed as String", title(f.Type))
	}
	if n.Kind == esjson.Bool {
		return 0, f.notNumber(n.Str)
	}
	v, err := strconv.ParseFloat(n.Str, 64)
	if err != nil && !math.IsInf(v, 0) || strings.ContainsAny(n.Str, "xX_") {
		return 0, f.notNumber(n.Str)
	}
	v = f.Narrow(v)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, invalid("[%s] supports only finite values, but got [%s]", f.Type, n.Str)
	}
	return v, nil
}

// bounds are the smallest and largest value of an integer type.
func (f *Field) bounds() (lo, hi int64) {
	switch f.Type {
	case Integer:
		return math.MinInt32, math.MaxInt32
	case Short:
		return math.MinInt16, math.MaxInt16
	case Byte:
		return math.MinInt8, math.MaxInt8
	}
	return math.MinInt64, math.MaxInt64
}

func (f *Field) integer(n *esjson.Node) (int64, error) {
	if n.Kind == esjson.Bool {
		return 0, f.notNumber(n.Str)
	}
	if n.Kind == esjson.String && f.NoCoerce {
		return 0, invalid("%s value passed as String", title(f.Type))
	}
	lo, hi := f.bounds()
	i, err := strconv.ParseInt(n.Str, 10, 64)
	if err != nil {
		v, ferr := strconv.ParseFloat(n.Str, 64)
		switch {
		case ferr != nil && !math.IsInf(v, 0) || math.IsNaN(v) || strings.ContainsAny(n.Str, "xX_"):
			return 0, f.notNumber(n.Str)
		case v < -9.223372036854775808e18 || v >= 9.223372036854775808e18:
			return 0, invalid("Value [%s] is out of range for a%s %s", n.Str, article(f.Type), f.Type)
		case f.NoCoerce && v != math.Trunc(v) && n.Kind == esjson.Number:
			return 0, invalid("%s cannot be converted to %s without data loss", n.Str, title(f.Type))
		case f.NoCoerce && v != math.Trunc(v):
			return 0, invalid("Value [%s] has a decimal part", n.Str)
		}
		i = int64(v)
	}
	if i < lo || i > hi {
		return 0, invalid("Value [%s] is out of range for a%s %s", n.Str, article(f.Type), f.Type)
	}
	return i, nil
}

func (f *Field) unsigned(n *esjson.Node) (int64, error) {
	if n.Kind == esjson.Bool {
		return 0, f.notNumber(n.Str)
	}
	if u, err := strconv.ParseUint(n.Str, 10, 64); err == nil {
		return Stored(u), nil
	}
	v, err := strconv.ParseFloat(n.Str, 64)
	switch {
	case err != nil && !math.IsInf(v, 0) || strings.ContainsAny(n.Str, "xX_"):
		return 0, f.notNumber(n.Str)
	case v < 0 || v >= 1<<64:
		return 0, invalid("Value [%s] is out of range for an unsigned long", n.Str)
	case v != math.Trunc(v):
		return 0, invalid("Value [%s] has a decimal part", n.Str)
	}
	return Stored(uint64(v)), nil
}

// title is the name of a type as Java's boxed numbers have it.
func title(typ string) string { return strings.ToUpper(typ[:1]) + typ[1:] }

func article(typ string) string {
	if typ == Integer {
		return "n"
	}
	return ""
}

// IPKey is the sortable 16-byte form of an address; v4 addresses become v4-in-v6.
func IPKey(a netip.Addr) string {
	b := a.As16()
	return string(b[:])
}

// IPText prints an IPKey.
func IPText(key string) string {
	a, ok := netip.AddrFromSlice([]byte(key))
	if !ok {
		return ""
	}
	return a.Unmap().String()
}

// pointText reads POINT (lon lat) or a geohash, which stands for the corner of its cell.
func pointText(s string) (lat, lon float64, err error) {
	if rest, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(s)), "POINT"); ok {
		if _, err := fmt.Sscanf(strings.TrimSpace(rest), "(%g %g)", &lon, &lat); err != nil {
			return 0, 0, &valueError{"parse_exception", "failed to parse WKT point [" + s + "]"}
		}
		return lat, lon, nil
	}
	const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"
	if s == "" || len(s) > 12 {
		return 0, 0, &valueError{"parse_exception", "unsupported symbol in geohash [" + s + "]"}
	}
	south, north, west, east := -90.0, 90.0, -180.0, 180.0
	isLon := true
	for _, c := range strings.ToLower(s) {
		n := strings.IndexRune(alphabet, c)
		if n < 0 {
			return 0, 0, &valueError{"parse_exception", "unsupported symbol [" + string(c) + "] in geohash [" + s + "]"}
		}
		for bit := 4; bit >= 0; bit-- {
			upper := n>>bit&1 == 1
			lo, hi := &south, &north
			if isLon {
				lo, hi = &west, &east
			}
			if mid := (*lo + *hi) / 2; upper {
				*lo = mid
			} else {
				*hi = mid
			}
			isLon = !isLon
		}
	}
	return south, west, nil
}

// Point reads a geo_point in any of its forms.
func Point(n *esjson.Node) (lat, lon float64, err error) { return geoPoint(n) }

func geoPoint(n *esjson.Node) (lat, lon float64, err error) {
	var ok1, ok2 bool
	switch {
	case n.Kind == esjson.Object:
		la, lo := n.Get("lat"), n.Get("lon")
		switch {
		case la == nil:
			return 0, 0, &valueError{"parse_exception", "field [lat] missing"}
		case lo == nil:
			return 0, 0, &valueError{"parse_exception", "field [lon] missing"}
		}
		lat, ok1 = la.Float()
		lon, ok2 = lo.Float()
	case n.Kind == esjson.Array && len(n.Items) >= 2:
		lon, ok1 = n.Items[0].Float()
		lat, ok2 = n.Items[1].Float()
	case n.Kind == esjson.String:
		a, b, pair := strings.Cut(n.Str, ",")
		if !pair {
			return pointText(n.Str)
		}
		var e1, e2 error
		lat, e1 = strconv.ParseFloat(strings.TrimSpace(a), 64)
		lon, e2 = strconv.ParseFloat(strings.TrimSpace(b), 64)
		ok1, ok2 = e1 == nil, e2 == nil
	}
	if !ok1 || !ok2 {
		return 0, 0, &valueError{"parse_exception", "geo_point expected"}
	}
	if !(lat >= -90 && lat <= 90) {
		return 0, 0, invalid("illegal latitude value [%s] for geo", decimal(lat))
	}
	if !(lon >= -180 && lon <= 180) {
		return 0, 0, invalid("illegal longitude value [%s] for geo", decimal(lon))
	}
	return lat, lon, nil
}
