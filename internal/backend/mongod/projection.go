package mongod

import "strings"

// projection selects fields. In an inclusion the tree names what stays, in an exclusion what goes.
type projection struct {
	include bool
	root    *projectionNode
}

type projectionNode struct{ children map[string]*projectionNode } // no children: the whole field

// parseProjection returns nil for an empty one.
func parseProjection(d document) (*projection, error) {
	p := &projection{root: &projectionNode{children: map[string]*projectionNode{}}}
	decided, idGiven, id := false, false, false
	fields := 0
	var add func(prefix string, d document) error
	add = func(prefix string, d document) error {
		r := d.reader()
		for {
			key, v, ok := r.next()
			if !ok {
				return nil
			}
			name := prefix + string(key)
			switch {
			case strings.HasPrefix(string(key), "$") || strings.HasSuffix(name, ".$"):
				return unsupported("projection %s", name)
			case v.kind == kindDocument:
				if isOperators(v) {
					return unsupported("projection operator %s", v.document().firstName())
				}
				if v.document().empty() {
					return failure(51270, "An empty sub-projection is not a valid value. Found empty object at path")
				}
				if err := add(name+".", v.document()); err != nil {
					return err
				}
				continue
			case !v.numeric() && v.kind != kindBool:
				return unsupported("projection of a computed value at %s", name)
			case name == "_id":
				idGiven, id = true, v.truthy()
				continue
			case decided && v.truthy() != p.include && p.include:
				return failure(31254, "Cannot do exclusion on field %s in inclusion projection", name)
			case decided && v.truthy() != p.include:
				return failure(31253, "Cannot do inclusion on field %s in exclusion projection", name)
			}
			decided, p.include = true, v.truthy()
			fields++
			if err := p.root.insert(splitPath(name), name); err != nil {
				return err
			}
		}
	}
	if err := add("", d); err != nil {
		return nil, err
	}
	if !decided && !idGiven {
		return nil, nil
	}
	if !decided {
		p.include = id
	}
	if (p.include && (id || !idGiven)) || (!p.include && idGiven && !id) {
		p.root.children["_id"] = &projectionNode{}
	}
	return p, nil
}

func (n *projectionNode) insert(path []string, name string) error {
	if path[0] == "" {
		return failure(40352, "FieldPath cannot be constructed with empty string")
	}
	child, ok := n.children[path[0]]
	switch {
	case ok && len(path) == 1:
		return failure(31250, "Path collision at %s", name)
	case ok && child.children == nil:
		return failure(31249, "Path collision at %s remaining portion %s", name, strings.Join(path[1:], "."))
	case len(path) == 1:
		n.children[path[0]] = &projectionNode{}
		return nil
	case !ok:
		child = &projectionNode{children: map[string]*projectionNode{}}
		n.children[path[0]] = child
	}
	return child.insert(path[1:], name)
}

// apply returns the selected fields in the order of the document; a nil projection returns the document.
func (p *projection) apply(d document) document {
	if p == nil {
		return d
	}
	return p.project(p.root, d)
}

func (p *projection) project(n *projectionNode, d document) document {
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
			if !p.include {
				b.add(string(key), v)
			}
		case child.children == nil:
			if p.include {
				b.add(string(key), v)
			}
		case v.kind == kindDocument:
			b.doc(string(key), p.project(child, v.document()))
		case v.kind == kindArray:
			b.add(string(key), p.projectArray(child, v))
		case !p.include:
			b.add(string(key), v)
		}
	}
}

// projectArray projects the documents inside an array; an inclusion drops its scalars.
func (p *projection) projectArray(n *projectionNode, v value) value {
	var out []value
	for _, el := range v.elements() {
		switch {
		case el.kind == kindDocument:
			out = append(out, documentValue(p.project(n, el.document())))
		case el.kind == kindArray:
			out = append(out, p.projectArray(n, el))
		case !p.include:
			out = append(out, el)
		}
	}
	return arrayValue(out)
}
