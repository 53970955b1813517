package nginx

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
)

func TestAccessLine(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"order": {u.addr}})
	a := e.do(t, "POST", "/api/order/v1/orders?x=1", "{}", map[string]string{"User-Agent": `odd "agent" \ ü`, "Referer": "http://here/"})
	if a.status != 201 || a.body != "made" {
		t.Errorf("answer %d %q", a.status, a.body)
	}
	sent := <-u.seen
	want := map[string]any{
		"msec": nil, "service_name": "nginx", "env": "local", "customer": "kreislauf", "platform_version": "dev",
		"message": "POST /api/order/v1/orders 201", "remote_addr": "127.0.0.1", "peer_addr": "127.0.0.1", "x_forwarded_for": "",
		"http.request.method": "POST", "url.original": "/api/order/v1/orders?x=1", "url.path": "/api/order/v1/orders", "http.version": "HTTP/1.1",
		"http.response.status_code": 201.0, "http.response.body.bytes": 4.0, "http.request.bytes": nil, "request_time": nil,
		"upstream_addr": u.addr, "upstream_status": "201", "upstream_connect_time": nil, "upstream_header_time": nil, "upstream_response_time": nil,
		"limit_req": "PASSED", "url.domain": "127.0.0.1", "user_agent.original": `odd "agent" \ ü`, "http.request.referrer": "http://here/",
		"request_id": sent.Header.Get("X-Request-Id"), "trace.id": sent.Header.Get("X-Request-Id"), "span.id": nil, "parent.id": "",
	}
	changing := cmpopts.IgnoreMapEntries(func(k string, v any) bool {
		_, both := a.line[k]
		return both && want[k] == nil && strings.Contains("msec http.request.bytes request_time upstream_connect_time upstream_header_time upstream_response_time span.id", k)
	})
	if diff := cmp.Diff(want, a.line, changing); diff != "" {
		t.Errorf("access line (-want +got):\n%s", diff)
	}
	for _, k := range []string{"msec", "http.request.bytes", "request_time"} {
		if n, ok := a.line[k].(float64); !ok || n < 0 {
			t.Errorf("%s is no number: %v", k, a.line[k])
		}
	}
}

func TestTraceparent(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"order": {u.addr}})
	shape := regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-01$`)
	good := "00-" + callerTrace + "-" + callerSpan + "-01"
	for _, tc := range []struct {
		name, header string
		continues    bool
	}{
		{"none", "", false},
		{"valid", good, true},
		{"not sampled", "00-" + callerTrace + "-" + callerSpan + "-00", true},
		{"capitals", strings.ToUpper(good), false},
		{"zero trace id", "00-" + strings.Repeat("0", 32) + "-" + callerSpan + "-01", false},
		{"zero span id", "00-" + callerTrace + "-" + strings.Repeat("0", 16) + "-01", false},
		{"later version", "01" + good[2:], true},
		{"later version with a fifth field", "cc" + good[2:] + "-extra", true},
		{"later version, longer without a dash", "01" + good[2:] + "0", false},
		{"version ff", "ff" + good[2:], false},
		{"longer", good + "-extra", false},
		{"quotes", `00-"` + callerTrace[1:] + "-" + callerSpan + "-01", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := map[string]string{}
			if tc.header != "" {
				header["traceparent"] = tc.header
			}
			a := e.do(t, "GET", "/api/order/v1/orders", "", header)
			passed := shape.FindStringSubmatch((<-u.seen).Header.Get("traceparent"))
			if passed == nil || passed[1] != a.line["trace.id"] || passed[2] != a.line["span.id"] {
				t.Fatalf("passed %q, line %v", passed, a.line)
			}
			if passed[2] == callerSpan {
				t.Error("nginx is no span of its own")
			}
			parent := map[bool]string{true: callerSpan, false: ""}[tc.continues]
			if continued := passed[1] == callerTrace; continued != tc.continues || a.line["parent.id"] != parent {
				t.Errorf("trace %s, parent %q, want it to continue: %v", passed[1], a.line["parent.id"], tc.continues)
			}
		})
	}
}

func TestForwardedForIsBelievedFromTheProxyOnly(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"order": {u.addr}})
	for _, tc := range []struct {
		name, from, header, client string
	}{
		{"proxy", "127.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"proxy, forged first entry", "127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{"proxy behind a proxy", "127.0.0.1", "203.0.113.9, 127.0.0.1", "203.0.113.9"},
		{"stranger", "127.0.0.2", "203.0.113.9", "127.0.0.2"},
		{"rubbish", "127.0.0.1", `"; drop`, "127.0.0.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(tc.from)}}
			e.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
			a := e.do(t, "GET", "/api/order/v1/orders", "", map[string]string{"X-Forwarded-For": tc.header})
			got := []any{a.line["remote_addr"], a.line["peer_addr"], a.line["x_forwarded_for"], (<-u.seen).Header.Get("X-Forwarded-For")}
			if diff := cmp.Diff([]any{tc.client, tc.from, tc.header, tc.client}, got); diff != "" {
				t.Errorf("remote_addr, peer_addr, x_forwarded_for, passed on (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBrokenRequestGivesALine sends what is no HTTP; even that must give one valid line with a trace id.
func TestBrokenRequestGivesALine(t *testing.T) {
	e := run(t, map[string][]string{})
	for _, raw := range []string{"\x16\x03\x01\x00garbage\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\x01\"\\ HTTP/1.1\r\nHost: a\"b\r\n\r\n"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, raw)
		if err := c.(*net.TCPConn).CloseWrite(); err != nil { // or nginx lingers before it writes the line
			t.Fatal(err)
		}
		line := e.line(t)
		if id, _ := line["trace.id"].(string); len(id) != 32 || line["http.response.status_code"].(float64) < 400 {
			t.Errorf("%q gives %v", raw, line)
		}
		c.Close()
	}
}
