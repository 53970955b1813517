package mongod

import (
	"errors"
	"math"
	"strings"
)

// indexOptions lists the fields of an index specification; what they do is in parse and check.
func indexOptions() table[struct{}] {
	return table[struct{}]{"index option", []entry[struct{}]{
		{name: "key"},
		{name: "name"},
		{name: "unique"},
		{name: "sparse"},
		{name: "partialFilterExpression", note: "used when the filter of a query names each of its conditions, or a value that fulfils it"},
		{name: "expireAfterSeconds", note: "the sweeper runs once a minute"},
		{name: "v", note: "has no effect"},
	}}
}

// parseIndex reads one index specification; an error names it, as MongoDB does.
func parseIndex(spec document, ask askFunc) (*index, error) {
	ix := &index{}
	shown := spec
	err := ix.parse(spec, ask)
	if err == nil {
		shown = spec.with("v", int32Value(2))
		err = ix.check(spec, ask)
	}
	var known *commandError
	if errors.As(err, &known) && known.code != codeNotImplemented && !known.whole {
		return nil, failure(known.code, "Error in specification %s :: caused by :: %s", shown, known.message)
	}
	return ix, err
}

func (ix *index) parse(spec document, ask askFunc) error {
	for _, f := range documentFields(spec) {
		if indexOptions().find(f.name, ask) == nil {
			return failure(codeInvalidIndexOption, "The field '%s' is not valid for an index specification. Specification: %s", f.name, spec)
		}
	}
	for _, name := range []string{"key", "name"} {
		if spec.get(name).missing() {
			return failure(codeFailedToParse, "The '%s' field is a required property of an index specification", name)
		}
	}
	if err := checkIndexTypes(spec); err != nil {
		return err
	}
	ix.key, ix.name = spec.get("key").document().clone(), spec.get("name").text()
	ix.unique, ix.sparse = spec.get("unique").truthy(), spec.get("sparse").truthy()
	if err := checkIndexKey(ix.key); err != nil {
		return err
	}
	if strings.Contains(ix.name, "\x00") || ix.name == "*" {
		err := failure(codeBadValue, "The index name '%s' is not valid.", ix.name)
		err.whole = true
		return err
	}
	ix.fields = indexFields(ix.key)
	if err := ix.checkIDIndex(spec); err != nil {
		return err
	}
	return ix.parseExpiry(spec.get("expireAfterSeconds"))
}

// check is the second look that MongoDB takes at a specification, after it has added the version.
func (ix *index) check(spec document, ask askFunc) error {
	if ix.name == "" {
		return failure(codeCannotCreateIndex, "index name cannot be empty")
	}
	var partial document
	if p := spec.get("partialFilterExpression"); p.kind == kindDocument {
		partial = p.document()
	}
	return ix.parsePartial(partial, ask)
}

func checkIndexTypes(spec document) error {
	for _, f := range documentFields(spec) {
		switch f.name {
		case "key", "partialFilterExpression":
			if f.value.kind != kindDocument {
				return failure(codeTypeMismatch, "The field '%s' must be an object, but got %s", f.name, kindName(f.value.kind))
			}
		case "name":
			if f.value.kind != kindString {
				return failure(codeTypeMismatch, "The field 'name' must be a string, but got %s", kindName(f.value.kind))
			}
		case "unique", "sparse":
			if f.value.kind != kindBool && !f.value.numeric() {
				return failure(codeTypeMismatch, "The field '%s has value %s: %s, which is not convertible to bool", f.name, f.name, f.value)
			}
		}
	}
	return nil
}

func (ix *index) isIDIndex() bool { return len(ix.fields) == 1 && ix.fields[0].name == "_id" }

// checkIDIndex refuses what the index on _id cannot be.
func (ix *index) checkIDIndex(spec document) error {
	if !ix.isIDIndex() {
		return nil
	}
	var err *commandError
	switch {
	case compareDocuments(ix.key, idIndexSpec().get("key").document(), true) != 0:
		err = failure(codeBadValue, "The field 'key' for an _id index must be {_id: 1}, but got %s", ix.key)
	default:
		for _, name := range []string{"unique", "sparse", "partialFilterExpression", "expireAfterSeconds"} {
			if !spec.get(name).missing() {
				err = failure(codeInvalidIndexOption, "The field '%s' is not valid for an _id index specification. Specification: %s", name, spec.with("v", int32Value(2)))
				break
			}
		}
	}
	if err == nil {
		return nil
	}
	err.whole = true
	return err
}

func (ix *index) parsePartial(partial document, ask askFunc) error {
	if partial == nil {
		return nil
	}
	if ix.sparse {
		return failure(codeCannotCreateIndex, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
	}
	own := partial.clone()
	f, err := parseFilter(own, ask)
	if err != nil {
		return err
	}
	ix.partialDoc, ix.partial = own, f
	return checkPartial(f)
}

func checkIndexKey(key document) error {
	if key.empty() {
		return failure(codeCannotCreateIndex, "Index keys cannot be empty.")
	}
	r := key.reader()
	for {
		name, v, ok := r.next()
		if !ok {
			return nil
		}
		field := string(name)
		for _, part := range splitPath(field) {
			if part == "" {
				if field == "" {
					return failure(codeCannotCreateIndex, "Index keys cannot be an empty field.")
				}
				return failure(codeCannotCreateIndex, "Index keys cannot contain an empty field.")
			}
			if strings.HasPrefix(part, "$") {
				return failure(codeCannotCreateIndex, "Index key contains an illegal field name: field name starts with '$'.")
			}
			if _, numeric := arrayIndex(part); numeric || part == "$**" {
				return unsupported("the index key '%s'", field)
			}
		}
		switch {
		case v.kind == kindString:
			return failure(codeCannotCreateIndex, "Unknown index plugin '%s'", v.text())
		case !v.numeric():
			return failure(codeCannotCreateIndex, "Values in v:2 index key pattern cannot be of type %s. Only numbers > 0, numbers < 0, and strings are allowed.", kindName(v.kind))
		case compareNumbers(v, int32Value(0)) == 0:
			return failure(codeCannotCreateIndex, "Values in the index key pattern cannot be 0.")
		}
	}
}

func (ix *index) parseExpiry(v value) error {
	if v.missing() {
		return nil
	}
	n, whole := v.wholeNumber()
	switch {
	case !v.numeric():
		return failure(codeCannotCreateIndex, "TTL index 'expireAfterSeconds' option must be numeric, but received a type of '%s'", kindName(v.kind))
	case !whole || n < 0 || n > math.MaxInt32:
		return failure(codeCannotCreateIndex, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %s", v)
	case len(ix.fields) > 1 || ix.fields[0].name == "_id":
		return failure(codeCannotCreateIndex, "TTL indexes are single-field indexes, compound indexes do not support TTL.")
	}
	ix.expire = int32Value(int32(n))
	return nil
}

// checkPartial allows the operators that MongoDB allows in a partialFilterExpression.
func checkPartial(f *filter) error {
	switch f.op {
	case opNot, opElemDocument, opElemValue:
		return failure(codeCannotCreateIndex, "Expression not supported in partial index")
	}
	for _, sub := range f.subs {
		if err := checkPartial(sub); err != nil {
			return err
		}
	}
	return nil
}
