// Package update reads updates (operators, or a whole new document) and applies them to documents.
//
// It owns in which order the operators of an update take effect and which of them exclude each other, and what an upsert begins with. An
// update that fails returns an error and no document; nothing is stored here.
//
// It has no updates that are pipelines and no paths to array elements by position or filter.
package update

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

// Update is a parsed update: a replacement, or operators sorted by path, the order in which MongoDB applies them.
type Update struct {
	Replacement raw.Document
	ops         []operator
}

// operator changes the value at one path.
type operator struct {
	name     string // "$set", …
	field    string // dotted path
	path     []string
	arg      raw.Value
	change   change
	onInsert bool
}

// change computes the new value at a path from the old one, which is missing when the path does not exist. A missing result removes
// the field. With create unset a path that does not exist is left alone.
type change struct {
	create bool
	apply  func(old raw.Value) (raw.Value, error)
}

// Parse reads the update of a statement; ask, which may be nil, is told its operators.
func Parse(v raw.Value, ask registry.Ask) (*Update, error) {
	if v.Kind == raw.KindArray {
		return nil, fault.Unsupported("an update that is a pipeline")
	}
	if v.Kind != raw.KindDocument {
		return nil, fault.New(fault.FailedToParse, "Update argument must be either an object or an array")
	}
	d := v.Document()
	if !strings.HasPrefix(d.FirstName(), "$") {
		return &Update{Replacement: d}, nil
	}
	u := &Update{}
	for _, f := range raw.Fields(d) {
		if err := u.parseOperator(f.Name, f.Value, ask); err != nil {
			return nil, err
		}
	}
	return u, u.order()
}

// order sorts by path and refuses two changes of one path.
func (u *Update) order() error {
	for i, b := range u.ops {
		for _, a := range u.ops[:i] {
			if n := min(len(a.path), len(b.path)); slices.Equal(a.path[:n], b.path[:n]) {
				return fault.New(fault.ConflictingUpdate,
					"Updating the path '%s' would create a conflict at '%s'", b.field, strings.Join(a.path[:n], "."))
			}
		}
	}
	slices.SortStableFunc(u.ops, func(a, b operator) int { return comparePaths(a.path, b.path) })
	return nil
}

func (u *Update) parseOperator(name string, arg raw.Value, ask registry.Ask) error {
	op := operators().Find(name, ask)
	if op == nil {
		return fault.New(fault.FailedToParse,
			"Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
	}
	if arg.Kind != raw.KindDocument {
		return fault.New(fault.FailedToParse,
			"Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: %s}",
			raw.KindName(arg.Kind), name, arg)
	}
	for _, f := range raw.Fields(arg.Document()) {
		one := operator{name: name, field: f.Name, path: query.SplitPath(f.Name), arg: f.Value, onInsert: name == "$setOnInsert"}
		if err := checkUpdatePath(one.field, one.path); err != nil {
			return err
		}
		var err error
		if one.change, err = op.Parse(&one, ask); err != nil {
			return err
		}
		u.ops = append(u.ops, one)
	}
	return nil
}

func checkUpdatePath(field string, path []string) error {
	if field == "" {
		return fault.New(fault.EmptyFieldName, "An empty update path is not valid.")
	}
	for _, part := range path {
		switch {
		case part == "":
			return fault.New(fault.EmptyFieldName, "The update path '%s' contains an empty field name, which is not allowed.", field)
		case part == "$" || strings.HasPrefix(part, "$["):
			return fault.Unsupported("an array element by position or filter, as in the update path '%s',", field)
		}
	}
	return nil
}

func dollarPrefixed(name string) error {
	return fault.New(fault.DollarPrefixed,
		"The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. "+
			"Consider using an aggregation pipeline with $replaceWith.", name, name)
}

// Apply returns the updated document. The id is the document's, or missing when an upsert makes the document (insert).
func (u *Update) Apply(d raw.Document, id raw.Value, insert bool) (raw.Document, error) {
	if u.Replacement != nil {
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
	if after := d.Get("_id"); !id.Missing() && (after.Missing() || !sameValue(after, id)) {
		return nil, fault.New(fault.ImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
	}
	return d, nil
}

// sameValue compares type and bytes: changing 1 to 1.0 is a change.
func sameValue(a, b raw.Value) bool { return a.Kind == b.Kind && bytes.Equal(a.Data, b.Data) }

func (u *Update) replace(id raw.Value) (raw.Document, error) {
	for _, f := range raw.Fields(u.Replacement) {
		if strings.HasPrefix(f.Name, "$") {
			return nil, dollarPrefixed(f.Name)
		}
	}
	own := u.Replacement.Get("_id")
	if !id.Missing() && !own.Missing() && !raw.Equal(own, id) {
		return nil, fault.New(fault.ImmutableField,
			"After applying the update, the (immutable) field '_id' was found to have been altered to _id: %s", own)
	}
	if !own.Missing() {
		id = own
	}
	if id.Missing() {
		return u.Replacement, nil
	}
	return u.Replacement.With("_id", raw.Value{}).WithIDFirst(id), nil
}

// comparePaths orders update paths as MongoDB applies them: component by component, numbers by value.
func comparePaths(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		xi, xNum := query.ArrayIndex(x)
		yi, yNum := query.ArrayIndex(y)
		if xNum && yNum {
			return cmp.Compare(xi, yi)
		}
		return cmp.Compare(x, y)
	})
}
