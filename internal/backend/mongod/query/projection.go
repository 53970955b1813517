package query

import (
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
)

// Projection selects the fields of a result: an inclusion names those that stay, an exclusion those that go.
type Projection struct {
	include bool
	root    projectionNode
}

// projectionNode is one name in a projection; without children it is selected itself.
type projectionNode struct{ children map[string]*projectionNode }

// projectionParser collects the fields; modes are told apart by the first field that is not _id.
type projectionParser struct {
	out     Projection
	decided bool
	id      raw.Value // what was said of _id
}

// ParseProjection reads the projection of a find or findAndModify; it returns nil for an empty one.
func ParseProjection(d raw.Document) (*Projection, error) {
	if d.Empty() {
		return nil, nil
	}
	p := &projectionParser{}
	if err := p.fields("", d); err != nil {
		return nil, err
	}
	if !p.decided {
		p.out.include = p.id.Truthy()
	}
	wanted := p.id.Missing() || p.id.Truthy()
	if p.out.include == wanted {
		p.out.root.child("_id")
	}
	return &p.out, nil
}

func (p *projectionParser) fields(prefix string, d raw.Document) error {
	for _, f := range raw.Fields(d) {
		if err := p.field(prefix+f.Name, f.Value); err != nil {
			return err
		}
	}
	return nil
}

func (p *projectionParser) field(name string, v raw.Value) error {
	if strings.HasSuffix(name, ".$") || strings.Contains(name, ".$.") {
		return fault.Unsupported("the positional projection '%s'", name)
	}
	if err := checkFieldPath(name); err != nil {
		return err
	}
	switch {
	case v.Numeric() || v.Kind == raw.KindBool:
	case IsOperators(v):
		return fault.New(31325, "Unknown expression %s", v.Document().FirstName())
	case v.Kind != raw.KindDocument:
		return fault.Unsupported("a computed field in a projection")
	case v.Document().Empty():
		return fault.New(51270, "Invalid empty sub-projection: %s", name)
	default:
		return p.fields(name+".", v.Document())
	}
	if name == "_id" {
		p.id = v
		return nil
	}
	switch include := v.Truthy(); {
	case !p.decided:
		p.out.include, p.decided = include, true
	case p.out.include && !include:
		return fault.New(31254, "Cannot do exclusion on field %s in inclusion projection", name)
	case !p.out.include && include:
		return fault.New(31253, "Cannot do inclusion on field %s in exclusion projection", name)
	}
	return p.out.root.insert(SplitPath(name), name)
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
		return fault.New(31250, "Path collision at %s", name)
	case exists && old.children == nil:
		return fault.New(31249, "Path collision at %s remaining portion %s", name, strings.Join(path[1:], "."))
	case len(path) == 1:
		n.child(path[0])
		return nil
	}
	return n.child(path[0]).insert(path[1:], name)
}

// Apply returns the selected fields in the order of the document; a nil projection returns the document.
func (p *Projection) Apply(d raw.Document) raw.Document {
	if p == nil {
		return d
	}
	return p.selectFields(&p.root, d)
}

func (p *Projection) selectFields(n *projectionNode, d raw.Document) raw.Document {
	b := raw.New()
	r := d.Reader()
	for {
		key, v, ok := r.Next()
		if !ok {
			return b.Done()
		}
		child, named := n.children[string(key)]
		switch {
		case !named || child.children == nil:
			if named == p.include {
				b.Add(string(key), v)
			}
		case v.Kind == raw.KindDocument:
			b.Doc(string(key), p.selectFields(child, v.Document()))
		case v.Kind == raw.KindArray:
			b.Add(string(key), p.selectInArray(child, v))
		case !p.include:
			b.Add(string(key), v)
		}
	}
}

// selectInArray works on the documents inside an array; an inclusion drops its scalars.
func (p *Projection) selectInArray(n *projectionNode, v raw.Value) raw.Value {
	var out []raw.Value
	for _, el := range v.Elements() {
		switch {
		case el.Kind == raw.KindDocument:
			out = append(out, raw.Doc(p.selectFields(n, el.Document())))
		case el.Kind == raw.KindArray:
			out = append(out, p.selectInArray(n, el))
		case !p.include:
			out = append(out, el)
		}
	}
	return raw.Array(out)
}
