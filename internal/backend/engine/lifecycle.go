package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// conditions say when a stream gets a new backing index; zero values do not count.
type conditions struct {
	maxAge   time.Duration
	maxDocs  int64
	maxBytes int64
	names    map[string]string // condition to its text, for answers
}

// parseAge reads a time value such as 30d or 12h.
func parseAge(s string) (time.Duration, error) { return parseTime("age", s) }

// parseTime reads a time value; name is what the error calls it.
func parseTime(name, s string) (time.Duration, error) {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	if i > 0 && units[s[i:]] > 0 {
		if n, err := strconv.ParseInt(s[:i], 10, 64); err == nil && n < int64(1<<62)/int64(units[s[i:]]) {
			return time.Duration(n) * units[s[i:]], nil
		}
	}
	if s == "0" {
		return 0, nil
	}
	return 0, eserr.IllegalArgument("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", name, s)
}

func parseBytes(s string) (int64, error) { return parseSize("size", s) }

func parseSize(name, s string) (int64, error) {
	lower := strings.ToLower(s)
	for _, u := range []struct {
		suffix string
		scale  int64
	}{{"tb", 1 << 40}, {"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}, {"b", 1}} {
		if text, ok := strings.CutSuffix(lower, u.suffix); ok {
			if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 {
				return int64(n * float64(u.scale)), nil
			}
			break
		}
	}
	return 0, eserr.New(400, "parse_exception", "failed to parse setting [%s] with value [%s] as a size in bytes: unit is missing or unrecognized", name, s)
}

// parseConditions reads the conditions of a rollover.
func parseConditions(n *esjson.Node) (conditions, error) {
	c := conditions{names: map[string]string{}}
	if n == nil {
		return c, nil
	}
	for _, f := range n.Fields {
		var err error
		switch f.Name {
		case "max_age":
			c.maxAge, err = parseTime(f.Name, f.Value.Str)
		case "max_docs", "max_primary_shard_docs":
			var ok bool
			if c.maxDocs, ok = f.Value.Int(); !ok {
				err = f.Value.Contentf("[conditions] failed to parse field [%s]", f.Name)
			}
		case "max_size", "max_primary_shard_size":
			c.maxBytes, err = parseSize(f.Name, f.Value.Str)
		default:
			return c, f.Unknown("conditions")
		}
		if err != nil {
			line, col := f.Value.Pos()
			return c, eserr.Within(line, col, "conditions", f.Name, err)
		}
		c.names[f.Name] = f.Value.Str
	}
	return c, nil
}

// met evaluates each condition for an index.
func (c conditions) met(x *index, now time.Time) (all map[string]bool, due bool) {
	st := x.store.Stats()
	all = map[string]bool{}
	for name, value := range c.names {
		ok := false
		switch name {
		case "max_age":
			ok = now.Sub(time.UnixMilli(x.file.Created)) >= c.maxAge
		case "max_docs", "max_primary_shard_docs":
			ok = int64(st.Docs) >= c.maxDocs
		default:
			ok = st.Bytes >= c.maxBytes
		}
		all[fmt.Sprintf("[%s: %s]", name, value)] = ok
		due = due || ok
	}
	return all, due
}

// policy is a parsed lifecycle policy. What it says beyond rollover and deletion has no meaning on one node.
type policy struct {
	rollover    *conditions
	deleteAfter time.Duration
	deletes     bool
}

func parsePolicy(n *esjson.Node) (*policy, error) {
	p := &policy{}
	body := n.Get("policy")
	if body == nil {
		return nil, n.Contentf("[put_lifecycle_request] Required [policy]")
	}
	for _, f := range body.Fields {
		if f.Name != "phases" {
			if f.Name == "_meta" || f.Name == "deprecated" {
				continue
			}
			return nil, f.Value.Contentf("[lifecycle_policy] unknown field [%s]", f.Name)
		}
		for _, phase := range f.Value.Fields {
			if err := p.phase(phase.Name, phase.Value); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func (p *policy) phase(name string, n *esjson.Node) error {
	if !slices.Contains([]string{"hot", "warm", "cold", "frozen", "delete"}, name) {
		return eserr.IllegalArgument("Timeseries lifecycle does not support phase [%s]", name)
	}
	var age time.Duration
	for _, f := range n.Fields {
		switch f.Name {
		case "min_age":
			var err error
			if age, err = parseAge(f.Value.Str); err != nil {
				return err
			}
		case "actions":
			for _, a := range f.Value.Fields {
				switch a.Name {
				case "rollover":
					c, err := parseConditions(a.Value)
					if err != nil {
						return err
					}
					p.rollover = &c
				case "delete":
					p.deletes = true
				case "forcemerge", "set_priority", "readonly", "shrink", "allocate", "migrate", "unfollow", "searchable_snapshot", "wait_for_snapshot", "downsample":
				default:
					return a.Value.Contentf("[%s] unknown field [%s]", name, a.Name)
				}
			}
		default:
			return f.Value.Contentf("[%s] unknown field [%s]", name, f.Name)
		}
	}
	if name == "delete" {
		p.deleteAfter = age
	}
	return nil
}

// applyPolicies carries out what is due at now, for all streams.
func (c *cluster) applyPolicies(now time.Time) {
	c.mu.RLock()
	names := slices.Sorted(maps.Keys(c.streams))
	c.mu.RUnlock()
	for _, name := range names {
		if err := c.applyPolicy(name, now); err != nil {
			c.log.Error().Err(err).Str("stream", name).Msg("lifecycle step")
		}
	}
}

// streamPolicy is the policy of a stream: that of index.lifecycle.name, else the data stream lifecycle of its template.
func (c *cluster) streamPolicy(s *stream) (*policy, error) {
	if name := s.write().file.Settings["index.lifecycle.name"]; name != "" {
		raw, ok := c.state.Policies[name]
		if !ok {
			return nil, nil // as in Elasticsearch, the index waits for the policy to appear
		}
		n, err := esjson.Parse(raw.Policy)
		if err != nil {
			return nil, err
		}
		return parsePolicy(n)
	}
	l, ok, err := c.lifecycleOf(s)
	switch {
	case err != nil || !ok || l.Disabled:
		return nil, err
	case l.Retention == "": // without a retention there is only rollover
		return &policy{rollover: &conditions{maxAge: lifecycleAge(1 << 62), names: map[string]string{"max_age": "auto"}}}, nil
	}
	keep, err := parseAge(l.Retention)
	if err != nil {
		return nil, err
	}
	return &policy{rollover: &conditions{maxAge: lifecycleAge(keep), names: map[string]string{"max_age": "auto"}}, deletes: true, deleteAfter: keep}, nil
}

// lifecycleAge is the age at which data stream lifecycle rolls over, by retention.
func lifecycleAge(keep time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case keep <= day:
		return time.Hour
	case keep <= 14*day:
		return day
	case keep <= 90*day:
		return 7 * day
	}
	return 30 * day
}

func (c *cluster) applyPolicy(name string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[name]
	if s == nil {
		return nil
	}
	p, err := c.streamPolicy(s)
	if err != nil || p == nil {
		return err
	}
	if p.rollover != nil && s.write().store.Stats().Docs > 0 {
		if _, due := p.rollover.met(s.write(), now); due {
			if err := c.rolloverStream(s, now); err != nil {
				return err
			}
		}
	}
	if !p.deletes {
		return nil
	}
	indices := s.indices
	for i, x := range indices[:len(indices)-1] {
		at := x.rolledOver()
		if at == 0 { // stopped between creating the next index and marking this one
			at = indices[i+1].file.Created
		}
		if now.Sub(time.UnixMilli(at)) < p.deleteAfter {
			continue
		}
		s.indices = slices.DeleteFunc(slices.Clone(s.indices), func(y *index) bool { return y == x })
		if err := c.remove(x); err != nil {
			return err
		}
	}
	return nil
}

// rolloverStream gives a stream a new backing index. The caller holds mu.
func (c *cluster) rolloverStream(s *stream, now time.Time) error {
	old := s.write()
	made, err := c.compose(s.name)
	if err != nil {
		return err
	}
	if _, err := c.addGeneration(s.name, old.file.Generation+1, made); err != nil {
		return err
	}
	if err := old.sealed(now); err != nil {
		return fmt.Errorf("seal %s: %w", old.file.Name, err)
	}
	return nil
}
