package enrich

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"kreislauf/logship/config"
	"kreislauf/logship/record"
	"kreislauf/logship/syslog"
)

// maxEventID is the longest document id that the server takes, in bytes.
const maxEventID = 512

// Builder renders documents. It belongs to one goroutine.
type Builder struct {
	router     router
	geo        *Geo
	agents     *Agents // nil: user agents are not taken apart
	zone       *time.Location
	line       *record.Line
	names      *Names // of line
	lines      map[*Names]*record.Line
	plainNames *Names // for sources that bring no names
	nginxNames *Names
	mend       mender
	second     [len(stampLayout)]byte // of the last time that was usual
	clock      clock                  // for the times of lines
	nowMS      int64
	now        []byte // nowMS rendered
	plain      []byte // a value without its escapes
	agent      []byte // ,"agent.name":"..."
	syslog     *syslog.Parser
	entry      entry
}

// Options say how lines are enriched.
type Options struct {
	// Geo finds clients and their places.
	Geo *Geo
	// UserAgent says that user agents are taken apart.
	UserAgent bool
	// Zone is the time zone in which nginx writes its error log.
	Zone *time.Location
	// Routes stand before the built-in rules.
	Routes []config.Route
	// Agent is the name of the shipper.
	Agent string
}

// NewBuilder returns a Builder.
func NewBuilder(opt Options) *Builder {
	b := &Builder{router: newRouter(opt.Routes), geo: opt.Geo, zone: opt.Zone, agent: appendKnown(nil, "agent.name", opt.Agent), syslog: syslog.NewParser(opt.Zone)}
	b.plainNames, b.nginxNames = NewNames(Service, nil, "", ""), NewNames(NginxAccess, nil, "", "")
	b.lines = make(map[*Names]*record.Line)
	b.read(b.plainNames)
	if opt.UserAgent {
		b.agents = NewAgents()
	}
	return b
}

// SetNow sets the time of shipping for the documents to come.
func (b *Builder) SetNow(now time.Time) {
	ms := now.UnixMilli()
	if b.now != nil && ms == b.nowMS {
		return
	}
	var c clock
	b.nowMS, b.now = ms, c.appendStamp(b.now[:0], ms)
}

// read makes b.line one for lines with the names.
func (b *Builder) read(n *Names) {
	b.names = n
	if b.line = b.lines[n]; b.line == nil {
		b.line = new(record.Line)
		b.line.UseNames(&n.fields)
		b.lines[n] = b.line
	}
}

// namesOf returns the names of the lines of a file.
func (b *Builder) namesOf(o *Origin) *Names {
	switch {
	case o.source.Names != nil:
		return o.source.Names
	case o.source.Kind == NginxAccess:
		return b.nginxNames
	}
	return b.plainNames
}

// Input is one line of a file.
type Input struct {
	// Line is the text without line feed (for a container: without the prefix of the runtime).
	Line []byte
	// Offset is where the line begins in its file, in bytes.
	Offset int64
	// Time is the time the container runtime saw the line, RFC 3339; nil otherwise.
	Time []byte
	// Stderr says which output stream a container wrote the line to, when there is a Time.
	Stderr bool
	// Truncated says that the line was longer than a line may be and was cut.
	Truncated bool
	// entry is what is known of the line besides its text, nil when that is nothing.
	entry *entry
}

// Mark says where in the buffer the parts of an appended document are.
type Mark struct {
	// Doc is the offset of the document, behind the action line.
	Doc int
	// Raw is the length of the unchanged line at the start of the document without its closing brace; 0 when the
	// line was wrapped.
	Raw int
	// Stream is the number of the data stream in Streams, from 1, when the document has the event.created and the
	// agent.name of the shipper; else 0.
	Stream uint16
}

// Streams returns the names of all data streams that documents were made for. The list only grows.
func (b *Builder) Streams() []string { return b.router.streams }

// Append appends the action line and the document of one line to dst, each with its line feed. A line of
// nothing but white space gives no document: dst comes back unchanged and ok is false.
func (b *Builder) Append(dst []byte, o *Origin, in Input) (out []byte, m Mark, ok bool) {
	line := bytes.TrimSpace(in.Line)
	if len(line) == 0 && !in.Truncated {
		return dst, Mark{}, false
	}
	switch o.source.Kind {
	case NginxError:
		dst, m = b.appendErrorLog(dst, o, in, line)
		return dst, m, true
	case NginxCombined:
		dst, m = b.appendAccessText(dst, o, in, line)
		return dst, m, true
	case Text:
		dst, m = b.wrap(dst, o, in, bytes.TrimRight(in.Line, " \t\r\n"), textTag(in, ""))
		return dst, m, true
	case Syslog, Journal:
		return b.appendEntry(dst, o, in, line)
	}
	if in.Truncated {
		dst, m = b.wrap(dst, o, in, line, "truncated")
		return dst, m, true
	}
	dst, m = b.appendJSON(dst, o, in, line)
	return dst, m, true
}

// appendJSON appends the document of a line that should be a JSON object.
func (b *Builder) appendJSON(dst []byte, o *Origin, in Input, line []byte) ([]byte, Mark) {
	if n := b.namesOf(o); n != b.names {
		b.read(n)
	}
	if fault := b.line.Scan(line); fault != record.OK {
		return b.wrap(dst, o, in, line, faultTag(fault, o.source.Kind))
	}
	nginx := o.source.Kind == NginxAccess || b.isNginx(line)
	mended := false
	b.mend.tags = 0
	if b.foreign(line) {
		line, mended = b.plan(line, o)
	}
	to := b.routeOf(o, line, true, nginx, mended)
	dst = append(dst, to.action...)
	dst = b.appendID(dst, o, to, line, in.Offset)
	m := Mark{Doc: len(dst), Raw: b.line.Brace}
	if !b.line.Has(record.EventCreated) && !b.line.Has(record.Agent) {
		m.Stream = to.stream
	}
	if mended {
		m.Raw = 0
		dst = b.appendMended(dst, line, o)
	} else {
		dst = append(dst, line[:b.line.Brace]...)
	}
	first := len(dst)
	dst = b.additions(dst, o, to, line, in, nginx)
	if b.line.Empty { // no member before the additions: their first comma goes
		dst = append(dst[:first], dst[first+1:]...)
	}
	return append(dst, '}', '\n'), m
}

// isNginx recognises a line of the access log wherever it is.
func (b *Builder) isNginx(line []byte) bool {
	return b.line.Has(record.Msec) && string(b.line.Raw(line, record.ServiceName)) == `"nginx"`
}

// textTag is the tag of a line of text, perhaps none.
func textTag(in Input, tag string) string {
	if in.Truncated {
		return "truncated"
	}
	return tag
}

func (b *Builder) additions(dst []byte, o *Origin, to *route, line []byte, in Input, nginx bool) []byte {
	if !b.line.Has(record.Timestamp) {
		var ok bool
		dst, ok = b.timestamp(append(dst, `,"@timestamp":"`...), line, in, nginx)
		dst = append(dst, '"')
		if !ok && b.mend.tags == 0 && !b.line.Has(record.Tags) {
			dst = append(dst, `,"tags":["`+badTime+`"]`...) // it stays in msec
		}
	}
	if nginx {
		dst = b.appendNginx(dst, line)
	}
	if !b.line.Has(record.ServiceName) {
		dst = append(dst, o.service...)
	}
	if !b.line.Has(record.Env) {
		dst = append(dst, o.env...)
	}
	if !b.line.Has(record.Customer) {
		dst = append(dst, o.customer...)
	}
	if !b.line.Has(record.Labels) {
		dst = append(dst, o.labels...)
	}
	if !b.line.Has(record.KubernetesName) {
		dst = append(dst, o.kube...)
	}
	switch {
	case in.entry != nil:
		dst = in.entry.appendTo(dst, func(name string) bool { return b.hasField(line, name) })
	case in.Time != nil && !b.line.Has(record.IOStream):
		dst = append(dst, ioStream(in)...)
	}
	if !b.line.Has(record.EventCreated) && !b.line.Has(record.Agent) {
		dst = append(dst, b.agent...)
	}
	return b.common(dst, o, to, in.Offset, b.line.Has(record.EventCreated), b.line.Has(record.FilePath) || b.line.Has(record.FileOffset))
}

// common appends what every document gets.
func (b *Builder) common(dst []byte, o *Origin, to *route, offset int64, created, file bool) []byte {
	dst = append(dst, to.fields...)
	if !created {
		dst = append(dst, `,"event.created":"`...)
		dst = append(append(dst, b.now...), '"')
	}
	if !file {
		dst = append(dst, o.file...)
		dst = strconv.AppendInt(dst, offset, 10)
	}
	return dst
}

// timestamp appends the best time known of a line without one: its msec, the runtime's time, the present. It reports false when
// there is an msec that cannot be used.
func (b *Builder) timestamp(dst, line []byte, in Input, nginx bool) (out []byte, ok bool) {
	ok = true
	if nginx && b.line.Has(record.Msec) {
		if out, ok = b.clock.appendSeconds(dst, b.line.Text(line, record.Msec)); ok && b.believed(b.clock.second) {
			return out, true
		}
		ok = false
	}
	if in.Time != nil {
		return append(dst, in.Time...), ok
	}
	return append(dst, b.now...), ok
}

// appendID appends the document id and closes the action line.
func (b *Builder) appendID(dst []byte, o *Origin, to *route, line []byte, offset int64) []byte {
	if to.events && b.line.IsString(line, record.EventID) {
		if id := b.line.Text(line, record.EventID); len(id) > 0 && len(id) <= maxEventID {
			return append(append(dst, id...), "\"}}\n"...)
		}
	}
	return append(o.appendID(dst, offset), "\"}}\n"...)
}

// ioStream returns the field with the output stream of a container.
func ioStream(in Input) string {
	if in.Stderr {
		return `,"log.iostream":"stderr"`
	}
	return `,"log.iostream":"stdout"`
}

// wrap appends a line that is no JSON object as a document with the line as message.
func (b *Builder) wrap(dst []byte, o *Origin, in Input, line []byte, tag string) ([]byte, Mark) {
	to := b.routeOf(o, nil, false, o.source.Kind == NginxAccess, false)
	dst = append(o.appendID(append(dst, to.action...), in.Offset), "\"}}\n"...)
	m := Mark{Doc: len(dst), Stream: to.stream}
	dst = append(dst, `{"@timestamp":"`...)
	if in.Time != nil {
		dst = append(dst, in.Time...)
	} else {
		dst = append(dst, b.now...)
	}
	dst = append(dst, `","message":"`...)
	dst = append(appendEscaped(dst, line), '"')
	dst = appendTags(dst, line, tag)
	dst = append(o.appendIdentity(dst), o.kube...)
	switch {
	case in.entry != nil:
		dst = in.entry.appendTo(dst, func(string) bool { return false })
	case in.Time != nil:
		dst = append(dst, ioStream(in)...)
	}
	dst = append(dst, b.agent...)
	return append(b.common(dst, o, to, in.Offset, false, false), '}', '\n'), m
}

// appendTags appends the tags of a line: tag, when there is one, and what is wrong with its bytes.
func appendTags(dst, line []byte, tag string) []byte {
	nul, invalid := bytes.IndexByte(line, 0) >= 0, tag != "invalid_utf8" && !utf8.Valid(line)
	if tag == "" && !nul && !invalid {
		return dst
	}
	dst = append(dst, `,"tags":[`...)
	for _, t := range [...]struct {
		name string
		on   bool
	}{{tag, tag != ""}, {"nul_bytes", nul}, {"invalid_utf8", invalid}} {
		if t.on {
			dst = append(append(append(dst, '"'), t.name...), '"', ',')
		}
	}
	return append(dst[:len(dst)-1], ']')
}

func faultTag(f record.Fault, kind Kind) string {
	switch f {
	case record.InvalidUTF8:
		return "invalid_utf8"
	case record.DuplicateKey:
		return "duplicate_key"
	case record.TooDeep:
		return "too_deep"
	}
	if kind == Container {
		return "unparsed"
	}
	return "invalid_json"
}
