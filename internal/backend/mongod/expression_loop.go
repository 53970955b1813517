package mongod

// loop is what $filter and $map have in common: an array, the name of its elements and an expression over each.
type loop struct {
	input, body, limit expression
	as                 string
}

func (p exprParser) parseLoop(name string, arg value, body string, codes [4]int, optionalName string) (*loop, error) {
	if arg.kind != kindDocument {
		return nil, failure(codes[0], "%s only supports an object as its argument", name)
	}
	l := &loop{as: "this"}
	d := arg.document()
	if as := d.get("as"); !as.missing() {
		l.as = as.stringOr("")
		if err := checkVariableName(l.as); err != nil {
			return nil, err
		}
	}
	for _, f := range documentFields(d) {
		var err error
		switch f.name {
		case "input":
			l.input, err = p.parse(f.value)
		case body:
			l.body, err = p.with(l.as).parse(f.value)
		case "as":
		case optionalName:
			l.limit, err = p.parse(f.value)
		default:
			err = failure(codes[1], "Unrecognized parameter to %s: %s", name, f.name)
		}
		if err != nil {
			return nil, err
		}
	}
	if l.input == nil {
		return nil, failure(codes[2], "Missing 'input' parameter to %s", name)
	}
	if l.body == nil {
		return nil, failure(codes[3], "Missing '%s' parameter to %s", body, name)
	}
	return l, nil
}

// array evaluates the input, whose refusal has the code; null says that it is null, and so is the result.
func (l *loop) array(s *scope, name string, code int) (input value, null bool, err error) {
	input, err = l.input(s)
	if err != nil || isNull(input) {
		return input, true, err
	}
	if input.kind != kindArray {
		return input, false, failure(code, "input to %s must be an array not %s", name, kindName(input.kind))
	}
	return input, false, nil
}

func parseFilterExpression(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	l, err := p.parseLoop(name, arg, "cond", [4]int{28646, 28647, 28648, 28650}, "limit")
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		input, null, err := l.array(s, name, 28651)
		if err != nil || null {
			return nullValue(), err
		}
		limit, err := optional(s, l.limit, value{})
		if err != nil {
			return value{}, err
		}
		most := int64(-1)
		if !isNull(limit) {
			n, whole := limit.wholeNumber()
			if !whole || n != int64(int32(n)) {
				return value{}, failure(327391, "%s: limit must be represented as a 32-bit integral value: %s", name, limit)
			}
			if n < 1 {
				return value{}, failure(327392, "%s: limit must be greater than 0: %d", name, n)
			}
			most = n
		}
		var out []value
		for _, el := range input.elements() {
			keep, err := l.body(s.with(l.as, el))
			if err != nil {
				return value{}, err
			}
			if keep.truthy() {
				out = append(out, el)
			}
			if int64(len(out)) == most {
				break
			}
		}
		return arrayValue(out), nil
	}, nil
}

func parseMap(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	l, err := p.parseLoop(name, arg, "in", [4]int{16878, 16879, 16880, 16882}, "")
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		input, null, err := l.array(s, name, 16883)
		if err != nil || null {
			return nullValue(), err
		}
		elements := input.elements()
		for i, el := range elements {
			v, err := l.body(s.with(l.as, el))
			if err != nil {
				return value{}, err
			}
			if v.missing() {
				v = nullValue()
			}
			elements[i] = v
		}
		return arrayValue(elements), nil
	}, nil
}

func parseReduce(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	if arg.kind != kindDocument {
		return nil, failure(40075, "%s requires an object as an argument, found: %s", name, kindName(arg.kind))
	}
	parts := map[string]expression{}
	for _, f := range documentFields(arg.document()) {
		inner := p
		switch f.name {
		case "in":
			inner = p.with("this", "value")
		case "input", "initialValue":
		default:
			return nil, failure(40076, "%s found an unknown argument: %s", name, f.name)
		}
		e, err := inner.parse(f.value)
		if err != nil {
			return nil, err
		}
		parts[f.name] = e
	}
	for i, part := range []string{"input", "initialValue", "in"} {
		if parts[part] == nil {
			return nil, failure(40077+i, "%s requires '%s' to be specified", name, part)
		}
	}
	return func(s *scope) (value, error) {
		input, err := parts["input"](s)
		if err != nil || isNull(input) {
			return nullValue(), err
		}
		if input.kind != kindArray {
			return value{}, failure(40080, "%s requires that 'input' be an array, found: %s", name, input)
		}
		out, err := parts["initialValue"](s)
		for _, el := range input.elements() {
			if err != nil {
				return value{}, err
			}
			out, err = parts["in"](s.with("this", el).with("value", out))
		}
		return out, err
	}, nil
}
