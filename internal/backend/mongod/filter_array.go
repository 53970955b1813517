package mongod

func parseAll(leaf filter, v value) (*filter, error) {
	if v.kind != kindArray {
		return nil, failure(codeBadValue, "$all needs an array")
	}
	elements := v.elements()
	if len(elements) == 0 {
		return &filter{op: opOr}, nil // matches nothing
	}
	out := &filter{op: opAnd}
	onElements := func(el value) bool { return el.kind == kindDocument && el.document().firstName() == "$elemMatch" }
	for _, el := range elements {
		var sub *filter
		var err error
		switch {
		case onElements(elements[0]) && !onElements(el):
			err = failure(codeBadValue, "$all/$elemMatch has to be consistent")
		case onElements(el) && !onElements(elements[0]):
			err = failure(codeBadValue, "no $ expressions in $all")
		case el.kind == kindDocument && el.document().firstName() == "$elemMatch":
			sub, err = parseElemMatch(leaf, el.document().get("$elemMatch"))
		case isOperators(el):
			err = failure(codeBadValue, "no $ expressions in $all")
		case el.kind == kindRegex:
			pattern, options := el.regex()
			sub, err = leaf.regex(pattern, options, el)
		default:
			sub = leaf.as(opEqual, el)
		}
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, sub)
	}
	return out, nil
}

func parseElemMatch(leaf filter, v value) (*filter, error) {
	if v.kind != kindDocument {
		return nil, failure(codeBadValue, "$elemMatch needs an Object")
	}
	d := v.document()
	first := d.firstName()
	logical := first == "$and" || first == "$or" || first == "$nor"
	if isOperators(v) && !logical {
		sub, err := parseOperators(filter{}, d)
		if err != nil {
			return nil, err
		}
		out := leaf.as(opElemValue, v)
		out.subs = []*filter{sub}
		return out, nil
	}
	sub, err := parseFilter(d)
	if err != nil {
		return nil, err
	}
	out := leaf.as(opElemDocument, v)
	out.subs = []*filter{sub}
	return out, nil
}
