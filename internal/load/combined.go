package load

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// record is what Replay needs of one line in the combined format of nginx and Apache:
//
//	address ident user [02/Jan/2006:15:04:05 -0700] "METHOD target HTTP/1.1" status bytes "referer" "user agent"
//
// Fields after the user agent, which many configurations add, are ignored. Escapes of both servers in quoted fields are undone.
type record struct {
	from    netip.Addr // invalid when the log holds a host name
	at      time.Time
	method  string
	target  string // as sent, usually a path with query
	referer string // empty for "-"
	agent   string // empty for "-"
}

var errNoClosingQuote = errors.New("no closing quote")

const combinedTime = "02/Jan/2006:15:04:05 -0700"

// parseCombined reads one line without its newline. The error says which field is not as it should be.
func parseCombined(line string) (record, error) {
	var r record
	host, rest, ok := strings.Cut(line, " ")
	if !ok || host == "" {
		return r, errors.New("address: missing")
	}
	if a, err := netip.ParseAddr(host); err == nil {
		r.from = a.WithZone("").Unmap()
	}
	user, rest, ok := strings.Cut(rest, " [") // a user name may hold spaces
	if ident, name, two := strings.Cut(user, " "); !ok || !two || ident == "" || name == "" {
		return r, errors.New("ident and user: missing")
	}
	stamp, rest, ok := strings.Cut(rest, "] ")
	if !ok {
		return r, errors.New("time: no closing bracket")
	}
	var err error
	if r.at, err = time.Parse(combinedTime, stamp); err != nil {
		return r, fmt.Errorf("time: %q is not like %s", stamp, combinedTime)
	}
	request, rest, err := quoted(rest)
	if err != nil {
		return r, fmt.Errorf("request: %w", err)
	}
	if r.method, r.target, err = splitRequest(request); err != nil {
		return r, fmt.Errorf("request: %w", err)
	}
	status, rest, _ := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	if n, err := strconv.ParseUint(status, 10, 16); err != nil || len(status) != 3 || n < 100 {
		return r, fmt.Errorf("status: %q is not a number of three digits", status)
	}
	size, rest, _ := strings.Cut(rest, " ")
	if _, err := strconv.ParseUint(size, 10, 64); err != nil && size != "-" {
		return r, fmt.Errorf("bytes: %q is neither a number nor -", size)
	}
	if r.referer, rest, err = quoted(rest); err != nil {
		return r, fmt.Errorf("referer: %w", err)
	}
	if r.agent, rest, err = quoted(strings.TrimPrefix(rest, " ")); err != nil {
		return r, fmt.Errorf("user agent: %w", err)
	}
	if rest != "" && rest[0] != ' ' {
		return r, errors.New("user agent: no space after the closing quote")
	}
	if r.referer == "-" {
		r.referer = ""
	}
	if r.agent == "-" {
		r.agent = ""
	}
	return r, nil
}

// quoted reads a field in double quotes from the beginning of s and gives it unescaped, with what follows.
func quoted(s string) (field, rest string, err error) {
	if s == "" || s[0] != '"' {
		return "", "", errors.New("no opening quote")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			text, used := unescape(s[i+1:])
			b.WriteString(text)
			i += used
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", errNoClosingQuote
}

// unescape reads what follows a backslash: nginx writes \xHH for everything special, Apache the C escapes as well. An unknown escape
// stands for itself.
func unescape(s string) (text string, used int) {
	if s[0] == 'x' && len(s) >= 3 {
		if v, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return string([]byte{byte(v)}), 3
		}
	}
	if i := strings.IndexByte(`"\nrtbfv`, s[0]); i >= 0 {
		return "\"\\\n\r\t\b\f\v"[i : i+1], 1
	}
	return `\` + s[:1], 1
}

// splitRequest takes a request line apart. Spaces within the target are kept; a missing version is HTTP/0.9.
func splitRequest(line string) (method, target string, err error) {
	if line == "" || line == "-" {
		return "", "", errors.New("none recorded")
	}
	method, target, ok := strings.Cut(line, " ")
	if !ok || method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "" {
		return "", "", fmt.Errorf("%.40q does not begin with a method", line)
	}
	if i := strings.LastIndexByte(target, ' '); i >= 0 && strings.HasPrefix(target[i+1:], "HTTP/") {
		target = target[:i]
	}
	if target == "" {
		return "", "", fmt.Errorf("%.40q has no target", line)
	}
	return method, target, nil
}
