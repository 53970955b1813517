package load

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseCombined(t *testing.T) {
	at := time.Date(2025, 11, 22, 18, 30, 5, 0, time.UTC)
	plain := record{netip.MustParseAddr("91.10.20.30"), at, "GET", "/a?b=c", "", ""}
	with := func(f func(*record)) record { r := plain; f(&r); return r }
	for _, c := range []struct {
		name, line string
		want       record
		err        string
	}{
		{"dashes", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/1.1" 200 - "-" "-"`, plain, ""},
		{
			"everything", `91.10.20.30 id anna [22/Nov/2025:19:30:05 +0100] "GET /a?b=c HTTP/1.1" 304 0 "https://example.org/x" "Mozilla/5.0 (X11)"`,
			with(func(r *record) { r.referer, r.agent = "https://example.org/x", "Mozilla/5.0 (X11)" }), "",
		},
		{
			"IPv6", `2a02:8108::1 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/2.0" 200 5 "-" "-"`,
			with(func(r *record) { r.from = netip.MustParseAddr("2a02:8108::1") }), "",
		},
		{
			"IPv6 zone", `fe80::1%eth0 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/2.0" 200 5 "-" "-"`,
			with(func(r *record) { r.from = netip.MustParseAddr("fe80::1") }), "",
		},
		{"mapped IPv4", `::ffff:91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/2.0" 200 5 "-" "-"`, plain, ""},
		{
			"host name", `crawler.example.org - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "-"`,
			with(func(r *record) { r.from = netip.Addr{} }), "",
		},
		{"user with a space", `91.10.20.30 - anna maria [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "-"`, plain, ""},
		{
			"escaped quotes", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "a \"b\" \\ \x22c\x22 \t\q"`,
			with(func(r *record) { r.agent = "a \"b\" \\ \"c\" \t\\q" }), "",
		},
		{
			"escaped bytes", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /stra\xc3\x9fe HTTP/1.1" 200 5 "-" "-"`,
			with(func(r *record) { r.target = "/straße" }), "",
		},
		{
			"spaces in the target", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a b HTTP/1.1" 400 5 "-" "-"`,
			with(func(r *record) { r.target = "/a b" }), "",
		},
		{"no version", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c" 200 5 "-" "-"`, plain, ""},
		{"more fields", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "-" "10.0.0.1" 0.003`, plain, ""},
		{"empty", ``, record{}, "address: missing"},
		{"only an address", `91.10.20.30`, record{}, "address: missing"},
		{"no user", `91.10.20.30 - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`, record{}, "ident and user: missing"},
		{"open bracket", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000 "GET / HTTP/1.1" 200 5 "-" "-"`, record{}, "time: no closing bracket"},
		{"other time", `91.10.20.30 - - [2025-11-22T18:30:05Z] "GET / HTTP/1.1" 200 5 "-" "-"`, record{}, "time: "},
		{"no request", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "-" 400 0 "-" "-"`, record{}, "request: none recorded"},
		{"TLS on a plain port", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "\x16\x03\x01 x" 400 157 "-" "-"`, record{}, "request: "},
		{"no target", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET  HTTP/1.1" 400 157 "-" "-"`, record{}, "request: "},
		{"request not quoted", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] GET / HTTP/1.1 200 5 "-" "-"`, record{}, "request: no opening quote"},
		{"status", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 2000 5 "-" "-"`, record{}, "status: "},
		{"bytes", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 200 many "-" "-"`, record{}, "bytes: "},
		{"common format", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 200 5`, record{}, "referer: no opening quote"},
		{"cut off", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozilla`, record{}, "user agent: no closing quote"},
		{"cut off in an escape", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozilla\`, record{}, "user agent: no closing quote"},
		{"quote within", `91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET / HTTP/1.1" 200 5 "-" "a "b" c"`, record{}, "user agent: no space"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseCombined(c.line)
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) {
					t.Errorf("err %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(record{}), cmpopts.EquateComparable(netip.Addr{})); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestCleanTarget(t *testing.T) {
	for target, want := range map[string]string{
		"/":                              "/",
		"/a?b=c&d=%20":                   "/a?b=c&d=%20",
		"//a//b":                         "//a//b",
		"/straße":                        "/stra%C3%9Fe",
		"/a b#c":                         "/a%20b%23c",
		"/100%":                          "/100%25",
		"/%zz%4":                         "/%25zz%254",
		"http://example.org/a?b":         "/a?b",
		"http://example.org":             "/",
		"http://example.org?b":           "/?b",
		"/go?to=http://example.org/path": "/go?to=http://example.org/path",
		"*":                              "/",
		"example.org:443":                "/",
	} {
		if got := cleanTarget(target); got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

// FuzzParseCombined checks that whatever is read as a request can be sent as one.
func FuzzParseCombined(f *testing.F) {
	for _, line := range []string{
		`91.10.20.30 - - [22/Nov/2025:18:30:05 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "-"`,
		`2a02::1 - x y [22/Nov/2025:18:30:05 +0100] "OPTIONS * HTTP/1.1" 204 - "http://\xe4/" "a \"b\" \\\n"`,
		`h - - [22/Nov/2025:18:30:05 +0000] "POST http://[::1]:x/%zz?\x00 HTTP/1.0" 200 5 "-" "-" extra`,
		`h - - [22/Nov/2025:18:30:05 +0000] "GET  HTTP/1.0" 200 5 "\`,
	} {
		f.Add(line)
	}
	p := &replayer{entry: &entry{url: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}}}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := parseCombined(line)
		if err != nil {
			return
		}
		req, err := p.request(t.Context(), r)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if strings.ContainsFunc(req.URL.RequestURI(), func(c rune) bool { return c <= ' ' || c >= 0x7f }) || req.URL.RequestURI()[0] != '/' {
			t.Fatalf("%q: target %q", line, req.URL.RequestURI())
		}
		var wire strings.Builder
		if err := req.Write(&wire); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			t.Fatalf("%q: method %s", line, req.Method)
		}
	})
}
