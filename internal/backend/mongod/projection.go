package mongod

import "strings"

// projection selects the fields of a result: an inclusion names those that stay, an exclusion those that go.
type projection struct {
	include bool
	root    projectionNode
}

// projectionNode is one name in a projection; without children it is selected itself.
type projectionNode struct{ children map[string]*projectionNode }

// projectionParser collects the fields; modes are told apart by the first field that is not _id.
type projectionParser struct {
	out     projection
	decided bool
	id      value // what was said of _id
}

// parseProjection reads the projection of a find or findAndModify; it returns nil for an empty one.
func parseProjection(d document) (*projection, error) {
	if d.empty() {
		return nil, nil
	}
	p := &projectionParser{}
	if err := p.fields("", d); err != nil {
		return nil, err
	}
	if !p.decided {
		p.out.include = p.id.truthy()
	}
	wanted := p.id.missing() || p.id.truthy()
	if p.out.include == wanted {
		p.out.root.child("_id")
	}
	return &p.out, nil
}

func (p *projectionParser) fields(prefix string, d document) error {
	for _, f := range documentFields(d) {
		if err := p.field(prefix+f.name, f.value); err != nil {
			return err
		}
	}
	return nil
}

func (p *projectionParser) field(name string, v value) error {
	if strings.HasSuffix(name, ".$") || strings.Contains(name, ".$.") {
		return unsupported("the positional projection '%s'", name)
	}
	if err := checkFieldPath(name); err != nil {
		return err
	}
	switch {
	case v.numeric() || v.kind == kindBool:
	case isOperators(v):
		return failure(31325, "Unknown expression %s", v.document().firstName())
	case v.kind != kindDocument:
		return unsupported("a computed field in a projection")
	case v.document().empty():
		return failure(51270, "Invalid empty sub-projection: %s", name)
	default:
		return p.fields(name+".", v.document())
	}
	if name == "_id" {
		p.id = v
		return nil
	}
	switch include := v.truthy(); {
	case !p.decided:
		p.out.include, p.decided = include, true
	case p.out.include && !include:
		return failure(31254, "Cannot do exclusion on field %s in inclusion projection", name)
	case !p.out.include && include:
		return failure(31253, "Cannot do inclusion on field %s in exclusion projection", name)
	}
	return p.out.root.insert(splitPath(name), name)
}

// child returns the node of a name, which it makes when there is none.
func (n *projectionNode) child(name string) *projectionNode {
	if n.children == nil {
		n.children = map[string]*projectionNode{}
	}
	if n.children[name] == nil {
		n.children[name] = &projectionNode{}
	}
	return n.children[name]
}

func (n *projectionNode) insert(path []string, name string) error {
	old, exists := n.children[path[0]]
	switch {
	case exists && len(path) == 1:
		return failure(31250, "Path collision at %s", name)
	case exists && old.children == nil:
		return failure(31249, "Path collision at %s remaining portion %s", name, strings.Join(path[1:], "."))
	case len(path) == 1:
		n.child(path[0])
		return nil
	}
	return n.child(path[0]).insert(path[1:], name)
}

// apply returns the selected fields in the order of the document; a nil projection returns the document.
func (p *projection) apply(d document) document {
	if p == nil {
		return d
	}
	return p.selectFields(&p.root, d)
}

func (p *projection) selectFields(n *projectionNode, d document) document {
	b := newDocument()
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return b.done()
		}
		child, named := n.children[string(key)]
		switch {
		case !named || child.children == nil:
			if named == p.include {
				b.add(string(key), v)
			}
		case v.kind == kindDocument:
			b.doc(string(key), p.selectFields(child, v.document()))
		case v.kind == kindArray:
			b.add(string(key), p.selectInArray(child, v))
		case !p.include:
			b.add(string(key), v)
		}
	}
}

// selectInArray works on the documents inside an array; an inclusion drops its scalars.
func (p *projection) selectInArray(n *projectionNode, v value) value {
	var out []value
	for _, el := range v.elements() {
		switch {
		case el.kind == kindDocument:
			out = append(out, documentValue(p.selectFields(n, el.document())))
		case el.kind == kindArray:
			out = append(out, p.selectInArray(n, el))
		case !p.include:
			out = append(out, el)
		}
	}
	return arrayValue(out)
}
