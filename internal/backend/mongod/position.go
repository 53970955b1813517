package mongod

// position returns the index of the array element by which the document matches the query: of the first array on the path of the
// condition. With several conditions on arrays the last one counts, as in MongoDB.
func (f *filter) position(d document) (int, bool) {
	at, found := 0, false
	switch f.op {
	case opAnd:
		for _, s := range f.subs {
			if i, ok := s.position(d); ok {
				at, found = i, true
			}
		}
		return at, found
	case opOr:
		if len(f.subs) == 1 {
			return f.subs[0].position(d)
		}
		return 0, false
	case opNot, opExpr:
		return 0, false
	default:
		return f.leafPosition(d, f.path)
	}
}

func (f *filter) leafPosition(d document, path []string) (int, bool) {
	v := d.get(path[0])
	switch {
	case v.kind == kindDocument && len(path) > 1:
		return f.leafPosition(v.document(), path[1:])
	case v.kind != kindArray:
		return 0, false
	}
	for i, el := range v.elements() {
		switch {
		case len(path) == 1 && (f.op == opElemDocument || f.op == opElemValue):
			if f.testElement(el) {
				return i, true
			}
		case len(path) == 1:
			if f.expandsArrays() && f.test(el) {
				return i, true
			}
		case el.kind == kindDocument && walk(el.document(), path[1:], f.expandsArrays(), f.test):
			return i, true
		}
	}
	return 0, false
}
