package enrich

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kreislauf/logship/config"
)

func TestRules(t *testing.T) {
	rules := func(list ...config.Route) []config.Route { return list }
	match := func(pairs ...string) map[string]config.Patterns {
		m := map[string]config.Patterns{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = strings.Split(pairs[i+1], "|")
		}
		return m
	}
	own := rules(
		config.Route{Match: match("service_name", "billing*", "log.level", "debug|trace"), Dataset: "billing.debug", Namespace: "low"},
		config.Route{Match: match("service_name", "billing*"), Namespace: "{customer}"},
		config.Route{Match: match("http.response.status_code", "5??"), Dataset: "nginx.failures"},
		config.Route{Match: match("kubernetes.namespace", "kube-*"), Type: "metrics", Dataset: "{kubernetes.namespace}.{kubernetes.container.name}"},
		config.Route{Match: match("log.file.path", "*/audit/*"), Dataset: "audit.{missing}{env}"},
		config.Route{Match: match("input.type", "text", "input.dataset", "app"), Namespace: "app"},
		config.Route{Match: match("event.action", "order.*"), Dataset: "orders"},
	)
	service := Source{Kind: Service, Env: "prod", Customer: "acme", Service: "order"}
	for _, c := range []struct {
		name   string
		rules  []config.Route
		source Source
		path   string
		line   string
		want   string
	}{
		{"service of the line", nil, service, "", `{"service_name":"pay-1"}`, "logs-kreislauf.pay_1-prod"},
		{"service of the folder", nil, service, "", `{}`, "logs-kreislauf.order-prod"},
		{"text of a service", nil, service, "", `text`, "logs-kreislauf.order-prod"},
		{"environment of the line", nil, service, "", `{"env":"test"}`, "logs-kreislauf.order-test"},
		{"named by the line", nil, service, "", `{"data_stream.type":"traces","data_stream.dataset":"d","data_stream.namespace":"n"}`, "traces-d-n"},
		{"names that are no text", nil, service, "", `{"data_stream.type":17,"data_stream.dataset":null,"data_stream.namespace":"","service_name":{}}`, "logs-kreislauf.order-prod"},
		{"access log", nil, Source{Kind: NginxAccess}, "", `{}`, "logs-nginx.access-default"},
		{"access log of another service", nil, Source{Kind: NginxAccess, Service: "edge"}, "", `{}`, "logs-nginx.access-default"},
		{"access line anywhere", nil, service, "", `{"service_name":"nginx","msec":1}`, "logs-nginx.access-prod"},
		{"nginx says something else", nil, service, "", `{"service_name":"nginx"}`, "logs-kreislauf.nginx-prod"},
		{"combined", nil, Source{Kind: NginxCombined, Env: "e"}, "", combinedText, "logs-nginx.access-e"},
		{"error log", nil, Source{Kind: NginxError, Env: "e"}, "", errorText, "logs-nginx.error-e"},
		{"container without a service", nil, Source{Kind: Container, Env: "e"}, "", `x`, "logs-kubernetes.container-e"},
		{"container of a service", nil, Source{Kind: Container, Env: "e"}, "", `{"service_name":"order"}`, "logs-kreislauf.order-e"},
		{"text", nil, Source{Kind: Text, Env: "e"}, "", `x`, "logs-generic-e"},
		{"text of a service", nil, Source{Kind: Text, Env: "e", Service: "app"}, "", `x`, "logs-kreislauf.app-e"},
		{"dataset of the input", nil, Source{Kind: Text, Env: "e", Dataset: "App Text"}, "", `x`, "logs-app_text-e"},
		{"dataset of the line before that of the input", nil, Source{Kind: Service, Dataset: "a"}, "", `{"data_stream.dataset":"b"}`, "logs-b-default"},

		{"both conditions", own, service, "", `{"service_name":"billing-2","log.level":"trace"}`, "logs-billing.debug-low"},
		{"first match wins, the rest is built in", own, service, "", `{"service_name":"billing-2","log.level":"info"}`, "logs-kreislauf.billing_2-acme"},
		{"what the line names stays", own, service, "", `{"service_name":"billing","log.level":"debug","data_stream.dataset":"mine"}`, "logs-mine-low"},
		{"customer of the line", own, service, "", `{"service_name":"billing","customer":"other"}`, "logs-kreislauf.billing-other"},
		{"number", own, Source{Kind: NginxAccess}, "", `{"http.response.status_code":502}`, "logs-nginx.failures-default"},
		{"other number", own, Source{Kind: NginxAccess}, "", `{"http.response.status_code":404}`, "logs-nginx.access-default"},
		{"kubernetes", own, Source{Kind: Container, Namespace: "kube-system", Container: "dns"}, "", `x`, "metrics-kube_system.dns-default"},
		{"no value, no name", own, service, "/var/audit/a.log", `{}`, "logs-kreislauf.order-prod"},
		{"input", own, Source{Kind: Text, Dataset: "app", Env: "e"}, "", `x`, "logs-app-app"},
		{"nested key", own, service, "", `{"event":{"action":"order.placed"}}`, "logs-orders-prod"},
	} {
		b := NewBuilder(Options{Geo: NewGeo(GeoOptions{}), Zone: time.UTC, Routes: c.rules})
		o := NewOrigin(c.source, c.path, [IdentitySize]byte{})
		for range 2 { // the second time from the table
			out, _, ok := b.Append(nil, o, Input{Line: []byte(c.line)})
			index, _, found := strings.Cut(strings.TrimPrefix(string(out), `{"create":{"_index":"`), `"`)
			if !ok || !found || index != c.want {
				t.Errorf("%s: %s, want %s", c.name, index, c.want)
			}
		}
	}
}

// TestMatchKeysAreReadable: every key that the configuration allows is one that rules can look at.
func TestMatchKeysAreReadable(t *testing.T) {
	full := Source{Kind: Text, Dataset: "x", Env: "x", Customer: "x", Service: "x", Namespace: "x", Pod: "x", Container: "x"}
	o := NewOrigin(full, "/x", [IdentitySize]byte{})
	for _, key := range config.MatchKeys() {
		if _, inALine := inLine[key]; !inALine && o.inFile(key, false) == "" {
			t.Errorf("nobody knows %s", key)
		}
	}
	for key := range inLine {
		if !slices.Contains(config.MatchKeys(), key) {
			t.Errorf("%s is not allowed", key)
		}
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"a*", "a", true},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"*", "", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"*b*", "abc", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXc", false},
		{"", "", true},
		{"", "a", false},
		{"**", "x", true},
		{"5??", "502", true},
		{"a**", "a", true},
	} {
		if got := wildcard(c.pattern, c.text); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestAgents(t *testing.T) {
	a := NewAgents()
	for text, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":           "Edge|126.0.0.0|Windows|10.0|",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari|17.5|iOS|17.5|iPhone",
		"Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                  "Chrome|126.0.0.0|Android|14|SM-S918B",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0":                                                    "Firefox|127.0|macOS|10.15|",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                "Googlebot|2.1|||Spider",
		"curl/8.5.0": "curl|8.5.0|||", "kube-probe/1.30": "kube-probe|1.30|||", "-": "||||", "": "||||",
		`a \"quoted\" agent/1.0`: `|1.0|||`, "Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0": "Firefox|27.0|Linux||",
	} {
		for range 2 {
			got := string(a.appendAgent(nil, []byte(text)))
			values := ""
			for i, name := range []string{"name", "version", "os.name", "os.version", "device.name"} {
				if i > 0 {
					values += "|"
				}
				if _, after, ok := strings.Cut(got, `,"user_agent.`+name+`":"`); ok {
					v, _, _ := strings.Cut(after, `"`)
					values += v
				}
			}
			if values != want {
				t.Errorf("%s: %s, want %s", text, values, want)
			}
		}
	}
	for i := range 3 * agentCacheHalf {
		a.appendAgent(nil, []byte(strings.Repeat("x", i%maxAgent)+string(rune(i))))
	}
	if n := len(a.known.recent) + len(a.known.older); n > 2*agentCacheHalf {
		t.Errorf("%d agents in the cache", n)
	}
}

func TestAgentsAreLeftAlone(t *testing.T) {
	const line = `{"msec":1,"user_agent.original":"curl/8","user_agent.name":"mine"}`
	for _, b := range []*Builder{
		NewBuilder(Options{Geo: NewGeo(GeoOptions{}), Zone: time.UTC}),
		NewBuilder(Options{Geo: NewGeo(GeoOptions{}), Zone: time.UTC, UserAgent: true}),
	} {
		out, _, _ := b.Append(nil, testOrigin(NginxAccess), Input{Line: []byte(line)})
		if strings.Contains(string(out), "user_agent.version") {
			t.Errorf("%s", out)
		}
	}
	b := NewBuilder(Options{Geo: NewGeo(GeoOptions{}), Zone: time.UTC, UserAgent: true})
	out, _, _ := b.Append(nil, testOrigin(NginxAccess), Input{Line: []byte(`{"msec":1,"user_agent":{"original":"curl/8"}}`)})
	if !strings.Contains(string(out), `"user_agent.name":"curl","user_agent.version":"8"`) {
		t.Errorf("%s", out)
	}
}

// TestRealAccessLog reads the log that ACCESS_LOG names, 10,000 lines of which one is broken.
func TestRealAccessLog(t *testing.T) {
	path := os.Getenv("ACCESS_LOG")
	if path == "" {
		t.Skip("ACCESS_LOG names no file")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	good := 0
	for line := range strings.Lines(string(text)) {
		if c, ok := parseCombined([]byte(strings.TrimSpace(line))); ok && c.method != nil {
			good++
		} else {
			bad = append(bad, line)
		}
	}
	if good != 9999 || len(bad) != 1 {
		t.Errorf("%d good lines, others %q", good, bad)
	}
}
