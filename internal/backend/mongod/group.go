package mongod

import (
	"fmt"
	"strings"
)

// expression is a constant or a field path: all that $group takes here.
type expression struct {
	constant value
	path     []string
}

func parseExpression(v value) (expression, error) {
	switch v.kind {
	case kindString:
		name := v.text()
		if strings.HasPrefix(name, "$$") {
			return expression{}, unsupported("the variable %s", name)
		}
		if strings.HasPrefix(name, "$") {
			return expression{path: splitPath(name[1:])}, nil
		}
	case kindDocument, kindArray:
		if !v.document().empty() {
			return expression{}, unsupported("the expression %s", v)
		}
	}
	return expression{constant: v}, nil
}

func (e expression) eval(d document) value {
	if e.path == nil {
		return e.constant
	}
	return evalPath(d, e.path)
}

// evalPath follows a field path; an array on the way yields the array of what its documents hold.
func evalPath(d document, path []string) value {
	v := d.get(path[0])
	if len(path) == 1 {
		return v
	}
	switch v.kind {
	case kindDocument:
		return evalPath(v.document(), path[1:])
	case kindArray:
		var out []value
		for _, el := range v.elements() {
			if el.kind != kindDocument {
				continue
			}
			if inner := evalPath(el.document(), path[1:]); !inner.missing() {
				out = append(out, inner)
			}
		}
		return arrayValue(out)
	default:
		return value{}
	}
}

// sumField is one {$sum: expression} of a $group.
type sumField struct {
	name string
	expr expression
}

type group struct {
	id   value
	sums []value
}

func parseGroupStage(v value) (stage, error) {
	if v.kind != kindDocument {
		return nil, failure(15947, "a group's fields must be specified in an object")
	}
	var id expression
	var sums []sumField
	hasID := false
	r := v.document().reader()
	for {
		key, arg, ok := r.next()
		if !ok {
			break
		}
		var err error
		if name := string(key); name == "_id" {
			hasID = true
			id, err = parseExpression(arg)
		} else {
			var sum sumField
			sum, err = parseSum(name, arg)
			sums = append(sums, sum)
		}
		if err != nil {
			return nil, err
		}
	}
	if !hasID {
		return nil, failure(15955, "a group specification must include an _id")
	}
	return func(in documents) documents {
		return func(yield func(document, error) bool) {
			groups, err := collectGroups(in, id, sums)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, g := range groups {
				b := newDocument().add("_id", g.id)
				for i, s := range sums {
					b.add(s.name, g.sums[i])
				}
				if !yield(b.done(), nil) {
					return
				}
			}
		}
	}, nil
}

func parseSum(name string, arg value) (sumField, error) {
	if strings.Contains(name, ".") {
		return sumField{}, failure(40235, "The field name '%s' cannot contain '.'", name)
	}
	if !isOperators(arg) {
		return sumField{}, failure(40234, "The field '%s' must be an accumulator object", name)
	}
	r := arg.document().reader()
	op, operand, _ := r.next()
	if _, _, more := r.next(); more {
		return sumField{}, failure(40238, "The field '%s' must specify one accumulator", name)
	}
	if string(op) != "$sum" {
		return sumField{}, failure(codeGroupOperator, "unknown group operator '%s'", op)
	}
	expr, err := parseExpression(operand)
	return sumField{name: name, expr: expr}, err
}

// collectGroups keeps the groups in the order of their first document.
func collectGroups(in documents, id expression, sums []sumField) ([]*group, error) {
	var groups []*group
	byKey := map[string]*group{}
	for d, err := range in {
		if err != nil {
			return nil, err
		}
		v := id.eval(d)
		if v.missing() {
			v = nullValue()
		}
		key, err := appendKey(nil, v)
		if err != nil {
			return nil, fmt.Errorf("group: %w", err)
		}
		g := byKey[string(key)]
		if g == nil {
			g = &group{id: value{kind: v.kind, data: append([]byte(nil), v.data...)}, sums: make([]value, len(sums))}
			for i := range sums {
				g.sums[i] = int32Value(0)
			}
			byKey[string(key)] = g
			if groups = append(groups, g); len(groups) > 1_000_000 {
				return nil, failure(codeMemoryLimit, "$group has more than 1000000 groups")
			}
		}
		for i, s := range sums {
			if g.sums[i], err = addToSum(g.sums[i], s.expr.eval(d)); err != nil {
				return nil, err
			}
		}
	}
	return groups, nil
}

// addToSum ignores what is not a number, as $sum does; an int64 overflow goes on as a double.
func addToSum(sum, v value) (value, error) {
	if !v.numeric() {
		return sum, nil
	}
	if v.kind == kindDecimal {
		return sum, unsupported("Decimal128 in $sum")
	}
	if next, ok := addNumbers(sum, v); ok {
		return next, nil
	}
	return doubleValue(sum.float() + v.float()), nil
}
