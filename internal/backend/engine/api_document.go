package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
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
		return 0, nil, eserr.Validation(tooLong(it.id))
	}
	it.source = r.body
	if it.action != "delete" && it.update == nil && len(r.body) == 0 {
		return 0, nil, eserr.New(400, "parse_exception", "request body is required")
	}
	items := []*bulkItem{it}
	r.applyTo(items)
	a.runItems(items)
	if it.err != nil {
		return 0, nil, it.err
	}
	status := it.result["status"].(int)
	delete(it.result, "status")
	return status, it.result, nil
}

func (a *api) getDocument(r *request) (int, any, error) {
	var spec hits.Spec
	sourceArgs(r, &spec)
	out, err := a.get(r.vars["index"], r.vars["id"], &spec)
	if err != nil {
		return 0, nil, err
	}
	if out["found"] == false {
		return 404, out, nil
	}
	return 200, out, nil
}

// get reads one document by its id.
func (a *api) get(name, id string, spec *hits.Spec) (map[string]any, error) {
	a.mu.RLock()
	x := a.indices[name]
	a.mu.RUnlock()
	if x == nil {
		// As in Elasticsearch, a document of a data stream is found by its backing index or by a search.
		return nil, noIndexExpression(name)
	}
	src, found, err := x.store.Get(id)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"_index": x.file.Name, "_id": id, "found": found}
	if !found {
		return out, nil
	}
	out["_version"], out["_primary_term"], out["_seq_no"] = 1, 1, 0
	filtered, show, err := spec.FilterSource(src)
	if err != nil {
		return nil, err
	}
	if show {
		out["_source"] = json.RawMessage(filtered)
	}
	return out, nil
}

// noIndexExpression is the error of a request for one index that is not there.
func noIndexExpression(name string) error {
	e := eserr.IndexNotFound(name)
	e.Extra["resource.type"] = "index_expression"
	return e
}

func (a *api) getSource(r *request) (int, any, error) {
	var spec hits.Spec
	sourceArgs(r, &spec)
	out, err := a.get(r.vars["index"], r.vars["id"], &spec)
	if err != nil {
		return 0, nil, err
	}
	if out["found"] == false {
		return 0, nil, eserr.New(404, "resource_not_found_exception", "Document not found [%s]/[%s]", r.vars["index"], r.vars["id"])
	}
	return 200, out["_source"], nil
}

// wanted is one document of a multi get.
type wanted struct {
	index, id string
	spec      hits.Spec
}

func (a *api) multiGet(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	if n == nil {
		return 0, nil, eserr.New(400, "parse_exception", "request body or source parameter is required")
	}
	list, err := parseMultiGet(r, n)
	if err != nil {
		return 0, nil, err
	}
	docs := []any{}
	for i := range list {
		w := &list[i]
		var out map[string]any
		var err error
		if reads := []string{"read", "all"}; r.who.mayIndex(w.index, reads) {
			out, err = a.get(w.index, w.id, &w.spec)
		} else {
			err = r.who.deniedIndex("indices:data/read/mget[shard]", w.index, reads)
		}
		if err != nil {
			e := eserr.From(err)
			out = map[string]any{"_index": w.index, "_id": w.id, "error": e.Body()["error"]}
		}
		docs = append(docs, out)
	}
	return 200, map[string]any{"docs": docs}, nil
}

func parseMultiGet(r *request, n *esjson.Node) ([]wanted, error) {
	var list []wanted
	var problems []string
	for _, f := range n.Fields {
		if f.Name != "docs" && f.Name != "ids" || f.Value.Kind != esjson.Array {
			return nil, f.Value.Errorf("unexpected token [%s], expected [FIELD_NAME] or [START_ARRAY]", f.Value.Token())
		}
		for _, it := range f.Value.Items {
			w := wanted{index: r.vars["index"]}
			sourceArgs(r, &w.spec)
			if f.Name == "ids" {
				w.id = it.Str
			} else if err := w.parse(it); err != nil {
				return nil, err
			}
			if w.index == "" {
				problems = append(problems, fmt.Sprintf("index is missing for doc %d", len(list)))
			}
			if w.id == "" {
				problems = append(problems, fmt.Sprintf("id is missing for doc %d", len(list)))
			}
			list = append(list, w)
		}
	}
	if len(list) == 0 {
		problems = append(problems, "no documents to get")
	}
	if problems != nil {
		return nil, eserr.Validation(problems...)
	}
	return list, nil
}

func (w *wanted) parse(n *esjson.Node) error {
	if n.Kind != esjson.Object {
		return eserr.IllegalArgument("docs array element should include an object")
	}
	for _, f := range n.Fields {
		switch f.Name {
		case "_index":
			w.index = f.Value.Str
		case "_id":
			w.id = f.Value.Str
		case "_source":
			if _, err := w.spec.Option(f); err != nil {
				return err
			}
		default:
			line, col := n.PosAt(f.Start)
			return eserr.Parsing(line, col, "unknown parameter [%s] in request body or parameter is of the wrong type[%s] ", f.Name, f.Value.Token())
		}
	}
	return nil
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
