package enrich

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// combinedLine is one line of an access log in the format combined:
//
//	$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"
//
// perhaps followed by "$http_x_forwarded_for", perhaps without the last two (the format common). Values are as the
// server wrote them, escapes included; what was "-" is nil.
type combinedLine struct {
	ms                        int64
	stamp                     []byte // what ms was written as
	remote, user              []byte
	request                   []byte
	method, target, version   []byte // of the request, nil when it has not the form of one
	status, size              []byte
	referrer, agent, forwards []byte
}

// parseCombined reads the line. ok is false when it has not the form.
func parseCombined(line []byte) (a combinedLine, ok bool) {
	var rest []byte
	if a.remote, rest, ok = bytes.Cut(line, []byte{' '}); !ok || len(a.remote) == 0 {
		return a, false
	}
	// The second value is the identity that nobody uses; the user may hold spaces.
	if _, rest, ok = bytes.Cut(rest, []byte{' '}); !ok {
		return a, false
	}
	at := bytes.Index(rest, []byte(" ["))
	if at < 0 || len(rest) < at+2+len(accessTime)+2 {
		return a, false
	}
	a.user = rest[:at]
	a.stamp = rest[at+2 : at+2+len(accessTime)]
	if a.ms, ok = parseAccessTime(a.stamp); !ok {
		return a, false
	}
	if rest, ok = bytes.CutPrefix(rest[at+2+len(accessTime):], []byte("] ")); !ok {
		return a, false
	}
	if a.request, rest, ok = quoted(rest); !ok {
		return a, false
	}
	a.status, rest, _ = bytes.Cut(rest, []byte{' '})
	if n, isNumber := fixedPoint(a.status, 0); !isNumber || n > 999 {
		return a, false
	}
	a.size, rest, _ = bytes.Cut(rest, []byte{' '})
	if _, isNumber := fixedPoint(a.size, 0); !isNumber && !none(a.size) || len(a.size) == 0 {
		return a, false
	}
	for _, to := range [...]*[]byte{&a.referrer, &a.agent, &a.forwards} {
		if len(rest) == 0 {
			break
		}
		if *to, rest, ok = quoted(rest); !ok {
			return a, false
		}
	}
	a.split()
	for _, v := range [...]*[]byte{&a.user, &a.size, &a.referrer, &a.agent, &a.forwards} {
		if none(*v) {
			*v = nil
		}
	}
	return a, len(rest) == 0
}

// split takes the request apart: method, target, version.
func (a *combinedLine) split() {
	first, last := bytes.IndexByte(a.request, ' '), bytes.LastIndexByte(a.request, ' ')
	if first <= 0 || last <= first || !bytes.HasPrefix(a.request[last+1:], []byte("HTTP/")) {
		return
	}
	for _, c := range a.request[:first] {
		if c < 'A' || c > 'Z' {
			return
		}
	}
	a.method, a.target, a.version = a.request[:first], a.request[first+1:last], a.request[last+1:]
}

// path returns the target without its query, nil when it is no path.
func (a *combinedLine) path() []byte {
	if len(a.target) == 0 || a.target[0] != '/' {
		return nil
	}
	path, _, _ := bytes.Cut(a.target, []byte{'?'})
	return path
}

// quoted reads a quoted value, in which a backslash escapes a quote, and the space behind it.
func quoted(text []byte) (value, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			value, rest = text[1:i], text[i+1:]
			if len(rest) > 0 && rest[0] != ' ' {
				return nil, nil, false
			}
			return value, rest[min(1, len(rest)):], true
		}
	}
	return nil, nil, false
}

const accessTime = "02/Jan/2006:15:04:05 -0700"

// parseAccessTime reads the time of an access line as milliseconds since 1970.
func parseAccessTime(b []byte) (ms int64, ok bool) {
	for i, c := range []byte(accessTime) {
		switch {
		case '0' <= c && c <= '9':
			if b[i] < '0' || b[i] > '9' {
				return 0, false
			}
		case c == '-':
			if b[i] != '-' && b[i] != '+' {
				return 0, false
			}
		case c == '/' || c == ':' || c == ' ':
			if b[i] != c {
				return 0, false
			}
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	month := bytes.Index([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), b[3:6])
	day, year, hour, minute, second := two(0), two(7)*100+two(9), two(12), two(15), two(18)
	if month < 0 || month%3 != 0 || day < 1 || day > 31 || year < 1970 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	zone := two(22)*3600 + two(24)*60
	if b[21] == '-' {
		zone = -zone
	}
	ms = (time.Date(year, time.Month(month/3+1), day, hour, minute, second, 0, time.UTC).Unix() - int64(zone)) * 1000
	return ms, ms >= 0 && ms < maxStamp
}

// appendAccessText appends a line of an access log that is text, with the fields of one that is JSON.
func (b *Builder) appendAccessText(dst []byte, o *Origin, in Input, line []byte) ([]byte, Mark) {
	a, ok := parseCombined(line)
	if !ok || in.Truncated {
		return b.wrap(dst, o, in, line, textTag(in, "unparsed"))
	}
	to := b.routeOf(o, nil, false, true, false)
	dst = append(o.appendID(append(dst, to.action...), in.Offset), "\"}}\n"...)
	m := Mark{Doc: len(dst), Stream: to.stream}
	dst, timely := b.appendBelieved(append(dst, `{"@timestamp":"`...), a.ms, a.stamp)
	dst = append(dst, `,"message":"`...)
	if a.method != nil {
		dst = append(append(dst, a.method...), ' ')
		path := a.path()
		if path == nil {
			path = a.target
		}
		dst = b.appendLogged(dst, path)
	} else {
		dst = b.appendLogged(dst, a.request)
	}
	dst = append(append(append(dst, ' '), a.status...), '"')
	dst = b.appendLoggedField(dst, `,"remote_addr":"`, a.remote)
	dst = b.appendLoggedField(dst, `,"x_forwarded_for":"`, a.forwards)
	dst = b.appendLoggedField(dst, `,"user.name":"`, a.user)
	dst = b.appendRequest(dst, a.method, a.target, a.path(), a.version)
	dst = appendNumberField(dst, `,"http.response.status_code":`, a.status)
	dst = appendNumberField(dst, `,"http.response.body.bytes":`, a.size)
	dst = b.appendLoggedField(dst, `,"http.request.referrer":"`, a.referrer)
	dst = b.appendLoggedField(dst, `,"user_agent.original":"`, a.agent)
	dst = appendOutcome(dst, a.status)
	dst = b.geo.appendSource(dst, a.remote, a.forwards)
	if b.agents != nil {
		dst = b.agents.appendAgent(dst, a.agent)
	}
	switch {
	case !timely:
		dst = appendTags(dst, line, badTime)
	case !utf8.Valid(line):
		dst = appendTags(dst, line, "invalid_utf8")
	}
	dst = o.appendIdentity(dst)
	dst = append(dst, b.agent...)
	return append(b.common(dst, o, to, in.Offset, false, false), '}', '\n'), m
}

// appendRequest appends the parts of a request line.
func (b *Builder) appendRequest(dst, method, target, path, version []byte) []byte {
	dst = b.appendLoggedField(dst, `,"http.request.method":"`, method)
	dst = b.appendLoggedField(dst, `,"url.original":"`, target)
	dst = b.appendLoggedField(dst, `,"url.path":"`, path)
	return b.appendLoggedField(dst, `,"http.version":"`, version)
}

// appendLoggedField appends a value that is as the server wrote it; nothing when there is none.
func (b *Builder) appendLoggedField(dst []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	return append(b.appendLogged(append(dst, name...), value), '"')
}

// appendNumberField appends a number of digits, without leading zeros because JSON knows none.
func appendNumberField(dst []byte, name string, value []byte) []byte {
	n, ok := fixedPoint(value, 0)
	if !ok {
		return dst
	}
	return strconv.AppendInt(append(dst, name...), n, 10)
}

// appendLogged appends a value inside a JSON string. nginx writes some bytes as \xHH, other servers write \" and \\.
func (b *Builder) appendLogged(dst, value []byte) []byte {
	at := bytes.IndexByte(value, '\\')
	if at < 0 {
		return appendEscaped(dst, value)
	}
	plain := append(b.plain[:0], value[:at]...)
	for i := at; i < len(value); i++ {
		c := value[i]
		if c != '\\' || i+1 == len(value) {
			plain = append(plain, c)
			continue
		}
		i++
		switch value[i] {
		case 'n':
			plain = append(plain, '\n')
		case 't':
			plain = append(plain, '\t')
		case 'r':
			plain = append(plain, '\r')
		case '"', '\\':
			plain = append(plain, value[i])
		case 'x':
			if i+2 < len(value) {
				if n, err := strconv.ParseUint(string(value[i+1:i+3]), 16, 8); err == nil {
					plain = append(plain, byte(n))
					i += 2
					continue
				}
			}
			plain = append(plain, '\\', 'x')
		default:
			plain = append(plain, '\\', value[i])
		}
	}
	b.plain = plain
	return appendEscaped(dst, plain)
}
