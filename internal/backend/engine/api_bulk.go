package engine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/store"
)

// maxID is the longest document id in bytes.
const maxID = 512

// bulkItem is one action of a bulk request and its result.
type bulkItem struct {
	action string // create, index, delete or update
	index  string // as the request names it
	id     string
	source []byte
	update *update // of an update

	wantSource *hits.Spec // an update answers with the document; nil does not
	err        error      // set as soon as the item is known to fail

	who        *principal
	refreshed  bool // the request asks for a refresh
	needStream bool // require_data_stream

	target *index
	result map[string]any
}

func (a *api) bulk(r *request) (int, any, error) {
	started := time.Now()
	if err := checkWriteArgs(r); err != nil {
		return 0, nil, err
	}
	items, err := parseBulk(r.body, r.vars["index"])
	if err != nil {
		return 0, nil, err
	}
	r.applyTo(items)
	a.runItems(items)
	out := make([]any, len(items))
	failed := false
	for i, it := range items {
		if it.err != nil {
			e := eserr.From(it.err)
			it.result = map[string]any{"_index": it.shownIndex(), "_id": it.id, "status": e.Status, "error": e.Object()}
			failed = true
		}
		out[i] = map[string]any{it.action: it.result}
	}
	return 200, map[string]any{"took": time.Since(started).Milliseconds(), "errors": failed, "items": out}, nil
}

func (it *bulkItem) shownIndex() string {
	if it.target != nil {
		return it.target.file.Name
	}
	return it.index
}

// checkWriteArgs validates what has no effect here: documents are searchable at once, pipelines do not exist.
func checkWriteArgs(r *request) error {
	if v, ok := r.args["refresh"]; ok && !slices.Contains([]string{"", "true", "false", "wait_for"}, v) {
		return eserr.IllegalArgument("Unknown value for refresh: [%s].", v)
	}
	for _, name := range []string{"if_seq_no", "if_primary_term", "version", "version_type", "routing"} {
		if _, ok := r.args[name]; ok {
			return eserr.IllegalArgument("[%s] is not supported by this engine", name)
		}
	}
	for _, name := range []string{"require_alias", "require_data_stream"} {
		if _, err := r.flag(name, false); err != nil {
			return err
		}
	}
	return nil
}

// applyTo gives the items what the parameters of the request say.
func (r *request) applyTo(items []*bulkItem) {
	refresh, ok := r.args["refresh"]
	refreshed := ok && (refresh == "" || refresh == "true")
	alias, _ := r.flag("require_alias", false)
	stream, _ := r.flag("require_data_stream", false)
	var source *hits.Spec
	if r.args["_source"] != "" || r.args["_source_includes"] != "" || r.args["_source_excludes"] != "" {
		source = &hits.Spec{}
		sourceArgs(r, source)
	}
	for _, it := range items {
		it.refreshed, it.who = refreshed, r.who
		if source != nil && it.wantSource == nil {
			it.wantSource = source
		}
		it.needStream = it.needStream || stream
		switch p := r.args["pipeline"]; {
		case it.err != nil:
		case alias:
			it.err = needsAlias(it.index)
		case p != "" && p != "_none":
			it.err = eserr.IllegalArgument("pipeline with id [%s] does not exist", p)
		}
	}
}

// needsAlias is the error of a write that wants an alias: there are none here.
func needsAlias(index string) error {
	e := eserr.IndexNotFound(index)
	delete(e.Extra, "resource.type")
	delete(e.Extra, "resource.id")
	e.Reason = fmt.Sprintf("no such index [%s] and [require_alias] request flag is [true] and [%s] is not an alias", index, index)
	return e
}

// parseBulk splits a body into items. An error concerns the whole request.
func parseBulk(body []byte, index string) ([]*bulkItem, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, eserr.New(400, "parse_exception", "request body is required")
	}
	if body[len(body)-1] != '\n' {
		return nil, eserr.IllegalArgument("The bulk request must be terminated by a newline [\\n]")
	}
	var items []*bulkItem
	line := 0
	next := func() ([]byte, bool) {
		if len(body) == 0 {
			return nil, false
		}
		text, rest, _ := bytes.Cut(body, []byte{'\n'})
		body = rest
		line++
		return bytes.TrimSuffix(text, []byte{'\r'}), true
	}
	for {
		text, ok := next()
		if !ok {
			break
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		it, err := parseAction(text, line, index)
		if err != nil {
			return nil, err
		}
		if it.action != "delete" {
			if it.source, ok = next(); !ok {
				if len(items) > 0 {
					break // as the real server, which drops an action without its document
				}
				return nil, eserr.Validation("no requests added")
			}
			if it.action == "update" {
				if err := it.readUpdate(); err != nil {
					return nil, err
				}
			}
		}
		items = append(items, it)
	}
	return items, validateItems(items)
}

func tooLong(id string) string {
	return fmt.Sprintf("id [%s] is too long, must be no longer than %d bytes but was: %d", id, maxID, len(id))
}

func validateItems(items []*bulkItem) error {
	var problems []string
	if len(items) == 0 {
		problems = append(problems, "no requests added")
	}
	for _, it := range items {
		if it.index == "" {
			problems = append(problems, "index is missing")
		}
		if len(it.id) > maxID {
			problems = append(problems, tooLong(it.id))
		}
		if (it.action == "delete" || it.action == "update") && it.id == "" && it.err == nil {
			problems = append(problems, "id is missing")
		}
		if it.update != nil {
			problems = append(problems, it.update.problems()...)
		}
	}
	if problems != nil {
		return eserr.Validation(problems...)
	}
	return nil
}

func parseAction(text []byte, line int, index string) (*bulkItem, error) {
	if it := plainAction(text, index); it != nil {
		return it, nil
	}
	n, err := esjson.Parse(text)
	if err != nil {
		return nil, err
	}
	malformed := func(expected, found string) error {
		return eserr.IllegalArgument("Malformed action/metadata line [%d], expected %s but found [%s]", line, expected, found)
	}
	switch {
	case n.Kind != esjson.Object:
		return nil, malformed("START_OBJECT", n.Token())
	case len(n.Fields) == 0:
		return nil, malformed("FIELD_NAME", "END_OBJECT")
	case n.Fields[0].Value.Kind != esjson.Object:
		return nil, malformed("START_OBJECT or END_OBJECT", n.Fields[0].Value.Token())
	case len(n.Fields) > 1:
		return nil, malformed("END_OBJECT", "FIELD_NAME")
	}
	it := &bulkItem{action: n.Fields[0].Name, index: index}
	if !slices.Contains([]string{"create", "index", "delete", "update"}, it.action) {
		return nil, eserr.IllegalArgument("Malformed action/metadata line [%d], expected field [create], [delete], [index] or [update] but found [%s]", line, it.action)
	}
	for _, f := range n.Fields[0].Value.Fields {
		v := f.Value
		if !v.IsScalar() && f.Name != "dynamic_templates" {
			return nil, eserr.IllegalArgument("Malformed action/metadata line [%d], expected a simple value for field [%s] but found [%s]", line, f.Name, v.Token())
		}
		switch f.Name {
		case "_index":
			it.index = v.Str
		case "_id":
			if it.id = v.Str; v.Kind == esjson.Null {
				it.id = ""
			} else if it.id == "" {
				it.err = eserr.IllegalArgument("if _id is specified it must not be empty")
			}
		case "require_alias":
			if v.Str == "true" && it.err == nil {
				it.err = needsAlias(it.index)
			}
		case "pipeline":
			if v.Str != "_none" {
				it.err = eserr.IllegalArgument("pipeline with id [%s] does not exist", v.Str)
			}
		case "require_data_stream":
			it.needStream = v.Str == "true"
		case "retry_on_conflict": // updates never conflict here
		case "_source":
			it.wantSource = &hits.Spec{}
			it.wantSource.SourceIncludes([]string{v.Str})
		case "routing", "if_seq_no", "if_primary_term", "version", "version_type", "dynamic_templates":
			it.err = eserr.IllegalArgument("[%s] is not supported by this engine", f.Name)
		default:
			return nil, eserr.IllegalArgument("Action/metadata line [%d] contains an unknown parameter [%s]", line, f.Name)
		}
	}
	return it, nil
}

// runItems carries out the items: per index in order, different indices at the same time.
func (a *api) runItems(items []*bulkItem) {
	groups := map[*index][]*bulkItem{}
	failed := map[string]error{}
	for _, it := range items {
		if it.err != nil {
			continue
		}
		if it.err = failed[it.index]; it.err != nil {
			continue
		}
		if it.err = a.allowItem(it); it.err != nil {
			continue
		}
		if it.action == "delete" {
			it.err = a.findForDelete(it)
		} else {
			x, isStream, err := a.writeIndex(it.index)
			if err != nil {
				failed[it.index], it.err = err, err
				continue
			}
			it.err = it.allow(x, isStream)
		}
		if it.err != nil {
			continue
		}
		groups[it.target] = append(groups[it.target], it)
	}
	var wg sync.WaitGroup
	for x, group := range groups {
		wg.Go(func() { x.run(group) })
	}
	wg.Wait()
}

// allowItem checks the privileges of one action, and to create its index if that is not there.
func (a *api) allowItem(it *bulkItem) error {
	if it.who == nil || it.who.all {
		return nil
	}
	action := it.action
	if action == "index" && it.id == "" {
		action = "create" // a document without an id is always new
	}
	a.mu.RLock()
	x, _ := a.target(it.index)
	name := it.index
	if x != nil && x.file.Stream != "" {
		name = x.file.Stream
	}
	a.mu.RUnlock()
	if privileges := itemAccess(action); !it.who.mayIndex(name, privileges) {
		return it.who.deniedIndex("indices:data/write/bulk[s]", it.index, privileges)
	}
	if x == nil && action != "delete" && !it.who.mayIndex(name, autoCreate()) {
		return it.who.deniedIndex("indices:admin/auto_create", it.index, autoCreate())
	}
	return nil
}

// allow sets the index that an item is written to, unless the action is not possible there.
func (it *bulkItem) allow(x *index, isStream bool) error {
	switch {
	case (isStream || x.file.Stream != "") && it.action != "create":
		return eserr.IllegalArgument("only write ops with an op_type of create are allowed in data streams")
	case !isStream && x.file.Stream != "":
		return eserr.IllegalArgument("index request with op_type=create targeting backing indices is disallowed, target corresponding data stream [%s] instead", x.file.Stream)
	case it.needStream && !isStream:
		return eserr.New(404, "index_not_found_exception", "no such index [%s] and the index creation request requires a data stream, but no matching index template with data stream template was found for it", it.index)
	}
	it.target = x
	return nil
}

func (a *api) findForDelete(it *bulkItem) error {
	a.mu.RLock()
	x, isStream := a.target(it.index)
	a.mu.RUnlock()
	if x == nil {
		return noIndexExpression(it.index)
	}
	if isStream || x.file.Stream != "" {
		return eserr.IllegalArgument("only write ops with an op_type of create are allowed in data streams")
	}
	it.target = x
	return nil
}

// run carries out the items of one index in order. An update reads what is stored, so nothing else writes to the
// index meanwhile, and what came before it in the request is written first.
func (x *index) run(items []*bulkItem) {
	if !slices.ContainsFunc(items, func(it *bulkItem) bool { return it.action == "update" }) {
		x.updates.RLock()
		defer x.updates.RUnlock()
		x.runAll(items)
		return
	}
	x.updates.Lock()
	defer x.updates.Unlock()
	from := 0
	touched := map[string]bool{}
	for i, it := range items {
		if it.action == "update" && touched[it.id] {
			x.runAll(items[from:i])
			from = i
			clear(touched)
		}
		touched[it.id] = true
		if it.action == "update" {
			it.err = x.merge(it)
		}
	}
	x.runAll(items[from:])
}

// runAll carries out items with one durable write.
func (x *index) runAll(items []*bulkItem) {
	ops := make([]store.Op, 0, len(items))
	sent := make([]*bulkItem, 0, len(items))
	for _, it := range items {
		if it.err != nil || it.result != nil {
			continue
		}
		op, err := x.operation(it)
		if err != nil {
			it.err = err
			continue
		}
		ops = append(ops, op)
		sent = append(sent, it)
	}
	if len(ops) == 0 {
		return
	}
	results, err := x.write(ops)
	for i, it := range sent {
		if err != nil {
			it.err = err
			continue
		}
		it.finish(x, results[i])
	}
}

func (x *index) operation(it *bulkItem) (store.Op, error) {
	if it.action == "delete" {
		return store.Op{Kind: store.Delete, ID: it.id}, nil
	}
	kind := store.Put
	if it.id == "" {
		it.id = randomID(15)
		kind = store.Create
	}
	if it.action == "create" {
		kind = store.Create
	}
	parser, _ := x.parsers.Get().(*esjson.Parser)
	if parser == nil {
		parser = &esjson.Parser{}
	}
	defer x.parsers.Put(parser)
	n, err := parser.Parse(bytes.TrimSpace(it.source))
	if err != nil {
		e := eserr.From(err)
		at, _, _ := strings.Cut(e.Reason, " ")
		return store.Op{}, eserr.New(400, "document_parsing_exception", "%s failed to parse", at).Wrap(e)
	}
	doc, err := x.read(it.id, n)
	if err != nil {
		return store.Op{}, err
	}
	return store.Op{Kind: kind, ID: it.id, Doc: doc}, nil
}

// finish turns the outcome into the item's result.
func (it *bulkItem) finish(x *index, r store.Result) {
	defer it.decorate()
	if r.Outcome == store.Conflict {
		e := eserr.New(409, "version_conflict_engine_exception", "[%s]: version conflict, document already exists (current version [1])", it.id)
		e.Extra = map[string]any{"index": x.file.Name, "index_uuid": x.file.UUID, "shard": "0"}
		it.err = e
		return
	}
	it.result = map[string]any{
		"_index": x.file.Name, "_id": it.id, "_version": 1, "_seq_no": r.Seq, "_primary_term": 1, "result": "created", "status": 201,
		"_shards": map[string]any{"total": 1, "successful": 1, "failed": 0},
	}
	set := func(result string, status int, version int64) {
		it.result["result"], it.result["status"], it.result["_version"] = result, status, version
	}
	switch r.Outcome {
	case store.Updated:
		set("updated", 200, r.Seq+1)
	case store.Deleted:
		set("deleted", 200, r.Seq+1)
	case store.NotFound:
		set("not_found", 404, 1)
	}
}
