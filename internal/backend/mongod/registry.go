package mongod

// entry is one name of a registry and how it is parsed. A registry is the list from which names are looked up, and from which the
// table in docs/mongod.md is checked. A name that is not in it is answered with MongoDB's error for an unknown one.
type entry[P any] struct {
	name  string
	parse P
	note  string // how it differs from MongoDB, "" when it does not
}

// lookup returns the entry with the name, or nil.
func lookup[P any](entries []entry[P], name string) *entry[P] {
	for i := range entries {
		if entries[i].name == name {
			return &entries[i]
		}
	}
	return nil
}
