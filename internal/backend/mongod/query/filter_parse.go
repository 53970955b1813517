package query

import (
	"slices"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

// Names lists the operators.
func Names() []registry.Name {
	return slices.Concat(fieldOperators().Names(), logicalOperators().Names())
}

// filterParser reads queries and tells ask the operators.
type filterParser struct{ ask registry.Ask }

// Parse reads a query document; ask, which may be nil, is told its operators. An operator that is not known is MongoDB's error,
// never ignored.
func Parse(d raw.Document, ask registry.Ask) (*Filter, error) { return filterParser{ask}.query(d) }

// ParseElement reads operators on a value itself, such as {$gt: 1}. The result is for Test, not for Matches.
func ParseElement(d raw.Document, ask registry.Ask) (*Filter, error) {
	return filterParser{ask}.operators(Filter{}, d)
}

func (p filterParser) query(d raw.Document) (*Filter, error) {
	out := &Filter{Op: And, Source: d}
	r := d.Reader()
	for {
		key, v, ok := r.Next()
		if !ok {
			return out, nil
		}
		name := string(key)
		var sub *Filter
		var err error
		if strings.HasPrefix(name, "$") {
			sub, err = p.logical(name, v)
		} else {
			sub, err = p.field(name, v)
		}
		if err != nil {
			return nil, err
		}
		out.Subs = append(out.Subs, sub)
	}
}

// logicalParser parses the argument of an operator that stands in place of a field name.
type logicalParser = func(p filterParser, name string, v raw.Value) (*Filter, error)

func logicalOperators() registry.Table[logicalParser] {
	return registry.Table[logicalParser]{Kind: "query operator on a document", Entries: []registry.Entry[logicalParser]{
		{Name: "$and", Parse: filterParser.junction},
		{Name: "$or", Parse: filterParser.junction, Note: "uses an index only when it has one branch"},
	}}
}

func (p filterParser) logical(name string, v raw.Value) (*Filter, error) {
	op := logicalOperators().Find(name, p.ask)
	if op == nil {
		return nil, fault.New(fault.BadValue,
			"unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", name)
	}
	return op.Parse(p, name, v)
}

func (p filterParser) junction(name string, v raw.Value) (*Filter, error) {
	if v.Kind != raw.KindArray {
		return nil, fault.New(fault.BadValue, "%s argument must be an array", name)
	}
	elements := v.Elements()
	if len(elements) == 0 {
		return nil, fault.New(fault.BadValue, "%s argument must be a non-empty array", name)
	}
	out := &Filter{Op: Or}
	if name == "$and" {
		out.Op = And
	}
	for _, el := range elements {
		if el.Kind != raw.KindDocument {
			return nil, fault.New(fault.BadValue, "%s argument's entries must be objects", name)
		}
		sub, err := p.query(el.Document())
		if err != nil {
			return nil, err
		}
		out.Subs = append(out.Subs, sub)
	}
	return out, nil
}

func negate(f *Filter) *Filter { return &Filter{Op: Not, Subs: []*Filter{f}} }

// IsOperators reports whether v is a document of operators such as {$gt: 1}.
func IsOperators(v raw.Value) bool {
	return v.Kind == raw.KindDocument && strings.HasPrefix(v.Document().FirstName(), "$")
}

func (p filterParser) field(name string, v raw.Value) (*Filter, error) {
	leaf := Filter{Name: name, Path: SplitPath(name)}
	switch {
	case IsOperators(v):
		return p.operators(leaf, v.Document())
	case v.Kind == raw.KindRegex:
		return nil, NoRegex()
	case v.Kind == raw.KindUndefined:
		return nil, fault.New(fault.BadValue, "cannot compare to undefined")
	default:
		return leaf.as(Equal, v), nil
	}
}

// as returns a copy of the leaf with its operator.
func (f Filter) as(op Op, v raw.Value) *Filter {
	f.Op, f.Value = op, v
	return &f
}

// operators reads {$op: argument, …}; all of them must hold.
func (p filterParser) operators(leaf Filter, d raw.Document) (*Filter, error) {
	out := &Filter{Op: And}
	r := d.Reader()
	for {
		key, v, ok := r.Next()
		if !ok {
			break
		}
		sub, err := p.operator(leaf, string(key), v)
		if err != nil {
			return nil, err
		}
		out.Subs = append(out.Subs, sub)
	}
	if len(out.Subs) == 1 {
		return out.Subs[0], nil
	}
	return out, nil
}

// fieldParser parses the argument of an operator on a field.
type fieldParser = func(p filterParser, leaf Filter, name string, v raw.Value) (*Filter, error)

func fieldOperators() registry.Table[fieldParser] {
	return registry.Table[fieldParser]{Kind: "query operator on a field", Entries: []registry.Entry[fieldParser]{
		{Name: "$eq", Parse: filterParser.comparison},
		{Name: "$ne", Parse: filterParser.comparison},
		{Name: "$gt", Parse: filterParser.comparison},
		{Name: "$gte", Parse: filterParser.comparison},
		{Name: "$lt", Parse: filterParser.comparison},
		{Name: "$lte", Parse: filterParser.comparison},
		{Name: "$in", Parse: filterParser.in},
		{Name: "$exists", Parse: filterParser.exists},
		{Name: "$elemMatch", Parse: filterParser.elemMatch},
	}}
}

func (p filterParser) operator(leaf Filter, name string, v raw.Value) (*Filter, error) {
	op := fieldOperators().Find(name, p.ask)
	if op == nil {
		return nil, fault.New(fault.BadValue, "unknown operator: %s", name)
	}
	return op.Parse(p, leaf, name, v)
}

// NoRegex is the answer to a regular expression.
func NoRegex() error { return fault.Unsupported("a regular expression in a query") }

func (p filterParser) exists(leaf Filter, _ string, v raw.Value) (*Filter, error) {
	exists := leaf.as(Exists, v)
	if v.Truthy() {
		return exists, nil
	}
	return negate(exists), nil
}

func (p filterParser) comparison(leaf Filter, name string, v raw.Value) (*Filter, error) {
	if v.Kind == raw.KindUndefined {
		return nil, fault.New(fault.BadValue, "cannot compare to undefined")
	}
	if v.Kind == raw.KindRegex {
		return nil, NoRegex()
	}
	switch name {
	case "$eq":
		return leaf.as(Equal, v), nil
	case "$ne":
		return negate(leaf.as(Equal, v)), nil
	case "$gt":
		return leaf.as(Greater, v), nil
	case "$gte":
		return leaf.as(GreaterEqual, v), nil
	case "$lt":
		return leaf.as(Less, v), nil
	default:
		return leaf.as(LessEqual, v), nil
	}
}

func (p filterParser) in(leaf Filter, name string, v raw.Value) (*Filter, error) {
	if v.Kind != raw.KindArray {
		return nil, fault.New(fault.BadValue, "%s needs an array", name)
	}
	out := leaf.as(In, v)
	out.List = v.Elements()
	for _, el := range out.List {
		switch {
		case el.Kind == raw.KindRegex:
			return nil, NoRegex()
		case IsOperators(el):
			return nil, fault.New(fault.BadValue, "cannot nest $ under %s", name)
		case el.Kind == raw.KindUndefined:
			return nil, fault.New(fault.BadValue, "InMatchExpression equality cannot be undefined")
		}
	}
	return out, nil
}

// elemMatch reads operators on the element itself, or a query on elements that are documents.
func (p filterParser) elemMatch(leaf Filter, _ string, v raw.Value) (*Filter, error) {
	if v.Kind != raw.KindDocument {
		return nil, fault.New(fault.BadValue, "$elemMatch needs an Object")
	}
	op, parse := ElemDocument, p.query
	if IsFieldOperators(v) {
		op, parse = ElemValue, func(d raw.Document) (*Filter, error) { return p.operators(Filter{}, d) }
	}
	sub, err := parse(v.Document())
	if err != nil {
		return nil, err
	}
	out := leaf.as(op, v)
	out.Subs = []*Filter{sub}
	return out, nil
}

// IsFieldOperators reports whether v is a document of operators on a value, not on a document as a whole.
func IsFieldOperators(v raw.Value) bool {
	return IsOperators(v) && logicalOperators().Find(v.Document().FirstName(), nil) == nil
}
