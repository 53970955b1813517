package mongod

// Name is one thing that the server has: a command, an operator, a stage, an accumulator, a modifier or an index option.
type Name struct {
	Kind, Name string
	Note       string // how it differs from MongoDB's, "" when it does not
}

// Names lists all that the server has, kind by kind.
func Names() []Name {
	var all []Name
	all = appendNames(all, commandTable())
	all = appendNames(all, fieldOperators())
	all = appendNames(all, logicalOperators())
	all = appendNames(all, updateOperators())
	all = appendNames(all, pushModifiers())
	all = appendNames(all, stages())
	all = appendNames(all, accumulators())
	return appendNames(all, indexOptions())
}

func appendNames[P any](all []Name, t table[P]) []Name {
	for _, e := range t.entries {
		all = append(all, Name{t.kind, e.name, e.note})
	}
	return all
}
