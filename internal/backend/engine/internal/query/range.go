package query

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

// bounds are the limits of a range query; nil is open.
type bounds struct {
	lower, upper               *string
	includeLower, includeUpper bool
	format                     *dates.Format
	zone                       *time.Location
}

func parseRange(n *esjson.Node) (*Query, error) {
	field, body, err := fieldBody(n, "range", "gt", "gte", "lt", "lte", "format", "time_zone", "relation")
	if err != nil {
		return nil, err
	}
	if body.Kind != esjson.Object {
		return nil, body.Errorf("[range] query does not support [%s]", field)
	}
	b := &bounds{}
	for _, f := range body.Fields {
		v := f.Value
		if !v.IsScalar() {
			return nil, v.Errorf("[range] query does not support [%s]", f.Name)
		}
		limit := &v.Str
		if v.Kind == esjson.Null {
			limit = nil
		}
		switch f.Name {
		case "gt", "gte":
			b.lower, b.includeLower = limit, f.Name == "gte"
		case "lt", "lte":
			b.upper, b.includeUpper = limit, f.Name == "lte"
		case "format":
			if b.format, err = dates.ParseFormat(v.Str); err != nil {
				return nil, err
			}
		case "time_zone":
			if b.zone, err = dates.ParseZone(v.Str); err != nil {
				return nil, err
			}
		case "relation":
			// It concerns fields of ranges only.
			if r := strings.ToLower(v.Str); r != "intersects" && r != "within" && r != "contains" {
				return nil, eserr.IllegalArgument("%s is not a valid relation", v.Str)
			}
		}
	}
	return &Query{score: 1, bind: func(t *Target) (Matcher, error) {
		f := t.Mapping.Lookup(field)
		if f == nil || f.IsObject() {
			return none(), nil
		}
		return b.matcher(t, f)
	}}, nil
}

func (b *bounds) matcher(t *Target, f *mapping.Resolved) (Matcher, error) {
	switch {
	case f.Type == mapping.GeoPoint:
		return Matcher{}, shardError(t, eserr.IllegalArgument("Field [%s] of type [geo_point] does not support range queries", f.Path))
	case f.Type == mapping.Date:
		return b.dates(t, f)
	case f.Type == mapping.IP:
		return b.ips(t, f)
	case f.Type == mapping.Boolean:
		return b.booleans(t, f)
	case f.Type == mapping.UnsignedLong:
		return b.unsigned(t, f)
	case f.Kind() == column.Int:
		return b.ints(t, f)
	case f.Kind() == column.Float:
		return b.floats(t, f)
	}
	return predicate(f, b.contains), nil
}

// contains compares strings byte by byte, as terms are ordered.
func (b *bounds) contains(s string) bool {
	if b.lower != nil && (s < *b.lower || s == *b.lower && !b.includeLower) {
		return false
	}
	return b.upper == nil || s < *b.upper || s == *b.upper && b.includeUpper
}

func (b *bounds) dates(t *Target, f *mapping.Resolved) (Matcher, error) {
	format := f.DateFormat
	if b.format != nil {
		format = b.format
	}
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	var err error
	if b.lower != nil {
		// gt starts after the whole unit, so it rounds up first; gte does not.
		if lo, err = format.Resolve(*b.lower, t.Now, b.zone, !b.includeLower); err != nil {
			return Matcher{}, dateError(err)
		}
		if !b.includeLower {
			lo++
		}
	}
	if b.upper != nil {
		if hi, err = format.Resolve(*b.upper, t.Now, b.zone, b.includeUpper); err != nil {
			return Matcher{}, dateError(err)
		}
		if !b.includeUpper {
			hi--
		}
	}
	return intRange(f, lo, hi), nil
}

// dateError is reported as itself, not as a failure to create the query.
func dateError(err error) error {
	e := eserr.New(400, "parse_exception", "%s", err.Error())
	if strings.HasPrefix(e.Reason, "failed to parse date field") {
		e.Reason = fmt.Sprintf("%s: [%s]", e.Reason, err)
		e.Cause = eserr.IllegalArgument("%s", err.Error())
	}
	return e
}

// intRange matches whole numbers from lo to hi. For @timestamp, segments outside are skipped.
func intRange(f *mapping.Resolved, lo, hi int64) Matcher {
	isTime := f.Path == mapping.TimestampField
	m := Matcher{match: func(r *store.Reader) (store.Bits, error) {
		c, err := Column(r, f)
		if err != nil {
			return nil, err
		}
		if isTime && r.MinTime >= lo && r.MaxTime <= hi && c.Single(r.Docs) {
			return all().match(r) // every document has exactly one time, all within
		}
		bits := store.NewBits(r.Docs)
		scanInts(bits, c, r.Docs, lo, hi)
		return bits, nil
	}}
	if isTime {
		m.may = func(r *store.Reader) bool { return r.MinTime <= hi && r.MaxTime >= lo }
	}
	return m
}

// booleans orders false before true.
func (b *bounds) booleans(t *Target, f *mapping.Resolved) (Matcher, error) {
	read := func(s string) (int64, error) {
		switch s {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
		return 0, shardError(t, eserr.IllegalArgument("Can't parse boolean value [%s], expected [true] or [false]", s))
	}
	lo, hi := int64(0), int64(1)
	if b.lower != nil {
		v, err := read(*b.lower)
		if err != nil {
			return Matcher{}, err
		}
		if lo = v; !b.includeLower {
			lo++
		}
	}
	if b.upper != nil {
		v, err := read(*b.upper)
		if err != nil {
			return Matcher{}, err
		}
		if hi = v; !b.includeUpper {
			hi--
		}
	}
	return intRange(f, lo, hi), nil
}

func (b *bounds) number(t *Target, s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, shardError(t, eserr.New(400, "number_format_exception", "For input string: \"%s\"", s))
	}
	return v, nil
}

func (b *bounds) ints(t *Target, f *mapping.Resolved) (Matcher, error) {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if b.lower != nil {
		i, exact, err := b.whole(t, *b.lower, math.Ceil)
		if err != nil {
			return Matcher{}, err
		}
		if lo = i; exact && !b.includeLower {
			if lo == math.MaxInt64 {
				return none(), nil
			}
			lo++
		}
	}
	if b.upper != nil {
		i, exact, err := b.whole(t, *b.upper, math.Floor)
		if err != nil {
			return Matcher{}, err
		}
		if hi = i; exact && !b.includeUpper {
			if hi == math.MinInt64 {
				return none(), nil
			}
			hi--
		}
	}
	return intRange(f, lo, hi), nil
}

// unsigned matches an unsigned_long. Limits below zero and above the largest value are open.
func (b *bounds) unsigned(t *Target, f *mapping.Resolved) (Matcher, error) {
	lo, hi := uint64(0), uint64(math.MaxUint64)
	limit := func(s string, round func(float64) float64) (u uint64, side int, exact bool, err error) {
		if u, err := strconv.ParseUint(s, 10, 64); err == nil {
			return u, 0, true, nil
		}
		x, err := b.number(t, s)
		if err != nil {
			return 0, 0, false, err
		}
		switch r := round(x); {
		case r < 0:
			return 0, -1, false, nil
		case r >= 1<<64:
			return 0, 1, false, nil
		default:
			return uint64(r), 0, r == x, nil
		}
	}
	if b.lower != nil {
		u, side, exact, err := limit(*b.lower, math.Ceil)
		switch {
		case err != nil:
			return Matcher{}, err
		case side > 0 || exact && !b.includeLower && u == math.MaxUint64:
			return none(), nil
		case side == 0:
			if lo = u; exact && !b.includeLower {
				lo++
			}
		}
	}
	if b.upper != nil {
		u, side, exact, err := limit(*b.upper, math.Floor)
		switch {
		case err != nil:
			return Matcher{}, err
		case side < 0 || exact && !b.includeUpper && u == 0:
			return none(), nil
		case side == 0:
			if hi = u; exact && !b.includeUpper {
				hi--
			}
		}
	}
	return intRange(f, mapping.Stored(lo), mapping.Stored(hi)), nil
}

// whole reads a limit of an integer range; a fraction is rounded into the range and then always included.
func (b *bounds) whole(t *Target, s string, round func(float64) float64) (v int64, exact bool, err error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, true, nil
	}
	x, err := b.number(t, s)
	if err != nil {
		return 0, false, err
	}
	r := round(x)
	switch {
	case r >= 1<<63:
		return math.MaxInt64, false, nil
	case r < -1<<63:
		return math.MinInt64, false, nil
	}
	return int64(r), r == x, nil
}

func (b *bounds) floats(t *Target, f *mapping.Resolved) (Matcher, error) {
	lo, hi := math.Inf(-1), math.Inf(1)
	narrow := f.Narrow
	if f.Type == mapping.ScaledFloat {
		narrow = func(x float64) float64 { return x } // limits are not rounded to the values of the field
	}
	if b.lower != nil {
		x, err := b.number(t, *b.lower)
		if err != nil {
			return Matcher{}, err
		}
		if lo = narrow(x); !b.includeLower {
			lo = math.Nextafter(lo, math.Inf(1))
		}
	}
	if b.upper != nil {
		x, err := b.number(t, *b.upper)
		if err != nil {
			return Matcher{}, err
		}
		if hi = narrow(x); !b.includeUpper {
			hi = math.Nextafter(hi, math.Inf(-1))
		}
	}
	return floatMatcher(f, lo, hi), nil
}

func (b *bounds) ips(t *Target, f *mapping.Resolved) (Matcher, error) {
	key := func(s *string) (*string, error) {
		if s == nil {
			return nil, nil
		}
		a, err := netip.ParseAddr(*s)
		if err != nil {
			return nil, shardError(t, eserr.IllegalArgument("'%s' is not an IP string literal.", *s))
		}
		k := mapping.IPKey(a)
		return &k, nil
	}
	lower, err := key(b.lower)
	if err != nil {
		return Matcher{}, err
	}
	upper, err := key(b.upper)
	if err != nil {
		return Matcher{}, err
	}
	keys := bounds{lower: lower, upper: upper, includeLower: b.includeLower, includeUpper: b.includeUpper}
	return predicate(f, keys.contains), nil
}
