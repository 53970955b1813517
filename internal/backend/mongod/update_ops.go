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

// changeParser returns what an operator does to the value at its path.
type changeParser = func(op *updateOp) (change, error)

func updateOperators() []entry[changeParser] {
	return []entry[changeParser]{
		{name: "$set", parse: func(op *updateOp) (change, error) { return assignment(op.arg), nil }},
		{name: "$setOnInsert", parse: func(op *updateOp) (change, error) { return assignment(op.arg), nil }},
		{name: "$unset", parse: func(*updateOp) (change, error) { return removal(), nil }},
		{name: "$rename"}, // two changes: parseRename
		{name: "$inc", parse: func(op *updateOp) (change, error) { return op.parseArithmetic("increment", addition()) }},
		{name: "$mul", parse: func(op *updateOp) (change, error) { return op.parseArithmetic("multiply", multiplication()) }},
		{name: "$min", parse: func(op *updateOp) (change, error) { return op.extreme(-1), nil }},
		{name: "$max", parse: func(op *updateOp) (change, error) { return op.extreme(1), nil }},
		{name: "$bit", parse: (*updateOp).parseBit},
		{name: "$currentDate", parse: (*updateOp).parseCurrentDate},
		{name: "$push", parse: (*updateOp).parsePush},
		{name: "$addToSet", parse: (*updateOp).parseAddToSet},
		{name: "$pull", parse: (*updateOp).parsePull},
		{name: "$pullAll", parse: (*updateOp).parsePullAll},
		{name: "$pop", parse: (*updateOp).parsePop},
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

func (op *updateOp) parseArithmetic(verb string, compute operation) (change, error) {
	if !op.arg.numeric() {
		return change{}, failure(codeTypeMismatch, "Cannot %s with non-numeric argument: %s", verb, formatField(op.field, op.arg))
	}
	arg := op.arg
	return change{create: true, apply: func(old value) (value, error) {
		if old.missing() {
			if op.name == "$mul" {
				zero, _ := compute.apply(arg, int32Value(0))
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
		next, ok := compute.apply(old, arg)
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

// parseBit reads {and|or|xor: integer, …}, applied in order.
func (op *updateOp) parseBit() (change, error) {
	if op.arg.kind != kindDocument {
		return change{}, failure(codeBadValue, "The $bit modifier is not compatible with a %s. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}", kindName(op.arg.kind))
	}
	steps := documentFields(op.arg.document())
	for _, f := range steps {
		if f.name != "and" && f.name != "or" && f.name != "xor" {
			return change{}, failure(codeBadValue, "The $bit modifier only supports 'and', 'or', and 'xor', not '%s' which is an unknown operator: %s", f.name, formatField(f.name, f.value))
		}
		if _, ok := f.value.integer(); !ok {
			return change{}, failure(codeBadValue, "The $bit modifier field must be an Integer(32/64 bit); a '%s' is not supported here: %s", kindName(f.value.kind), formatField(f.name, f.value))
		}
	}
	if len(steps) == 0 {
		return change{}, failure(codeBadValue, "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}")
	}
	return change{create: true, apply: func(old value) (value, error) {
		if old.missing() {
			old = int32Value(0)
		}
		n, ok := old.integer()
		if !ok {
			return value{}, &targetError{codeBadValue, func(op *updateOp, id value) string {
				return fmt.Sprintf("Cannot apply $bit to a value of non-integral type._id: %s has the field %s of non-integer type %s", id, op.path[len(op.path)-1], kindName(old.kind))
			}}
		}
		long := old.kind == kindInt64
		for _, f := range steps {
			operand, _ := f.value.integer()
			long = long || f.value.kind == kindInt64
			switch f.name {
			case "and":
				n &= operand
			case "or":
				n |= operand
			default:
				n ^= operand
			}
		}
		if long {
			return int64Value(n), nil
		}
		return int32Value(int32(n)), nil
	}}, nil
}
