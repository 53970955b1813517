package mongod

import (
	"fmt"
	"slices"
)

// pushOptions are the modifiers of $push.
type pushOptions struct {
	each  []value
	slice *int64
}

func (op *updateOp) parsePush(ask askFunc) (change, error) {
	opts := pushOptions{each: []value{op.arg}}
	if op.arg.kind == kindDocument && !op.arg.document().get("$each").missing() {
		var err error
		if opts, err = parsePushOptions(op.arg.document(), ask); err != nil {
			return change{}, err
		}
	}
	return change{create: true, apply: func(old value) (value, error) {
		if !old.missing() && old.kind != kindArray {
			return value{}, &targetError{codeBadValue, func(op *updateOp, id value) string {
				return fmt.Sprintf("The field '%s' must be an array but is of type %s in document %s", op.field, kindName(old.kind), idText(id))
			}}
		}
		return arrayValue(opts.push(old.elements())), nil
	}}, nil
}

func parsePushOptions(d document, ask askFunc) (pushOptions, error) {
	opts := pushOptions{}
	for _, f := range documentFields(d) {
		modifier := pushModifiers().find(f.name, ask)
		if modifier == nil {
			return opts, failure(codeBadValue, "Unrecognized clause in $push: %s", f.name)
		}
		if err := modifier.parse(&opts, f.value); err != nil {
			return opts, err
		}
	}
	return opts, nil
}

// modifierParser parses the argument of a modifier of $push.
type modifierParser = func(o *pushOptions, v value) error

func pushModifiers() table[modifierParser] {
	return table[modifierParser]{"modifier of $push", []entry[modifierParser]{
		{name: "$each", parse: (*pushOptions).parseEach},
		{name: "$slice", parse: (*pushOptions).parseSlice},
	}}
}

func (o *pushOptions) parseEach(v value) error {
	if v.kind != kindArray {
		return failure(codeBadValue, "The argument to $each in $push must be an array but it was of type: %s", kindName(v.kind))
	}
	o.each = v.elements()
	return nil
}

func (o *pushOptions) parseSlice(v value) error {
	n, whole := v.wholeNumber()
	if !whole {
		return failure(codeBadValue, "The value for $slice must be an integer value but was given type: %s", kindName(v.kind))
	}
	o.slice = &n
	return nil
}

// push appends, then keeps the first elements, or the last ones for a negative $slice.
func (o *pushOptions) push(elements []value) []value {
	elements = append(elements, o.each...)
	if o.slice == nil {
		return elements
	}
	n := int64(len(elements))
	if s := *o.slice; s >= 0 {
		return elements[:min(n, s)]
	}
	return elements[max(0, n+*o.slice):]
}

func (op *updateOp) parseAddToSet(askFunc) (change, error) {
	each := []value{op.arg}
	if op.arg.kind == kindDocument && op.arg.document().firstName() == "$each" {
		list := op.arg.document().get("$each")
		if list.kind != kindArray {
			return change{}, failure(codeTypeMismatch, "The argument to $each in $addToSet must be an array but it was of type %s", kindName(list.kind))
		}
		r := op.arg.document().reader()
		for {
			key, _, ok := r.next()
			if !ok {
				break
			}
			if string(key) != "$each" {
				return change{}, failure(codeBadValue, "Found unexpected fields after $each in $addToSet: %s", op.arg)
			}
		}
		each = list.elements()
	}
	return change{create: true, apply: func(old value) (value, error) {
		if !old.missing() && old.kind != kindArray {
			return value{}, &targetError{codeBadValue, func(op *updateOp, _ value) string {
				return fmt.Sprintf("Cannot apply $addToSet to non-array field. Field named '%s' has non-array type %s", op.path[len(op.path)-1], kindName(old.kind))
			}}
		}
		elements := old.elements()
		for _, v := range each {
			if !slices.ContainsFunc(elements, func(x value) bool { return equalValues(x, v) }) {
				elements = append(elements, v)
			}
		}
		if !old.missing() && len(elements) == len(old.elements()) {
			return old, nil
		}
		return arrayValue(elements), nil
	}}, nil
}

// parsePull reads a value, operators on the element, or a query on elements that are documents.
func (op *updateOp) parsePull(ask askFunc) (change, error) {
	matches := func(v value) bool { return equalValues(v, op.arg) }
	switch {
	case isFieldOperators(op.arg):
		f, err := parseElementFilter(op.arg.document(), ask)
		if err != nil {
			return change{}, err
		}
		matches = f.test
	case op.arg.kind == kindDocument:
		f, err := parseFilter(op.arg.document(), ask)
		if err != nil {
			return change{}, err
		}
		matches = func(v value) bool { return v.kind == kindDocument && f.matches(v.document()) }
	case op.arg.kind == kindRegex:
		return change{}, noRegex()
	}
	return change{apply: func(old value) (value, error) {
		if old.kind != kindArray {
			return value{}, failure(codeBadValue, "Cannot apply $pull to a non-array value")
		}
		elements := old.elements()
		kept := slices.DeleteFunc(slices.Clone(elements), matches)
		if len(kept) == len(elements) {
			return old, nil
		}
		return arrayValue(kept), nil
	}}, nil
}
