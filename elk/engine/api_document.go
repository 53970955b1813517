package engine

import (
	"encoding/json"
	"strings"

	"kreislauf/elk/engine/internal/eserr"
	"kreislauf/elk/engine/internal/hits"
)

func (a *api) addDocument(r *request) (int, any, error) {
	action := "index"
	a.mu.RLock()
	_, isStream := a.streams[r.vars["index"]]
	a.mu.RUnlock()
	if made, err := a.wouldBeStream(r.vars["index"]); err == nil && made || isStream {
		action = "create" // a document without an id is always new
	}
	return a.single(r, &bulkItem{action: action, index: r.vars["index"]})
}

func (a *api) wouldBeStream(name string) (bool, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.indices[name] != nil {
		return false, nil
	}
	_, t, err := a.matchTemplate(name)
	return t != nil && t.stream, err
}

func (a *api) createDocument(r *request) (int, any, error) {
	return a.single(r, &bulkItem{action: "create", index: r.vars["index"], id: r.vars["id"]})
}

func (a *api) putDocument(r *request) (int, any, error) {
	action := "index"
	switch v := r.args["op_type"]; v {
	case "", "index":
	case "create":
		action = "create"
	default:
		return 0, nil, eserr.IllegalArgument("opType must be 'create' or 'index', found: [%s]", v)
	}
	return a.single(r, &bulkItem{action: action, index: r.vars["index"], id: r.vars["id"]})
}

func (a *api) deleteDocument(r *request) (int, any, error) {
	return a.single(r, &bulkItem{action: "delete", index: r.vars["index"], id: r.vars["id"]})
}

// single carries out one item as a request of its own.
func (a *api) single(r *request, it *bulkItem) (int, any, error) {
	if err := checkWriteArgs(r); err != nil {
		return 0, nil, err
	}
	if len(it.id) > maxID {
		return 0, nil, eserr.Validation("id is too long, must be no longer than 512 bytes")
	}
	it.source = r.body
	if it.action != "delete" && len(r.body) == 0 {
		return 0, nil, eserr.New(400, "parse_exception", "request body is required")
	}
	a.runItems([]*bulkItem{it})
	if it.err != nil {
		return 0, nil, it.err
	}
	status := it.result["status"].(int)
	delete(it.result, "status")
	return status, it.result, nil
}

func (a *api) getDocument(r *request) (int, any, error) {
	name, id := r.vars["index"], r.vars["id"]
	a.mu.RLock()
	x := a.indices[name]
	a.mu.RUnlock()
	if x == nil {
		// As in Elasticsearch, a document of a data stream is found by its backing index or by a search.
		return 0, nil, eserr.IndexNotFound(name)
	}
	src, found, err := x.store.Get(id)
	if err != nil {
		return 0, nil, err
	}
	out := map[string]any{"_index": x.file.Name, "_id": id, "found": found}
	if !found {
		return 404, out, nil
	}
	out["_version"], out["_primary_term"] = 1, 1
	var spec hits.Spec
	sourceArgs(r, &spec)
	filtered, show, err := spec.FilterSource(src)
	if err != nil {
		return 0, nil, err
	}
	if show {
		out["_source"] = json.RawMessage(filtered)
	}
	return 200, out, nil
}

// sourceArgs reads the parameters that filter _source.
func sourceArgs(r *request, spec *hits.Spec) {
	for _, name := range []string{"_source", "_source_includes"} {
		if v, ok := r.args[name]; ok {
			spec.SourceIncludes(strings.Split(v, ","))
		}
	}
	if v, ok := r.args["_source_excludes"]; ok {
		spec.SourceExcludes(strings.Split(v, ","))
	}
}
