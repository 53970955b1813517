package mongod

import (
	"errors"
	"fmt"
)

func assignment(v value) change {
	return change{create: true, apply: func(value) (value, error) { return v, nil }}
}

// changeParser returns what an operator does to the value at its path.
type changeParser = func(op *updateOp, ask askFunc) (change, error)

func updateOperators() table[changeParser] {
	return table[changeParser]{"update operator", []entry[changeParser]{
		{name: "$set", parse: func(op *updateOp, _ askFunc) (change, error) { return assignment(op.arg), nil }},
		{name: "$setOnInsert", parse: func(op *updateOp, _ askFunc) (change, error) { return assignment(op.arg), nil }},
		{name: "$unset", parse: func(*updateOp, askFunc) (change, error) {
			return change{apply: func(value) (value, error) { return value{}, nil }}, nil
		}},
		{name: "$inc", parse: (*updateOp).parseIncrement},
		{name: "$min", parse: func(op *updateOp, _ askFunc) (change, error) { return op.extreme(-1), nil }},
		{name: "$max", parse: func(op *updateOp, _ askFunc) (change, error) { return op.extreme(1), nil }},
		{name: "$push", parse: (*updateOp).parsePush},
		{name: "$addToSet", parse: (*updateOp).parseAddToSet},
		{name: "$pull", parse: (*updateOp).parsePull},
	}}
}

// targetError is an error about the value that an update found; the document's id is added to its text later.
type targetError struct {
	code int
	text func(op *updateOp, id value) string
}

func (e *targetError) Error() string { return "update does not fit the document" }

// explain names the document in an error that concerns its value.
func (op *updateOp) explain(err error, id value) error {
	var target *targetError
	if errors.As(err, &target) {
		return failure(target.code, "%s", target.text(op, id))
	}
	return err
}

func idText(id value) string {
	if id.missing() {
		return "{}"
	}
	return formatField("_id", id)
}

func (op *updateOp) parseIncrement(askFunc) (change, error) {
	arg := op.arg
	if !arg.numeric() {
		return change{}, failure(codeTypeMismatch, "Cannot increment with non-numeric argument: %s", formatField(op.field, arg))
	}
	return change{create: true, apply: func(old value) (value, error) {
		if old.missing() {
			return arg, nil
		}
		if !old.numeric() {
			return value{}, &targetError{codeTypeMismatch, func(op *updateOp, id value) string {
				return fmt.Sprintf("Cannot apply $inc to a value of non-numeric type. %s has the field '%s' of non-numeric type %s",
					idText(id), op.path[len(op.path)-1], kindName(old.kind))
			}}
		}
		next, ok := addNumbers(old, arg)
		if !ok {
			return value{}, &targetError{codeBadValue, func(_ *updateOp, id value) string {
				return fmt.Sprintf("Failed to apply $inc operations to current value (%s%s) for document %s", longPrefix(old), old, idText(id))
			}}
		}
		return next, nil
	}}, nil
}

func longPrefix(v value) string {
	if v.kind == kindInt64 {
		return "(NumberLong)"
	}
	return "(NumberInt)"
}

// extreme keeps the smaller (sign -1) or the larger (sign 1) of the old value and the argument.
func (op *updateOp) extreme(sign int) change {
	arg := op.arg
	return change{create: true, apply: func(old value) (value, error) {
		if old.missing() || compareValues(arg, old)*sign > 0 {
			return arg, nil
		}
		return old, nil
	}}
}
