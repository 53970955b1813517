package mongod

import "bytes"

// rewrite returns d with change applied at path. Missing documents on the way are created when the change creates.
func rewrite(d document, path []string, c change) (document, error) {
	old := d.get(path[0])
	next, err := rewriteValue(old, path, c)
	if err != nil {
		return nil, err
	}
	if next.kind == old.kind && bytes.Equal(next.data, old.data) {
		return d, nil
	}
	return d.with(path[0], next), nil
}

// rewriteValue returns the new value of the field path[0], whose old value is given.
func rewriteValue(old value, path []string, c change) (value, error) {
	if len(path) == 1 {
		if old.missing() && !c.create {
			return old, nil
		}
		return c.apply(old)
	}
	switch old.kind {
	case kindDocument:
		d, err := rewrite(old.document(), path[1:], c)
		return documentValue(d), err
	case kindArray:
		return rewriteArray(old, path, c)
	case kindMissing:
		if !c.create {
			return old, nil
		}
		inner, err := rewriteValue(value{}, path[1:], c)
		if err != nil || inner.missing() {
			return value{}, err
		}
		return documentValue(newDocument().add(path[1], inner).done()), nil
	default:
		if !c.create {
			return old, nil
		}
		return value{}, failure(codePathNotViable, "Cannot create field '%s' in element %s", path[1], formatField(path[0], old))
	}
}

// rewriteArray changes the element with the index path[1]; an array grows with nulls. A removed element becomes null.
func rewriteArray(old value, path []string, c change) (value, error) {
	index, ok := arrayIndex(path[1])
	elements := old.elements()
	if !ok {
		if !c.create {
			return old, nil
		}
		return value{}, failure(codePathNotViable, "Cannot create field '%s' in element %s", path[1], formatField(path[0], old))
	}
	var element value
	if index < len(elements) {
		element = elements[index]
	} else if !c.create {
		return old, nil
	} else if index-len(elements) > maxArrayIndex {
		return value{}, failure(codePathNotViable, "can't backfill more than %d elements", maxArrayIndex)
	}
	next, err := rewriteValue(element, path[1:], c)
	if err != nil {
		return value{}, err
	}
	if next.missing() {
		if index >= len(elements) {
			return old, nil
		}
		next = nullValue()
	}
	for len(elements) <= index {
		elements = append(elements, nullValue())
	}
	elements[index] = next
	return arrayValue(elements), nil
}
