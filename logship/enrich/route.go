package enrich

import (
	"math"
	"slices"

	"kreislauf/logship/config"
	"kreislauf/logship/record"
)

// route is the data stream that a line goes to, and the fields that name it as far as the line does not have them.
type route struct {
	action []byte // {"create":{"_index":"...","_id":"
	fields []byte // ,"data_stream.type":"..." and so on: only what the line does not have
	events bool   // the document id is the line's event.id
	stream uint16 // the number of the data stream from 1; 0 when there are too many
}

// maxRoutes bounds the table of routes; lines with ever new service names empty it again and again.
const maxRoutes = 1024

// router finds the data stream of a line. Routes are rendered once per combination of what they depend on.
type router struct {
	own, defaults []config.Route
	looks         record.Keys // what the rules look at in a line
	files         []string    // what they look at in a file
	routes        map[string]*route
	key           []byte
	streams       []string // all data streams so far
	numbers       map[string]uint16
	last          *route // of the line before, with what the rules saw in it
	lastOrigin    *Origin
	lastHas       byte
	lastSeen      record.Keys // those of looks that it had
	lastValues    []byte      // their values in the order of the keys, each with a zero byte
}

func newRouter(own []config.Route) router {
	r := router{own: own, defaults: builtin(), looks: always, routes: make(map[string]*route), numbers: make(map[string]uint16)}
	r.files = []string{"input.type", "input.dataset", "service_name", "env"}
	note := func(key string) {
		if k, ok := inLine[key]; ok {
			r.looks |= 1 << k
		}
		if !slices.Contains(r.files, key) {
			r.files = append(r.files, key)
		}
	}
	for _, rule := range own {
		for key := range rule.Match {
			note(key)
		}
		for _, text := range [...]string{rule.Type, rule.Dataset, rule.Namespace} {
			expand(text, func(key string) string { note(key); return "x" })
		}
	}
	return r
}

// Which of the fields that name its data stream a line has.
const (
	hasType = 1 << iota
	hasDataset
	hasNamespace
	hasEventDataset
	isNginx
	isScanned
	hasForeignLevel
)

// routeOf finds the route of the line that was scanned, or, when scanned is false, of any line of the file that is no
// JSON object.
func (b *Builder) routeOf(o *Origin, line []byte, scanned, nginx, mended bool) *route {
	r := &b.router
	has := byte(0)
	if nginx {
		has |= isNginx
	}
	if scanned {
		has |= isScanned | b.streamNames()
		if mended && b.mend.level {
			has |= hasForeignLevel
		}
	}
	if r.last != nil && o == r.lastOrigin && b.sameRoute(line, has) {
		return r.last
	}
	if o.routeKey == nil {
		o.routeKey = append(o.routeKey, 0)
		for _, name := range r.files {
			o.routeKey = append(append(o.routeKey, o.inFile(name, false)...), 0)
		}
	}
	key := append(append(r.key[:0], has), o.routeKey...)
	if scanned {
		for looks := r.looks; looks != 0; looks &= looks - 1 {
			key = append(append(key, b.line.Raw(line, looks.First())...), 0)
		}
	}
	r.key = key
	found := r.routes[string(key)]
	if found == nil {
		if len(r.routes) == maxRoutes {
			clear(r.routes)
		}
		found = r.render(has, func(name string) string {
			if k, ok := inLine[name]; ok && scanned {
				if k == record.LogLevel && has&hasForeignLevel != 0 {
					return string(appendLevel(nil, b.line.Raw(line, k)))
				}
				if text := b.line.Text(line, k); len(text) > 0 && (k == record.Status || b.line.IsString(line, k)) {
					return string(text)
				}
			}
			return o.inFile(name, nginx)
		})
		r.routes[string(key)] = found
	}
	r.last, r.lastOrigin, r.lastHas, r.lastSeen, r.lastValues = found, o, has, 0, r.lastValues[:0]
	if scanned {
		r.lastSeen = b.line.Which(r.looks)
		for seen := r.lastSeen; seen != 0; seen &= seen - 1 {
			r.lastValues = append(append(r.lastValues, b.line.Raw(line, seen.First())...), 0)
		}
	}
	return found
}

// sameRoute reports whether the rules see the same in the line as in the one before of the same file.
func (b *Builder) sameRoute(line []byte, has byte) bool {
	r := &b.router
	if has != r.lastHas {
		return false
	}
	if has&isScanned == 0 {
		return true
	}
	seen := b.line.Which(r.looks)
	if seen != r.lastSeen {
		return false
	}
	for rest := r.lastValues; seen != 0; seen &= seen - 1 {
		value := b.line.Raw(line, seen.First())
		if len(rest) <= len(value) || string(rest[:len(value)]) != string(value) || rest[len(value)] != 0 {
			return false
		}
		rest = rest[len(value)+1:]
	}
	return true
}

// names says which of the names of its data stream the line has.
func (b *Builder) streamNames() byte {
	has := byte(0)
	if b.line.Has(record.StreamType) {
		has |= hasType
	}
	if b.line.Has(record.StreamDataset) {
		has |= hasDataset
	}
	if b.line.Has(record.StreamNamespace) {
		has |= hasNamespace
	}
	if b.line.Has(record.EventDataset) {
		has |= hasEventDataset
	}
	return has
}

func (r *router) render(has byte, value func(string) string) *route {
	s := apply(r.own, r.defaults, value)
	// What the line names itself is not the rules' business: the fields of a document and its stream must agree.
	for _, f := range [...]struct {
		flag byte
		key  string
		part *string
	}{
		{hasType, "data_stream.type", &s.streamType},
		{hasDataset, "data_stream.dataset", &s.dataset},
		{hasNamespace, "data_stream.namespace", &s.namespace},
	} {
		if v := value(f.key); has&f.flag != 0 && v != "" {
			*f.part = v
		}
	}
	streamType, dataset, namespace := streamPart(s.streamType, "logs"), streamPart(s.dataset, "generic"), streamPart(s.namespace, "default")
	name := streamType + "-" + dataset + "-" + namespace
	out := &route{events: streamType == "events", stream: r.number(name)}
	out.action = append(out.action, `{"create":{"_index":"`+name+`","_id":"`...)
	for _, f := range [...]struct {
		flag        byte
		name, value string
	}{
		{hasType, "data_stream.type", streamType},
		{hasDataset, "data_stream.dataset", dataset},
		{hasNamespace, "data_stream.namespace", namespace},
		{hasEventDataset, "event.dataset", dataset},
	} {
		if has&f.flag == 0 {
			out.fields = appendField(out.fields, f.name, f.value)
		}
	}
	return out
}

// number returns the number of a data stream.
func (r *router) number(name string) uint16 {
	n, ok := r.numbers[name]
	if !ok && len(r.streams) < math.MaxUint16 {
		r.streams = append(r.streams, name)
		n = uint16(len(r.streams))
		r.numbers[name] = n
	}
	return n
}

// streamPart makes name fit to be a part of a data stream name: lower case, at most 100 bytes, and nothing of
// what index names forbid nor the dash that separates the parts. An empty name becomes otherwise.
func streamPart(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name) && i < 100; i++ {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.' && i > 0, c == '_' && i > 0:
		default:
			c = 'x'
			if i > 0 {
				c = '_'
			}
		}
		out = append(out, c)
	}
	return string(out)
}
