package mongod

// askFunc is told each name that is looked up and found, with its kind ("stage") and as the client wrote it. It may be nil.
type askFunc func(kind, name string)

// table is the list of the names of one kind. A name that is not in it is answered with MongoDB's error for an unknown one.
type table[P any] struct {
	kind    string // in the singular, as the documentation says it
	entries []entry[P]
}

// entry is one name and how it is parsed.
type entry[P any] struct {
	name  string
	parse P
	note  string // how it differs from MongoDB, "" when it does not
}

// find returns the entry with the name, or nil, and tells ask.
func (t table[P]) find(name string, ask askFunc) *entry[P] {
	for i := range t.entries {
		if t.entries[i].name == name {
			if ask != nil {
				ask(t.kind, name)
			}
			return &t.entries[i]
		}
	}
	return nil
}
