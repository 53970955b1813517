package mongod

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// expression computes a value from a document; missing stands for no value.
type expression func(s *scope) (value, error)

// scope is what an expression can refer to.
type scope struct {
	root document
	vars *binding
}

// binding is one variable of $let, $map and their like; the newest comes first.
type binding struct {
	name  string
	value value
	outer *binding
}

func newScope(d document) *scope { return &scope{root: d} }

func (s *scope) with(name string, v value) *scope {
	inner := *s
	inner.vars = &binding{name: name, value: v, outer: s.vars}
	return &inner
}

func (s *scope) variable(name string) value {
	for b := s.vars; b != nil; b = b.outer {
		if b.name == name {
			return b.value
		}
	}
	switch name {
	case "ROOT", "CURRENT":
		return documentValue(s.root)
	default: // REMOVE
		return value{}
	}
}

// exprParser parses expressions; it knows which variables are defined, and counts what is not constant.
type exprParser struct {
	vars []string
	refs *int
	now  value // $$NOW is the same for all documents
}

func newExprParser() exprParser { return exprParser{refs: new(int), now: dateValue(time.Now())} }

func (p exprParser) with(names ...string) exprParser {
	return exprParser{vars: append(slices.Clone(p.vars), names...), refs: p.refs, now: p.now}
}

// operatorParser parses the argument of one expression operator.
type operatorParser = func(p exprParser, name string, arg value) (expression, error)

func constant(v value) expression { return func(*scope) (value, error) { return v, nil } }

func (p exprParser) parse(v value) (expression, error) {
	switch v.kind {
	case kindString:
		return p.parseString(v)
	case kindDocument:
		return p.parseDocument(v.document())
	case kindArray:
		return p.parseArray(v)
	default:
		return constant(v), nil
	}
}

func (p exprParser) parseString(v value) (expression, error) {
	name, ok := strings.CutPrefix(v.text(), "$")
	if !ok {
		return constant(v), nil
	}
	if name == "" {
		return nil, failure(16872, "'$' by itself is not a valid FieldPath")
	}
	*p.refs++
	variable, isVariable := strings.CutPrefix(name, "$")
	if !isVariable {
		path, err := fieldPath(name)
		if err != nil {
			return nil, err
		}
		return func(s *scope) (value, error) { return evalPath(s.root, path), nil }, nil
	}
	variable, rest, deeper := strings.Cut(variable, ".")
	if err := p.checkVariable(variable); err != nil {
		return nil, err
	}
	if !deeper && variable == "NOW" {
		return constant(p.now), nil
	}
	if !deeper {
		return func(s *scope) (value, error) { return s.variable(variable), nil }, nil
	}
	path, err := fieldPath(rest)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) { return pathInto(s.variable(variable), path), nil }, nil
}

func (p exprParser) checkVariable(name string) error {
	switch name {
	case "":
		return failure(codeFailedToParse, "empty variable names are not allowed")
	case "ROOT", "CURRENT", "NOW", "REMOVE":
		return nil
	case "CLUSTER_TIME", "USER_ROLES", "SEARCH_META", "JS_SCOPE":
		return unsupported("the variable $$%s", name)
	}
	if !slices.Contains(p.vars, name) {
		return failure(17276, "Use of undefined variable: %s", name)
	}
	return nil
}

const useGetField = "Consider using $getField or $setField for a field path with '.' or '$'. :: caused by :: "

// fieldPath splits a dotted path and refuses what cannot be one.
func fieldPath(name string) ([]string, error) {
	if strings.HasSuffix(name, ".") {
		return nil, failure(40353, "FieldPath must not end with a '.'.")
	}
	if strings.Contains(name, "\x00") {
		return nil, failure(16411, useGetField+"FieldPath field names may not contain '\\0'.")
	}
	path := splitPath(name)
	for _, part := range path {
		switch {
		case part == "":
			return nil, failure(15998, useGetField+"FieldPath field names may not be empty strings.")
		case part[0] == '$':
			return nil, failure(16410, useGetField+"FieldPath field names may not start with '$', given '%s'.", part)
		}
	}
	return path, nil
}

// evalPath follows a field path; an array on the way yields the array of what its documents hold.
func evalPath(d document, path []string) value {
	v := d.get(path[0])
	if len(path) == 1 {
		return v
	}
	return pathInto(v, path[1:])
}

func pathInto(v value, path []string) value {
	switch v.kind {
	case kindDocument:
		return evalPath(v.document(), path)
	case kindArray:
		var out []value
		for _, el := range v.elements() {
			if el.kind != kindDocument {
				continue
			}
			if inner := evalPath(el.document(), path); !inner.missing() {
				out = append(out, inner)
			}
		}
		return arrayValue(out)
	default:
		return value{}
	}
}

func (p exprParser) parseDocument(d document) (expression, error) {
	name := d.firstName()
	if !strings.HasPrefix(name, "$") {
		return p.parseObject(d)
	}
	r := d.reader()
	_, arg, _ := r.next()
	if _, _, more := r.next(); more {
		return nil, failure(15983, "an expression specification must contain exactly one field, the name of the expression. Found %d fields in %s", len(documentFields(d)), d)
	}
	op := lookup(expressionOperators(), name)
	switch {
	case op == nil:
		return nil, failure(codeInvalidOperator, "Unrecognized expression '%s'", name)
	case op.refused != nil:
		return nil, op.refused
	}
	before := *p.refs
	e, err := op.parse(p, name, arg)
	if err != nil || *p.refs != before || name == "$literal" {
		return e, err
	}
	v, err := e(newScope(nil)) // constant
	if err != nil {
		return nil, constantFailure(err)
	}
	return constant(v), nil
}

// constantFailure is the error of an expression that fails whatever the document, found before any is read.
func constantFailure(err error) error {
	var known *commandError
	if !errors.As(err, &known) || known.whole || known.code == codeNotImplemented {
		return err
	}
	marked := known.during("Failed to optimize pipeline")
	marked.whole = true
	return marked
}

// field is a name with a value.
type field struct {
	name  string
	value value
}

func documentFields(d document) []field {
	var out []field
	r := d.reader()
	for {
		name, v, ok := r.next()
		if !ok {
			return out
		}
		out = append(out, field{string(name), v})
	}
}

// namedExpression is a field whose value is computed.
type namedExpression struct {
	name string
	expr expression
}

func (p exprParser) parseFields(d document) ([]namedExpression, error) {
	var out []namedExpression
	for _, f := range documentFields(d) {
		e, err := p.parse(f.value)
		if err != nil {
			return nil, err
		}
		out = append(out, namedExpression{f.name, e})
	}
	return out, nil
}

func (p exprParser) parseObject(d document) (expression, error) {
	for _, f := range documentFields(d) {
		if strings.HasPrefix(f.name, "$") {
			return nil, failure(16410, useGetField+"FieldPath field names may not start with '$', given '%s'.", f.name)
		}
		if strings.Contains(f.name, ".") {
			return nil, failure(16412, useGetField+"FieldPath field names may not contain '.', given '%s'.", f.name)
		}
	}
	fields, err := p.parseFields(d)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		b := newDocument()
		for _, f := range fields {
			v, err := f.expr(s)
			if err != nil {
				return value{}, err
			}
			if b.add(f.name, v); len(b.buf) > maxExpressionBytes {
				return value{}, tooMuch()
			}
		}
		return documentValue(b.done()), nil
	}, nil
}

func (p exprParser) parseArray(v value) (expression, error) {
	elements, err := p.parseList(v.elements())
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		values, err := evalAll(s, elements)
		if err != nil {
			return value{}, err
		}
		for i, v := range values {
			if v.missing() {
				values[i] = nullValue()
			}
		}
		return arrayValue(values), nil
	}, nil
}

func (p exprParser) parseList(list []value) ([]expression, error) {
	out := make([]expression, 0, len(list))
	for _, v := range list {
		e, err := p.parse(v)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// evalAll bounds what the values hold together, and so what an operator can make of them.
func evalAll(s *scope, list []expression) ([]value, error) {
	out := make([]value, len(list))
	size := 0
	for i, e := range list {
		v, err := e(s)
		if err != nil {
			return nil, err
		}
		if size += len(v.data); size > maxExpressionBytes {
			return nil, tooMuch()
		}
		out[i] = v
	}
	return out, nil
}

// maxExpressionBytes bounds one value that an expression makes: no document could hold more.
const maxExpressionBytes = maxDocumentSize

func tooMuch() error {
	return failure(codeObjectTooLarge, "the value of an expression is larger than %d bytes", maxExpressionBytes)
}

// operands reads the arguments of an operator: an array of them, or a single one. A negative upper limit is none.
func (p exprParser) operands(name string, arg value, low, high int) ([]expression, error) {
	list := []value{arg}
	if arg.kind == kindArray {
		list = arg.elements()
	}
	n := len(list)
	switch {
	case low == high && n != low:
		return nil, failure(16020, "Expression %s takes exactly %d arguments. %d were passed in.", name, low, n)
	case n < low || high >= 0 && n > high:
		if high < 0 {
			return nil, failure(35004, "Expression %s takes at least %d arguments, and %d were passed in.", name, low, n)
		}
		return nil, failure(28667, "Expression %s takes at least %d arguments, and at most %d, but %d were passed in.", name, low, high, n)
	}
	return p.parseList(list)
}

// function makes an operator parser of a function over all its argument values.
func function(low, high int, compute func(name string, args []value) (value, error)) operatorParser {
	return func(p exprParser, name string, arg value) (expression, error) {
		args, err := p.operands(name, arg, low, high)
		if err != nil {
			return nil, err
		}
		return func(s *scope) (value, error) {
			values, err := evalAll(s, args)
			if err != nil {
				return value{}, err
			}
			return compute(name, values)
		}, nil
	}
}

// strictFunction is a function that yields null when one of its arguments is null or missing.
func strictFunction(low, high int, compute func(name string, args []value) (value, error)) operatorParser {
	return function(low, high, func(name string, args []value) (value, error) {
		if slices.ContainsFunc(args, isNull) {
			return nullValue(), nil
		}
		return compute(name, args)
	})
}

// namedArguments reads {a: …, b: …}; a name that is not in the list is refused with the code.
func (p exprParser) namedArguments(name string, arg value, unknown int, allowed, required []string) (map[string]expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(codeFailedToParse, "%s only supports an object as its argument", name)
	}
	out := map[string]expression{}
	for _, f := range documentFields(arg.document()) {
		if !slices.Contains(allowed, f.name) {
			return nil, failure(unknown, "Unrecognized argument to %s: %s", name, f.name)
		}
		e, err := p.parse(f.value)
		if err != nil {
			return nil, err
		}
		out[f.name] = e
	}
	for _, r := range required {
		if out[r] == nil {
			return nil, failure(unknown, "Missing '%s' parameter to %s", r, name)
		}
	}
	return out, nil
}

// optional evaluates an argument that may have been left out.
func optional(s *scope, e expression, otherwise value) (value, error) {
	if e == nil {
		return otherwise, nil
	}
	return e(s)
}

func expressionOperators() []entry[operatorParser] {
	return slices.Concat(arithmeticOperators(), logicOperators(), stringOperators(), arrayOperators(), convertOperators(), dateOperators(),
		refusals[operatorParser]("the expression operator",
			"$accumulator", "$function", "$acos", "$acosh", "$asin", "$asinh", "$atan", "$atan2", "$atanh", "$cos", "$cosh", "$sin", "$sinh", "$tan", "$tanh",
			"$degreesToRadians", "$radiansToDegrees", "$binarySize", "$bsonSize", "$bitAnd", "$bitNot", "$bitOr", "$bitXor", "$convert", "$dateFromParts",
			"$dateFromString", "$dateToParts", "$isoDayOfWeek", "$isoWeek", "$isoWeekYear", "$week", "$firstN", "$lastN", "$maxN", "$minN", "$median", "$percentile",
			"$meta", "$rand", "$regexFind", "$regexFindAll", "$setField", "$unsetField", "$setEquals", "$setIsSubset", "$sortArray", "$stdDevPop", "$stdDevSamp",
			"$strcasecmp", "$substr", "$toDecimal", "$tsIncrement", "$tsSecond", "$zip", "$indexOfBytes", "$toHashedIndexKey", "$toUUID"))
}
