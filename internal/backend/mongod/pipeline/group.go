package pipeline

import (
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

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
	id     raw.Value
	values []raw.Value
}

// accumulator returns what a group has gathered, which begins as the number 0, together with one more value.
type accumulator = func(sum, v raw.Value) raw.Value

func accumulators() registry.Table[accumulator] {
	return registry.Table[accumulator]{Kind: "accumulator of $group", Entries: []registry.Entry[accumulator]{{Name: "$sum", Parse: addToSum}}}
}

// addToSum ignores what is not a number; an overflow of 64 bits goes on as a double.
func addToSum(sum, v raw.Value) raw.Value {
	if !v.Numeric() {
		return sum
	}
	if next, ok := raw.Add(sum, v); ok {
		return next
	}
	return raw.Double(sum.Float() + v.Float())
}

func parseGroupStage(_ string, v raw.Value, ask registry.Ask) (Stage, error) {
	if v.Kind != raw.KindDocument {
		return Stage{}, fault.New(15947, "a group's fields must be specified in an object")
	}
	g := &grouping{}
	for _, f := range raw.Fields(v.Document()) {
		var err error
		if f.Name == "_id" {
			g.id, err = parseExpression(f.Value)
		} else {
			err = g.parseField(f, ask)
		}
		if err != nil {
			return Stage{}, err
		}
	}
	if g.id == nil {
		return Stage{}, fault.New(15955, "a group specification must include an _id")
	}
	return Stage{run: g.stream}, nil
}

func (g *grouping) parseField(f raw.Field, ask registry.Ask) error {
	switch {
	case strings.Contains(f.Name, "."):
		return fault.New(40235, "The field name '%s' cannot contain '.'", f.Name)
	case strings.HasPrefix(f.Name, "$"):
		return fault.New(40236, "The field name '%s' cannot be an operator name", f.Name)
	case f.Value.Kind != raw.KindDocument || f.Value.Document().Empty():
		return fault.New(40234, "The field '%s' must be an accumulator object", f.Name)
	}
	parts := raw.Fields(f.Value.Document())
	if len(parts) != 1 {
		return fault.New(40238, "The field '%s' must specify one accumulator: %s: %s", f.Name, f.Name, f.Value)
	}
	op, arg := accumulators().Find(parts[0].Name, ask), parts[0].Value
	switch {
	case op == nil:
		return fault.New(fault.GroupOperator, "unknown group operator '%s'", parts[0].Name)
	case arg.Kind == raw.KindArray:
		return fault.New(40237, "The %s accumulator is a unary operator", op.Name)
	}
	e, err := parseExpression(arg)
	g.fields = append(g.fields, groupField{f.Name, e, op.Parse})
	return err
}

// stream reads its whole input before it yields the first group.
func (g *grouping) stream(in Documents, step func() error) Documents {
	return func(yield func(raw.Document, error) bool) {
		groups, err := g.collect(in, step)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, one := range groups {
			b := raw.New().Add("_id", one.id)
			for i, f := range g.fields {
				b.Add(f.name, one.values[i])
			}
			if !yield(b.Done(), nil) {
				return
			}
		}
	}
}

// collect keeps the groups in the order of their first document.
func (g *grouping) collect(in Documents, step func() error) ([]*group, error) {
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
		id := raw.OrNull(g.id(d))
		key := string(raw.AppendKey(nil, id))
		one := byKey[key]
		if one == nil {
			one = &group{id: id.Clone()}
			for range g.fields {
				one.values = append(one.values, raw.Int32(0))
			}
			byKey[key] = one
			groups = append(groups, one)
			size += len(key) + len(id.Data) + 100 + 48*len(g.fields)
		}
		for i, f := range g.fields {
			one.values[i] = f.add(one.values[i], f.expr(d))
		}
		if size > query.MaxResultBytes || len(groups) > maxGroups {
			return nil, memoryLimit("$group")
		}
	}
	return groups, nil
}
