package aggs

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// geotile groups points by the tiles of web maps.
type geotile struct {
	a         *agg
	field     string
	precision int
	size      int
	bounds    *query.Box
	col       *column.Column
}

func parseGeotile(a *agg, n *esjson.Node) (impl, error) {
	g := &geotile{a: a, precision: 7, size: 10_000}
	for _, f := range n.Fields {
		switch f.Name {
		case "field":
			g.field = f.Value.Str
		case "precision":
			v, ok := f.Value.Int()
			if !ok || v < 0 || v > 29 {
				return nil, within(a, f, eserr.IllegalArgument("Invalid geotile_grid precision of %s. Must be between 0 and 29.", f.Value.Str))
			}
			g.precision = int(v)
		case "size":
			v, ok := f.Value.Int()
			if !ok || v < 1 {
				return nil, within(a, f, eserr.IllegalArgument("[size] must be greater than 0. Found [%s] in [%s]", f.Value.Str, a.name))
			}
			g.size = int(v)
		case "shard_size":
		case "bounds":
			b, err := query.ParseBox(f.Value)
			if err != nil {
				return nil, within(a, f, err)
			}
			g.bounds = &b
		default:
			return nil, unknown(a, f)
		}
	}
	if g.field == "" {
		return nil, eserr.IllegalArgument("Required one of fields [field], but none were specified. ")
	}
	return g, nil
}

func (g *geotile) typedName() string { return "geotile_grid" }

func (g *geotile) prepare(t *query.Target, r *store.Reader, _ int) error {
	g.col = &column.Column{}
	f := t.Mapping.Lookup(g.field)
	if f == nil {
		return nil
	}
	if f.Type != mapping.GeoPoint {
		return eserr.IllegalArgument("Field [%s] of type [%s] is not supported for aggregation [geotile_grid]", g.field, f.Type)
	}
	var err error
	g.col, err = query.Column(r, f)
	return err
}

// maxLatitude is where the Mercator map ends.
const maxLatitude = 85.0511287798066

// tile is the place of a point on the map: x in the high, y in the low bits.
func (g *geotile) tile(lat, lon float64) int64 {
	tiles := float64(int64(1) << g.precision)
	x := math.Floor((lon + 180) / 360 * tiles)
	sin := math.Sin(min(max(lat, -maxLatitude), maxLatitude) * math.Pi / 180)
	y := math.Floor((0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)) * tiles)
	last := tiles - 1
	return int64(min(max(x, 0), last))<<32 | int64(min(max(y, 0), last))
}

func (g *geotile) name(tile int64) string {
	return fmt.Sprintf("%d/%d/%d", g.precision, tile>>32, tile&math.MaxUint32)
}

func (g *geotile) state() state { return &geotileState{g: g, buckets: map[int64]*Bucket{}} }

type geotileState struct {
	noMetric
	g       *geotile
	buckets map[int64]*Bucket
}

func (s *geotileState) collect(doc int) error {
	from, to := s.g.col.Range(doc)
	var seen []int64
	for ; from+1 < to; from += 2 {
		lat, lon := s.g.col.Floats[from], s.g.col.Floats[from+1]
		n := s.g.tile(lat, lon)
		if s.g.bounds != nil && !s.g.bounds.Has(lat, lon) || slices.Contains(seen, n) {
			continue
		}
		seen = append(seen, n)
		b := s.buckets[n]
		if b == nil {
			var err error
			if b, err = s.g.a.subs.newBucket(); err != nil {
				return err
			}
			s.buckets[n] = b
		}
		if err := b.Collect(doc); err != nil {
			return err
		}
	}
	return nil
}

func (s *geotileState) result(typed bool) (map[string]any, error) {
	keys := make([]int64, 0, len(s.buckets))
	for n := range s.buckets {
		keys = append(keys, n)
	}
	slices.SortFunc(keys, func(x, y int64) int {
		return cmp.Or(cmp.Compare(s.buckets[y].docs, s.buckets[x].docs), cmp.Compare(y, x))
	})
	var rows []row
	for _, n := range keys[:min(len(keys), s.g.size)] {
		m, err := s.buckets[n].print(typed)
		if err != nil {
			return nil, err
		}
		m["key"] = s.g.name(n)
		rows = append(rows, row{b: s.buckets[n], m: m, key: s.g.name(n)})
	}
	return map[string]any{"buckets": list(s.g.a.subs.pipe(rows, typed))}, nil
}
