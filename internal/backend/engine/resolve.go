package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/search"
)

// indicesOptions are the parameters that say what a missing index means.
type indicesOptions struct {
	ignoreUnavailable, allowNone, hidden bool
	who                                  *principal
	need                                 access
}

func (r *request) indicesOptions() (o indicesOptions, err error) {
	o.who, o.need = r.who, r.need
	if o.ignoreUnavailable, err = r.flag("ignore_unavailable", false); err != nil {
		return o, err
	}
	if o.allowNone, err = r.flag("allow_no_indices", true); err != nil {
		return o, err
	}
	for part := range strings.SplitSeq(r.args["expand_wildcards"], ",") {
		switch part {
		case "", "open", "closed", "none":
		case "all", "hidden":
			o.hidden = true
		default:
			return o, eserr.IllegalArgument("No valid expand wildcard value [%s]", part)
		}
	}
	return o, nil
}

// resolve lists the indices of an expression such as logs-*,-logs-a,traces-x, ordered by name. The caller holds mu.
func (c *cluster) resolve(expr string, o indicesOptions) ([]*index, error) {
	if expr == "" || expr == "_all" {
		expr = "*"
	}
	found := map[string]*index{}
	wildcard := false
	for part := range strings.SplitSeq(expr, ",") {
		exclude := strings.HasPrefix(part, "-") && wildcard
		if exclude {
			part = part[1:]
		}
		isPattern := strings.Contains(part, "*") || part == "_all"
		wildcard = wildcard || isPattern
		if !isPattern && !c.mayUse(part, o) {
			return nil, o.who.deniedIndex(o.need.action, part, o.need.index)
		}
		matched := c.matching(part, isPattern, o)
		if len(matched) == 0 && !exclude && (!isPattern && !o.ignoreUnavailable || isPattern && !o.allowNone) {
			return nil, eserr.IndexNotFound(part)
		}
		for _, x := range matched {
			if exclude {
				delete(found, x.file.Name)
			} else {
				found[x.file.Name] = x
			}
		}
	}
	if len(found) == 0 && !o.allowNone {
		return nil, eserr.IndexNotFound(expr)
	}
	out := make([]*index, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name])
	}
	return out, nil
}

// mayUse says whether the caller has the privilege on an index or stream. A backing index has that of its stream.
func (c *cluster) mayUse(name string, o indicesOptions) bool {
	if o.need.index == nil || o.who.mayIndex(name, o.need.index) {
		return true
	}
	x := c.indices[name]
	return x != nil && x.file.Stream != "" && o.who.mayIndex(x.file.Stream, o.need.index)
}

func (c *cluster) matching(part string, isPattern bool, o indicesOptions) []*index {
	if !isPattern {
		if s := c.streams[part]; s != nil {
			return s.indices
		}
		if x := c.indices[part]; x != nil {
			return []*index{x}
		}
		return nil
	}
	if part == "_all" {
		part = "*"
	}
	var out []*index
	for name, s := range c.streams {
		if mapping.Glob(part, name) && c.mayUse(name, o) {
			out = append(out, s.indices...)
		}
	}
	for name, x := range c.indices {
		if mapping.Glob(part, name) && c.mayUse(name, o) && (o.hidden || !strings.HasPrefix(name, ".") || strings.HasPrefix(part, ".")) {
			out = append(out, x)
		}
	}
	return out
}

// shards resolves an expression and takes a view of each index.
func (c *cluster) shards(expr string, o indicesOptions) ([]search.Shard, error) {
	c.mu.RLock()
	list, err := c.resolve(expr, o)
	c.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	out := make([]search.Shard, len(list))
	for i, x := range list {
		out[i] = x.shard(now)
	}
	return out, nil
}

// withIndices is the handler of an endpoint that looks at the indices which the path names. The cluster does not change
// meanwhile.
func (a *api) withIndices(handle func(*request, []*index) (int, any, error)) func(*request) (int, any, error) {
	return func(r *request) (int, any, error) {
		o, err := r.indicesOptions()
		if err != nil {
			return 0, nil, err
		}
		a.mu.RLock()
		defer a.mu.RUnlock()
		list, err := a.resolve(r.vars["index"], o)
		if err != nil {
			return 0, nil, err
		}
		return handle(r, list)
	}
}
