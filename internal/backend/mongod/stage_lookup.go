package mongod

import (
	"errors"
	"slices"
	"strings"
)

// joining is a parsed $lookup on equality.
type joining struct {
	from, foreign string
	local, as     []string
}

func parseLookupStage(name string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(codeFailedToParse, "the $lookup stage specification must be an object, but found %s", kindName(v.kind))
	}
	d := v.document()
	for _, f := range documentFields(d) {
		switch f.name {
		case "pipeline", "let":
			return stage{}, unsupported("$lookup with '%s'", f.name)
		case "from", "localField", "foreignField", "as":
			if f.value.kind != kindString {
				return stage{}, wrongType(name, f.name, f.value, "string")
			}
		default:
			return stage{}, failure(codeUnknownField, "BSON field '%s.%s' is an unknown field.", name, f.name)
		}
	}
	switch {
	case d.get("as").missing():
		return stage{}, missingField(name, "as")
	case d.get("from").missing():
		return stage{}, failure(codeFailedToParse, "must specify 'pipeline' when 'from' is empty")
	case d.get("localField").missing() || d.get("foreignField").missing():
		return stage{}, failure(codeFailedToParse, "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified")
	}
	if strings.HasPrefix(d.get("from").text(), "system.") { // users are not for joining
		return stage{}, failure(codeUnauthorized, "not authorized to read %s in $lookup", d.get("from").text())
	}
	j := &joining{from: d.get("from").text(), foreign: d.get("foreignField").text()}
	for _, part := range []string{"localField", "foreignField", "as"} {
		path, err := fieldPath(d.get(part).text())
		if err != nil {
			return stage{}, err
		}
		switch part {
		case "localField":
			j.local = path
		case "as":
			j.as = path
		}
	}
	return stage{run: func(r *pipelineRun, in documents) documents {
		return func(yield func(document, error) bool) {
			for d, err := range in {
				if err == nil {
					d, err = j.join(r, d)
				}
				if !yield(d, err) || err != nil {
					return
				}
			}
		}
	}}, nil
}

// join adds the array of the foreign documents whose field equals the local value or one of its elements. A missing local value is null.
func (j *joining) join(r *pipelineRun, d document) (document, error) {
	ns, err := namespace(r.db, j.from)
	if err != nil {
		return nil, err
	}
	leaf := filter{name: j.foreign, path: splitPath(j.foreign)}
	local := evalPath(d, j.local)
	f := leaf.as(opEqual, orNull(local))
	if local.kind == kindArray {
		f = leaf.as(opIn, local)
		f.list = local.elements()
	}
	var found []document
	c, err := r.store.openCollection(r.tx, ns)
	if err != nil {
		return nil, err
	}
	if c != nil {
		sel := selection{filter: &filter{op: opAnd, subs: []*filter{f}, source: newDocument().str(j.foreign, "").done()}}
		if found, err = r.find(c, sel); err != nil {
			return nil, err
		}
	}
	return setPath(d, j.as, documentArray(found)), nil
}

// find returns the documents of another collection that a filter accepts.
func (r *pipelineRun) find(c *collTx, sel selection) ([]document, error) {
	p, err := choosePlan(c.coll, sel)
	if err != nil {
		return nil, err
	}
	var found []document
	size := 0
	sc := newScan(p, r.work)
	_, err = sc.each(c, sel.filter.only(func(_ []byte, d document) (bool, error) {
		if size += len(d); size > maxDocumentSize {
			return false, failure(4568, "Total size of documents in %s matching pipeline's $lookup stage exceeds %d bytes", c.ns, maxDocumentSize)
		}
		found = append(found, d.clone())
		return true, nil
	}))
	sc.report(c.ns, sel.filter, int64(len(found)))
	return found, err
}

// facet is one named pipeline of a $facet.
type facet struct {
	name   string
	stages []stage
}

func parseFacetStage(_ string, v value) (stage, error) {
	if v.kind != kindDocument || v.document().empty() {
		return stage{}, failure(40169, "the $facet specification must be a non-empty object, but found: $facet: %s", v)
	}
	var facets []facet
	for _, f := range documentFields(v.document()) {
		if err := checkFacetName(f.name); err != nil {
			return stage{}, err
		}
		if f.value.kind != kindArray {
			return stage{}, failure(40170, "arguments to $facet must be arrays, %s is type %s", f.name, kindName(f.value.kind))
		}
		var docs []document
		for _, el := range f.value.elements() {
			if el.kind != kindDocument {
				return stage{}, failure(40171, "elements of arrays in $facet spec must be non-empty objects, %s argument contained an element of type %s: %s", f.name, kindName(el.kind), el)
			}
			if name := el.document().firstName(); name == "$facet" {
				return stage{}, failure(40600, "%s is not allowed to be used within a $facet stage", name)
			}
			docs = append(docs, el.document())
		}
		list, err := parsePipeline(docs)
		if err != nil {
			return stage{}, err
		}
		facets = append(facets, facet{f.name, list})
	}
	return whole(func(r *pipelineRun, in documents) ([]document, error) { return runFacets(r, facets, in) }), nil
}

func checkFacetName(name string) error {
	_, err := fieldPath(name)
	var known *commandError
	if errors.As(err, &known) {
		return failure(known.code, "$facet pipeline names must follow the naming rules of field path expressions. :: caused by :: %s", known.message)
	}
	if slices.Contains([]byte(name), '.') {
		return failure(16412, "$facet pipeline names must follow the naming rules of field path expressions. :: caused by :: FieldPath field names may not contain '.', given '%s'.", name)
	}
	return nil
}

func runFacets(r *pipelineRun, facets []facet, in documents) ([]document, error) {
	input, err := r.collect(in, "$facet")
	if err != nil {
		return nil, err
	}
	source := documents(func(yield func(document, error) bool) {
		for _, d := range input {
			if !yield(d, nil) {
				return
			}
		}
	})
	b := newDocument()
	for _, f := range facets {
		out, err := r.collect(r.through(f.stages, source), "$facet")
		if err != nil {
			return nil, err
		}
		b.add(f.name, documentArray(out))
	}
	d := b.done()
	if len(d) > maxDocumentSize {
		return nil, failure(17419, "the document that $facet makes is larger than %d bytes", maxDocumentSize)
	}
	return []document{d}, nil
}
