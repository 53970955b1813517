package mongod

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// update is a parsed update: a replacement, a pipeline, or operators sorted by path, the order in which MongoDB applies them.
type update struct {
	replacement document
	pipeline    []stage
	ops         []updateOp
}

// updateOp changes the value at one path.
type updateOp struct {
	name     string // "$set", …
	field    string // dotted path
	path     []string
	arg      value
	change   change
	onInsert bool
}

// change computes the new value at a path from the old one, which is missing when the path does not exist. A missing result removes the field.
// With create unset a path that does not exist is left alone.
type change struct {
	create  bool
	apply   func(old value) (value, error)
	filters map[string]*filter // arrayFilters by identifier
}

func parseUpdate(v, arrayFilters value) (*update, error) {
	if v.kind == kindArray {
		if len(arrayFilters.elements()) > 0 {
			return nil, failure(codeFailedToParse, "arrayFilters may not be specified for pipeline-style updates")
		}
		return parsePipelineUpdate(v)
	}
	if v.kind != kindDocument {
		return nil, failure(codeFailedToParse, "Update argument must be either an object or an array")
	}
	d := v.document()
	if !strings.HasPrefix(d.firstName(), "$") {
		return &update{replacement: d}, nil
	}
	filters, err := parseArrayFilters(arrayFilters)
	if err != nil {
		return nil, err
	}
	u := &update{}
	used := map[string]bool{}
	for _, f := range documentFields(d) {
		if err := u.parseOperator(f.name, f.value); err != nil {
			return nil, err
		}
	}
	for i := range u.ops {
		if err := u.ops[i].bind(filters, used); err != nil {
			return nil, err
		}
	}
	for _, el := range arrayFilters.elements() {
		if id := identifierOf(el.document()); !used[id] {
			return nil, failure(codeFailedToParse, "The array filter for identifier '%s' was not used in the update %s", id, d)
		}
	}
	return u, u.order()
}

// order sorts by path and refuses two changes of one path.
func (u *update) order() error {
	for i, b := range u.ops {
		for _, a := range u.ops[:i] {
			if at, clash := conflicting(a.path, b.path); clash {
				return failure(codeConflictingUpdate, "Updating the path '%s' would create a conflict at '%s'", b.field, at)
			}
		}
	}
	slices.SortStableFunc(u.ops, func(a, b updateOp) int { return comparePaths(a.path, b.path) })
	return nil
}

// conflicting reports where two paths meet: one is the other's beginning, or one names all elements of an array and the other one of them.
func conflicting(a, b []string) (string, bool) {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		dynamic := func(s string) bool { return strings.HasPrefix(s, "$[") }
		if i > 0 && dynamic(a[i]) != dynamic(b[i]) {
			return strings.Join(a[:i], "."), true
		}
		return "", false
	}
	return strings.Join(a[:min(len(a), len(b))], "."), true
}

func (u *update) parseOperator(name string, arg value) error {
	op := lookup(updateOperators(), name)
	switch {
	case op == nil:
		return failure(codeFailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
	case op.refused != nil:
		return op.refused
	}
	if arg.kind != kindDocument {
		return failure(codeFailedToParse, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: %s}", kindName(arg.kind), name, arg)
	}
	for _, f := range documentFields(arg.document()) {
		one := updateOp{name: name, field: f.name, path: splitPath(f.name), arg: f.value, onInsert: name == "$setOnInsert"}
		if err := checkUpdatePath(one.field, one.path); err != nil {
			return err
		}
		if name == "$rename" {
			if err := u.parseRename(one); err != nil {
				return err
			}
			continue
		}
		var err error
		if one.change, err = op.parse(&one); err != nil {
			return err
		}
		u.ops = append(u.ops, one)
	}
	return nil
}

func checkUpdatePath(field string, path []string) error {
	if field == "" {
		return failure(codeEmptyFieldName, "An empty update path is not valid.")
	}
	positions := 0
	for i, part := range path {
		switch {
		case part == "":
			return failure(codeEmptyFieldName, "The update path '%s' contains an empty field name, which is not allowed.", field)
		case part == "$" && i == 0:
			return failure(codeBadValue, "Cannot have positional (i.e. '$') element in the first position in path '%s'", field)
		case part == "$":
			if positions++; positions > 1 {
				return failure(codeBadValue, "Too many positional (i.e. '$') elements found in path '%s'", field)
			}
		case strings.HasPrefix(part, "$[") && strings.HasSuffix(part, "]"):
			if i == 0 {
				return failure(codeBadValue, "Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '%s'", field)
			}
		}
	}
	return nil
}

func dollarPrefixed(name string) error {
	return failure(codeDollarPrefixed, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", name, name)
}

func (u *update) parseRename(op updateOp) error {
	if op.arg.kind != kindString {
		return failure(codeBadValue, "The 'to' field for $rename must be a string: %s: %s", op.field, op.arg)
	}
	if strings.Contains(op.arg.text(), "\x00") {
		return failure(codeBadValue, "The 'to' field for $rename cannot contain an embedded null byte")
	}
	to := updateOp{name: "$rename", field: op.arg.text(), path: splitPath(op.arg.text()), arg: stringValue(op.field)}
	if err := checkUpdatePath(to.field, to.path); err != nil {
		return err
	}
	dynamic := func(part string) bool { return part[0] == '$' }
	switch {
	case to.field == op.field:
		return failure(codeBadValue, `The source and target field for $rename must differ: %s: "%s"`, op.field, to.field)
	case slices.ContainsFunc(op.path, dynamic):
		return failure(codeBadValue, "The source field for $rename may not be dynamic: %s", op.field)
	case slices.ContainsFunc(to.path, dynamic):
		return failure(codeBadValue, "The destination field for $rename may not be dynamic: %s", to.field)
	}
	if _, clash := conflicting(op.path, to.path); clash {
		return failure(codeBadValue, `The source and target field for $rename must not be on the same path: %s: "%s"`, op.field, to.field)
	}
	op.name, op.change = "$unset", removal()
	u.ops = append(u.ops, op, to)
	return nil
}

// apply returns the updated document. The id is the document's, or missing in an upsert; the query, by which the document was
// found, is nil then.
func (u *update) apply(d document, id value, query *filter) (document, error) {
	switch {
	case u.replacement != nil:
		return u.replace(id)
	case u.pipeline != nil:
		return u.runPipeline(d, id)
	}
	original := d
	changed := map[string]bool{}
	for _, op := range u.ops {
		if op.onInsert && query != nil {
			continue
		}
		if op.name == "$rename" {
			source := splitPath(op.arg.text())
			v, err := renamed(original, source, op.arg.text(), id)
			if err != nil {
				return nil, err
			}
			if v.missing() {
				continue
			}
			if op.field == "_id" {
				return nil, failure(codeImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
			}
			op.change = assignment(v)
		}
		if op.path[0][0] == '$' {
			return nil, dollarPrefixed(op.path[0])
		}
		if err := op.resolve(original, query); err != nil {
			return nil, err
		}
		paths, err := op.expand(original)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			name := strings.Join(path, ".")
			if len(paths) > 1 || name != op.field {
				if changed[name] {
					return nil, failure(codeConflictingUpdate, "Update created a conflict at '%s'", name)
				}
				changed[name] = true
			}
			if d, err = rewrite(d, path, op.change); err != nil {
				return nil, op.explain(err, id)
			}
		}
	}
	if after := d.get("_id"); !id.missing() && (after.missing() || !sameValue(after, id)) {
		return nil, failure(codeImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
	}
	return d, nil
}

// renamed returns the value to rename, which must not be in an array.
func renamed(d document, path []string, field string, id value) (value, error) {
	for i := range path {
		if v := lookupPath(d, path[:i+1]); v.kind == kindArray && i < len(path)-1 {
			return value{}, failure(codeBadValue, "The source field cannot be an array element, '%s' in doc with _id: %s has an array field called '%s'", field, id, path[i])
		}
	}
	return lookupPath(d, path), nil
}

// resolve puts the index of the matched element in the place of "$".
func (op *updateOp) resolve(d document, query *filter) error {
	i := slices.Index(op.path, "$")
	if i < 0 {
		return nil
	}
	at, found := 0, false
	if query != nil {
		at, found = query.position(d)
	}
	if !found {
		return failure(codeBadValue, "The positional operator did not find the match needed from the query.")
	}
	op.path = slices.Clone(op.path)
	op.path[i] = strconv.Itoa(at)
	op.field = strings.Join(op.path, ".")
	return nil
}

// sameValue compares type and bytes: changing 1 to 1.0 is a change.
func sameValue(a, b value) bool { return a.kind == b.kind && bytes.Equal(a.data, b.data) }

func (u *update) replace(id value) (document, error) {
	for _, f := range documentFields(u.replacement) {
		if strings.HasPrefix(f.name, "$") {
			return nil, dollarPrefixed(f.name)
		}
	}
	own := u.replacement.get("_id")
	if !id.missing() && !own.missing() && !equalValues(own, id) {
		return nil, failure(codeImmutableField, "After applying the update, the (immutable) field '_id' was found to have been altered to _id: %s", own)
	}
	if !own.missing() {
		id = own
	}
	if id.missing() {
		return u.replacement, nil
	}
	b := newDocument().add("_id", id)
	r := u.replacement.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return b.done(), nil
		}
		if string(key) != "_id" {
			b.add(string(key), v)
		}
	}
}
