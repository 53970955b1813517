package enrich

import (
	"slices"
	"strings"

	"kreislauf/logship/config"
	"kreislauf/logship/record"
)

// builtin are the rules behind those of the configuration. For each part of the name of a data stream the first rule
// counts that matches and says something about it.
func builtin() []config.Route {
	when := func(key string, patterns ...string) map[string]config.Patterns {
		return map[string]config.Patterns{key: patterns}
	}
	return []config.Route{
		{Match: when("data_stream.type", "*"), Type: "{data_stream.type}"},
		{Match: when("data_stream.dataset", "*"), Dataset: "{data_stream.dataset}"},
		{Match: when("data_stream.namespace", "*"), Namespace: "{data_stream.namespace}"},
		{Match: when("input.dataset", "*"), Dataset: "{input.dataset}"},
		{Match: when("input.type", "nginx_error"), Dataset: "nginx.error"},
		{Match: when("input.type", "nginx_access", "nginx_combined"), Dataset: "nginx.access"},
		{Match: when("service_name", "*"), Dataset: "kreislauf.{service_name}"},
		{Match: when("input.type", "container"), Dataset: "kubernetes.container"},
		{Match: when("env", "*"), Namespace: "{env}"},
		{Type: "logs", Dataset: "generic", Namespace: "default"},
	}
}

// inLine says where the keys stand that a line may have.
var inLine = map[string]record.Key{
	"service_name": record.ServiceName, "env": record.Env, "customer": record.Customer, "log.level": record.LogLevel,
	"log.logger": record.Logger, "event.action": record.EventAction,
	"event.dataset": record.EventDataset, "event.outcome": record.EventOutcome,
	"data_stream.type": record.StreamType, "data_stream.dataset": record.StreamDataset, "data_stream.namespace": record.StreamNamespace,
	"http.request.method": record.Method, "http.response.status_code": record.Status, "url.domain": record.Domain,
	"log.file.path": record.FilePath,
}

// always are the keys that the built-in rules look at.
const always record.Keys = 1<<record.ServiceName | 1<<record.Env | 1<<record.StreamType |
	1<<record.StreamDataset | 1<<record.StreamNamespace

// inFile returns what is known of the file for a key.
func (o *Origin) inFile(key string, nginx bool) string {
	s := &o.source
	switch key {
	case "service_name":
		return s.Service
	case "env":
		return s.Env
	case "customer":
		return s.Customer
	case "input.dataset":
		return s.Dataset
	case "input.type":
		if nginx {
			return string(config.NginxAccess)
		}
		return kindNames[s.Kind]
	case "log.file.path":
		return o.path
	case "kubernetes.namespace":
		return s.Namespace
	case "kubernetes.pod.name":
		return s.Pod
	case "kubernetes.container.name":
		return s.Container
	}
	return ""
}

var kindNames = [...]string{
	Service: string(config.Service), NginxAccess: string(config.NginxAccess), NginxError: string(config.NginxError),
	Container: string(config.Container), NginxCombined: string(config.NginxCombined), Text: string(config.Text),
	Syslog: string(config.Syslog), Journal: string(config.Journal),
}

// stream is a data stream whose parts are not yet fit for a name.
type stream struct{ streamType, dataset, namespace string }

// apply finds the data stream of a line. own are the rules of the configuration, of which the first that matches
// counts; what it leaves open the built-in ones say. value returns what a line or its file has for a key.
func apply(own, defaults []config.Route, value func(key string) string) stream {
	var s stream
	if i := slices.IndexFunc(own, func(r config.Route) bool { return matchesAll(&r, value) }); i >= 0 {
		s.fill(&own[i], value)
	}
	for i := range defaults {
		if matchesAll(&defaults[i], value) {
			s.fill(&defaults[i], value)
		}
	}
	return s
}

func (s *stream) fill(r *config.Route, value func(string) string) {
	for _, part := range [...]struct {
		to   *string
		text string
	}{{&s.streamType, r.Type}, {&s.dataset, r.Dataset}, {&s.namespace, r.Namespace}} {
		if *part.to == "" {
			*part.to = expand(part.text, value)
		}
	}
}

// expand puts values in the place of {key}. It is empty when a value is missing.
func expand(text string, value func(string) string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		key, after, _ := strings.Cut(rest, "}")
		v := value(key)
		if v == "" {
			return ""
		}
		out.WriteString(v)
		text = after
	}
}

func matchesAll(r *config.Route, value func(string) string) bool {
	for key, patterns := range r.Match {
		v := value(key)
		if v == "" || !slices.ContainsFunc(patterns, func(p string) bool { return wildcard(p, v) }) {
			return false
		}
	}
	return true
}

// wildcard reports whether text has the form of pattern: * is any text, ? is any byte.
func wildcard(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
