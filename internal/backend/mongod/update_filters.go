package mongod

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// parseArrayFilters reads the arrayFilters of an update: each is a query on one identifier.
func parseArrayFilters(v value) (map[string]*filter, error) {
	out := map[string]*filter{}
	for _, el := range v.elements() {
		f, err := parseFilter(el.document())
		var known *commandError
		if errors.As(err, &known) {
			return nil, failure(known.code, "Error parsing array filter :: caused by :: %s", known.message)
		}
		if err != nil {
			return nil, err
		}
		id := ""
		if err := f.identifier(&id); err != nil {
			return nil, err
		}
		switch {
		case id == "":
			return nil, failure(codeFailedToParse, "Cannot use an expression without a top-level field name in arrayFilters")
		case !validIdentifier(id):
			return nil, failure(codeBadValue, "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '%s'", id)
		case out[id] != nil:
			return nil, failure(codeFailedToParse, "Found multiple array filters with the same top-level field name %s", id)
		}
		out[id] = f
	}
	return out, nil
}

// identifier finds the one top-level name that all conditions of an array filter have.
func (f *filter) identifier(id *string) error {
	if f.op != opElemDocument && f.op != opElemValue {
		for _, s := range f.subs {
			if err := s.identifier(id); err != nil {
				return err
			}
		}
	}
	if len(f.path) == 0 {
		return nil
	}
	if *id != "" && *id != f.path[0] {
		return failure(codeFailedToParse, "Error parsing array filter :: caused by :: Expected a single top-level field name, found '%s' and '%s'", *id, f.path[0])
	}
	*id = f.path[0]
	return nil
}

// identifierOf is identifier for a filter that was parsed without an error.
func identifierOf(d document) string {
	id := ""
	if f, err := parseFilter(d); err == nil {
		_ = f.identifier(&id)
	}
	return id
}

func validIdentifier(id string) bool {
	for i := range len(id) {
		c := id[i]
		letter := c >= 'a' && c <= 'z' || i > 0 && (c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')
		if !letter {
			return false
		}
	}
	return true
}

// arrayIdentifier reads a path component "$[id]"; the id of "$[]" is "".
func arrayIdentifier(component string) (id string, ok bool) {
	if strings.HasPrefix(component, "$[") && strings.HasSuffix(component, "]") {
		return component[2 : len(component)-1], true
	}
	return "", false
}

// bind gives the operator the array filters that its path names.
func (op *updateOp) bind(filters map[string]*filter, used map[string]bool) error {
	for _, part := range op.path {
		id, ok := arrayIdentifier(part)
		if !ok || id == "" {
			continue
		}
		if filters[id] == nil {
			return failure(codeBadValue, "No array filter found for identifier '%s' in path '%s'", id, op.field)
		}
		used[id] = true
	}
	op.change.filters = filters
	return nil
}

// expand returns the paths that "$[]" and "$[id]" mean in the document as it was before the update.
func (op *updateOp) expand(d document) ([][]string, error) {
	if !slices.ContainsFunc(op.path, func(part string) bool { return strings.HasPrefix(part, "$[") }) {
		return [][]string{op.path}, nil
	}
	return op.expandBelow(documentValue(d), nil, op.path)
}

func (op *updateOp) expandBelow(v value, parent, path []string) ([][]string, error) {
	if len(path) == 0 {
		return [][]string{parent}, nil
	}
	id, dynamic := arrayIdentifier(path[0])
	if !dynamic {
		return op.expandBelow(child(v, path[0]), append(slices.Clone(parent), path[0]), path[1:])
	}
	switch {
	case v.missing():
		return nil, failure(codeBadValue, "The path '%s' must exist in the document in order to apply array updates.", strings.Join(parent, "."))
	case v.kind != kindArray:
		return nil, failure(codeBadValue, "Cannot apply array updates to non-array element %s: %s", parent[len(parent)-1], v)
	}
	var out [][]string
	for i, el := range v.elements() {
		if id != "" && !op.change.filters[id].matches(newDocument().add(id, el).done()) {
			continue
		}
		paths, err := op.expandBelow(el, append(slices.Clone(parent), strconv.Itoa(i)), path[1:])
		if err != nil {
			return nil, err
		}
		out = append(out, paths...)
	}
	return out, nil
}

// child returns the field of a document or the element of an array.
func child(v value, name string) value {
	switch v.kind {
	case kindDocument:
		return v.document().get(name)
	case kindArray:
		if i, ok := arrayIndex(name); ok {
			return v.document().get(strconv.Itoa(i))
		}
	}
	return value{}
}
