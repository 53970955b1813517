package mongod

import (
	"errors"
	"math"
	"slices"
	"strings"
)

// parseIndex reads one index specification; an error names it, as MongoDB does.
func (q *request) parseIndex(spec document) (*index, error) {
	ix := &index{}
	err := ix.parse(spec)
	var known *commandError
	if errors.As(err, &known) && known.code != codeNotImplemented && known.code != codeTypeMismatch {
		return nil, failure(known.code, "Error in specification %s :: caused by :: %s", spec, known.message)
	}
	return ix, err
}

func (ix *index) parse(spec document) error {
	r := spec.reader()
	for {
		name, _, ok := r.next()
		if !ok {
			break
		}
		switch string(name) {
		case "key", "name", "unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "v", "background", "ns":
		case "collation", "hidden", "weights", "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion",
			"bits", "min", "max", "wildcardProjection", "storageEngine", "prepareUnique", "clustered":
			return unsupported("index option '%s'", name)
		default:
			return failure(codeInvalidIndexOption, "The field '%s' is not valid for an index specification. Specification: %s", name, spec)
		}
	}
	for _, name := range []string{"key", "name"} {
		if spec.get(name).missing() {
			return failure(codeFailedToParse, "The '%s' field is a required property of an index specification", name)
		}
	}
	a := &fieldsOf{where: "createIndexes.indexes", doc: spec}
	ix.key, ix.name = a.required("key").clone(), a.string("name")
	ix.unique, ix.sparse = a.bool("unique", false), a.bool("sparse", false)
	partial := a.document("partialFilterExpression")
	if a.err != nil {
		return a.err
	}
	if err := checkIndexKey(ix.key); err != nil {
		return err
	}
	if ix.name == "" {
		return failure(codeCannotCreateIndex, "index name cannot be empty")
	}
	if strings.Contains(ix.name, "\x00") || ix.name == "*" {
		return failure(codeBadValue, "The index name '%s' is not valid.", ix.name)
	}
	ix.fields = indexFields(ix.key)
	if err := ix.parseExpiry(spec.get("expireAfterSeconds")); err != nil {
		return err
	}
	return ix.parsePartial(partial)
}

func (ix *index) parsePartial(partial document) error {
	if partial == nil {
		return nil
	}
	if ix.sparse {
		return failure(codeCannotCreateIndex, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
	}
	own := partial.clone()
	f, err := parseFilter(own)
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
			if slices.Contains([]string{"text", "2dsphere", "2d", "hashed", "wildcard", "geoHaystack"}, v.text()) {
				return unsupported("an index of type %s", v.text())
			}
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
	case opNot, opRegex, opSize, opElemDocument, opElemValue:
		return failure(codeCannotCreateIndex, "Expression not supported in partial index")
	}
	for _, sub := range f.subs {
		if err := checkPartial(sub); err != nil {
			return err
		}
	}
	return nil
}
