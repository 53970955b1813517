package mongod

// projectionMode says what a projection does with fields that it does not name.
type projectionMode int

const (
	undecided projectionMode = iota
	inclusion                // they go
	exclusion                // they stay
	adding                   // they stay, and the named ones are computed
)

// projection selects and computes fields. In an inclusion the tree names what stays, in an exclusion what goes.
type projection struct {
	mode       projectionMode
	root       *projectionNode
	slices     []arraySlice
	positional *positionalProjection
}

// projectionNode is one name in a projection: a leaf that is selected, a leaf with an expression, or a document of further nodes.
type projectionNode struct {
	children map[string]*projectionNode // nil for a leaf
	order    []string                   // of the children that compute something
	expr     expression
}

// arraySlice is find's {field: {$slice: …}}.
type arraySlice struct {
	path       []string
	skip, take int64
	fromEnd    bool // the last -take elements
}

// positionalProjection is find's {"field.$": 1}: only the element that the query matched.
type positionalProjection struct {
	path  []string
	query *filter
}

func newProjectionNode() *projectionNode {
	return &projectionNode{children: map[string]*projectionNode{}}
}

// computes reports whether an expression is in the tree.
func (n *projectionNode) computes() bool { return n.expr != nil || len(n.order) > 0 }

// apply returns the selected and computed fields; a nil projection returns the document.
func (p *projection) apply(d document) (document, error) {
	if p == nil {
		return d, nil
	}
	out := d
	if p.mode != adding {
		out = p.selectFields(p.root, d)
	}
	if len(p.root.order) > 0 {
		var err error
		if out, err = p.root.compute(newScope(d), out); err != nil {
			return nil, err
		}
	}
	for _, s := range p.slices {
		out = s.apply(out, s.path)
	}
	if p.positional != nil {
		return p.positional.apply(d, out)
	}
	return out, nil
}

// selectFields keeps the order of the document.
func (p *projection) selectFields(n *projectionNode, d document) document {
	include := p.mode == inclusion
	b := &builder{buf: make([]byte, 4, len(d))}
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return b.done()
		}
		child, named := n.children[string(key)]
		switch {
		case !named:
			if !include {
				b.add(string(key), v)
			}
		case child.children == nil:
			if include && child.expr == nil || !include && child.expr != nil {
				b.add(string(key), v)
			}
		case v.kind == kindDocument:
			b.doc(string(key), p.selectFields(child, v.document()))
		case v.kind == kindArray:
			b.add(string(key), p.selectInArray(child, v))
		case !include:
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
		case p.mode == exclusion || n.computes():
			out = append(out, el)
		}
	}
	return arrayValue(out)
}

// compute sets the computed fields of d: those that exist in their place, others at the end.
func (n *projectionNode) compute(s *scope, d document) (document, error) {
	for _, name := range n.order {
		v, err := n.children[name].computeValue(s, d.get(name))
		if err != nil {
			return nil, err
		}
		d = d.with(name, v)
	}
	return d, nil
}

func (n *projectionNode) computeValue(s *scope, old value) (value, error) {
	switch {
	case n.expr != nil:
		return n.expr(s)
	case old.kind == kindArray:
		elements := old.elements()
		for i, el := range elements {
			v, err := n.computeValue(s, el)
			if err != nil {
				return value{}, err
			}
			elements[i] = v
		}
		return arrayValue(elements), nil
	case old.kind != kindDocument:
		old = documentValue(emptyDocument())
	}
	d, err := n.compute(s, old.document())
	return documentValue(d), err
}

func (s arraySlice) apply(d document, path []string) document {
	v := d.get(path[0])
	if len(path) == 1 {
		if v.kind != kindArray {
			return d
		}
		return d.with(path[0], arrayValue(s.cut(v.elements())))
	}
	switch v.kind {
	case kindDocument:
		return d.with(path[0], documentValue(s.apply(v.document(), path[1:])))
	case kindArray:
		elements := v.elements()
		for i, el := range elements {
			if el.kind == kindDocument {
				elements[i] = documentValue(s.apply(el.document(), path[1:]))
			}
		}
		return d.with(path[0], arrayValue(elements))
	default:
		return d
	}
}

func (s arraySlice) cut(elements []value) []value {
	if s.fromEnd {
		return elements[max(0, int64(len(elements))+s.take):]
	}
	return cut(elements, s.skip, s.take)
}

func (p *positionalProjection) apply(original, out document) (document, error) {
	at, ok := p.query.position(original)
	if !ok {
		return nil, failure(51246, "positional operator '.$' couldn't find a matching element in the array")
	}
	return keepElement(out, p.path, at)
}

// keepElement cuts the first array on the path to one element.
func keepElement(d document, path []string, at int) (document, error) {
	v := d.get(path[0])
	switch {
	case v.kind == kindArray:
		elements := v.elements()
		if at >= len(elements) {
			return nil, failure(51247, "positional operator '.$' element mismatch")
		}
		return d.with(path[0], arrayValue(elements[at:at+1])), nil
	case v.kind == kindDocument && len(path) > 1:
		inner, err := keepElement(v.document(), path[1:], at)
		return d.with(path[0], documentValue(inner)), err
	default:
		return d, nil
	}
}
