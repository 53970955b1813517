package update

import (
	"errors"
	"fmt"
	"slices"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

func assignment(v raw.Value) change {
	return change{create: true, apply: func(raw.Value) (raw.Value, error) { return v, nil }}
}

// changeParser returns what an operator does to the value at its path.
type changeParser = func(op *operator, ask registry.Ask) (change, error)

// Names lists the operators and the modifiers of $push.
func Names() []registry.Name { return slices.Concat(operators().Names(), pushModifiers().Names()) }

func operators() registry.Table[changeParser] {
	return registry.Table[changeParser]{Kind: "update operator", Entries: []registry.Entry[changeParser]{
		{Name: "$set", Parse: func(op *operator, _ registry.Ask) (change, error) { return assignment(op.arg), nil }},
		{Name: "$setOnInsert", Parse: func(op *operator, _ registry.Ask) (change, error) { return assignment(op.arg), nil }},
		{Name: "$unset", Parse: func(*operator, registry.Ask) (change, error) {
			return change{apply: func(raw.Value) (raw.Value, error) { return raw.Value{}, nil }}, nil
		}},
		{Name: "$inc", Parse: (*operator).parseIncrement},
		{Name: "$min", Parse: func(op *operator, _ registry.Ask) (change, error) { return op.extreme(-1), nil }},
		{Name: "$max", Parse: func(op *operator, _ registry.Ask) (change, error) { return op.extreme(1), nil }},
		{Name: "$push", Parse: (*operator).parsePush},
		{Name: "$addToSet", Parse: (*operator).parseAddToSet},
		{Name: "$pull", Parse: (*operator).parsePull},
	}}
}

// targetError is an error about the value that an update found; the document's id is added to its text later.
type targetError struct {
	code int
	text func(op *operator, id raw.Value) string
}

func (e *targetError) Error() string { return "update does not fit the document" }

// explain names the document in an error that concerns its value.
func (op *operator) explain(err error, id raw.Value) error {
	var target *targetError
	if errors.As(err, &target) {
		return fault.New(target.code, "%s", target.text(op, id))
	}
	return err
}

func idText(id raw.Value) string {
	if id.Missing() {
		return "{}"
	}
	return raw.FormatField("_id", id)
}

func (op *operator) parseIncrement(registry.Ask) (change, error) {
	arg := op.arg
	if !arg.Numeric() {
		return change{}, fault.New(fault.TypeMismatch, "Cannot increment with non-numeric argument: %s", raw.FormatField(op.field, arg))
	}
	return change{create: true, apply: func(old raw.Value) (raw.Value, error) {
		if old.Missing() {
			return arg, nil
		}
		if !old.Numeric() {
			return raw.Value{}, &targetError{fault.TypeMismatch, func(op *operator, id raw.Value) string {
				return fmt.Sprintf("Cannot apply $inc to a value of non-numeric type. %s has the field '%s' of non-numeric type %s",
					idText(id), op.path[len(op.path)-1], raw.KindName(old.Kind))
			}}
		}
		next, ok := raw.Add(old, arg)
		if !ok {
			return raw.Value{}, &targetError{fault.BadValue, func(_ *operator, id raw.Value) string {
				return fmt.Sprintf("Failed to apply $inc operations to current value (%s%s) for document %s", longPrefix(old), old, idText(id))
			}}
		}
		return next, nil
	}}, nil
}

func longPrefix(v raw.Value) string {
	if v.Kind == raw.KindInt64 {
		return "(NumberLong)"
	}
	return "(NumberInt)"
}

// extreme keeps the smaller (sign -1) or the larger (sign 1) of the old value and the argument.
func (op *operator) extreme(sign int) change {
	arg := op.arg
	return change{create: true, apply: func(old raw.Value) (raw.Value, error) {
		if old.Missing() || raw.Compare(arg, old)*sign > 0 {
			return arg, nil
		}
		return old, nil
	}}
}
