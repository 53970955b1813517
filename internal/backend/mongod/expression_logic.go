package mongod

// logicOperators are comparisons, conditions and variables.
func logicOperators() []entry[operatorParser] {
	return []entry[operatorParser]{
		{name: "$eq", parse: function(2, 2, evalComparison)},
		{name: "$ne", parse: function(2, 2, evalComparison)},
		{name: "$gt", parse: function(2, 2, evalComparison)},
		{name: "$gte", parse: function(2, 2, evalComparison)},
		{name: "$lt", parse: function(2, 2, evalComparison)},
		{name: "$lte", parse: function(2, 2, evalComparison)},
		{name: "$cmp", parse: function(2, 2, evalComparison)},
		{name: "$and", parse: parseJunction},
		{name: "$or", parse: parseJunction},
		{name: "$not", parse: function(1, 1, func(_ string, args []value) (value, error) { return boolValue(!args[0].truthy()), nil })},
		{name: "$cond", parse: parseCond},
		{name: "$ifNull", parse: parseIfNull},
		{name: "$switch", parse: parseSwitch},
		{name: "$literal", parse: func(_ exprParser, _ string, arg value) (expression, error) { return constant(arg), nil }},
		{name: "$expr", parse: func(p exprParser, _ string, arg value) (expression, error) { return p.parse(arg) }},
		{name: "$let", parse: parseLet},
	}
}

// compareOrMissing is compareValues with missing below null, as expressions compare.
func compareOrMissing(a, b value) int {
	if isNull(a) && isNull(b) {
		return rankOfNothing(a) - rankOfNothing(b)
	}
	if a.missing() || b.missing() {
		if a.missing() {
			return boolRank(b.kind == kindMinKey)*2 - 1
		}
		return 1 - boolRank(a.kind == kindMinKey)*2
	}
	return compareValues(a, b)
}

func rankOfNothing(v value) int {
	switch v.kind {
	case kindMissing:
		return 0
	case kindUndefined:
		return 1
	default:
		return 2
	}
}

func evalComparison(name string, args []value) (value, error) {
	c := compareOrMissing(args[0], args[1])
	switch name {
	case "$eq":
		return boolValue(c == 0), nil
	case "$ne":
		return boolValue(c != 0), nil
	case "$gt":
		return boolValue(c > 0), nil
	case "$gte":
		return boolValue(c >= 0), nil
	case "$lt":
		return boolValue(c < 0), nil
	case "$lte":
		return boolValue(c <= 0), nil
	default:
		return int32Value(int32(boolRank(c > 0) - boolRank(c < 0))), nil
	}
}

func parseJunction(p exprParser, name string, arg value) (expression, error) {
	args, err := p.operands(name, arg, 0, -1)
	if err != nil {
		return nil, err
	}
	decisive := name == "$or"
	return func(s *scope) (value, error) {
		for _, e := range args {
			v, err := e(s)
			if err != nil {
				return value{}, err
			}
			if v.truthy() == decisive {
				return boolValue(decisive), nil
			}
		}
		return boolValue(!decisive), nil
	}, nil
}

func parseCond(p exprParser, name string, arg value) (expression, error) {
	var branches []expression
	if arg.kind == kindDocument {
		parts := []string{"if", "then", "else"}
		branches = make([]expression, len(parts))
		for _, f := range documentFields(arg.document()) {
			i := 0
			for i < len(parts) && parts[i] != f.name {
				i++
			}
			if i == len(parts) {
				return nil, failure(17083, "Unrecognized parameter to $cond: %s", f.name)
			}
			e, err := p.parse(f.value)
			if err != nil {
				return nil, err
			}
			branches[i] = e
		}
		for i, e := range branches {
			if e == nil {
				return nil, failure(17080+i, "Missing '%s' parameter to $cond", parts[i])
			}
		}
	} else {
		var err error
		if branches, err = p.operands(name, arg, 3, 3); err != nil {
			return nil, err
		}
	}
	return func(s *scope) (value, error) {
		c, err := branches[0](s)
		if err != nil {
			return value{}, err
		}
		if c.truthy() {
			return branches[1](s)
		}
		return branches[2](s)
	}, nil
}

func parseIfNull(p exprParser, name string, arg value) (expression, error) {
	n := 1
	if arg.kind == kindArray {
		n = len(arg.elements())
	}
	if n < 2 {
		return nil, failure(1257300, "$ifNull needs at least two arguments, had: %d", n)
	}
	args, err := p.operands(name, arg, 2, -1)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (v value, err error) {
		for _, e := range args {
			if v, err = e(s); err != nil || !isNull(v) {
				return v, err
			}
		}
		return v, nil
	}, nil
}

type switchBranch struct{ condition, then expression }

func parseSwitch(p exprParser, _ string, arg value) (expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(40060, "$switch requires an object as an argument, found: %s", kindName(arg.kind))
	}
	before := *p.refs
	var branches []switchBranch
	var otherwise expression
	for _, f := range documentFields(arg.document()) {
		switch f.name {
		case "branches":
			if f.value.kind != kindArray {
				return nil, failure(40061, "$switch expected an array for 'branches', found: %s", kindName(f.value.kind))
			}
			for _, el := range f.value.elements() {
				b, err := p.parseBranch(el)
				if err != nil {
					return nil, err
				}
				branches = append(branches, b)
			}
		case "default":
			var err error
			if otherwise, err = p.parse(f.value); err != nil {
				return nil, err
			}
		default:
			return nil, failure(40067, "$switch found an unknown argument: %s", f.name)
		}
	}
	if len(branches) == 0 {
		return nil, failure(40068, "$switch requires at least one branch")
	}
	if otherwise == nil && *p.refs == before {
		otherwise = func(*scope) (value, error) {
			return value{}, failure(40069, "Cannot execute a switch statement where all the cases evaluate to false without a default")
		}
	}
	return func(s *scope) (value, error) {
		for _, b := range branches {
			c, err := b.condition(s)
			if err != nil {
				return value{}, err
			}
			if c.truthy() {
				return b.then(s)
			}
		}
		if otherwise == nil {
			return value{}, failure(40066, "$switch could not find a matching branch for an input, and no default was specified.")
		}
		return otherwise(s)
	}, nil
}

func (p exprParser) parseBranch(v value) (switchBranch, error) {
	if v.kind != kindDocument {
		return switchBranch{}, failure(40062, "$switch expected each branch to be an object, found: %s", kindName(v.kind))
	}
	var b switchBranch
	for _, f := range documentFields(v.document()) {
		e, err := p.parse(f.value)
		switch {
		case err != nil:
			return b, err
		case f.name == "case":
			b.condition = e
		case f.name == "then":
			b.then = e
		default:
			return b, failure(40063, "$switch found an unknown argument to a branch: %s", f.name)
		}
	}
	if b.condition == nil {
		return b, failure(40064, "$switch requires each branch have a 'case' expression")
	}
	if b.then == nil {
		return b, failure(40065, "$switch requires each branch have a 'then' expression.")
	}
	return b, nil
}

func parseLet(p exprParser, _ string, arg value) (expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(16874, "$let only supports an object as its argument")
	}
	for _, f := range documentFields(arg.document()) {
		if f.name != "vars" && f.name != "in" {
			return nil, failure(16875, "Unrecognized parameter to $let: %s", f.name)
		}
	}
	vars, in := arg.document().get("vars"), arg.document().get("in")
	switch {
	case vars.missing():
		return nil, failure(16876, "Missing 'vars' parameter to $let")
	case in.missing():
		return nil, failure(16877, "Missing 'in' parameter to $let")
	case vars.kind != kindDocument:
		return nil, failure(10065, "invalid parameter: expected an object (vars)")
	}
	bound, err := p.parseFields(vars.document())
	if err != nil {
		return nil, err
	}
	inner := p
	for _, v := range bound {
		if err := checkVariableName(v.name); err != nil {
			return nil, err
		}
		inner = inner.with(v.name)
	}
	body, err := inner.parse(in)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		out := s
		for _, b := range bound {
			v, err := b.expr(s)
			if err != nil {
				return value{}, err
			}
			out = out.with(b.name, v)
		}
		return body(out)
	}, nil
}

func checkVariableName(name string) error {
	if name == "" {
		return failure(codeFailedToParse, "empty variable names are not allowed")
	}
	if c := name[0]; (c < 'a' || c > 'z') && c < 0x80 {
		return failure(codeFailedToParse, "'%s' starts with an invalid character for a user variable name", name)
	}
	for i := range len(name) {
		c := name[i]
		if c < 0x80 && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return failure(codeFailedToParse, "'%s' contains an invalid character for a variable name: '%c'", name, c)
		}
	}
	return nil
}
