package engine

import (
	"bytes"
	"encoding/json"
	"slices"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
)

// update is the body of an update by a partial document.
type update struct {
	doc, upsert *esjson.Node
	docAsUpsert bool
	noNoop      bool // detect_noop: false
	wantSource  *hits.Spec
}

func parseUpdate(n *esjson.Node) (*update, error) {
	u := &update{}
	if n.Kind != esjson.Object {
		return nil, n.Contentf("[UpdateRequest] Expected START_OBJECT but was: %s", n.Token())
	}
	for _, f := range n.Fields {
		flag := func() (bool, error) {
			v, ok := f.Value.Bool()
			if !ok {
				return false, f.Value.Contentf("[UpdateRequest] %s doesn't support values of type: %s", f.Name, f.Value.Token())
			}
			return v, nil
		}
		var err error
		switch f.Name {
		case "doc", "upsert":
			if f.Value.Kind != esjson.Object {
				return nil, f.Value.Contentf("[UpdateRequest] %s doesn't support values of type: %s", f.Name, f.Value.Token())
			}
			if f.Name == "doc" {
				u.doc = f.Value
			} else {
				u.upsert = f.Value
			}
		case "doc_as_upsert":
			u.docAsUpsert, err = flag()
		case "detect_noop":
			var v bool
			v, err = flag()
			u.noNoop = !v
		case "_source":
			u.wantSource = &hits.Spec{}
			_, err = u.wantSource.Option(f)
		case "script", "scripted_upsert":
			err = eserr.IllegalArgument("[%s] is not supported by this engine", f.Name)
		default:
			err = f.Unknown("UpdateRequest")
		}
		if err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (u *update) problems() []string {
	if u.doc == nil {
		if u.docAsUpsert {
			return []string{"doc must be specified if doc_as_upsert is enabled"}
		}
		return []string{"script or doc is missing"}
	}
	return nil
}

// readUpdate parses the body of an update. Its error concerns the whole request.
func (it *bulkItem) readUpdate() error {
	n, err := esjson.Parse(bytes.TrimSpace(it.source))
	if err != nil {
		return err
	}
	it.update, err = parseUpdate(n)
	if err == nil && it.update.wantSource != nil {
		it.wantSource = it.update.wantSource
	}
	return err
}

// merge turns an update into the document to store. The caller holds updates.
func (x *index) merge(it *bulkItem) error {
	if it.err != nil {
		return it.err
	}
	old, found, err := x.store.Get(it.id)
	u := it.update
	switch {
	case err != nil:
		return err
	case !found && u.docAsUpsert:
		it.source = u.doc.Raw()
		return nil
	case !found && u.upsert != nil:
		it.source = u.upsert.Raw()
		return nil
	case !found:
		e := eserr.New(404, "document_missing_exception", "[%s]: document missing", it.id)
		e.Extra = map[string]any{"index": x.file.Name, "index_uuid": x.file.UUID, "shard": "0"}
		return e
	}
	n, err := esjson.Parse(old)
	if err != nil {
		return err
	}
	merged, changed := mergeObject(nil, n, u.doc)
	it.source = merged
	if !changed && !u.noNoop {
		it.source = old
		it.result = map[string]any{
			"_index": x.file.Name, "_id": it.id, "_version": 1, "_seq_no": 0, "_primary_term": 1, "result": "noop", "status": 200,
			"_shards": map[string]any{"total": 0, "successful": 0, "failed": 0},
		}
		it.decorate()
	}
	return nil
}

// mergeObject writes a with the members of b put into it: objects are merged, everything else replaced.
func mergeObject(out []byte, a, b *esjson.Node) (merged []byte, changed bool) {
	out = append(out, '{')
	first := true
	member := func(name string) {
		if !first {
			out = append(out, ',')
		}
		first = false
		// A string always encodes.
		key, _ := json.Marshal(name)
		out = append(append(out, key...), ':')
	}
	for _, f := range a.Fields {
		member(f.Name)
		with := b.Get(f.Name)
		switch {
		case with == nil:
			out = append(out, f.Value.Raw()...)
		case f.Value.Kind == esjson.Object && with.Kind == esjson.Object:
			var c bool
			out, c = mergeObject(out, f.Value, with)
			changed = changed || c
		default:
			out = append(out, with.Raw()...)
			changed = changed || !sameJSON(f.Value, with)
		}
	}
	for _, f := range b.Fields {
		if a.Get(f.Name) == nil {
			member(f.Name)
			out = append(out, f.Value.Raw()...)
			changed = true
		}
	}
	return append(out, '}'), changed
}

func sameJSON(a, b *esjson.Node) bool {
	switch {
	case a.Kind != b.Kind:
		return false
	case a.Kind == esjson.Object:
		return len(a.Fields) == len(b.Fields) && !slices.ContainsFunc(a.Fields, func(f esjson.Field) bool {
			other := b.Get(f.Name)
			return other == nil || !sameJSON(f.Value, other)
		})
	case a.Kind == esjson.Array:
		return slices.EqualFunc(a.Items, b.Items, sameJSON)
	}
	return a.Str == b.Str
}

// decorate adds to a finished result what the request asked for.
func (it *bulkItem) decorate() {
	if it.result == nil {
		return
	}
	if it.refreshed && it.result["result"] != "noop" {
		it.result["forced_refresh"] = true
	}
	if it.wantSource == nil || it.action != "update" {
		return
	}
	src, show, err := it.wantSource.FilterSource(it.source)
	if err != nil {
		it.err = err
		return
	}
	if show {
		it.result["get"] = map[string]any{"_seq_no": it.result["_seq_no"], "_primary_term": 1, "found": true, "_source": json.RawMessage(src)}
	}
}

func (a *api) updateDocument(r *request) (int, any, error) {
	n, err := r.object()
	if err != nil {
		return 0, nil, err
	}
	u, err := parseUpdate(n)
	if err != nil {
		return 0, nil, err
	}
	if p := u.problems(); p != nil {
		return 0, nil, eserr.Validation(p...)
	}
	it := &bulkItem{action: "update", index: r.vars["index"], id: r.vars["id"], update: u, wantSource: u.wantSource}
	return a.single(r, it)
}
