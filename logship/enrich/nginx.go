package enrich

import (
	"bytes"
	"strconv"

	"kreislauf/logship/record"
)

// appendNginx appends what an nginx access line gets: duration, outcome, client and upstream.
func (b *Builder) appendNginx(dst, line []byte) []byte {
	l := b.line
	if !l.Has(record.EventDuration) {
		dst = appendNumber(dst, `,"event.duration":`, l.Text(line, record.RequestTime), 9)
	}
	if !l.Has(record.EventOutcome) {
		dst = appendOutcome(dst, l.Text(line, record.Status))
	}
	if !l.Has(record.SourceIP) && !l.Has(record.SourceNetwork) && !l.Has(record.SourceGeo) {
		dst = b.geo.appendSource(dst, l.Text(line, record.RemoteAddr), l.Text(line, record.ForwardedFor))
	}
	if !l.Has(record.NginxUpstream) {
		dst = b.appendUpstream(dst, line)
	}
	if !l.Has(record.Message) && l.IsString(line, record.Method) && l.IsString(line, record.OriginalURL) {
		dst = append(append(append(dst, `,"message":"`...), l.Text(line, record.Method)...), ' ')
		dst = append(append(append(dst, pathOf(l.Text(line, record.OriginalURL))...), ' '), l.Text(line, record.Status)...)
		dst = append(dst, '"')
	}
	if !l.Has(record.Path) && l.IsString(line, record.OriginalURL) && bytes.HasPrefix(l.Text(line, record.OriginalURL), []byte{'/'}) {
		dst = append(append(append(dst, `,"url.path":"`...), pathOf(l.Text(line, record.OriginalURL))...), '"')
	}
	if b.agents != nil && l.IsString(line, record.UserAgent) && !l.Has(record.UserAgentParts) {
		dst = b.agents.appendAgent(dst, l.Text(line, record.UserAgent))
	}
	return dst
}

// pathOf returns a target without its query.
func pathOf(target []byte) []byte {
	path, _, _ := bytes.Cut(target, []byte{'?'})
	return path
}

// appendNumber appends a field with the integer that text is in units of 10^-scale, or nothing when it is no number.
func appendNumber(dst []byte, name string, text []byte, scale int) []byte {
	if out, ok := appendFixed(append(dst, name...), text, scale); ok {
		return out
	}
	return dst
}

// appendOutcome appends what a status means: from 400 on it is a failure.
func appendOutcome(dst, text []byte) []byte {
	switch {
	case len(text) != 3 || text[0] < '1' || text[0] > '9' || !digit(text[1]) || !digit(text[2]):
		return dst
	case text[0] < '4':
		return append(dst, `,"event.outcome":"success"`...)
	}
	return append(dst, `,"event.outcome":"failure"`...)
}

// upstreamList is one upstream variable of nginx with its field names.
type upstreamList struct {
	key        record.Key
	list, last string
	scale      int // digits behind the point of the last value as a number; -1 for a keyword
}

// upstreamLists are all of them; the addresses come first, because they tell the number of attempts.
var upstreamLists = [...]upstreamList{
	{record.UpstreamAddr, `,"nginx.access.upstream.address_list":["`, `,"nginx.access.upstream.address":`, -1},
	{record.UpstreamStatus, `,"nginx.access.upstream.status_list":["`, `,"nginx.access.upstream.status_code":`, 0},
	{record.UpstreamConnectTime, `,"nginx.access.upstream.connect_time_list":["`, `,"nginx.access.upstream.connect_time_ms":`, 3},
	{record.UpstreamHeaderTime, `,"nginx.access.upstream.header_time_list":["`, `,"nginx.access.upstream.header_time_ms":`, 3},
	{record.UpstreamResponseTime, `,"nginx.access.upstream.response_time_list":["`, `,"nginx.access.upstream.response_time_ms":`, 3},
}

// appendUpstream appends the values of the last attempt and how many there were before it, and, when there were any, the lists of
// all attempts. nginx separates the attempts within a group of servers by ", " and the groups of an internal redirect by " : ".
func (b *Builder) appendUpstream(dst, line []byte) []byte {
	attempts := 0
	for i := range upstreamLists {
		u := &upstreamLists[i]
		value := b.line.Raw(line, u.key)
		if len(value) > 0 && digit(value[0]) && u.scale >= 0 { // without quotes, in a format that is not ours
			dst = appendNumber(dst, u.last, value, u.scale)
			continue
		}
		if len(value) < 2 || value[0] != '"' || none(value[1:len(value)-1]) {
			continue
		}
		value = value[1 : len(value)-1]
		last, count := value, 1
		if bytes.IndexByte(value, ' ') >= 0 {
			dst, last, count = appendList(append(dst, u.list...), value)
		}
		if i == 0 {
			attempts = count
		}
		dst = appendLast(dst, u, last)
	}
	if attempts > 0 {
		dst = strconv.AppendInt(append(dst, `,"nginx.access.upstream.retries":`...), int64(attempts-1), 10)
	}
	return dst
}

// appendList appends the attempts and the end of their array, and returns the last one and how many there are.
func appendList(dst, value []byte) (out, last []byte, count int) {
	last, rest := nextUpstream(value)
	dst = append(dst, last...)
	for count = 1; rest != nil; count++ {
		last, rest = nextUpstream(rest)
		dst = append(append(dst, `","`...), last...)
	}
	return append(dst, `"]`...), last, count
}

func appendLast(dst []byte, u *upstreamList, last []byte) []byte {
	if none(last) {
		return dst
	}
	if u.scale < 0 {
		return append(append(append(append(dst, u.last...), '"'), last...), '"')
	}
	return appendNumber(dst, u.last, last, u.scale)
}

// none reports whether nginx had no value.
func none(value []byte) bool {
	return len(value) == 0 || len(value) == 1 && value[0] == '-'
}

// nextUpstream returns the first attempt of the list and what follows its separator, nil at the end.
func nextUpstream(list []byte) (first, rest []byte) {
	for i := 0; i+1 < len(list); i++ {
		if list[i] == ',' && list[i+1] == ' ' {
			return list[:i], list[i+2:]
		}
		if list[i] == ' ' && list[i+1] == ':' && i+2 < len(list) && list[i+2] == ' ' {
			return list[:i], list[i+3:]
		}
	}
	return list, nil
}
