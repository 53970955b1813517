// Package registry has tables of names: what the server has of one kind, how each is parsed, and who is told that it was asked for.
//
// A table is the only place where a name stands. Dispatch, the documentation and the check of what is asked all read it. A name that is
// not in its table is answered with MongoDB's error for an unknown one, by the package that owns the table.
package registry

// Ask is told each name that is looked up and found, with its kind and as the client wrote it. It may be nil.
type Ask func(kind, name string)

// Table is the list of the names of one kind.
type Table[P any] struct {
	Kind    string // in the singular, as the documentation says it: "stage"
	Entries []Entry[P]
}

// Entry is one name and how it is parsed.
type Entry[P any] struct {
	Name  string
	Parse P
	Note  string // how it differs from MongoDB, "" when it does not
}

// Name is one entry without its parser.
type Name struct{ Kind, Name, Note string }

// Find returns the entry with the name, or nil, and tells ask.
func (t Table[P]) Find(name string, ask Ask) *Entry[P] {
	for i := range t.Entries {
		if t.Entries[i].Name == name {
			if ask != nil {
				ask(t.Kind, name)
			}
			return &t.Entries[i]
		}
	}
	return nil
}

// Names lists the table.
func (t Table[P]) Names() []Name {
	list := make([]Name, len(t.Entries))
	for i, e := range t.Entries {
		list[i] = Name{t.Kind, e.Name, e.Note}
	}
	return list
}
