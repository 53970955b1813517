package mongod

import (
	"fmt"
	"strings"
)

// The stages that turn each document into others.

func parseProjectStage(name string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(15969, "$project specification must be an object")
	}
	p, err := parseProject(v.document())
	if err != nil {
		return stage{}, invalidStage(name, err)
	}
	return each(p.apply), nil
}

func parseAddFieldsStage(name string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(40272, "%s specification stage must be an object, got %s", name, kindName(v.kind))
	}
	p, err := parseAddFields(v.document())
	if err != nil {
		return stage{}, invalidStage(name, err)
	}
	return each(p.apply), nil
}

func parseUnsetStage(name string, v value) (stage, error) {
	names := []value{v}
	switch v.kind {
	case kindString:
	case kindArray:
		if names = v.elements(); len(names) == 0 {
			return stage{}, failure(31119, "$unset specification must be a string or an array with at least one field")
		}
	default:
		return stage{}, failure(31002, "$unset specification must be a string or an array")
	}
	spec := newDocument()
	for _, n := range names {
		if n.kind != kindString {
			return stage{}, failure(31120, "$unset specification must be a string or an array containing only string values")
		}
		if err := checkFieldPath(n.text()); err != nil {
			return stage{}, invalidStage(name, err)
		}
		spec.bool(n.text(), false)
	}
	p, err := parseProject(spec.done())
	if err != nil {
		return stage{}, invalidStage(name, err)
	}
	return each(p.apply), nil
}

// unwinding is a parsed $unwind.
type unwinding struct {
	path, index []string
	preserve    bool
}

func parseUnwindStage(_ string, v value) (stage, error) {
	u := &unwinding{}
	path := v
	switch v.kind {
	case kindString:
	case kindDocument:
		path = value{}
		for _, f := range documentFields(v.document()) {
			switch f.name {
			case "path":
				path = f.value
				if path.kind != kindString {
					return stage{}, failure(28808, "expected a string as the path for $unwind stage, got %s", kindName(path.kind))
				}
			case "includeArrayIndex":
				if f.value.stringOr("") == "" {
					return stage{}, failure(28810, "expected a non-empty string for the includeArrayIndex  option to $unwind stage, got %s", kindName(f.value.kind))
				}
				if strings.HasPrefix(f.value.text(), "$") {
					return stage{}, failure(28822, "includeArrayIndex option to $unwind stage should not be prefixed with a '$': %s", f.value.text())
				}
				var err error
				if u.index, err = fieldPath(f.value.text()); err != nil {
					return stage{}, err
				}
			case "preserveNullAndEmptyArrays":
				if f.value.kind != kindBool {
					return stage{}, failure(28809, "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got %s", kindName(f.value.kind))
				}
				u.preserve = f.value.truthy()
			default:
				return stage{}, failure(28811, "unrecognized option to $unwind stage: %s", f.name)
			}
		}
	default:
		return stage{}, failure(15981, "expected either a string or an object as specification for $unwind stage, got %s", kindName(v.kind))
	}
	if path.stringOr("") == "" {
		return stage{}, failure(28812, "no path specified to $unwind stage")
	}
	name, ok := strings.CutPrefix(path.text(), "$")
	if !ok {
		return stage{}, failure(28818, "path option to $unwind stage should be prefixed with a '$': %s", path.text())
	}
	var err error
	if u.path, err = fieldPath(name); err != nil {
		return stage{}, err
	}
	return stage{run: func(_ *pipelineRun, in documents) documents {
		return func(yield func(document, error) bool) {
			for d, err := range in {
				if err != nil {
					yield(nil, err)
					return
				}
				if !u.each(d, yield) {
					return
				}
			}
		}
	}}, nil
}

// each yields one document per element; something that is no array counts as its only element.
func (u *unwinding) each(d document, yield func(document, error) bool) bool {
	v := lookupPath(d, u.path)
	elements := v.elements()
	switch {
	case v.kind != kindArray && !isNull(v):
		return yield(setPath(d, u.index, nullValue()), nil)
	case len(elements) == 0:
		if !u.preserve {
			return true
		}
		if v.kind == kindArray {
			d = setPath(d, u.path, value{})
		}
		return yield(setPath(d, u.index, nullValue()), nil)
	}
	for i, el := range elements {
		out := setPath(setPath(d, u.path, el), u.index, int64Value(int64(i)))
		if !yield(out, nil) {
			return false
		}
	}
	return true
}

// setPath sets or, with a missing value, removes the field at a path of documents; documents that are not there are made.
func setPath(d document, path []string, v value) document {
	if len(path) == 0 {
		return d
	}
	if len(path) == 1 {
		return d.with(path[0], v)
	}
	inner := emptyDocument()
	if old := d.get(path[0]); old.kind == kindDocument {
		inner = old.document()
	} else if v.missing() {
		return d
	}
	return d.with(path[0], documentValue(setPath(inner, path[1:], v)))
}

func parseReplaceRootStage(name string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(40229, "expected an object as specification for %s stage, got %s", name, kindName(v.kind))
	}
	for _, f := range documentFields(v.document()) {
		if f.name != "newRoot" {
			return stage{}, failure(codeUnknownField, "BSON field '%s.%s' is an unknown field.", name, f.name)
		}
	}
	root := v.document().get("newRoot")
	if root.missing() {
		return stage{}, missingField(name, "newRoot")
	}
	return replacement("'newRoot' expression ", root)
}

func parseReplaceWithStage(_ string, v value) (stage, error) {
	return replacement("'replacement document' ", v)
}

func replacement(what string, v value) (stage, error) {
	e, err := newExprParser().parse(v)
	if err != nil {
		return stage{}, err
	}
	return each(func(d document) (document, error) {
		root, err := e(newScope(d))
		if err != nil {
			return nil, err
		}
		if root.kind != kindDocument {
			text := root.String()
			if root.missing() {
				text = "MISSING"
			}
			return nil, failure(40228, "%s must evaluate to an object, but resulting value was: %s. Type of resulting value: '%s'. Input document: %s", what, text, kindName(root.kind), compactDocument(d))
		}
		return root.document(), nil
	}), nil
}

// compactDocument renders a document without spaces inside the braces.
func compactDocument(d document) string {
	parts := []string{}
	for _, f := range documentFields(d) {
		parts = append(parts, fmt.Sprintf("%s: %s", f.name, f.value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
