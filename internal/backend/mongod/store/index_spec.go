package store

import (
	"errors"
	"math"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

// Names lists the fields of an index specification.
func Names() []registry.Name { return indexOptions().Names() }

// indexOptions lists them; what they do is in parse and check.
func indexOptions() registry.Table[struct{}] {
	return registry.Table[struct{}]{Kind: "index option", Entries: []registry.Entry[struct{}]{
		{Name: "key"},
		{Name: "name"},
		{Name: "unique"},
		{Name: "sparse"},
		{Name: "partialFilterExpression", Note: "used when the filter of a query names each of its conditions, or a value that fulfils it"},
		{Name: "expireAfterSeconds", Note: "the sweeper runs once a minute"},
	}}
}

// parseIndex reads one index specification; an error names it, as MongoDB does.
func parseIndex(spec raw.Document, ask registry.Ask) (*index, error) {
	ix := &index{}
	shown := spec
	err := ix.parse(spec, ask)
	if err == nil {
		shown = spec.With("v", raw.Int32(2))
		err = ix.check(spec, ask)
	}
	var known *fault.Error
	if errors.As(err, &known) && known.Code != fault.NotImplemented && !known.Whole {
		return nil, fault.New(known.Code, "Error in specification %s :: caused by :: %s", shown, known.Message)
	}
	return ix, err
}

func (ix *index) parse(spec raw.Document, ask registry.Ask) error {
	for _, f := range raw.Fields(spec) {
		if indexOptions().Find(f.Name, ask) == nil {
			return fault.New(fault.InvalidIndexOption, "The field '%s' is not valid for an index specification. Specification: %s", f.Name, spec)
		}
	}
	for _, name := range []string{"key", "name"} {
		if spec.Get(name).Missing() {
			return fault.New(fault.FailedToParse, "The '%s' field is a required property of an index specification", name)
		}
	}
	if err := checkIndexTypes(spec); err != nil {
		return err
	}
	ix.key, ix.name = spec.Get("key").Document().Clone(), spec.Get("name").Text()
	ix.unique, ix.sparse = spec.Get("unique").Truthy(), spec.Get("sparse").Truthy()
	if err := checkIndexKey(ix.key); err != nil {
		return err
	}
	if strings.Contains(ix.name, "\x00") || ix.name == "*" {
		err := fault.New(fault.BadValue, "The index name '%s' is not valid.", ix.name)
		err.Whole = true
		return err
	}
	ix.fields = indexFields(ix.key)
	if err := ix.checkIDIndex(spec); err != nil {
		return err
	}
	return ix.parseExpiry(spec.Get("expireAfterSeconds"))
}

// check is the second look that MongoDB takes at a specification, after it has added the version.
func (ix *index) check(spec raw.Document, ask registry.Ask) error {
	if ix.name == "" {
		return fault.New(fault.CannotCreateIndex, "index name cannot be empty")
	}
	var partial raw.Document
	if p := spec.Get("partialFilterExpression"); p.Kind == raw.KindDocument {
		partial = p.Document()
	}
	return ix.parsePartial(partial, ask)
}

func checkIndexTypes(spec raw.Document) error {
	for _, f := range raw.Fields(spec) {
		switch f.Name {
		case "key", "partialFilterExpression":
			if f.Value.Kind != raw.KindDocument {
				return fault.New(fault.TypeMismatch, "The field '%s' must be an object, but got %s", f.Name, raw.KindName(f.Value.Kind))
			}
		case "name":
			if f.Value.Kind != raw.KindString {
				return fault.New(fault.TypeMismatch, "The field 'name' must be a string, but got %s", raw.KindName(f.Value.Kind))
			}
		case "unique", "sparse":
			if f.Value.Kind != raw.KindBool && !f.Value.Numeric() {
				return fault.New(fault.TypeMismatch, "The field '%s has value %s: %s, which is not convertible to bool", f.Name, f.Name, f.Value)
			}
		}
	}
	return nil
}

func (ix *index) isIDIndex() bool { return len(ix.fields) == 1 && ix.fields[0].name == "_id" }

// checkIDIndex refuses what the index on _id cannot be.
func (ix *index) checkIDIndex(spec raw.Document) error {
	if !ix.isIDIndex() {
		return nil
	}
	var err *fault.Error
	switch {
	case raw.CompareDocuments(ix.key, idIndexSpec().Get("key").Document(), true) != 0:
		err = fault.New(fault.BadValue, "The field 'key' for an _id index must be {_id: 1}, but got %s", ix.key)
	default:
		for _, name := range []string{"unique", "sparse", "partialFilterExpression", "expireAfterSeconds"} {
			if !spec.Get(name).Missing() {
				err = fault.New(fault.InvalidIndexOption,
					"The field '%s' is not valid for an _id index specification. Specification: %s", name, spec.With("v", raw.Int32(2)))
				break
			}
		}
	}
	if err == nil {
		return nil
	}
	err.Whole = true
	return err
}

func (ix *index) parsePartial(partial raw.Document, ask registry.Ask) error {
	if partial == nil {
		return nil
	}
	if ix.sparse {
		return fault.New(fault.CannotCreateIndex, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
	}
	own := partial.Clone()
	f, err := query.Parse(own, ask)
	if err != nil {
		return err
	}
	ix.partialDoc, ix.partial = own, f
	return checkPartial(f)
}

func checkIndexKey(key raw.Document) error {
	if key.Empty() {
		return fault.New(fault.CannotCreateIndex, "Index keys cannot be empty.")
	}
	r := key.Reader()
	for {
		name, v, ok := r.Next()
		if !ok {
			return nil
		}
		field := string(name)
		for _, part := range query.SplitPath(field) {
			if part == "" {
				if field == "" {
					return fault.New(fault.CannotCreateIndex, "Index keys cannot be an empty field.")
				}
				return fault.New(fault.CannotCreateIndex, "Index keys cannot contain an empty field.")
			}
			if strings.HasPrefix(part, "$") {
				return fault.New(fault.CannotCreateIndex, "Index key contains an illegal field name: field name starts with '$'.")
			}
			if _, numeric := query.ArrayIndex(part); numeric || part == "$**" {
				return fault.Unsupported("the index key '%s'", field)
			}
		}
		switch {
		case v.Kind == raw.KindString:
			return fault.New(fault.CannotCreateIndex, "Unknown index plugin '%s'", v.Text())
		case !v.Numeric():
			return fault.New(fault.CannotCreateIndex,
				"Values in v:2 index key pattern cannot be of type %s. Only numbers > 0, numbers < 0, and strings are allowed.", raw.KindName(v.Kind))
		case raw.CompareNumbers(v, raw.Int32(0)) == 0:
			return fault.New(fault.CannotCreateIndex, "Values in the index key pattern cannot be 0.")
		}
	}
}

func (ix *index) parseExpiry(v raw.Value) error {
	if v.Missing() {
		return nil
	}
	n, whole := v.WholeNumber()
	switch {
	case !v.Numeric():
		return fault.New(fault.CannotCreateIndex,
			"TTL index 'expireAfterSeconds' option must be numeric, but received a type of '%s'", raw.KindName(v.Kind))
	case !whole || n < 0 || n > math.MaxInt32:
		return fault.New(fault.CannotCreateIndex,
			"TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %s", v)
	case len(ix.fields) > 1 || ix.fields[0].name == "_id":
		return fault.New(fault.CannotCreateIndex, "TTL indexes are single-field indexes, compound indexes do not support TTL.")
	}
	ix.expire = raw.Int32(int32(n))
	return nil
}

// checkPartial allows the operators that MongoDB allows in a partialFilterExpression.
func checkPartial(f *query.Filter) error {
	switch f.Op {
	case query.Not, query.ElemDocument, query.ElemValue:
		return fault.New(fault.CannotCreateIndex, "Expression not supported in partial index")
	}
	for _, sub := range f.Subs {
		if err := checkPartial(sub); err != nil {
			return err
		}
	}
	return nil
}
