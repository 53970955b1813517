package mongod

import "strings"

const maxGroups = 1_000_000

// groupField is one {name: {$accumulator: expression}}.
type groupField struct {
	name string
	expr expression
	make func() accumulator
}

// grouping is a parsed $group.
type grouping struct {
	id     expression
	fields []groupField
}

type group struct {
	id     value
	values []accumulator
}

func parseGroupStage(_ string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(15947, "a group's fields must be specified in an object")
	}
	g := &grouping{}
	for _, f := range documentFields(v.document()) {
		var err error
		if f.name == "_id" {
			g.id, err = newExprParser().parse(f.value)
		} else {
			err = g.parseField(f)
		}
		if err != nil {
			return stage{}, err
		}
	}
	if g.id == nil {
		return stage{}, failure(15955, "a group specification must include an _id")
	}
	return whole(g.run), nil
}

func (g *grouping) parseField(f field) error {
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
	op, arg := lookup(accumulators(), parts[0].name), parts[0].value
	switch {
	case op == nil:
		return failure(codeGroupOperator, "unknown group operator '%s'", parts[0].name)
	case op.refused != nil:
		return op.refused
	case op.name == "$count":
		if arg.kind != kindDocument || !arg.document().empty() {
			return failure(codeTypeMismatch, "$count takes no arguments, i.e. $count:{}")
		}
		arg = int32Value(1)
	case arg.kind == kindArray:
		return failure(40237, "The %s accumulator is a unary operator", op.name)
	}
	e, err := newExprParser().parse(arg)
	g.fields = append(g.fields, groupField{f.name, e, op.parse})
	return err
}

// run keeps the groups in the order of their first document.
func (g *grouping) run(r *pipelineRun, in documents) ([]document, error) {
	var groups []*group
	byKey := map[string]*group{}
	ids, size := newValueSet(), 0
	for d, err := range in {
		if err == nil {
			err = r.work.step()
		}
		if err != nil {
			return nil, err
		}
		s := newScope(d)
		id, err := g.id(s)
		if err != nil {
			return nil, err
		}
		id = orNull(id)
		key := ids.key(id)
		one := byKey[key]
		if one == nil {
			one = &group{id: id.clone()}
			for _, f := range g.fields {
				one.values = append(one.values, f.make())
			}
			byKey[key] = one
			groups = append(groups, one)
			size += len(key) + len(id.data) + 100
		}
		for i, f := range g.fields {
			v, err := f.expr(s)
			if err != nil {
				return nil, err
			}
			size -= one.values[i].size()
			if err := one.values[i].add(v); err != nil {
				return nil, err
			}
			size += one.values[i].size()
		}
		if size > maxResultBytes || len(groups) > maxGroups {
			return nil, memoryLimit("$group")
		}
	}
	out := make([]document, len(groups))
	for i, one := range groups {
		b := newDocument().add("_id", one.id)
		for j, f := range g.fields {
			b.add(f.name, one.values[j].result())
		}
		out[i] = b.done()
	}
	return out, nil
}

func parseSortByCountStage(name string, v value) (stage, error) {
	switch {
	case v.kind != kindString && v.kind != kindDocument:
		return stage{}, failure(40149, "the sortByCount field must be specified as a string or as an object")
	case v.kind == kindString && !strings.HasPrefix(v.text(), "$"):
		return stage{}, failure(40148, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
	case v.kind == kindDocument && !isOperators(v):
		return stage{}, failure(40147, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
	}
	one := newDocument().int32("$sum", 1).done()
	both, err := parsePipeline([]document{
		newDocument().doc("$group", newDocument().add("_id", v).doc("count", one).done()).done(),
		newDocument().doc("$sort", newDocument().int32("count", -1).done()).done(),
	})
	return stage{run: func(r *pipelineRun, in documents) documents { return r.through(both, in) }}, err
}
