package mongod

import (
	"slices"
)

// maxResultBytes bounds what one query may hold in memory, as MongoDB's sort limit does.
const maxResultBytes = 100 << 20

// sortField is one key of a sort.
type sortField struct {
	name       string
	path       []string
	descending bool
}

func parseSort(d document) ([]sortField, error) {
	var out []sortField
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return out, nil
		}
		name := string(key)
		if name == "$natural" {
			return nil, unsupported("a sort by $natural")
		}
		if err := checkFieldPath(name); err != nil {
			return nil, err
		}
		if v.kind == kindDocument {
			return nil, unsupported("sort by an expression")
		}
		if !v.numeric() {
			return nil, failure(15974, "Illegal key in $sort specification: %s: %s", name, v)
		}
		n, whole := v.wholeNumber()
		if !whole || (n != 1 && n != -1) {
			return nil, failure(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)")
		}
		out = append(out, sortField{name: name, path: splitPath(name), descending: n < 0})
	}
}

// sorter collects documents and returns them in order; equal ones keep the order in which they came.
type sorter struct {
	order []sortField
	keep  int // how many are wanted; 0 = all
	items []sortItem
	size  int
}

type sortItem struct {
	doc  document
	keys []value
}

// add copies the document. An array counts with its smallest element, or with its largest when descending.
func (s *sorter) add(d document) error {
	own := d.clone()
	item := sortItem{doc: own, keys: make([]value, len(s.order))}
	for i, f := range s.order {
		values, _, _ := fieldValues(own, f.path)
		if f.name == "_id" { // never an array in a collection; a whole value in what $group makes
			values = []value{orNull(own.get("_id"))}
		}
		item.keys[i] = values[0]
		for _, v := range values[1:] {
			if c := compareValues(v, item.keys[i]); c < 0 != f.descending && c != 0 {
				item.keys[i] = v
			}
		}
	}
	s.items = append(s.items, item)
	if s.size += len(own); s.keep > 0 && len(s.items) >= 2*s.keep+100 {
		s.trim()
	}
	if s.size > maxResultBytes {
		return failure(codeMemoryLimit, "Sort exceeded memory limit of %d bytes, but did not opt in to external sorting.", maxResultBytes)
	}
	return nil
}

func (s *sorter) trim() {
	slices.SortStableFunc(s.items, func(a, b sortItem) int {
		for i, f := range s.order {
			if c := compareValues(a.keys[i], b.keys[i]); c != 0 {
				if f.descending {
					return -c
				}
				return c
			}
		}
		return 0
	})
	if s.keep > 0 && len(s.items) > s.keep {
		clear(s.items[s.keep:])
		s.items = s.items[:s.keep]
	}
	s.size = 0
	for _, item := range s.items {
		s.size += len(item.doc)
	}
}

func (s *sorter) documents() []document {
	s.trim()
	out := make([]document, len(s.items))
	for i, item := range s.items {
		out[i] = item.doc
	}
	return out
}
