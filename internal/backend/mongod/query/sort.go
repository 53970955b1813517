package query

import (
	"slices"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
)

// MaxResultBytes bounds what one query may hold in memory, as MongoDB's sort limit does.
const MaxResultBytes = 100 << 20

// SortField is one key of a sort.
type SortField struct {
	Name       string
	path       []string
	Descending bool
}

// ParseSort reads {field: 1, other: -1}; an empty document is no order.
func ParseSort(d raw.Document) ([]SortField, error) {
	var out []SortField
	r := d.Reader()
	for {
		key, v, ok := r.Next()
		if !ok {
			return out, nil
		}
		name := string(key)
		if name == "$natural" {
			return nil, fault.Unsupported("a sort by $natural")
		}
		if err := checkFieldPath(name); err != nil {
			return nil, err
		}
		if v.Kind == raw.KindDocument {
			return nil, fault.Unsupported("sort by an expression")
		}
		if !v.Numeric() {
			return nil, fault.New(15974, "Illegal key in $sort specification: %s: %s", name, v)
		}
		n, whole := v.WholeNumber()
		if !whole || (n != 1 && n != -1) {
			return nil, fault.New(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)")
		}
		out = append(out, SortField{Name: name, path: SplitPath(name), Descending: n < 0})
	}
}

// Sorter collects documents and returns them in order; equal ones keep the order in which they came.
type Sorter struct {
	Order []SortField
	Keep  int // how many are wanted; 0 = all
	items []sortItem
	size  int
}

type sortItem struct {
	doc  raw.Document
	keys []raw.Value
}

// Add copies the document. An array counts with its smallest element, or with its largest when descending.
func (s *Sorter) Add(d raw.Document) error {
	own := d.Clone()
	item := sortItem{doc: own, keys: make([]raw.Value, len(s.Order))}
	for i, f := range s.Order {
		values, _, _ := FieldValues(own, f.path)
		if f.Name == "_id" { // never an array in a collection; a whole value in what $group makes
			values = []raw.Value{raw.OrNull(own.Get("_id"))}
		}
		item.keys[i] = values[0]
		for _, v := range values[1:] {
			if c := raw.Compare(v, item.keys[i]); c < 0 != f.Descending && c != 0 {
				item.keys[i] = v
			}
		}
	}
	s.items = append(s.items, item)
	if s.size += len(own); s.Keep > 0 && len(s.items) >= 2*s.Keep+100 {
		s.trim()
	}
	if s.size > MaxResultBytes {
		return fault.New(fault.MemoryLimit, "Sort exceeded memory limit of %d bytes, but did not opt in to external sorting.", MaxResultBytes)
	}
	return nil
}

func (s *Sorter) trim() {
	slices.SortStableFunc(s.items, func(a, b sortItem) int {
		for i, f := range s.Order {
			if c := raw.Compare(a.keys[i], b.keys[i]); c != 0 {
				if f.Descending {
					return -c
				}
				return c
			}
		}
		return 0
	})
	if s.Keep > 0 && len(s.items) > s.Keep {
		clear(s.items[s.Keep:])
		s.items = s.items[:s.Keep]
	}
	s.size = 0
	for _, item := range s.items {
		s.size += len(item.doc)
	}
}

// Documents returns what was added, in order, at most Keep of them.
func (s *Sorter) Documents() []raw.Document {
	s.trim()
	out := make([]raw.Document, len(s.items))
	for i, item := range s.items {
		out[i] = item.doc
	}
	return out
}
