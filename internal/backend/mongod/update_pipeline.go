package mongod

// parsePipelineUpdate reads an update that is a pipeline; only stages that turn one document into one are allowed.
func parsePipelineUpdate(v value) (*update, error) {
	u := &update{pipeline: []stage{}}
	for _, el := range v.elements() {
		if el.kind != kindDocument {
			return nil, failure(codeTypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
		st, err := parseStage(el.document())
		if err != nil {
			return nil, err
		}
		switch st.name {
		case "$set", "$addFields", "$unset", "$project", "$replaceRoot", "$replaceWith":
		default:
			return nil, failure(codeInvalidOptions, "%s is not allowed to be used within an update", st.name)
		}
		u.pipeline = append(u.pipeline, st)
	}
	return u, nil
}

// runPipeline returns the document that comes out of the pipeline, which must keep its _id.
func (u *update) runPipeline(d document, id value) (document, error) {
	in := documents(func(yield func(document, error) bool) { yield(d, nil) })
	for out, err := range (&pipelineRun{}).through(u.pipeline, in) {
		if err != nil {
			return nil, err
		}
		d = out
	}
	if id.missing() {
		return d, nil
	}
	after := d.get("_id")
	if !after.missing() && !sameValue(after, id) {
		return nil, failure(codeImmutableField, "After applying the update, the (immutable) field '_id' was found to have been altered to _id: %s", after)
	}
	return d.withIDFirst(id), nil
}
