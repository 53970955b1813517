package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/search"
)

func (a *api) search(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	out, err := a.searchOne(r, r.vars["index"], n, o)
	return 200, out, err
}

func (a *api) searchOne(r *request, expr string, body *esjson.Node, o indicesOptions) (map[string]any, error) {
	req, err := search.Parse(body)
	if err != nil {
		return nil, err
	}
	if err := searchArgs(r, req); err != nil {
		return nil, err
	}
	shards, err := a.shards(expr, o)
	if err != nil {
		return nil, err
	}
	return req.Run(r.Context(), shards)
}

// searchArgs applies the parameters of the query string, which win over the body.
func searchArgs(r *request, req *search.Request) error {
	for _, name := range []string{"size", "from"} {
		v, ok := r.args[name]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return eserr.IllegalArgument("Failed to parse int parameter [%s] with value [%s]", name, v).Wrap(eserr.New(400, "number_format_exception", "For input string: \"%s\"", v))
		}
		if n < 0 {
			return eserr.IllegalArgument("[%s] parameter cannot be negative, found [%d]", name, n)
		}
		if name == "size" {
			req.Spec.Size = n
		} else {
			req.Spec.From = n
		}
	}
	if v := r.args["sort"]; v != "" {
		for key := range strings.SplitSeq(v, ",") {
			field, dir := key, ""
			if i := strings.LastIndexByte(key, ':'); i >= 0 {
				field, dir = key[:i], key[i+1:]
			}
			if dir != "" && dir != "asc" && dir != "desc" {
				return eserr.IllegalArgument("No enum constant org.elasticsearch.search.sort.SortOrder.%s", strings.ToUpper(dir))
			}
			req.Spec.AddSort(field, dir == "desc" || dir == "" && field == "_score")
		}
	}
	if v, ok := r.args["track_total_hits"]; ok {
		if err := req.SetTrack(v); err != nil {
			return err
		}
	}
	if v, ok := r.args["timeout"]; ok {
		if _, err := search.ParseDuration(v); err != nil {
			return err
		}
	}
	sourceArgs(r, &req.Spec)
	q, err := uriQuery(r)
	if err != nil {
		return err
	}
	if q != nil {
		req.SetQuery(q)
	}
	if req.Typed, err = r.flag("typed_keys", false); err != nil {
		return err
	}
	req.TotalInt, err = r.flag("rest_total_hits_as_int", false)
	return err
}

// uriQuery reads the query of the parameters q, df, default_operator, lenient, analyze_wildcard; nil is none.
func uriQuery(r *request) (*query.Query, error) {
	text, ok := r.args["q"]
	if !ok {
		return nil, nil
	}
	body := map[string]any{"query": text}
	for param, option := range map[string]string{"df": "default_field", "default_operator": "default_operator", "lenient": "lenient", "analyze_wildcard": "analyze_wildcard", "analyzer": "analyzer"} {
		if v, ok := r.args[param]; ok {
			body[option] = v
		}
	}
	b, err := json.Marshal(map[string]any{"query_string": body})
	if err != nil {
		return nil, err
	}
	n, err := esjson.Parse(b)
	if err != nil {
		return nil, err
	}
	return query.Parse(n)
}

func (a *api) count(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	q, err := search.ParseCount(n)
	if err != nil {
		return 0, nil, err
	}
	if typed, err := uriQuery(r); err != nil {
		return 0, nil, err
	} else if typed != nil {
		q = typed
	}
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	shards, err := a.shards(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	total, err := search.Count(r.Context(), q, shards)
	if err != nil {
		return 0, nil, err
	}
	return 200, map[string]any{"count": total, "_shards": shardCounts(len(shards))}, nil
}

func shardCounts(n int) map[string]any {
	return map[string]any{"total": n, "successful": n, "skipped": 0, "failed": 0}
}

// multiSearch answers pairs of lines: a header with the indices, and a body.
func (a *api) multiSearch(r *request) (int, any, error) {
	started := time.Now()
	if len(r.body) == 0 || r.body[len(r.body)-1] != '\n' {
		return 0, nil, eserr.IllegalArgument("The msearch request must be terminated by a newline [\n]")
	}
	lines := bytes.Split(bytes.TrimSuffix(r.body, []byte("\n")), []byte("\n"))
	if len(lines)%2 != 0 {
		return 0, nil, eserr.Validation("no requests added")
	}
	searches := make([]pair, 0, len(lines)/2)
	for i := 0; i < len(lines); i += 2 {
		p, err := parsePair(r, lines[i], lines[i+1])
		if err != nil {
			return 0, nil, err // one that cannot be read fails the whole request
		}
		searches = append(searches, p)
	}
	responses := make([]any, 0, len(searches))
	for _, p := range searches {
		out, err := a.searchOne(r, p.expr, p.body, p.o)
		if r.Context().Err() != nil {
			return 0, nil, context.Cause(r.Context())
		}
		if err != nil {
			e := eserr.From(err)
			responses = append(responses, e.Body())
			continue
		}
		out["status"] = 200
		responses = append(responses, out)
	}
	return 200, map[string]any{"took": time.Since(started).Milliseconds(), "responses": responses}, nil
}

// pair is one search of a multi search.
type pair struct {
	expr string
	body *esjson.Node
	o    indicesOptions
}

func parsePair(r *request, header, body []byte) (p pair, err error) {
	p.expr = r.vars["index"]
	if p.o, err = r.indicesOptions(); err != nil {
		return p, err
	}
	if len(bytes.TrimSpace(header)) > 0 {
		h, err := esjson.Parse(header)
		if err != nil {
			return p, err
		}
		for _, f := range h.Fields {
			switch f.Name {
			case "index", "indices":
				p.expr = strings.Join(stringList(f.Value), ",")
			case "ignore_unavailable":
				p.o.ignoreUnavailable = f.Value.Str == "true"
			case "allow_no_indices":
				p.o.allowNone = f.Value.Str == "true"
			case "preference", "request_cache", "search_type":
			default:
				return p, eserr.IllegalArgument("key [%s] is not supported in the metadata section", f.Name)
			}
		}
	}
	if p.body, err = esjson.Parse(body); err != nil {
		return p, err
	}
	_, err = search.Parse(p.body)
	return p, err
}

// fieldCaps lists the fields of indices by type.
func (a *api) fieldCaps(r *request) (int, any, error) {
	patterns := strings.Split(r.args["fields"], ",")
	if n, err := r.json(); err != nil {
		return 0, nil, err
	} else if n != nil {
		for _, f := range n.Fields {
			if f.Name != "fields" {
				return 0, nil, f.Unknown("field_caps_request")
			}
			patterns = stringList(f.Value)
		}
	}
	if len(patterns) == 1 && patterns[0] == "" {
		return 0, nil, eserr.IllegalArgument("specified fields can't be null or empty")
	}
	unmapped, err := r.flag("include_unmapped", false)
	if err != nil {
		return 0, nil, err
	}
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	shards, err := a.shards(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	fields, names := capabilities(shards, patterns)
	if unmapped {
		fields.addUnmapped(names)
	}
	return 200, map[string]any{"indices": names, "fields": fields.json()}, nil
}

// capsOf is what a field can do with one type, and in which indices.
type capsOf struct {
	searchable, aggregatable, metadata bool
	indices                            []string
}

// caps are fields by path and type.
type caps map[string]map[string]*capsOf

func capabilities(shards []search.Shard, patterns []string) (caps, []string) {
	out := caps{}
	names := make([]string, 0, len(shards))
	for _, sh := range shards {
		index, m := sh.Target.Index, sh.Target.Mapping
		names = append(names, index)
		add := func(path, typ string, c capsOf) {
			if !matchesAny(patterns, path) {
				return
			}
			if out[path] == nil {
				out[path] = map[string]*capsOf{}
			}
			if out[path][typ] == nil {
				out[path][typ] = &c
			}
			out[path][typ].indices = append(out[path][typ].indices, index)
		}
		for _, path := range []string{"_id", "_index", "_ignored", "_source"} {
			add(path, path, capsOf{searchable: path != "_source", aggregatable: path == "_index", metadata: true})
		}
		objects := map[string]bool{}
		m.Leaves(func(path string, f *mapping.Field) {
			res := m.Lookup(path)
			if res == nil || !matchesAny(patterns, path) {
				return
			}
			typ := res.Type
			if typ == mapping.MatchOnlyText {
				typ = mapping.Text // the family of the type
			} else if typ == mapping.ConstantKeyword {
				typ = mapping.Keyword
			}
			add(path, typ, capsOf{searchable: !res.Unsearchable && res.Params["index"] != false, aggregatable: !res.IsText() && res.Params["doc_values"] != false})
			for i, c := range path {
				parent := path[:i]
				if p := m.Lookup(parent); c == '.' && !objects[parent] && (p == nil || p.IsObject()) {
					objects[parent] = true
					wanted := patterns
					patterns = []string{"*"} // objects above a wanted field are listed with it
					add(parent, mapping.Object, capsOf{})
					patterns = wanted
				}
			}
		})
	}
	return out, names
}

// addUnmapped says for each field in which of the indices it is not mapped.
func (c caps) addUnmapped(names []string) {
	for _, types := range c {
		missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			for _, u := range types {
				if slices.Contains(u.indices, name) {
					return true
				}
			}
			return false
		})
		if len(missing) > 0 {
			types["unmapped"] = &capsOf{indices: missing}
		}
	}
}

func (c caps) json() map[string]any {
	out := map[string]any{}
	for path, types := range c {
		m := map[string]any{}
		for typ, u := range types {
			one := map[string]any{"type": typ, "metadata_field": u.metadata, "searchable": u.searchable, "aggregatable": u.aggregatable}
			if len(types) > 1 {
				one["indices"] = u.indices
			}
			m[typ] = one
		}
		out[path] = m
	}
	return out
}

func matchesAny(patterns []string, s string) bool {
	for _, p := range patterns {
		if mapping.Glob(p, s) {
			return true
		}
	}
	return false
}
