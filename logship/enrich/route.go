package enrich

import "kreislauf/logship/record"

// route is where a line goes and what it lacks to say so itself.
type route struct {
	action []byte // {"create":{"_index":"...","_id":"
	fields []byte // ,"data_stream.type":"..." and so on: only what the line does not have
	events bool   // the document id is the line's event.id
}

// maxRoutes bounds the table of routes; lines with ever new service names empty it again and again.
const maxRoutes = 1024

// router finds the data stream of a line. Routes are rendered once per combination of what they depend on.
type router struct {
	env    string // for lines that do not say
	routes map[string]*route
	key    []byte
}

func newRouter(env string) router { return router{env: env, routes: make(map[string]*route)} }

// target is what decides the route: an empty part is filled from the source.
type target struct {
	streamType, dataset, namespace, service, env []byte
	nginx                                        bool
	has                                          uint8 // which of the fields below the line has
}

const (
	hasType = 1 << iota
	hasDataset
	hasNamespace
	hasEventDataset
)

func (r *router) find(source *Source, t *target) *route {
	key := r.key[:0]
	key = append(key, t.has, byte(source.Kind))
	if t.nginx {
		key[1] |= 0x80
	}
	for _, part := range [...][]byte{t.streamType, t.dataset, t.namespace, t.service, t.env} {
		key = append(append(key, part...), 0)
	}
	if len(t.service) == 0 {
		key = append(append(key, source.Service...), 0)
	}
	if len(t.env) == 0 {
		key = append(key, source.Env...)
	}
	r.key = key
	if found := r.routes[string(key)]; found != nil {
		return found
	}
	made := r.render(source, t)
	if len(r.routes) == maxRoutes {
		clear(r.routes)
	}
	r.routes[string(key)] = made
	return made
}

func (r *router) render(source *Source, t *target) *route {
	streamType := streamPart(string(t.streamType), "logs")
	dataset := streamPart(string(t.dataset), defaultDataset(source, t))
	namespace := firstOf(string(t.namespace), string(t.env), source.Env, r.env)
	namespace = streamPart(namespace, "default")
	out := &route{events: streamType == "events"}
	out.action = append(out.action, `{"create":{"_index":"`+streamType+"-"+dataset+"-"+namespace+`","_id":"`...)
	for _, f := range [...]struct {
		flag        uint8
		name, value string
	}{
		{hasType, "data_stream.type", streamType},
		{hasDataset, "data_stream.dataset", dataset},
		{hasNamespace, "data_stream.namespace", namespace},
		{hasEventDataset, "event.dataset", dataset},
	} {
		if t.has&f.flag == 0 {
			out.fields = appendField(out.fields, f.name, f.value)
		}
	}
	return out
}

func defaultDataset(source *Source, t *target) string {
	service := firstOf(string(t.service), source.Service)
	switch {
	case source.Kind == NginxError:
		return "nginx.error"
	case t.nginx:
		return "nginx.access"
	case service == "":
		return "kubernetes.container"
	}
	return "kreislauf." + streamPart(service, "unknown")
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
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

// target reads from a scanned line what decides its route.
func (b *Builder) target(line []byte, kind Kind) target {
	text := func(k record.Key) []byte {
		if b.line.IsString(line, k) {
			return b.line.Text(line, k)
		}
		return nil
	}
	t := target{
		streamType: text(record.StreamType),
		dataset:    text(record.StreamDataset),
		namespace:  text(record.StreamNamespace),
		service:    text(record.ServiceName),
		env:        text(record.Env),
	}
	t.nginx = kind == NginxAccess || string(t.service) == "nginx" && b.line.Has(record.Msec)
	for _, f := range [...]struct {
		key  record.Key
		flag uint8
	}{
		{record.StreamType, hasType},
		{record.StreamDataset, hasDataset},
		{record.StreamNamespace, hasNamespace},
		{record.EventDataset, hasEventDataset},
	} {
		if b.line.Has(f.key) {
			t.has |= f.flag
		}
	}
	return t
}
