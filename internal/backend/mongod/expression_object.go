package mongod

import "strings"

func evalArrayToObject(name string, args []value) (value, error) {
	if args[0].kind != kindArray {
		return value{}, failure(40386, "%s requires an array input, found: %s", name, kindName(args[0].kind))
	}
	out := emptyDocument()
	for _, el := range args[0].elements() {
		var key, v value
		switch {
		case el.kind == kindDocument:
			if len(documentFields(el.document())) != 2 {
				return value{}, failure(40392, "%s requires an object keys of 'k' and 'v'. Found incorrect number of keys:%d", name, len(documentFields(el.document())))
			}
			key, v = el.document().get("k"), el.document().get("v")
			if key.missing() || v.missing() {
				return value{}, failure(40393, "%s requires an object with keys 'k' and 'v'. Missing either or both keys from: %s", name, el)
			}
		case el.kind == kindArray:
			pair := el.elements()
			if len(pair) != 2 {
				return value{}, failure(40397, "%s requires an array of size 2 arrays,found array of size: %d", name, len(pair))
			}
			key, v = pair[0], pair[1]
		default:
			return value{}, failure(40398, "Unrecognised input type format for %s: %s", name, kindName(el.kind))
		}
		if key.kind != kindString {
			code := 40395
			if el.kind == kindDocument {
				code = 40394
			}
			return value{}, failure(code, "%s requires an array of key-value pairs, where the key must be of type string. Found key type: %s", name, kindName(key.kind))
		}
		if strings.Contains(key.text(), "\x00") {
			return value{}, failure(4940400, "Key field cannot contain an embedded null byte")
		}
		out = out.with(key.text(), v)
	}
	return documentValue(out), nil
}

func evalObjectToArray(name string, args []value) (value, error) {
	if args[0].kind != kindDocument {
		return value{}, failure(40390, "%s requires a document input, found: %s", name, kindName(args[0].kind))
	}
	var out []document
	for _, f := range documentFields(args[0].document()) {
		out = append(out, newDocument().str("k", f.name).add("v", f.value).done())
	}
	return documentArray(out), nil
}

func evalMergeObjects(name string, args []value) (value, error) {
	if len(args) == 1 && args[0].kind == kindArray {
		args = args[0].elements()
	}
	out := emptyDocument()
	for _, v := range args {
		if isNull(v) {
			continue
		}
		if v.kind != kindDocument {
			return value{}, failure(40400, "%s requires object inputs, but input %s is of type %s", name, v, kindName(v.kind))
		}
		for _, f := range documentFields(v.document()) {
			out = out.with(f.name, f.value)
		}
	}
	return documentValue(out), nil
}

func parseGetField(p exprParser, name string, arg value) (expression, error) {
	fieldArg, input := arg, stringValue("$$CURRENT")
	if arg.kind == kindDocument && !isOperators(arg) {
		for _, f := range documentFields(arg.document()) {
			if f.name != "field" && f.name != "input" {
				return nil, failure(3041701, "%s found an unknown argument: %s", name, f.name)
			}
		}
		fieldArg, input = arg.document().get("field"), arg.document().get("input")
		if fieldArg.missing() {
			return nil, failure(3041702, "%s requires 'field' to be specified", name)
		}
		if input.missing() {
			return nil, failure(3041703, "%s requires 'input' to be specified", name)
		}
	}
	key, err := p.parse(fieldArg)
	if err != nil {
		return nil, err
	}
	from, err := p.parse(input)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		k, err := key(s)
		if err != nil {
			return value{}, err
		}
		if k.kind != kindString {
			return value{}, failure(3041704, "%s requires 'field' to evaluate to type String, but got %s", name, kindName(k.kind))
		}
		in, err := from(s)
		switch {
		case err != nil || in.missing():
			return value{}, err
		case isNull(in):
			return nullValue(), nil
		case in.kind != kindDocument:
			return value{}, nil
		}
		return in.document().get(k.text()), nil
	}, nil
}

// evalAccumulated is $sum, $avg, $min and $max over the arguments, or over the elements of the only one.
func evalAccumulated(name string, args []value) (value, error) {
	if len(args) == 1 && args[0].kind == kindArray {
		args = args[0].elements()
	}
	acc := lookup(accumulators(), name).parse()
	for _, v := range args {
		if err := acc.add(v); err != nil {
			return value{}, err
		}
	}
	return acc.result(), nil
}
