package record

// Kinds is a set of the kinds of JSON values.
type Kinds uint8

// The kinds, by the first byte of a value.
const (
	stringKind Kinds = 1 << iota
	numberKind
	boolKind
	nullKind
	objectKind
	arrayKind
	anyKind = stringKind | numberKind | boolKind | nullKind | objectKind | arrayKind
)

func kindOf(c byte) Kinds {
	switch c {
	case '"':
		return stringKind
	case '{':
		return objectKind
	case '[':
		return arrayKind
	case 't', 'f':
		return boolKind
	case 'n':
		return nullKind
	}
	return numberKind
}

// Class says what a field of the index templates takes.
type Class uint8

// The classes. FieldOf in fields.go says which field is of which.
const (
	Unknown   Class = iota // no field of the templates
	Object                 // holds further fields
	Text                   // a keyword or a text: every scalar
	Number                 // a number, also in quotes
	Date                   // a time of ISO 8601, or milliseconds
	Address                // an IP address; what is none is ignored
	Point                  // a place; what is none is ignored
	Flattened              // an object of any members
	Alias                  // another name of a field, which no document may write
)

// accepted returns the kinds of values that a field of the class takes without a closer look.
func (c Class) accepted() Kinds {
	switch c {
	case Object:
		return nullKind
	case Text, Address:
		return stringKind | numberKind | boolKind | nullKind
	case Number, Date:
		return numberKind | nullKind
	case Flattened:
		return objectKind | nullKind
	case Alias:
		return 0
	}
	return anyKind
}

// Role says what is to be done with a foreign name.
type Role uint8

// The roles.
const (
	Rename  Role = iota // the value is that of another field
	Time                // when the line was written
	Level               // its level, as a name or a number
	Failure             // an error: a text, or an object with a text
	Request             // method, target and version of a request in one
)

// Name is a field that a foreign name stands for.
type Name struct {
	Path  string
	Class Class // of the field
	// Key is that of the field and Own that of a field that has the name itself; Known and Owns say whether Scan notes them.
	Key, Own    Key
	Known, Owns bool
	Role        Role
}

// Names are the foreign names of fields that are recognised at the top of a line. The zero value knows none.
type Names struct {
	index map[string]uint8
	list  []Name
}

// Add makes name stand for the field path. It does nothing when there are too many (254) names, or the name is known already.
func (n *Names) Add(name, path string, role Role) {
	if _, ok := n.index[name]; ok || len(n.list) == 254 {
		return
	}
	if n.index == nil {
		n.index = map[string]uint8{}
	}
	f := Name{Path: path, Role: role, Class: FieldOf([]byte(path))}
	f.Key, f.Known = KeyOf([]byte(path))
	f.Own, f.Owns = KeyOf([]byte(name))
	n.list = append(n.list, f)
	n.index[name] = uint8(len(n.list))
}

// Find returns what a name stands for, nil when it is none of these.
func (n *Names) Find(name string) *Name {
	if i := n.index[name]; i != 0 {
		return &n.list[i-1]
	}
	return nil
}

// accepts returns the kinds of values that a top-level member may have without being noted, and the number of its name when it is
// a foreign one, which is always noted.
func (n *Names) accepts(key []byte) (Kinds, uint8) {
	if n != nil {
		if i := n.index[string(key)]; i != 0 {
			return 0, i
		}
	}
	if string(key) == "@timestamp" { // whoever needs it looks at it anyway
		return anyKind, 0
	}
	class := FieldOf(key)
	if class == Unknown && BelowLeaf(key) {
		return nullKind, 0
	}
	return class.accepted(), 0
}

// BelowLeaf reports whether a dotted path leads into a field that is no object.
func BelowLeaf(path []byte) bool {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' {
			switch FieldOf(path[:i]) {
			case Text, Number, Date, Address, Alias:
				return true
			case Unknown:
			default:
				return false
			}
		}
	}
	return false
}

// Note is a top-level member that needs a closer look: it has a foreign name, or a value that its field may not take.
type Note struct {
	// Start is the quote before the key. The member ends with its value.
	Start      uint32
	Key, Value Span
	name       uint8
}

// maxNotes bounds the notes of a line; members behind them stay as they are.
const maxNotes = 256

func (l *Line) note(n Note) {
	if len(l.notes) < maxNotes {
		l.notes = append(l.notes, n)
	}
}

// UseNames sets the foreign names for the lines to come. It must be called before the first Scan.
func (l *Line) UseNames(n *Names) { l.names = n }

// Notes returns the notes of the line in the order of the members. The caller may change the list.
func (l *Line) Notes() *[]Note { return &l.notes }

// NameOf returns the foreign name that a note is about, nil when it is about a value.
func (l *Line) NameOf(n *Note) *Name {
	if n.name == 0 {
		return nil
	}
	return &l.names.list[n.name-1]
}

// LoneSurrogate reports whether half of a surrogate pair stands alone in a string, which many parsers refuse.
func (l *Line) LoneSurrogate() bool { return l.lone }

// Adopt makes the value at a span the value of the key.
func (l *Line) Adopt(k Key, s Span) {
	l.spans[k] = s
	l.present |= 1 << k
}

// Forget makes the line one that does not have the key.
func (l *Line) Forget(k Key) { l.present &^= 1 << k }

// Span returns where the value of a key is that the line has.
func (l *Line) Span(k Key) Span { return l.spans[k] }

// Members returns the first top-level keys of the line, without their quotes.
func (l *Line) Members() []Span { return l.members[:min(l.count, memberLimit)] }

// IsNumber reports whether text is a JSON number.
func IsNumber(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	end, ok := number(text, 0)
	return ok && end == len(text)
}
