package enrich

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"kreislauf/logship/record"
)

// Proposal is what a sample of lines seems to be.
type Proposal struct {
	// Type is the type of input. Of Lines lines in the sample Fits have its form.
	Type        string
	Lines, Fits int
	// Keys are names of members and the fields that they seem to be, by their values; TimeKey is the member with the time, when it
	// has no usual name.
	Keys    map[string]string
	TimeKey string
	// Known are the foreign names that need no configuration, with their fields; Others are members without a field.
	Known  map[string]string
	Others []string
}

// maxSample is how many lines Propose looks at.
const maxSample = 1000

// Propose finds out what the lines of a file are. now is the present.
func Propose(lines [][]byte, now time.Time) Proposal {
	b := NewBuilder(Options{Zone: time.Local})
	b.SetNow(now)
	var counts [len(kindNames)]int
	var objects [][]byte
	p := Proposal{}
	for _, line := range lines {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || p.Lines == maxSample {
			continue
		}
		p.Lines++
		kind := b.kindOf(line)
		counts[kind]++
		if kind == Service {
			objects = append(objects, line)
		}
	}
	kind := Text
	for k, n := range counts {
		if n > counts[kind] {
			kind = Kind(k)
		}
	}
	p.Fits = counts[kind]
	if kind == Service {
		kind = b.proposeObjects(&p, objects)
	}
	p.Type = kindNames[kind]
	return p
}

// kindOf says which form a line has. A JSON object is a line of a service.
func (b *Builder) kindOf(line []byte) Kind {
	if _, ok := record.ParseCRI(line); ok {
		return Container
	}
	if _, _, ok := record.ParseDocker(line, nil); ok {
		return Container
	}
	var l record.Line
	if l.Scan(line) == record.OK {
		return Service
	}
	if _, ok := parseErrorLine(line, time.UTC); ok {
		return NginxError
	}
	if _, ok := parseCombined(line); ok {
		return NginxCombined
	}
	return Text
}

// proposeObjects finds out what the members of JSON lines are, and whether they are those of nginx.
func (b *Builder) proposeObjects(p *Proposal, objects [][]byte) Kind {
	values := map[string][][]byte{}
	var names []string
	for _, object := range objects {
		record.Members(object, func(key, value []byte) bool {
			name := string(key)
			if values[name] == nil {
				names = append(names, name)
			}
			values[name] = append(values[name], value)
			return true
		})
	}
	kind := Service
	if count(names, func(name string) bool { return nginxOnly(b, name) }) >= 3 {
		kind = NginxAccess
	}
	known := b.plainNames
	if kind == NginxAccess {
		known = b.nginxNames
	}
	p.Keys, p.Known = map[string]string{}, map[string]string{}
	have := map[string]bool{}
	for _, name := range names {
		if f := known.fields.Find(name); f != nil {
			p.Known[name] = f.Path
			have[f.Path] = true
		} else {
			have[name] = true
		}
	}
	for _, name := range names {
		if p.Known[name] != "" || record.FieldOf([]byte(name)) != record.Unknown {
			continue
		}
		field := b.guess(values[name], kind)
		switch {
		case field == "" || have[field]:
			p.Others = append(p.Others, name)
		case field == "@timestamp":
			have[field], p.TimeKey = true, name
		default:
			have[field], p.Keys[name] = true, field
		}
	}
	return kind
}

// nginxOnly reports whether a name is of an access log and of nothing else.
func nginxOnly(b *Builder, name string) bool {
	switch name {
	case "remote_addr", "request_time", "msec", "upstream_addr", "upstream_status", "upstream_response_time", "x_forwarded_for":
		return true
	}
	f := b.nginxNames.fields.Find(name)
	return f != nil && f.Role != record.Time && b.plainNames.fields.Find(name) == nil
}

func count(names []string, is func(string) bool) int {
	n := 0
	for _, name := range names {
		if is(name) {
			n++
		}
	}
	return n
}

// guess returns the field that all values of a member have the form of, empty when there is none.
func (b *Builder) guess(values [][]byte, kind Kind) string {
	all := func(is func(text []byte) bool) bool {
		seen := false
		return !slices.ContainsFunc(values, func(v []byte) bool {
			if v[0] == 'n' || noValue(v) {
				return false
			}
			seen = true
			return v[0] != '"' || !is(v[1:len(v)-1])
		}) && seen
	}
	if !slices.ContainsFunc(values, func(v []byte) bool { _, ok := b.parseTime(v, ""); return !ok }) {
		return "@timestamp"
	}
	if kind != NginxAccess {
		return ""
	}
	switch {
	case all(func(v []byte) bool { _, err := netip.ParseAddr(string(v)); return err == nil }):
		return "remote_addr"
	case all(func(v []byte) bool { return slices.Contains(methods[:], string(v)) }):
		return "http.request.method"
	case all(func(v []byte) bool { return bytes.HasPrefix(v, []byte("HTTP/")) }):
		return "http.version"
	case all(func(v []byte) bool { return v[0] == '/' }):
		return "url.original"
	case all(func(v []byte) bool {
		return bytes.HasPrefix(v, []byte("Mozilla/")) || bytes.HasPrefix(v, []byte("curl/"))
	}):
		return "user_agent.original"
	case all(func(v []byte) bool { return bytes.Contains(v, []byte(" HTTP/")) }):
		return "request"
	case !slices.ContainsFunc(values, func(v []byte) bool { n, ok := fixedPoint(bytes.Trim(v, `"`), 0); return !ok || n < 100 || n > 599 }):
		return "http.response.status_code"
	}
	return ""
}

// methods are those of requests that an access log is recognised by.
var methods = [...]string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"}
