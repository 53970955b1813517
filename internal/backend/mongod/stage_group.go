package mongod

import "strings"

const maxGroups = 1_000_000

// groupField is one {name: {$sum: expression}}.
type groupField struct {
	name string
	expr expression
	add  accumulator
}

// grouping is a parsed $group.
type grouping struct {
	id     expression
	fields []groupField
}

type group struct {
	id     value
	values []value
}

// accumulator returns what a group has gathered, which begins as the number 0, together with one more value.
type accumulator = func(sum, v value) value

func accumulators() table[accumulator] {
	return table[accumulator]{"accumulator of $group", []entry[accumulator]{{name: "$sum", parse: addToSum}}}
}

// addToSum ignores what is not a number; an overflow of 64 bits goes on as a double.
func addToSum(sum, v value) value {
	if !v.numeric() {
		return sum
	}
	if next, ok := addNumbers(sum, v); ok {
		return next
	}
	return doubleValue(sum.float() + v.float())
}

func parseGroupStage(_ string, v value, ask askFunc) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(15947, "a group's fields must be specified in an object")
	}
	g := &grouping{}
	for _, f := range documentFields(v.document()) {
		var err error
		if f.name == "_id" {
			g.id, err = parseExpression(f.value)
		} else {
			err = g.parseField(f, ask)
		}
		if err != nil {
			return stage{}, err
		}
	}
	if g.id == nil {
		return stage{}, failure(15955, "a group specification must include an _id")
	}
	return stage{run: g.stream}, nil
}

func (g *grouping) parseField(f field, ask askFunc) error {
	switch {
	case strings.Contains(f.name, "."):
		return failure(40235, "The field name '%s' cannot contain '.'", f.name)
	case strings.HasPrefix(f.name, "$"):
		return failure(40236, "The field name '%s' cannot be an operator name", f.name)
	case f.value.kind != kindDocument || f.value.document().empty():
		return failure(40234, "The field '%s' must be an accumulator object", f.name)
	}
	parts := documentFields(f.value.document())
	if len(parts) != 1 {
		return failure(40238, "The field '%s' must specify one accumulator: %s: %s", f.name, f.name, f.value)
	}
	op, arg := accumulators().find(parts[0].name, ask), parts[0].value
	switch {
	case op == nil:
		return failure(codeGroupOperator, "unknown group operator '%s'", parts[0].name)
	case arg.kind == kindArray:
		return failure(40237, "The %s accumulator is a unary operator", op.name)
	}
	e, err := parseExpression(arg)
	g.fields = append(g.fields, groupField{f.name, e, op.parse})
	return err
}

// stream reads its whole input before it yields the first group.
func (g *grouping) stream(in documents, step func() error) documents {
	return func(yield func(document, error) bool) {
		groups, err := g.collect(in, step)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, one := range groups {
			b := newDocument().add("_id", one.id)
			for i, f := range g.fields {
				b.add(f.name, one.values[i])
			}
			if !yield(b.done(), nil) {
				return
			}
		}
	}
}

// collect keeps the groups in the order of their first document.
func (g *grouping) collect(in documents, step func() error) ([]*group, error) {
	var groups []*group
	byKey := map[string]*group{}
	size := 0
	for d, err := range in {
		if err == nil {
			err = step()
		}
		if err != nil {
			return nil, err
		}
		id := orNull(g.id(d))
		key := string(appendKey(nil, id))
		one := byKey[key]
		if one == nil {
			one = &group{id: id.clone()}
			for range g.fields {
				one.values = append(one.values, int32Value(0))
			}
			byKey[key] = one
			groups = append(groups, one)
			size += len(key) + len(id.data) + 100 + 48*len(g.fields)
		}
		for i, f := range g.fields {
			one.values[i] = f.add(one.values[i], f.expr(d))
		}
		if size > maxResultBytes || len(groups) > maxGroups {
			return nil, memoryLimit("$group")
		}
	}
	return groups, nil
}
