package mongod

import (
	"bytes"
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

func parseUpdate(v value) (*update, error) {
	if v.kind == kindArray {
		return nil, unsupported("an update with an aggregation pipeline")
	}
	if v.kind != kindDocument {
		return nil, failure(codeFailedToParse, "Update argument must be either an object or an array")
	}
	d := v.document()
	if !strings.HasPrefix(d.firstName(), "$") {
		r := d.reader()
		for {
			key, _, ok := r.next()
			if !ok {
				return &update{replacement: d}, nil
			}
			if bytes.HasPrefix(key, []byte("$")) {
				return nil, failure(codeDollarPrefixed, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", key, key)
			}
		}
	}
	u := &update{}
	r := d.reader()
	for {
		key, arg, ok := r.next()
		if !ok {
			break
		}
		if err := u.parseOperator(string(key), arg); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(u.ops, func(a, b updateOp) int { return comparePaths(a.path, b.path) })
	for i := 1; i < len(u.ops); i++ {
		a, b := u.ops[i-1], u.ops[i]
		if len(a.path) <= len(b.path) && slices.Equal(a.path, b.path[:len(a.path)]) {
			return nil, failure(codeConflictingUpdate, "Updating the path '%s' would create a conflict at '%s'", b.field, a.field)
		}
	}
	return u, nil
}

func (u *update) parseOperator(name string, arg value) error {
	if !isUpdateOperator(name) {
		return failure(codeFailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
	}
	if arg.kind != kindDocument {
		return failure(codeFailedToParse, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: %s}", kindName(arg.kind), name, arg)
	}
	r := arg.document().reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return nil
		}
		op := updateOp{name: name, field: string(key), path: splitPath(string(key)), arg: v, onInsert: name == "$setOnInsert"}
		if err := checkUpdatePath(op.field, op.path); err != nil {
			return err
		}
		if name == "$rename" {
			if err := u.parseRename(op); err != nil {
				return err
			}
			continue
		}
		var err error
		if op.change, err = op.parse(); err != nil {
			return err
		}
		u.ops = append(u.ops, op)
	}
}

func isUpdateOperator(name string) bool {
	switch name {
	case "$set", "$setOnInsert", "$unset", "$inc", "$mul", "$min", "$max", "$push", "$addToSet", "$pull", "$pop", "$rename", "$currentDate":
		return true
	default:
		return false
	}
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
			return unsupported("the positional operator in '%s'", field)
		case part[0] == '$':
			return failure(codeDollarPrefixed, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", part, field)
		}
	}
	return nil
}

func (u *update) parseRename(op updateOp) error {
	if op.arg.kind != kindString {
		return failure(codeBadValue, "The 'to' field for $rename must be a string: %s: %s", op.field, op.arg)
	}
	to := updateOp{name: "$rename", field: op.arg.text(), path: splitPath(op.arg.text()), arg: stringValue(op.field)}
	if err := checkUpdatePath(to.field, to.path); err != nil {
		return err
	}
	if to.field == op.field {
		return failure(codeBadValue, `The source and target field for $rename must differ: %s: "%s"`, op.field, to.field)
	}
	op.name, op.change = "$unset", removal()
	u.ops = append(u.ops, op, to)
	return nil
}

// apply returns the updated document. The id is the document's, or missing in an upsert.
func (u *update) apply(d document, id value, inserting bool) (document, error) {
	if u.replacement != nil {
		return u.replace(id)
	}
	original := d
	for _, op := range u.ops {
		if op.onInsert && !inserting {
			continue
		}
		if op.name == "$rename" {
			source := splitPath(op.arg.text())
			v := lookupPath(original, source)
			if v.missing() {
				continue
			}
			op.change = assignment(v)
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
	own := u.replacement.get("_id")
	if !id.missing() && !own.missing() && !equalValues(own, id) {
		return nil, failure(codeImmutableField, "After applying the update, the (immutable) field '_id' was found to have been altered to _id: %s", own)
	}
	if id.missing() {
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
