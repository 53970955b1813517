package enrich

import (
	"bytes"
	"slices"
	"time"

	"kreislauf/logship/record"
)

// A line of somebody else may have what the index templates refuse: a text where they have an object ("error":"EOF"), an object where
// they have a text. And it has other names for the time, the level and the message. Such a line is mended: members get another name
// or another value, and all others stay as they are, byte for byte. Lines of the platform never need it.

// The tags of a mended line.
const (
	tagConflict = 1 << iota // a value stood where the templates have something else
	tagTime                 // the time could not be used
	tagLone                 // half of a surrogate pair stood alone
)

const badTime = "bad_time"

var mendTags = [...]string{"conflict", badTime, "lone_surrogate"}

// change says what becomes of a member.
type change struct {
	start, end uint32 // of the member in the line
	value      record.Span
	do         action
	path       string      // the field that gets the value
	from       record.Span // of the key of the member
	at         instant
}

// action is what is done with a member.
type action uint8

const (
	keep    action = iota // it stays as it is
	move                  // another name
	moveNum               // another name, and the number without its quotes
	moveAs                // another name, and the value as text
	empty                 // another name, and no value
	stamp                 // another name, and the value as a time
	level                 // another name, and the value as a level
	rebuild               // an object of which some members have to go elsewhere
	split                 // a request with method, target and version
)

// mender is what one line needs.
type mender struct {
	changes []change
	tags    uint8
	at      instant  // the time of the member that planTime chose; zero when it can stay as it is written
	level   bool     // log.level has to be read as appendLevel does
	used    []string // fields that changes made and that Line does not know
	lifted  []byte   // members that come out of an object: ,"name":value and so on
	whole   []byte   // the line without lone surrogates
}

// Mend mends a document that a target refused, as a line is mended before it is sent. at is the time of reading, for a document
// whose time cannot be used. ok is false when there is nothing to mend.
func (b *Builder) Mend(document []byte, at time.Time) (mended []byte, ok bool) {
	b.SetNow(at)
	b.read(b.plainNames)
	if b.line.Scan(document) != record.OK || !b.foreign(document) {
		return nil, false
	}
	origin := &Origin{}
	line, changes := b.plan(document, origin)
	if !changes {
		return nil, false
	}
	mended = b.appendMended(nil, line, origin)
	if !b.line.Has(record.Timestamp) {
		mended = append(append(append(mended, `,"@timestamp":"`...), b.now...), '"')
	}
	return append(mended, '}'), true
}

// foreign reports whether the line that was scanned has to be looked at.
func (b *Builder) foreign(line []byte) bool {
	return len(*b.line.Notes()) > 0 || b.line.LoneSurrogate() || b.line.Has(record.Timestamp) && !b.usual(b.line.Raw(line, record.Timestamp))
}

// appendMended appends the line without its closing brace, with all changes.
func (b *Builder) appendMended(dst, line []byte, o *Origin) []byte {
	m := &b.mend
	at, tagsAt := uint32(0), -1
	tags := b.line.Span(record.Tags)
	hasTags := b.line.Has(record.Tags)
	for i := range m.changes {
		c := &m.changes[i]
		if hasTags && at <= tags.Start && tags.Start < c.start {
			tagsAt = len(dst) + int(tags.Start-at)
		}
		dst = append(dst, line[at:c.start]...)
		at = c.end
		dst = b.appendChange(dst, c, line, o)
	}
	if hasTags && at <= tags.Start {
		tagsAt = len(dst) + int(tags.Start-at)
	}
	dst = append(dst, line[at:b.line.Brace]...)
	switch {
	case m.tags == 0:
	case tagsAt < 0:
		dst = append(append(dst, `,"tags":[`...), b.tagList()...)
		dst = append(dst, ']')
	default:
		dst = b.insertTags(dst, tagsAt, int(tags.End-tags.Start))
	}
	return dst
}

// tagList renders the tags without brackets.
func (b *Builder) tagList() []byte {
	var out []byte
	for i, name := range mendTags {
		if b.mend.tags&(1<<i) != 0 {
			if out != nil {
				out = append(out, ',')
			}
			out = append(append(append(out, '"'), name...), '"')
		}
	}
	return out
}

// insertTags adds to the tags that the line has, whose value is at an offset of dst.
func (b *Builder) insertTags(dst []byte, at, size int) []byte {
	value := dst[at : at+size]
	list := b.tagList()
	switch {
	case value[0] == '[':
		if len(bytes.TrimSpace(value[1:len(value)-1])) > 0 {
			list = append([]byte{','}, list...)
		}
		return slices.Insert(dst, at+size-1, list...)
	case value[0] == 'n':
		list = append(append([]byte{'['}, list...), ']')
		return slices.Replace(dst, at, at+size, list...)
	}
	dst = slices.Insert(dst, at+size, append(append([]byte{','}, list...), ']')...)
	return slices.Insert(dst, at, '[')
}

func (b *Builder) appendChange(dst []byte, c *change, line []byte, o *Origin) []byte {
	value := line[c.value.Start:c.value.End]
	if c.do == split {
		return b.appendSplit(dst, value)
	}
	dst = append(append(append(dst, '"'), c.path...), '"', ':')
	switch c.do {
	case moveNum:
		if text := value[1 : len(value)-1]; isNumber(text) {
			return append(dst, text...)
		}
		return append(dst, value...)
	case moveAs:
		return appendText(dst, value)
	case empty:
		return append(dst, "null"...)
	case stamp:
		return append(b.appendInstant(append(dst, '"'), c.at), '"')
	case level:
		return append(appendLevel(append(dst, '"'), value), '"')
	case rebuild:
		b.mend.lifted = b.mend.lifted[:0]
		dst = b.appendObject(dst, c.path, value, line, o)
		return append(dst, b.mend.lifted...)
	}
	return append(dst, value...)
}

// appendText appends a JSON value as a string: text as it is, everything else as it is written.
func appendText(dst, value []byte) []byte {
	if value[0] == '"' {
		return append(dst, value...)
	}
	return append(appendEscaped(append(dst, '"'), value), '"')
}

// appendObject appends an object without the members that the templates do not take there. Those are lifted: they become members of
// the line itself.
func (b *Builder) appendObject(dst []byte, path string, object, line []byte, o *Origin) []byte {
	dst = append(dst, '{')
	empty := true
	record.Members(object, func(key, value []byte) bool {
		full := path + "." + string(key)
		do, to := b.decide(full, value, line, o)
		if do != keep && !(do == move && record.FieldOf([]byte(full)) == record.Alias) && do != rebuild {
			b.mend.tags |= tagConflict
		}
		if do == move || do == moveAs && to != full {
			l := append(append(append(b.mend.lifted, ',', '"'), to...), '"', ':')
			if do == move {
				l = append(l, value...)
			} else {
				l = appendText(l, value)
			}
			b.mend.lifted = l
			if do == move {
				b.used(to)
				b.present(to)
			}
			return true
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		dst = append(append(append(dst, '"'), key...), '"', ':')
		switch do {
		case rebuild:
			dst = b.appendObject(dst, full, value, line, o)
		case moveAs:
			dst = appendText(dst, value)
		default:
			dst = append(dst, value...)
		}
		return true
	})
	return append(dst, '}')
}

// present notes that the document has a field now, so that it is not added again.
func (b *Builder) present(path string) {
	if k, ok := record.KeyOf([]byte(path)); ok {
		b.line.Adopt(k, record.Span{})
	}
}

// appendLevel appends the name of a level: in lower case, short, and a name for a number of pino or syslog.
func appendLevel(dst, value []byte) []byte {
	text := value
	if value[0] == '"' {
		text = value[1 : len(value)-1]
	}
	if n, ok := fixedPoint(text, 0); ok {
		switch {
		case n < 8:
			return append(dst, [...]string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}[n]...)
		case n < 100:
			return append(dst, [...]string{"trace", "trace", "debug", "info", "warn", "error", "fatal", "fatal", "fatal", "fatal"}[n/10]...)
		}
	}
	start := len(dst)
	for _, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	switch string(dst[start:]) {
	case "warning":
		return dst[:start+len("warn")]
	case "err":
		return append(dst[:start], "error"...)
	case "information", "informational":
		return dst[:start+len("info")]
	}
	return dst
}

// appendSplit appends what a request line holds: method, target, path and version. value is a JSON string.
func (b *Builder) appendSplit(dst, value []byte) []byte {
	request := combinedLine{request: value[1 : len(value)-1]}
	request.split()
	if request.method == nil {
		return append(append(dst, `"request":`...), value...)
	}
	start := len(dst)
	field := func(name string, text []byte) {
		if text != nil {
			dst = append(append(append(dst, `,"`...), name...), `":"`...)
			dst = append(append(dst, text...), '"')
		}
	}
	if !b.line.Has(record.Message) {
		field("message", request.request)
		b.present("message")
	}
	field("http.request.method", request.method)
	field("url.original", request.target)
	if !b.line.Has(record.Path) {
		field("url.path", request.path())
		b.present("url.path")
	}
	if !b.line.Has(record.HTTPVersion) {
		field("http.version", request.version)
	}
	b.present("http.request.method")
	b.present("url.original")
	return append(dst[:start], dst[start+1:]...)
}
