package update

import (
	"fmt"
	"slices"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

// pushOptions are the modifiers of $push.
type pushOptions struct {
	each  []raw.Value
	slice *int64
}

func (op *operator) parsePush(ask registry.Ask) (change, error) {
	opts := pushOptions{each: []raw.Value{op.arg}}
	if op.arg.Kind == raw.KindDocument && !op.arg.Document().Get("$each").Missing() {
		var err error
		if opts, err = parsePushOptions(op.arg.Document(), ask); err != nil {
			return change{}, err
		}
	}
	return change{create: true, apply: func(old raw.Value) (raw.Value, error) {
		if !old.Missing() && old.Kind != raw.KindArray {
			return raw.Value{}, &targetError{fault.BadValue, func(op *operator, id raw.Value) string {
				return fmt.Sprintf("The field '%s' must be an array but is of type %s in document %s", op.field, raw.KindName(old.Kind), idText(id))
			}}
		}
		return raw.Array(opts.push(old.Elements())), nil
	}}, nil
}

func parsePushOptions(d raw.Document, ask registry.Ask) (pushOptions, error) {
	opts := pushOptions{}
	for _, f := range raw.Fields(d) {
		modifier := pushModifiers().Find(f.Name, ask)
		if modifier == nil {
			return opts, fault.New(fault.BadValue, "Unrecognized clause in $push: %s", f.Name)
		}
		if err := modifier.Parse(&opts, f.Value); err != nil {
			return opts, err
		}
	}
	return opts, nil
}

// modifierParser parses the argument of a modifier of $push.
type modifierParser = func(o *pushOptions, v raw.Value) error

func pushModifiers() registry.Table[modifierParser] {
	return registry.Table[modifierParser]{Kind: "modifier of $push", Entries: []registry.Entry[modifierParser]{
		{Name: "$each", Parse: (*pushOptions).parseEach},
		{Name: "$slice", Parse: (*pushOptions).parseSlice},
	}}
}

func (o *pushOptions) parseEach(v raw.Value) error {
	if v.Kind != raw.KindArray {
		return fault.New(fault.BadValue, "The argument to $each in $push must be an array but it was of type: %s", raw.KindName(v.Kind))
	}
	o.each = v.Elements()
	return nil
}

func (o *pushOptions) parseSlice(v raw.Value) error {
	n, whole := v.WholeNumber()
	if !whole {
		return fault.New(fault.BadValue, "The value for $slice must be an integer value but was given type: %s", raw.KindName(v.Kind))
	}
	o.slice = &n
	return nil
}

// push appends, then keeps the first elements, or the last ones for a negative $slice.
func (o *pushOptions) push(elements []raw.Value) []raw.Value {
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

func (op *operator) parseAddToSet(registry.Ask) (change, error) {
	each := []raw.Value{op.arg}
	if op.arg.Kind == raw.KindDocument && op.arg.Document().FirstName() == "$each" {
		list := op.arg.Document().Get("$each")
		if list.Kind != raw.KindArray {
			return change{}, fault.New(fault.TypeMismatch,
				"The argument to $each in $addToSet must be an array but it was of type %s", raw.KindName(list.Kind))
		}
		r := op.arg.Document().Reader()
		for {
			key, _, ok := r.Next()
			if !ok {
				break
			}
			if string(key) != "$each" {
				return change{}, fault.New(fault.BadValue, "Found unexpected fields after $each in $addToSet: %s", op.arg)
			}
		}
		each = list.Elements()
	}
	return change{create: true, apply: func(old raw.Value) (raw.Value, error) {
		if !old.Missing() && old.Kind != raw.KindArray {
			return raw.Value{}, &targetError{fault.BadValue, func(op *operator, _ raw.Value) string {
				return fmt.Sprintf("Cannot apply $addToSet to non-array field. Field named '%s' has non-array type %s",
					op.path[len(op.path)-1], raw.KindName(old.Kind))
			}}
		}
		elements := old.Elements()
		for _, v := range each {
			if !slices.ContainsFunc(elements, func(x raw.Value) bool { return raw.Equal(x, v) }) {
				elements = append(elements, v)
			}
		}
		if !old.Missing() && len(elements) == len(old.Elements()) {
			return old, nil
		}
		return raw.Array(elements), nil
	}}, nil
}

// parsePull reads a value, operators on the element, or a query on elements that are documents.
func (op *operator) parsePull(ask registry.Ask) (change, error) {
	matches := func(v raw.Value) bool { return raw.Equal(v, op.arg) }
	switch {
	case query.IsFieldOperators(op.arg):
		f, err := query.ParseElement(op.arg.Document(), ask)
		if err != nil {
			return change{}, err
		}
		matches = f.Test
	case op.arg.Kind == raw.KindDocument:
		f, err := query.Parse(op.arg.Document(), ask)
		if err != nil {
			return change{}, err
		}
		matches = func(v raw.Value) bool { return v.Kind == raw.KindDocument && f.Matches(v.Document()) }
	case op.arg.Kind == raw.KindRegex:
		return change{}, query.NoRegex()
	}
	return change{apply: func(old raw.Value) (raw.Value, error) {
		if old.Kind != raw.KindArray {
			return raw.Value{}, fault.New(fault.BadValue, "Cannot apply $pull to a non-array value")
		}
		elements := old.Elements()
		kept := slices.DeleteFunc(slices.Clone(elements), matches)
		if len(kept) == len(elements) {
			return old, nil
		}
		return raw.Array(kept), nil
	}}, nil
}
