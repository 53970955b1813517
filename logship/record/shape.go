package record

// Lines of one writer have the same keys in the same order. A shape tree knows the sequences of top-level members that were seen,
// each as the text before its value: comma, key, colon, white space as written, and the quote that begins a string. A member whose
// text is what the tree expects is recognised by comparing bytes, instead of scanning, looking up and checking its key against the
// keys before it. A path of the tree never has a key twice.

const (
	shapeNodes   = 1024
	shapeText    = 48 << 10
	shapeBranch  = 8  // children that are compared with a member
	shapeLongest = 80 // bytes of a text that is learned
)

// shapeTree is bounded: when it is full it is forgotten and learned anew. Node 0 is the root.
type shapeTree struct {
	nodes []shapeNode
	text  []byte
	full  bool
}

type shapeNode struct {
	start          uint32 // of the text of the member
	size           uint8
	name, length   uint8 // where in the text the key is, without its quotes
	key            Key
	quoted         bool // the text ends with the quote of a string
	watch          bool // a value of a kind that is not in accepts is noted
	accepts        Kinds
	foreign        uint8 // the foreign name that the key is, from 1
	parent         bool  // an object under this key may hold known keys
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

// next returns the child of node at whose text stands in b at i, 0 when there is none.
func (t *shapeTree) next(at uint16, b []byte, i int) uint16 {
	for c := t.nodes[at].child; c != 0; c = t.nodes[c].sibling {
		n := &t.nodes[c]
		size := int(n.size)
		if i+size <= len(b) && string(b[i:i+size]) == string(t.text[n.start:int(n.start)+size]) {
			return c
		}
	}
	return 0
}

// learn adds a child to node at for a text, in which the key is length bytes from name on. It returns 0 when there is no room.
func (t *shapeTree) learn(at uint16, text []byte, name, length int, quoted bool, names *Names) uint16 {
	parentNode := &t.nodes[at]
	if len(text) > shapeLongest || parentNode.branches == shapeBranch {
		return 0
	}
	if len(t.nodes) == shapeNodes || len(t.text)+len(text) > shapeText {
		t.full = true
		return 0
	}
	key := text[name : name+length]
	fresh := uint16(len(t.nodes))
	t.nodes = append(t.nodes, shapeNode{
		start: uint32(len(t.text)), size: uint8(len(text)), name: uint8(name), length: uint8(length),
		key: lookup(key), quoted: quoted, parent: parent(key),
	})
	n := &t.nodes[fresh]
	n.accepts, n.foreign = names.accepts(key)
	n.watch = n.accepts != anyKind && !(quoted && n.accepts&stringKind != 0)
	t.text = append(t.text, text...)
	parentNode.branches++
	last := &parentNode.child // what is seen first stays first
	for *last != 0 {
		last = &t.nodes[*last].sibling
	}
	*last = fresh
	return fresh
}
