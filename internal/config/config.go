// Package config owns how a process learns its settings: environment variables, read once, checked, and shown masked.
//
// Invariants: every variable that is read is listed in Dump; a secret's value never leaves Dump; all mistakes are reported
// at once, each with the variable, what it held and what is allowed. It does not watch for changes.
package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"time"
)

// Reader collects settings and the mistakes in them. It is not safe for concurrent use.
type Reader struct {
	lookup func(string) (string, bool)
	shown  map[string]string
	errs   []error
}

// New reads from lookup: os.LookupEnv in a process of its own, a map where several services share one process.
func New(lookup func(string) (string, bool)) *Reader {
	return &Reader{lookup: lookup, shown: map[string]string{}}
}

// FromMap makes a lookup of a fixed set.
func FromMap(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

func (r *Reader) get(name, def string) string {
	if v, ok := r.lookup(name); ok && v != "" {
		r.shown[name] = v
		return v
	}
	r.shown[name] = def
	return def
}

// Fail records a mistake in a variable.
func (r *Reader) Fail(name, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
}

// String reads text; def when absent.
func (r *Reader) String(name, def string) string { return r.get(name, def) }

// Match reads text that must match the whole pattern; allowed says it in words.
func (r *Reader) Match(name, def string, pattern *regexp.Regexp, allowed string) string {
	v := r.get(name, def)
	if loc := pattern.FindStringIndex(v); loc == nil || loc[0] != 0 || loc[1] != len(v) {
		r.Fail(name, "%q is not allowed; use %s", v, allowed)
	}
	return v
}

// Addr reads host:port.
func (r *Reader) Addr(name, def string) string {
	v := r.get(name, def)
	if _, _, err := net.SplitHostPort(v); err != nil {
		r.Fail(name, "%q is no address; use host:port, for example 127.0.0.1:8080", v)
	}
	return v
}

// Addrs reads a comma-separated list of host:port, at least one.
func (r *Reader) Addrs(name string) []string {
	v := r.get(name, "")
	var list []string
	for a := range strings.SplitSeq(v, ",") {
		if _, _, err := net.SplitHostPort(strings.TrimSpace(a)); err != nil {
			r.Fail(name, "%q is no list of addresses; use host:port[,host:port]", v)
			return nil
		}
		list = append(list, strings.TrimSpace(a))
	}
	return list
}

// URL reads an absolute URL of one of the schemes. A password in it is masked in Dump.
func (r *Reader) URL(name, def string, schemes ...string) string {
	v := r.get(name, def)
	u, err := url.Parse(v)
	if err == nil {
		for _, s := range schemes {
			if u.Scheme == s && u.Host != "" {
				r.shown[name] = u.Redacted()
				return v
			}
		}
	}
	r.shown[name] = "(not shown)"
	r.Fail(name, "not a URL; use %s://host:port", strings.Join(schemes, ":// or "))
	return v
}

// OptionalURL is URL for a setting that may be empty.
func (r *Reader) OptionalURL(name string, schemes ...string) string {
	if v, ok := r.lookup(name); !ok || v == "" {
		r.shown[name] = ""
		return ""
	}
	return r.URL(name, "", schemes...)
}

// Secret reads text that Dump masks; it may be empty.
func (r *Reader) Secret(name string) string {
	v := r.get(name, "")
	r.mask(name, v)
	return v
}

// Key reads 32 bytes as 64 hexadecimal digits, masked in Dump.
func (r *Reader) Key(name string) []byte {
	v := r.get(name, "")
	r.mask(name, v)
	k, err := hex.DecodeString(v)
	if err != nil || len(k) != 32 {
		r.Fail(name, "a key of 64 hexadecimal digits is needed; make one with: openssl rand -hex 32")
		return nil
	}
	return k
}

// Duration reads a positive Go duration such as 250ms.
func (r *Reader) Duration(name string, def time.Duration) time.Duration {
	v := r.get(name, def.String())
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		r.Fail(name, "%q is no duration; use for example 250ms, 30s, 5m", v)
	}
	return d
}

// Bool reads true or false.
func (r *Reader) Bool(name string, def bool) bool {
	switch v := r.get(name, fmt.Sprint(def)); v {
	case "true":
		return true
	case "false":
		return false
	default:
		r.Fail(name, "%q is not allowed; use true or false", v)
		return def
	}
}

func (r *Reader) mask(name, v string) {
	if v != "" {
		r.shown[name] = "********"
	}
}

// Err joins all mistakes, nil without one.
func (r *Reader) Err() error { return errors.Join(r.errs...) }

// Dump lists every variable that was read with its effective value, secrets masked, sorted by name.
func (r *Reader) Dump() []string {
	lines := make([]string, 0, len(r.shown))
	for k, v := range r.shown {
		lines = append(lines, k+"="+v)
	}
	sort.Strings(lines)
	return lines
}
