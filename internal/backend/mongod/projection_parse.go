package mongod

import (
	"errors"
	"strings"
)

// projectionParser reads the projection of a find, $project, or $addFields; find has array operators of its own.
type projectionParser struct {
	find  bool
	query *filter // of the find, for a positional projection
	out   *projection
	id    value // what was said of _id when it is selected or not
	exprs exprParser
}

// parseFindProjection returns nil for an empty one.
func parseFindProjection(d document, query *filter) (*projection, error) {
	if d.empty() {
		return nil, nil
	}
	p := &projectionParser{find: true, query: query, exprs: newExprParser(), out: &projection{root: newProjectionNode()}}
	return p.parse(d)
}

func parseProject(d document) (*projection, error) {
	if d.empty() {
		return nil, failure(51272, "projection specification must have at least one field")
	}
	p := &projectionParser{exprs: newExprParser(), out: &projection{root: newProjectionNode()}}
	return p.parse(d)
}

// parseAddFields reads a document in which every value is an expression.
func parseAddFields(d document) (*projection, error) {
	p := &projectionParser{exprs: newExprParser(), out: &projection{root: newProjectionNode(), mode: adding}}
	return p.out, p.fields("", d)
}

func (p *projectionParser) parse(d document) (*projection, error) {
	if err := p.fields("", d); err != nil {
		return nil, err
	}
	if p.out.mode == undecided {
		p.out.mode = exclusion
		if p.id.truthy() {
			p.out.mode = inclusion
		}
	}
	_, named := p.out.root.children["_id"]
	wanted := p.id.missing() || p.id.truthy()
	if !named && (p.out.mode == inclusion) == wanted {
		p.out.root.children["_id"] = &projectionNode{}
	}
	if p.out.mode == inclusion {
		for _, s := range p.out.slices {
			_ = p.insert(strings.Join(s.path, "."), &projectionNode{})
		}
	}
	return p.out, nil
}

func (p *projectionParser) fields(prefix string, d document) error {
	for _, f := range documentFields(d) {
		if err := p.field(prefix, f.name, f.value); err != nil {
			return err
		}
	}
	return nil
}

func (p *projectionParser) field(prefix, key string, v value) error {
	name := prefix + key
	if p.find && strings.Contains(name, ".$") {
		return p.positional(name, v)
	}
	if err := checkFieldPath(name); err != nil {
		return err
	}
	selects := v.numeric() || v.kind == kindBool
	switch {
	case p.out.mode == adding && !isPlainDocument(v):
		return p.computed(name, v)
	case selects && name == "_id":
		p.id = v
		return nil
	case selects:
		return p.selected(name, v.truthy())
	case isOperators(v) && len(documentFields(v.document())) > 1:
		return checkFieldPath(v.document().firstName())
	case p.find && isOperators(v):
		return p.operator(name, v)
	case isPlainDocument(v):
		if v.document().empty() {
			return failure(51270, "Invalid empty sub-projection: %s", name)
		}
		return p.fields(name+".", v.document())
	default:
		return p.computed(name, v)
	}
}

func isPlainDocument(v value) bool { return v.kind == kindDocument && !isOperators(v) }

// checkFieldPath refuses a name that cannot be a path.
func checkFieldPath(name string) error {
	if name == "" {
		return failure(40352, "FieldPath cannot be constructed with empty string")
	}
	_, err := fieldPath(name)
	return err
}

func (p *projectionParser) selected(name string, include bool) error {
	mode := exclusion
	if include {
		mode = inclusion
	}
	switch {
	case p.out.mode == undecided:
		p.out.mode = mode
	case p.out.mode == inclusion && !include:
		return failure(31254, "Cannot do exclusion on field %s in inclusion projection", name)
	case p.out.mode == exclusion && include:
		return failure(31253, "Cannot do inclusion on field %s in exclusion projection", name)
	}
	return p.insert(name, &projectionNode{})
}

func (p *projectionParser) computed(name string, v value) error {
	switch p.out.mode {
	case undecided:
		p.out.mode = inclusion
	case exclusion:
		if p.find {
			return failure(31252, "Cannot use expression other than $meta in exclusion projection")
		}
		return failure(31310, "Cannot use an expression %s: %s in an exclusion projection", name, v)
	}
	e, err := p.exprs.parse(v)
	var known *commandError
	if errors.As(err, &known) && known.code == codeInvalidOperator {
		return failure(31325, "Unknown expression %s", v.document().firstName())
	}
	if err != nil {
		return err
	}
	return p.insert(name, &projectionNode{expr: e})
}

func (p *projectionParser) insert(name string, node *projectionNode) error {
	return p.out.root.insert(splitPath(name), name, node)
}

func (n *projectionNode) insert(path []string, name string, node *projectionNode) error {
	child, ok := n.children[path[0]]
	switch {
	case ok && len(path) == 1:
		return failure(31250, "Path collision at %s", name)
	case ok && child.children == nil:
		return failure(31249, "Path collision at %s remaining portion %s", name, strings.Join(path[1:], "."))
	case len(path) == 1:
		child = node
	case !ok:
		child = newProjectionNode()
	}
	if len(path) > 1 {
		if err := child.insert(path[1:], name, node); err != nil {
			return err
		}
	}
	n.children[path[0]] = child
	if child.computes() && !containsName(n.order, path[0]) {
		n.order = append(n.order, path[0])
	}
	return nil
}

func containsName(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// operator reads what find allows beside expressions: $slice and $elemMatch.
func (p *projectionParser) operator(name string, v value) error {
	arg := v.document().get(v.document().firstName())
	switch v.document().firstName() {
	case "$slice":
		return p.slice(name, v, arg)
	case "$elemMatch":
		return p.elemMatch(name, arg)
	case "$meta":
		return failure(40218, "query requires text score metadata, but it is not available")
	default:
		return p.computed(name, v)
	}
}

func (p *projectionParser) slice(name string, v, arg value) error {
	s := arraySlice{path: splitPath(name)}
	reason := ""
	n, whole := arg.wholeNumber()
	elements := arg.elements()
	switch {
	case arg.numeric():
		if !whole {
			n = int64(arg.float())
		}
		s.take, s.fromEnd = n, n < 0
	case arg.kind != kindArray:
		reason = "Location31273: $slice only supports numbers and [skip, limit] arrays"
	case len(elements) != 2:
		reason = "Location31272: $slice array argument should be of form [skip, limit]"
	case !elements[0].numeric() || !elements[1].numeric():
		return p.computed(name, v)
	default:
		s.skip, _ = elements[0].wholeNumber()
		if s.take, _ = elements[1].wholeNumber(); s.take <= 0 {
			return failure(28724, "First argument to $slice must be an array, but is of type: %s", kindName(elements[0].kind))
		}
	}
	if reason != "" {
		count := 1
		if arg.kind == kindArray {
			count = len(elements)
		}
		return failure(28667, "Invalid $slice syntax. The given syntax %s did not match the find() syntax because :: %s :: The given syntax did not match the expression $slice syntax. :: caused by :: Expression $slice takes at least 2 arguments, and at most 3, but %d were passed in.", v, reason, count)
	}
	p.out.slices = append(p.out.slices, s)
	return nil
}

func (p *projectionParser) elemMatch(name string, arg value) error {
	if arg.kind != kindDocument {
		return failure(31274, "elemMatch: Invalid argument, object required, but got %s", kindName(arg.kind))
	}
	if strings.Contains(name, ".") {
		return failure(31275, "Cannot use $elemMatch projection on a nested field.")
	}
	f, err := parseElemMatch(filter{name: name, path: []string{name}}, arg)
	if err != nil {
		return err
	}
	if p.out.mode == undecided {
		p.out.mode = inclusion
	}
	return p.insert(name, &projectionNode{expr: func(s *scope) (value, error) {
		v := s.root.get(name)
		for _, el := range v.elements() {
			if f.testElement(el) {
				return arrayValue([]value{el}), nil
			}
		}
		return value{}, nil
	}})
}

func (p *projectionParser) positional(name string, v value) error {
	path, rest, _ := strings.Cut(name, ".$")
	switch {
	case rest != "":
		return failure(31394, "As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.")
	case !v.truthy():
		return failure(31395, "positional projection cannot be used with exclusion")
	case p.out.positional != nil:
		return failure(31276, "Cannot specify more than one positional projection per query.")
	case p.out.mode == exclusion:
		return failure(31253, "Cannot do inclusion on field %s in exclusion projection", name)
	}
	if err := checkFieldPath(path); err != nil {
		return err
	}
	p.out.positional = &positionalProjection{path: splitPath(path), query: p.query}
	p.out.mode = inclusion
	return p.insert(path, &projectionNode{})
}

// invalidStage marks an error in the argument of a stage, as MongoDB does.
func invalidStage(name string, err error) error {
	var known *commandError
	if !errors.As(err, &known) || known.whole || known.code == codeNotImplemented {
		return err
	}
	return known.during("Invalid " + name)
}
