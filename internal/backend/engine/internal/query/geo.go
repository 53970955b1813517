package query

import (
	"math"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

// Box is a rectangle of latitudes and longitudes, edges included. Left is greater than right if it crosses the
// 180th meridian.
type Box struct{ Top, Left, Bottom, Right float64 }

// Has says whether a point lies in the box.
func (b Box) Has(lat, lon float64) bool {
	if lat > b.Top || lat < b.Bottom {
		return false
	}
	if b.Left > b.Right {
		return lon >= b.Left || lon <= b.Right
	}
	return lon >= b.Left && lon <= b.Right
}

// ParseBox reads the corners of a box.
func ParseBox(n *esjson.Node) (Box, error) {
	b := Box{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	for _, f := range n.Fields {
		var lat, lon float64
		var err error
		switch f.Name {
		case "top_left", "top_right", "bottom_left", "bottom_right":
			if lat, lon, err = mapping.Point(f.Value); err != nil {
				return b, eserr.New(400, "parse_exception", "failed to parse bounding box: %s", err.Error())
			}
			top, left := strings.HasPrefix(f.Name, "top"), strings.HasSuffix(f.Name, "left")
			if top {
				b.Top = lat
			} else {
				b.Bottom = lat
			}
			if left {
				b.Left = lon
			} else {
				b.Right = lon
			}
		case "top", "left", "bottom", "right":
			v, ok := f.Value.Float()
			if !ok {
				return b, eserr.New(400, "number_format_exception", "For input string: \"%s\"", f.Value.Str)
			}
			*map[string]*float64{"top": &b.Top, "left": &b.Left, "bottom": &b.Bottom, "right": &b.Right}[f.Name] = v
		default:
			return b, eserr.New(400, "parse_exception", "failed to parse bounding box. unexpected field [%s]", f.Name)
		}
	}
	return b, b.check()
}

func (b Box) check() error {
	for _, c := range []struct {
		name  string
		value float64
		limit float64
	}{{"top latitude", b.Top, 90}, {"left longitude", b.Left, 180}, {"bottom latitude", b.Bottom, 90}, {"right longitude", b.Right, 180}} {
		if math.IsNaN(c.value) || math.Abs(c.value) > c.limit {
			return eserr.IllegalArgument("%s is invalid: %s", c.name, strconv.FormatFloat(c.value, 'f', -1, 64))
		}
	}
	if b.Top < b.Bottom {
		return eserr.IllegalArgument("top is below bottom corner: %s vs. %s", javaDouble(b.Top), javaDouble(b.Bottom))
	}
	return nil
}

// javaDouble prints a number with a fraction, as Java does.
func javaDouble(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func parseGeoBox(n *esjson.Node) (*Query, error) {
	var box *Box
	var field string
	ignoreUnmapped := false
	for _, f := range n.Fields {
		switch {
		case f.Value.Kind == esjson.Object:
			b, err := ParseBox(f.Value)
			if err != nil {
				return nil, err
			}
			field, box = f.Name, &b
		case f.Name == "ignore_unmapped":
			ignoreUnmapped = f.Value.Str == "true"
		case f.Name == "validation_method":
			if v := strings.ToUpper(f.Value.Str); v != "STRICT" {
				return nil, unsupportedValue("geo_bounding_box", f)
			}
		case f.Name == "boost" || f.Name == "_name" || f.Name == "type":
		default:
			line, col := f.Value.Pos()
			return nil, eserr.Parsing(line, col, "failed to parse [geo_bounding_box] query. unexpected field [%s]", f.Name)
		}
	}
	if box == nil {
		return nil, eserr.New(400, "parse_exception", "failed to parse [geo_bounding_box] query. bounding box not provided")
	}
	return &Query{score: 1, bind: func(t *Target) (Matcher, error) {
		f := t.Mapping.Lookup(field)
		switch {
		case f == nil && ignoreUnmapped:
			return none(), nil
		case f == nil:
			return Matcher{}, shardRefusal(t, "failed to find geo field [%s]", field)
		case f.Type != mapping.GeoPoint:
			return Matcher{}, shardRefusal(t, "Field [%s] is of unsupported type [%s] for [geo_bounding_box] query", field, f.Type)
		}
		return boxMatcher(f, *box), nil
	}}, nil
}

func boxMatcher(f *mapping.Resolved, box Box) Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		bits := store.NewBits(r.Docs)
		c, err := Column(r, f)
		if err != nil {
			return nil, err
		}
		for doc := range min(r.Docs, c.Docs()) {
			from, to := c.Range(doc)
			for ; from+1 < to; from += 2 {
				if box.Has(c.Floats[from], c.Floats[from+1]) {
					bits.Set(doc)
					break
				}
			}
		}
		return bits, nil
	}}
}
