package mongod

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// update is a parsed update: a replacement, or operators sorted by path, the order in which MongoDB applies them.
type update struct {
	replacement document
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
	create bool
	apply  func(old value) (value, error)
}

// parseUpdate reads the update of a statement; ask, which may be nil, is told its operators.
func parseUpdate(v value, ask askFunc) (*update, error) {
	if v.kind == kindArray {
		return nil, unsupported("an update that is a pipeline")
	}
	if v.kind != kindDocument {
		return nil, failure(codeFailedToParse, "Update argument must be either an object or an array")
	}
	d := v.document()
	if !strings.HasPrefix(d.firstName(), "$") {
		return &update{replacement: d}, nil
	}
	u := &update{}
	for _, f := range documentFields(d) {
		if err := u.parseOperator(f.name, f.value, ask); err != nil {
			return nil, err
		}
	}
	return u, u.order()
}

// order sorts by path and refuses two changes of one path.
func (u *update) order() error {
	for i, b := range u.ops {
		for _, a := range u.ops[:i] {
			if n := min(len(a.path), len(b.path)); slices.Equal(a.path[:n], b.path[:n]) {
				return failure(codeConflictingUpdate, "Updating the path '%s' would create a conflict at '%s'", b.field, strings.Join(a.path[:n], "."))
			}
		}
	}
	slices.SortStableFunc(u.ops, func(a, b updateOp) int { return comparePaths(a.path, b.path) })
	return nil
}

func (u *update) parseOperator(name string, arg value, ask askFunc) error {
	op := updateOperators().find(name, ask)
	if op == nil {
		return failure(codeFailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
	}
	if arg.kind != kindDocument {
		return failure(codeFailedToParse, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: %s}", kindName(arg.kind), name, arg)
	}
	for _, f := range documentFields(arg.document()) {
		one := updateOp{name: name, field: f.name, path: splitPath(f.name), arg: f.value, onInsert: name == "$setOnInsert"}
		if err := checkUpdatePath(one.field, one.path); err != nil {
			return err
		}
		var err error
		if one.change, err = op.parse(&one, ask); err != nil {
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
	for _, part := range path {
		switch {
		case part == "":
			return failure(codeEmptyFieldName, "The update path '%s' contains an empty field name, which is not allowed.", field)
		case part == "$" || strings.HasPrefix(part, "$["):
			return unsupported("an array element by position or filter, as in the update path '%s',", field)
		}
	}
	return nil
}

func dollarPrefixed(name string) error {
	return failure(codeDollarPrefixed, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", name, name)
}

// apply returns the updated document. The id is the document's, or missing when an upsert makes the document (insert).
func (u *update) apply(d document, id value, insert bool) (document, error) {
	if u.replacement != nil {
		return u.replace(id)
	}
	for _, op := range u.ops {
		if op.onInsert && !insert {
			continue
		}
		if op.path[0][0] == '$' {
			return nil, dollarPrefixed(op.path[0])
		}
		var err error
		if d, err = rewrite(d, op.path, op.change); err != nil {
			return nil, op.explain(err, id)
		}
	}
	if after := d.get("_id"); !id.missing() && (after.missing() || !sameValue(after, id)) {
		return nil, failure(codeImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
	}
	return d, nil
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
	return u.replacement.with("_id", value{}).withIDFirst(id), nil
}

// comparePaths orders update paths as MongoDB applies them: component by component, numbers by value.
func comparePaths(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		xi, xNum := arrayIndex(x)
		yi, yNum := arrayIndex(y)
		if xNum && yNum {
			return cmp.Compare(xi, yi)
		}
		return cmp.Compare(x, y)
	})
}
