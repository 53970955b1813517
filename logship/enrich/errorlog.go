package enrich

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// errorLine is one line of the nginx error log: `2006/01/02 15:04:05 [level] pid#tid: message`.
type errorLine struct {
	ms      int64
	level   []byte
	pid     int64
	message []byte
}

// parseErrorLine reads the line in zone. ok is false when it has not the form, as with the second line of a
// message that contains a line feed.
func parseErrorLine(line []byte, zone *time.Location) (e errorLine, ok bool) {
	const layout = "2006/01/02 15:04:05"
	if len(line) < len(layout)+3 {
		return e, false
	}
	at, err := time.ParseInLocation(layout, string(line[:len(layout)]), zone)
	if err != nil || at.Year() < 1970 {
		return e, false
	}
	e.ms = at.UnixMilli()
	rest, found := bytes.CutPrefix(line[len(layout):], []byte(" ["))
	if !found {
		return e, false
	}
	if e.level, rest, found = bytes.Cut(rest, []byte("] ")); !found || !knownLevel(e.level) {
		return e, false
	}
	e.message = rest
	if pid, tail, found := bytes.Cut(rest, []byte{'#'}); found {
		if _, message, found := bytes.Cut(tail, []byte(": ")); found {
			if n, err := strconv.ParseInt(string(pid), 10, 32); err == nil && n > 0 {
				e.pid, e.message = n, message
			}
		}
	}
	return e, true
}

func knownLevel(level []byte) bool {
	switch string(level) {
	case "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug":
		return true
	}
	return false
}

// appendErrorLog appends a line of the nginx error log as a document of nginx.error.
func (b *Builder) appendErrorLog(dst []byte, o *Origin, in Input, line []byte) ([]byte, Mark) {
	to := b.router.find(&o.source, &target{})
	dst = append(o.appendID(append(dst, to.action...), in.Offset), "\"}}\n"...)
	m := Mark{Doc: len(dst)}
	dst = append(dst, `{"@timestamp":"`...)
	e, ok := parseErrorLine(line, b.zone)
	if ok {
		dst = b.clock.appendStamp(dst, e.ms)
		dst = append(dst, `","log.level":"`...)
		dst = append(append(dst, e.level...), `","message":"`...)
		dst = append(appendEscaped(dst, e.message), '"')
		if e.pid > 0 {
			dst = strconv.AppendInt(append(dst, `,"process.pid":`...), e.pid, 10)
		}
	} else {
		dst = append(append(dst, b.now...), `","message":"`...)
		dst = append(appendEscaped(dst, line), '"')
	}
	switch {
	case in.Truncated:
		dst = appendTags(dst, line, "truncated")
	case !ok:
		dst = appendTags(dst, line, "unparsed")
	case !utf8.Valid(line):
		dst = appendTags(dst, line, "invalid_utf8")
	}
	dst = append(dst, o.service...)
	return append(b.common(dst, o, to, in.Offset, false, false), '}', '\n'), m
}
