package enrich

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// errorLine is one line of the nginx error log:
//
//	2006/01/02 15:04:05 [level] pid#tid: *connection message, client: …, server: …, request: "…", upstream: "…", host: "…"
type errorLine struct {
	ms                   int64
	level                []byte
	pid, tid, connection int64  // 0 when the line has none
	message              []byte // with everything behind it
	context              errorContext
}

// errorContext is what nginx puts behind a message, in this order; nil is not there.
type errorContext struct {
	client, server, request, upstream, host, referrer []byte
}

// parseErrorLine reads the line in zone. ok is false when it has not the form, as with the second line of a
// message that contains a line feed.
func parseErrorLine(line []byte, zone *time.Location) (e errorLine, ok bool) {
	if len(line) < len(errorTime)+3 {
		return e, false
	}
	at, err := time.ParseInLocation(errorTime, string(line[:len(errorTime)]), zone)
	if err != nil || at.Year() < 1970 {
		return e, false
	}
	e.ms = at.UnixMilli()
	rest, found := bytes.CutPrefix(line[len(errorTime):], []byte(" ["))
	if !found {
		return e, false
	}
	if e.level, rest, found = bytes.Cut(rest, []byte("] ")); !found || !knownLevel(e.level) {
		return e, false
	}
	e.message = e.process(rest)
	if number, message, found := bytes.Cut(e.message, []byte{' '}); found && len(number) > 0 && number[0] == '*' {
		if n, ok := fixedPoint(number[1:], 0); ok {
			e.connection, e.message = n, message
		}
	}
	e.context = parseErrorContext(e.message)
	return e, true
}

// CompleteErrorEntry reports whether an entry of the nginx error log that begins with text does not go on in the next line. Entries
// about a connection end with its client; one that does not have it yet may go on. Text that begins no entry does not.
func CompleteErrorEntry(text []byte) bool {
	const start = "2006/01/02 15:04:05 ["
	if len(text) < len(start) || text[len(start)-1] != '[' || text[4] != '/' || bytes.Contains(text, []byte(", client: ")) {
		return true
	}
	_, message, found := bytes.Cut(text, []byte(": *"))
	return !found || len(message) == 0 || message[0] < '0' || message[0] > '9'
}

// process reads `pid#tid: ` and returns what follows.
func (e *errorLine) process(text []byte) (message []byte) {
	pid, tail, found := bytes.Cut(text, []byte{'#'})
	if !found {
		return text
	}
	tid, message, found := bytes.Cut(tail, []byte(": "))
	if !found || len(message) == 0 {
		return text
	}
	p, ok := fixedPoint(pid, 0)
	t, isThread := fixedPoint(tid, 0)
	if !ok || !isThread || p == 0 {
		return text
	}
	e.pid, e.tid = p, t
	return message
}

func knownLevel(level []byte) bool {
	switch string(level) {
	case "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug":
		return true
	}
	return false
}

// parseErrorContext finds what nginx puts behind the message. Values in quotes end at the quote before the next name:
// nginx does not escape quotes in them.
func parseErrorContext(text []byte) (c errorContext) {
	at := bytes.Index(text, []byte(", client: "))
	if at < 0 {
		return c
	}
	rest := text[at:]
	for _, part := range [...]struct {
		name string
		to   *[]byte
	}{
		{", client: ", &c.client},
		{", server: ", &c.server},
		{", request: ", &c.request},
		{", upstream: ", &c.upstream},
		{", host: ", &c.host},
		{", referrer: ", &c.referrer},
	} {
		if part.name == ", upstream: " { // a subrequest says nothing about the client's request
			if i := bytes.Index(rest, []byte(", upstream: ")); i > 0 && bytes.HasPrefix(rest, []byte(", subrequest: ")) {
				rest = rest[i:]
			}
		}
		value, found := bytes.CutPrefix(rest, []byte(part.name))
		if !found {
			continue
		}
		if len(value) > 0 && value[0] == '"' {
			end := endOfQuoted(value)
			*part.to, rest = value[1:end], value[min(len(value), end+1):]
			continue
		}
		end := bytes.Index(value, []byte(", "))
		if end < 0 {
			end = len(value)
		}
		*part.to, rest = value[:end], value[end:]
	}
	return c
}

// endOfQuoted returns where the closing quote of a value is: the first one that ends the line or stands before the
// next name. Without one the value goes to the end.
func endOfQuoted(value []byte) int {
	for i := 1; i < len(value); i++ {
		if value[i] != '"' {
			continue
		}
		rest := value[i+1:]
		if len(rest) == 0 {
			return i
		}
		for _, name := range [...]string{`, subrequest: "`, `, upstream: "`, `, host: "`, `, referrer: "`} {
			if bytes.HasPrefix(rest, []byte(name)) {
				return i
			}
		}
	}
	return len(value)
}

// appendErrorLog appends a line of the nginx error log as a document of nginx.error.
func (b *Builder) appendErrorLog(dst []byte, o *Origin, in Input, line []byte) ([]byte, Mark) {
	e, ok := parseErrorLine(line, b.zone)
	if !ok {
		return b.wrap(dst, o, in, line, textTag(in, "unparsed"))
	}
	to := b.routeOf(o, nil, false, false, false)
	dst = append(o.appendID(append(dst, to.action...), in.Offset), "\"}}\n"...)
	m := Mark{Doc: len(dst), Stream: to.stream}
	dst, timely := b.appendBelieved(append(dst, `{"@timestamp":"`...), e.ms, line[:len(errorTime)])
	dst = append(dst, `,"log.level":"`...)
	dst = append(append(dst, e.level...), `","message":"`...)
	dst = append(appendEscaped(dst, e.message), '"')
	for _, n := range [...]struct {
		name  string
		value int64
	}{{`,"process.pid":`, e.pid}, {`,"process.thread.id":`, e.tid}, {`,"nginx.error.connection_id":`, e.connection}} {
		if n.value > 0 {
			dst = strconv.AppendInt(append(dst, n.name...), n.value, 10)
		}
	}
	dst = b.appendErrorContext(dst, &e.context)
	switch {
	case in.Truncated:
		dst = appendTags(dst, line, "truncated")
	case !timely:
		dst = appendTags(dst, line, badTime)
	case !utf8.Valid(line):
		dst = appendTags(dst, line, "invalid_utf8")
	}
	dst = o.appendIdentity(dst)
	dst = append(dst, b.agent...)
	return append(b.common(dst, o, to, in.Offset, false, false), '}', '\n'), m
}

func (b *Builder) appendErrorContext(dst []byte, c *errorContext) []byte {
	for _, f := range [...]struct {
		name  string
		value []byte
	}{
		{`,"remote_addr":"`, c.client},
		{`,"nginx.error.server":"`, c.server},
		{`,"nginx.error.upstream":"`, c.upstream},
		{`,"url.domain":"`, c.host},
		{`,"http.request.referrer":"`, c.referrer},
	} {
		if len(f.value) > 0 {
			dst = append(appendEscaped(append(dst, f.name...), f.value), '"')
		}
	}
	a := combinedLine{request: c.request}
	a.split()
	dst = b.appendRequest(dst, a.method, a.target, a.path(), a.version)
	return b.geo.appendSource(dst, c.client, nil)
}

// errorTime is how nginx writes the time in its error log.
const errorTime = "2006/01/02 15:04:05"
