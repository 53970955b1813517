package record

// Lines of one writer have the same keys in the same order. A shape tree knows the sequences of top-level keys
// that were seen; a key that is where the tree expects it is recognised by comparing its bytes once, instead of
// scanning, looking up and checking it against the keys before it. A path of the tree never has a key twice.

const (
	shapeNodes   = 1024
	shapeText    = 32 << 10
	shapeBranch  = 8  // children that are compared with a key
	shapeLongest = 64 // bytes of a key that is learned, with quotes and colon
)

// shapeTree is bounded: when it is full it is forgotten and learned anew. Node 0 is the root.
type shapeTree struct {
	nodes []shapeNode
	text  []byte
	full  bool
}

type shapeNode struct {
	start          uint32 // of `"key":` in text
	size           uint8
	key            Key
	parent         bool // an object under this key may hold known keys
	branches       uint8
	child, sibling uint16 // 0: none
}

// reset makes the tree ready for the next line.
func (t *shapeTree) reset() {
	if t.nodes == nil {
		t.nodes, t.text = make([]shapeNode, 1, shapeNodes), make([]byte, 0, shapeText)
	}
	if t.full {
		t.nodes, t.text, t.full = t.nodes[:1], t.text[:0], false
		t.nodes[0] = shapeNode{}
	}
}

// next returns the child of node at whose `"key":` stands in b at i, nil when there is none.
func (t *shapeTree) next(at uint16, b []byte, i int) (uint16, *shapeNode) {
	for c := t.nodes[at].child; c != 0; c = t.nodes[c].sibling {
		n := &t.nodes[c]
		if end := i + int(n.size); end <= len(b) && string(b[i:end]) == string(t.text[n.start:n.start+uint32(n.size)]) {
			return c, n
		}
	}
	return 0, nil
}

// learn adds a child to node at for text, which is `"key":`. It returns 0 when there is no room for it.
func (t *shapeTree) learn(at uint16, text []byte) uint16 {
	parentNode := &t.nodes[at]
	if len(text) > shapeLongest || parentNode.branches == shapeBranch {
		return 0
	}
	if len(t.nodes) == shapeNodes || len(t.text)+len(text) > shapeText {
		t.full = true
		return 0
	}
	name := text[1 : len(text)-2]
	fresh := uint16(len(t.nodes))
	t.nodes = append(t.nodes, shapeNode{start: uint32(len(t.text)), size: uint8(len(text)), key: lookup(name), parent: parent(name)})
	t.text = append(t.text, text...)
	parentNode.branches++
	last := &parentNode.child // what is seen first stays first
	for *last != 0 {
		last = &t.nodes[*last].sibling
	}
	*last = fresh
	return fresh
}
