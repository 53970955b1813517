package enrich

import (
	"bytes"
	"slices"
	"time"

	"kreislauf/logship/record"
)

// plan decides what has to change in a line, and makes its keys what they will be. It returns the line, perhaps a copy of the same
// length, and whether anything has to change.
func (b *Builder) plan(line []byte, o *Origin) (out []byte, changes bool) {
	m, l := &b.mend, b.line
	m.changes, m.used, m.lifted, m.tags, m.level = m.changes[:0], m.used[:0], m.lifted[:0], 0, false
	if l.LoneSurrogate() {
		m.whole = record.AppendWhole(m.whole[:0], line)
		line, m.tags = m.whole, tagLone
	}
	notes := *l.Notes()
	for i := range notes {
		if n := l.NameOf(&notes[i]); n != nil && n.Owns {
			l.Forget(n.Own) // it is not what its name says
		}
	}
	chosen := b.planTime(line)
	notes = *l.Notes()
	if l.Has(record.ServiceAlias) && !l.Has(record.ServiceName) {
		l.Adopt(record.ServiceName, l.Span(record.ServiceAlias))
	}
	if l.Has(record.EnvAlias) && !l.Has(record.Env) {
		l.Adopt(record.Env, l.Span(record.EnvAlias))
	}
	for i := range notes {
		n := &notes[i]
		c := change{start: n.Start, end: n.Value.End, value: n.Value, from: n.Key}
		name := l.NameOf(n)
		if name == nil {
			b.planValue(&c, line, o)
		} else if name.Role != record.Time {
			b.planName(&c, name, line, o)
		} else if chosen == i {
			c.do, c.path, c.at = stamp, "@timestamp", m.at
			if m.at == (instant{}) {
				c.do = move
			}
			l.Adopt(record.Timestamp, n.Value)
		} else if line[n.Value.Start] == '{' || line[n.Value.Start] == '[' {
			c.do, c.path = moveAs, b.label(string(line[c.from.Start:c.from.End]), line, o)
			m.tags |= tagConflict
		}
		if c.do != keep {
			m.changes = append(m.changes, c)
		}
	}
	if len(m.changes) > 1 && m.changes[0].start > m.changes[1].start { // that of @timestamp, which planTime put there
		slices.SortFunc(m.changes, func(a, b change) int { return int(a.start) - int(b.start) })
	}
	return line, len(m.changes) > 0 || m.tags != 0
}

// planTime finds the member that holds the time, and returns the number of its note; -1 for none. A time that cannot be used is set
// aside.
func (b *Builder) planTime(line []byte) (chosen int) {
	m, l := &b.mend, b.line
	own := l.Has(record.Timestamp)
	ownChange := change{do: keep}
	if own {
		value := l.Raw(line, record.Timestamp)
		if b.usual(value) {
			return -1
		}
		span := l.Span(record.Timestamp)
		key := bytes.LastIndexByte(line[:bytes.LastIndexByte(line[:span.Start], '"')], '"')
		ownChange = change{start: uint32(key), end: span.End, value: span, path: "@timestamp", do: stamp}
		if at, ok := b.parseTime(value, b.names.own); ok {
			ownChange.at = at
			m.changes = append(m.changes, ownChange)
			return -1
		}
	}
	chosen = -1
	first := -1
	for i := range *l.Notes() {
		n := &(*l.Notes())[i]
		if name := l.NameOf(n); name == nil || name.Role != record.Time {
			continue
		}
		if first < 0 {
			first = i
		}
		value := line[n.Value.Start:n.Value.End]
		if b.names.form == "" && len(value) == len(stampLayout)+7 && value[len(value)-2] == 'Z' && b.usual(value) {
			m.at, chosen = instant{}, i
			break
		}
		if at, ok := b.parseTime(value, b.names.form); ok {
			m.at, chosen = at, i
			break
		}
	}
	if !own && chosen < 0 && first >= 0 {
		n := &(*l.Notes())[first]
		if line[n.Value.Start] == 'n' { // null
			return -1
		}
		ownChange = change{start: n.Start, end: n.Value.End, value: n.Value, do: moveAs}
		*l.Notes() = slices.Delete(*l.Notes(), first, first+1)
	}
	if ownChange.do != keep {
		ownChange.do, ownChange.path = moveAs, "event.original_time"
		m.changes = append(m.changes, ownChange)
		m.tags |= tagTime
		l.Forget(record.Timestamp)
	}
	return chosen
}

// planName decides what becomes of a member with a foreign name.
func (b *Builder) planName(c *change, name *record.Name, line []byte, o *Origin) {
	value := line[c.value.Start:c.value.End]
	path := name.Path
	if name.Role == record.Rename && name.Known && !b.line.Has(name.Key) && len(b.mend.used) == 0 {
		first := value[0]
		if do := quickly(name.Class, first); do != keep && !(first == '"' && (len(value) == 2 || value[1] == '-')) && name.Key != record.OriginalURL {
			c.do, c.path = do, path
			b.line.Adopt(name.Key, c.value)
			return
		}
	}
	switch name.Role {
	case record.Level:
		if len(value) > 34 || value[0] != '"' && !digit(value[0]) || b.taken(path, line) {
			b.planValue(c, line, o)
			return
		}
		c.do, c.path, b.mend.level = level, path, true
		b.adopt(path, c.value)
		return
	case record.Request:
		if value[0] == '"' && !b.line.Has(record.OriginalURL) && !b.line.Has(record.Method) && !b.taken("http.request.method", line) {
			c.do, c.path = split, path
			return
		}
		b.planValue(c, line, o)
		return
	case record.Failure:
		if value[0] == '{' {
			path = "error"
		}
	}
	if path == "url.original" && string(line[c.from.Start:c.from.End]) == "uri" && (b.member("request_uri", line) || b.member("request", line)) {
		path = "url.path"
	}
	if b.taken(path, line) {
		b.planValue(c, line, o)
		return
	}
	if o.source.Kind == NginxAccess && noValue(value) {
		c.do, c.path = empty, path
		b.used(path)
		return
	}
	do, to := b.decide(path, value, line, o)
	switch do {
	case keep:
		c.do, c.path = move, path
		if value[0] == '"' && name.Class == record.Number {
			c.do = moveNum
		}
		b.adopt(path, c.value)
	default:
		if do != rebuild {
			b.mend.tags |= tagConflict
		}
		c.do, c.path = do, to
		b.adopt(to, c.value)
	}
}

// quickly returns what nearly always becomes of a value with a foreign name, by its first byte; keep when it takes a closer look.
func quickly(class record.Class, first byte) action {
	switch {
	case first == '{' || first == '[':
	case class == record.Text, class == record.Number && digit(first):
		return move
	}
	return keep
}

// noValue reports whether nginx had no value for a variable in quotes.
func noValue(value []byte) bool { return value[0] == '"' && none(value[1:len(value)-1]) }

// planValue decides what becomes of a member whose field does not take its value.
func (b *Builder) planValue(c *change, line []byte, o *Origin) {
	value := line[c.value.Start:c.value.End]
	key := line[c.from.Start:c.from.End]
	class := record.FieldOf(key)
	if class == record.Number && value[0] == '"' && isNumber(value[1:len(value)-1]) { // as often in a format of nginx
		return
	}
	from := string(key)
	if o.source.Kind == NginxAccess && noValue(value) && class == record.Number {
		c.do, c.path = empty, from
		return
	}
	k, known := record.KeyOf(key)
	if known && class == record.Object { // else "agent" would stand in the way of agent.name
		b.line.Forget(k)
	}
	do, path := b.decide(from, value, line, o)
	switch {
	case path != from:
		if known {
			b.line.Forget(k)
		}
		b.adopt(path, c.value)
	case known:
		b.line.Adopt(k, c.value)
	}
	c.do, c.path = do, path
	if do == moveAs || do == move && class != record.Alias {
		b.mend.tags |= tagConflict
	}
}

// decide says what has to become of a value at a path: an action and the field it goes to.
func (b *Builder) decide(path string, value, line []byte, o *Origin) (action, string) {
	class := record.FieldOf([]byte(path))
	first := value[0]
	aside := func() (action, string) { return moveAs, b.label(path, line, o) }
	if first == 'n' && class != record.Alias { // null
		return keep, path
	}
	scalar := first != '{' && first != '['
	switch class {
	case record.Object:
		switch {
		case first == '{' && b.fits(path, value), first == '[' && b.allFit(path, value):
			return keep, path
		case first == '{':
			return rebuild, path
		}
		if leaf := leafOf(path); leaf != "" && (scalar || scalars(value)) && b.takes(leaf, value) && !b.taken(leaf, line) {
			return move, leaf
		}
		return aside()
	case record.Text, record.Address:
		if scalar || first == '[' && scalars(value) {
			return keep, path
		}
		if path == "tags" || class == record.Address {
			return aside()
		}
		return moveAs, path
	case record.Number:
		if b.takes(path, value) {
			return keep, path
		}
		return aside()
	case record.Date:
		if digit(first) || isStamp(value) {
			return keep, path
		}
		return aside()
	case record.Flattened:
		if first == '{' || first == '[' && objects(value) {
			return keep, path
		}
		return aside()
	case record.Alias:
		to := map[string]string{"service.name": "service_name", "service.environment": "env"}[path]
		if to != "" && scalar && (!b.taken(to, line) || b.adopted(to)) {
			return move, to
		}
		return aside()
	case record.Unknown:
		if record.BelowLeaf([]byte(path)) {
			return aside()
		}
	}
	return keep, path
}

// adopted reports whether the value of a field is that of its alias so far.
func (b *Builder) adopted(path string) bool {
	field, alias := record.ServiceName, record.ServiceAlias
	if path == "env" {
		field, alias = record.Env, record.EnvAlias
	}
	return b.line.Has(alias) && b.line.Span(field) == b.line.Span(alias)
}

// isStamp reports whether a JSON value is a time that a field of times takes.
func isStamp(value []byte) bool {
	if len(value) < len(stampLayout)+3 || value[0] != '"' || !zoned(value[len(stampLayout)+1:len(value)-1]) {
		return false
	}
	_, err := time.Parse(stampLayout, string(value[1:len(stampLayout)+1]))
	return err == nil
}

// takes reports whether a field of the templates takes a scalar, or an array of scalars.
func (b *Builder) takes(path string, value []byte) bool {
	if record.FieldOf([]byte(path)) != record.Number {
		return true
	}
	switch {
	case value[0] == '[':
		all := true
		record.Elements(value, func(e []byte) bool { all = e[0] != '[' && e[0] != '{' && b.takes(path, e); return all })
		return all
	case value[0] == '"':
		return isNumber(value[1 : len(value)-1])
	}
	return value[0] == '-' || digit(value[0]) || value[0] == 'n'
}

// isNumber reports whether text is a JSON number of a size that a long takes.
func isNumber(text []byte) bool {
	whole, _, _ := bytes.Cut(bytes.TrimPrefix(text, []byte{'-'}), []byte{'.'})
	return len(whole) <= 18 && record.IsNumber(text)
}

// fits reports whether the templates take an object at a path with all that is in it.
func (b *Builder) fits(path string, object []byte) bool {
	ok := true
	record.Members(object, func(key, value []byte) bool {
		ok = b.memberFits(path+"."+string(key), value)
		return ok
	})
	return ok
}

func (b *Builder) memberFits(path string, value []byte) bool {
	class := record.FieldOf([]byte(path))
	first := value[0]
	switch {
	case class == record.Alias:
		return false
	case class == record.Unknown:
		return !record.BelowLeaf([]byte(path)) // deeper down nothing is known
	case first == 'n':
		return true
	case class == record.Object:
		return first == '{' && b.fits(path, value) || first == '[' && b.allFit(path, value)
	}
	do, _ := b.decide(path, value, nil, nil)
	return do == keep
}

// allFit reports whether an array holds only objects that fit.
func (b *Builder) allFit(path string, array []byte) bool {
	ok := true
	record.Elements(array, func(e []byte) bool { ok = e[0] == '{' && b.fits(path, e); return ok })
	return ok
}

func scalars(array []byte) bool {
	ok := true
	record.Elements(array, func(e []byte) bool { ok = e[0] != '{' && e[0] != '['; return ok })
	return ok
}

func objects(array []byte) bool {
	ok := true
	record.Elements(array, func(e []byte) bool { ok = e[0] == '{'; return ok })
	return ok
}

// taken reports whether the document has the field already.
func (b *Builder) taken(path string, line []byte) bool {
	if slices.Contains(b.mend.used, path) {
		return true
	}
	if k, ok := record.KeyOf([]byte(path)); ok && !many(k) {
		return b.line.Has(k)
	}
	for _, s := range b.line.Members() {
		key := line[s.Start:s.End]
		if len(key) > len(path) {
			continue
		}
		if len(key) == len(path) {
			if string(key) == path && !b.renamed(s) {
				return true
			}
		} else if path[len(key)] == '.' && string(key) == path[:len(key)] && !b.renamed(s) && b.inside(path[len(key)+1:], s, line) {
			return true
		}
	}
	return false
}

// renamed reports whether the member with a key gets another name.
func (b *Builder) renamed(key record.Span) bool {
	for i := range *b.line.Notes() {
		n := &(*b.line.Notes())[i]
		if n.Key == key {
			return b.line.NameOf(n) != nil
		}
	}
	return false
}

// inside reports whether the object of a top-level member has a field.
func (b *Builder) inside(path string, key record.Span, line []byte) bool {
	at := int(key.End) + 1
	for at < len(line) && (line[at] == ':' || line[at] <= ' ') {
		at++
	}
	return at < len(line) && line[at] == '{' && hasField(line[at:], path)
}

func hasField(object []byte, path string) bool {
	found := false
	record.Members(object, func(key, value []byte) bool {
		k := string(key)
		found = k == path || len(k) < len(path) && path[len(k)] == '.' && path[:len(k)] == k && value[0] == '{' && hasField(value, path[len(k)+1:])
		return !found
	})
	return found
}

// member reports whether the line has a top-level member.
func (b *Builder) member(name string, line []byte) bool {
	for _, s := range b.line.Members() {
		if string(line[s.Start:s.End]) == name {
			return true
		}
	}
	return false
}

// adopt makes the value at a span that of a field.
func (b *Builder) adopt(path string, value record.Span) {
	if k, ok := record.KeyOf([]byte(path)); ok {
		b.line.Adopt(k, value)
		if !many(k) {
			return
		}
	}
	b.used(path)
}

// many reports whether a key stands for more than one field.
func many(k record.Key) bool {
	switch k {
	case record.SourceGeo, record.NginxUpstream, record.KubernetesName, record.UserAgentParts, record.Labels, record.Agent:
		return true
	}
	return false
}

func (b *Builder) used(path string) { b.mend.used = append(b.mend.used, path) }

// label returns a field below labels for a value that has no place elsewhere.
func (b *Builder) label(path string, line []byte, o *Origin) string {
	name := []byte("labels.")
	for _, c := range []byte(path[:min(len(path), 200)]) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if !digit(c) && c != '-' {
				c = '_'
			}
		}
		name = append(name, c)
	}
	if len(name) == len("labels.") {
		name = append(name, "value"...)
	}
	if o == nil && line == nil { // only the kind of answer matters
		return string(name)
	}
	for b.labelTaken(string(name), line, o) {
		name = append(name, '_')
	}
	b.used(string(name))
	return string(name)
}

func (b *Builder) labelTaken(name string, line []byte, o *Origin) bool {
	if o != nil {
		if _, ok := o.source.Labels[name[len("labels."):]]; ok {
			return true
		}
	}
	if slices.Contains(b.mend.used, name) {
		return true
	}
	for _, s := range b.line.Members() {
		key := string(line[s.Start:s.End])
		if key == name || key == "labels" && b.inside(name[len("labels."):], s, line) {
			return true
		}
	}
	return false
}
