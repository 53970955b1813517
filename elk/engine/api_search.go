package engine

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"

	"kreislauf/elk/engine/internal/eserr"
	"kreislauf/elk/engine/internal/esjson"
	"kreislauf/elk/engine/internal/mapping"
	"kreislauf/elk/engine/internal/search"
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
			return eserr.IllegalArgument("Failed to parse int parameter [%s] with value [%s]", name, v)
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
	var err error
	if req.Typed, err = r.flag("typed_keys", false); err != nil {
		return err
	}
	req.TotalInt, err = r.flag("rest_total_hits_as_int", false)
	return err
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
		return 0, nil, eserr.IllegalArgument("The msearch request must be terminated by a newline [\\n]")
	}
	lines := bytes.Split(bytes.TrimSuffix(r.body, []byte("\n")), []byte("\n"))
	if len(lines)%2 != 0 {
		return 0, nil, eserr.Validation("no requests added")
	}
	responses := make([]any, 0, len(lines)/2)
	for i := 0; i < len(lines); i += 2 {
		out, err := a.searchPair(r, lines[i], lines[i+1])
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

func (a *api) searchPair(r *request, header, body []byte) (map[string]any, error) {
	expr := r.vars["index"]
	o, err := r.indicesOptions()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(header)) > 0 {
		h, err := esjson.Parse(header)
		if err != nil {
			return nil, err
		}
		for _, f := range h.Fields {
			switch f.Name {
			case "index":
				expr = strings.Join(stringList(f.Value), ",")
			case "ignore_unavailable":
				o.ignoreUnavailable = f.Value.Str == "true"
			case "allow_no_indices":
				o.allowNone = f.Value.Str == "true"
			case "preference", "request_cache", "search_type":
			default:
				return nil, eserr.IllegalArgument("key [%s] is not supported in the metadata section", f.Name)
			}
		}
	}
	n, err := esjson.Parse(body)
	if err != nil {
		return nil, err
	}
	return a.searchOne(r, expr, n, o)
}

// fieldCaps lists the fields of indices by type.
func (a *api) fieldCaps(r *request) (int, any, error) {
	patterns := strings.Split(r.args["fields"], ",")
	if n, err := r.json(); err != nil {
		return 0, nil, err
	} else if n != nil {
		for _, f := range n.Fields {
			if f.Name != "fields" {
				return 0, nil, f.Value.Contentf("[field_caps_request] unknown field [%s]", f.Name)
			}
			patterns = stringList(f.Value)
		}
	}
	if len(patterns) == 1 && patterns[0] == "" {
		return 0, nil, eserr.Validation("no fields specified")
	}
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	shards, err := a.shards(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	fields := map[string]map[string]map[string]any{}
	users := map[string]map[string][]string{} // field and type to indices
	names := make([]string, 0, len(shards))
	for _, sh := range shards {
		names = append(names, sh.Target.Index)
		m := sh.Target.Mapping
		m.Leaves(func(path string, f *mapping.Field) {
			res := m.Lookup(path)
			if res == nil || !matchesAny(patterns, path) {
				return
			}
			typ := res.Type
			if fields[path] == nil {
				fields[path], users[path] = map[string]map[string]any{}, map[string][]string{}
			}
			fields[path][typ] = map[string]any{
				"type": typ, "metadata_field": false, "searchable": !res.Unsearchable && !res.NoColumn,
				"aggregatable": !res.IsText() && !res.NoColumn && typ != mapping.GeoPoint,
			}
			users[path][typ] = append(users[path][typ], sh.Target.Index)
		})
	}
	for path, types := range fields {
		if len(types) > 1 {
			for typ, caps := range types {
				caps["indices"] = users[path][typ]
			}
		}
	}
	return 200, map[string]any{"indices": names, "fields": fields}, nil
}

func matchesAny(patterns []string, s string) bool {
	for _, p := range patterns {
		if mapping.Glob(p, s) {
			return true
		}
	}
	return false
}
