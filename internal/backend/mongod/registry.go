package mongod

// entry is one name of a registry: how it is parsed, or the answer to every use of it. A registry is the list from which names are
// looked up, and from which the table in docs/mongod.md is checked.
type entry[P any] struct {
	name    string
	parse   P
	refused *commandError // what every use is answered with; parse is not called then
	note    string        // how it differs from MongoDB, "" when it does not
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

// refusals makes entries for names that MongoDB knows and this server does not.
func refusals[P any](what string, names ...string) []entry[P] {
	out := make([]entry[P], len(names))
	for i, name := range names {
		out[i] = entry[P]{name: name, refused: unsupported("%s %s", what, name)}
	}
	return out
}
