package update

import (
	"bytes"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
)

// rewrite returns d with change applied at path. Missing documents on the way are created when the change creates.
func rewrite(d raw.Document, path []string, c change) (raw.Document, error) {
	old := d.Get(path[0])
	next, err := rewriteValue(old, path, c)
	if err != nil {
		return nil, err
	}
	if next.Kind == old.Kind && bytes.Equal(next.Data, old.Data) {
		return d, nil
	}
	return d.With(path[0], next), nil
}

// rewriteValue returns the new value of the field path[0], whose old value is given.
func rewriteValue(old raw.Value, path []string, c change) (raw.Value, error) {
	if len(path) == 1 {
		if old.Missing() && !c.create {
			return old, nil
		}
		return c.apply(old)
	}
	switch old.Kind {
	case raw.KindDocument:
		d, err := rewrite(old.Document(), path[1:], c)
		return raw.Doc(d), err
	case raw.KindArray:
		return rewriteArray(old, path, c)
	case raw.KindMissing:
		if !c.create {
			return old, nil
		}
		inner, err := rewriteValue(raw.Value{}, path[1:], c)
		if err != nil || inner.Missing() {
			return raw.Value{}, err
		}
		return raw.Doc(raw.New().Add(path[1], inner).Done()), nil
	default:
		if !c.create {
			return old, nil
		}
		return raw.Value{}, fault.New(fault.PathNotViable, "Cannot create field '%s' in element %s", path[1], raw.FormatField(path[0], old))
	}
}

// rewriteArray changes the element with the index path[1]; an array grows with nulls. A removed element becomes null.
func rewriteArray(old raw.Value, path []string, c change) (raw.Value, error) {
	index, ok := query.ArrayIndex(path[1])
	elements := old.Elements()
	if !ok {
		if !c.create {
			return old, nil
		}
		return raw.Value{}, fault.New(fault.PathNotViable, "Cannot create field '%s' in element %s", path[1], raw.FormatField(path[0], old))
	}
	var element raw.Value
	if index < len(elements) {
		element = elements[index]
	} else if !c.create {
		return old, nil
	} else if index-len(elements) > query.MaxArrayIndex {
		return raw.Value{}, fault.New(fault.PathNotViable, "can't backfill more than %d elements", query.MaxArrayIndex)
	}
	next, err := rewriteValue(element, path[1:], c)
	if err != nil {
		return raw.Value{}, err
	}
	if next.Missing() {
		if index >= len(elements) {
			return old, nil
		}
		next = raw.Null()
	}
	for len(elements) <= index {
		elements = append(elements, raw.Null())
	}
	elements[index] = next
	return raw.Array(elements), nil
}
