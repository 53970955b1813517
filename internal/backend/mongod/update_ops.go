package mongod

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

func assignment(v value) change {
	return change{create: true, apply: func(value) (value, error) { return v, nil }}
}

func removal() change {
	return change{apply: func(value) (value, error) { return value{}, nil }}
}

// parse returns what the operator does to the value at its path.
func (op *updateOp) parse() (change, error) {
	switch op.name {
	case "$set", "$setOnInsert":
		return assignment(op.arg), nil
	case "$unset":
		return removal(), nil
	case "$inc":
		return op.parseArithmetic("increment", addNumbers)
	case "$mul":
		return op.parseArithmetic("multiply", multiplyNumbers)
	case "$min":
		return op.extreme(-1), nil
	case "$max":
		return op.extreme(1), nil
	case "$push":
		return op.parsePush()
	case "$addToSet":
		return op.parseAddToSet()
	case "$pull":
		return op.parsePull()
	case "$pop":
		return op.parsePop()
	default:
		return op.parseCurrentDate()
	}
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

func (op *updateOp) parseArithmetic(verb string, compute func(a, b value) (value, bool)) (change, error) {
	if !op.arg.numeric() {
		return change{}, failure(codeTypeMismatch, "Cannot %s with non-numeric argument: %s", verb, formatField(op.field, op.arg))
	}
	if op.arg.kind == kindDecimal {
		return change{}, unsupported("Decimal128 arithmetic in %s", op.name)
	}
	arg := op.arg
	return change{create: true, apply: func(old value) (value, error) {
		if old.missing() {
			if op.name == "$mul" {
				zero, _ := multiplyNumbers(arg, int32Value(0))
				return zero, nil
			}
			return arg, nil
		}
		if !old.numeric() {
			return value{}, &targetError{codeTypeMismatch, func(op *updateOp, id value) string {
				return fmt.Sprintf("Cannot apply %s to a value of non-numeric type. %s has the field '%s' of non-numeric type %s",
					op.name, idText(id), op.path[len(op.path)-1], kindName(old.kind))
			}}
		}
		if old.kind == kindDecimal {
			return value{}, unsupported("Decimal128 arithmetic in %s", op.name)
		}
		next, ok := compute(old, arg)
		if !ok {
			return value{}, &targetError{codeBadValue, func(op *updateOp, id value) string {
				return fmt.Sprintf("Failed to apply %s operations to current value (%s%s) for document %s", op.name, longPrefix(old), old, idText(id))
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

func (op *updateOp) parseCurrentDate() (change, error) {
	kind := ""
	switch op.arg.kind {
	case kindBool:
		kind = "date"
	case kindDocument:
		r := op.arg.document().reader()
		for {
			key, v, ok := r.next()
			if !ok {
				break
			}
			if string(key) != "$type" {
				return change{}, failure(codeBadValue, "Unrecognized $currentDate option: %s", key)
			}
			if v.kind == kindString {
				kind = v.text()
			}
		}
		if kind != "date" && kind != "timestamp" {
			return change{}, failure(codeBadValue, "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
		}
	default:
		return change{}, failure(codeBadValue, "%s is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).", kindName(op.arg.kind))
	}
	return change{create: true, apply: func(value) (value, error) {
		now := time.Now()
		if kind == "date" {
			return dateValue(now), nil
		}
		data := binary.LittleEndian.AppendUint32(nil, uint32(now.Nanosecond()/1000)+1)
		return value{kind: kindTimestamp, data: binary.LittleEndian.AppendUint32(data, uint32(now.Unix()))}, nil
	}}, nil
}
