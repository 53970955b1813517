package enrich

import "kreislauf/logship/record"

// Names says which foreign names of fields the lines of an input have, and how they write the time.
type Names struct {
	fields record.Names
	own    string // the form of @timestamp
	form   string // of the time: one of timeForms, a layout of package time, or empty to find out
}

// Time forms of the configuration beside layouts.
const (
	formUnix   = "unix"
	formUnixMS = "unix_ms"
	formUnixUS = "unix_us"
	formUnixNS = "unix_ns"
	formISO    = "rfc3339"
)

// NewNames returns the foreign names for the lines of a kind: those of the configuration, then those that are common. timeKey is
// the member that holds the time and form how it is written; when they are empty that is found out.
func NewNames(kind Kind, keys map[string]string, timeKey, form string) *Names {
	n := &Names{form: form}
	if timeKey == "" || timeKey == "@timestamp" {
		n.own = form
	}
	if timeKey != "" && timeKey != "@timestamp" {
		n.fields.Add(timeKey, "@timestamp", record.Time)
	}
	for name, path := range keys {
		role := record.Rename
		switch path {
		case "@timestamp":
			role = record.Time
		case "log.level":
			role = record.Level
		case "request":
			role = record.Request
		}
		if name != path {
			n.fields.Add(name, path, role)
		}
	}
	if timeKey == "" {
		n.add("@timestamp", record.Time, "time", "timestamp", "ts", "@t", "asctime", "datetime", "timeMillis")
	}
	if kind == NginxAccess {
		n.addNginx(timeKey == "")
		return n
	}
	n.add("log.level", record.Level, "level", "severity", "lvl", "levelname", "loglevel", "log_level", "@l")
	n.add("message", record.Rename, "msg", "@m")
	n.add("log.logger", record.Rename, "logger", "logger_name", "loggerName")
	n.add("error.message", record.Failure, "err")
	n.add("error.stack_trace", record.Rename, "stacktrace", "stack_trace", "stack")
	n.add("host.name", record.Rename, "hostname")
	n.add("process.pid", record.Rename, "pid")
	n.add("trace.id", record.Rename, "trace_id", "traceId")
	n.add("span.id", record.Rename, "span_id", "spanId")
	return n
}

// addNginx adds what people call the variables of nginx in a log_format of their own.
func (n *Names) addNginx(times bool) {
	if times {
		n.add("@timestamp", record.Time, "time_iso8601", "iso8601", "time_local", "date", "timestamp_ms")
	}
	n.add("remote_addr", record.Rename, "client_ip", "clientip", "remote_ip", "ip", "client", "clientAddress", "remote_address")
	n.add("x_forwarded_for", record.Rename, "http_x_forwarded_for", "xff", "x-forwarded-for", "forwarded_for", "http_xff")
	n.add("request_time", record.Rename, "duration", "requestTime", "response_time", "responsetime", "req_time")
	n.add("http.response.status_code", record.Rename, "status", "status_code", "code", "response_code", "response_status")
	n.add("http.response.body.bytes", record.Rename, "body_bytes_sent", "size", "bytes", "body_bytes")
	n.add("http.response.bytes", record.Rename, "bytes_sent")
	n.add("http.request.bytes", record.Rename, "request_length", "req_length")
	n.add("http.request.method", record.Rename, "request_method", "method", "verb")
	n.add("http.request.referrer", record.Rename, "http_referer", "http_referrer", "referer", "referrer")
	n.add("http.version", record.Rename, "server_protocol", "protocol", "http_version")
	n.add("url.original", record.Rename, "request_uri", "uri", "path")
	n.add("url.query", record.Rename, "args", "query_string", "query")
	n.add("url.domain", record.Rename, "host", "http_host", "vhost", "server_name", "domain")
	n.add("user.name", record.Rename, "remote_user", "user")
	n.add("user_agent.original", record.Rename, "http_user_agent", "user_agent", "agent", "ua", "useragent")
	n.add("upstream_addr", record.Rename, "upstream", "upstream_address")
	n.add("upstream_response_time", record.Rename, "upstream_time", "upstreamResponseTime")
	n.add("trace.id", record.Rename, "trace_id")
	n.add("request", record.Request, "request", "request_line")
}

func (n *Names) add(path string, role record.Role, names ...string) {
	for _, name := range names {
		n.fields.Add(name, path, role)
	}
}

// leafOf returns the field for the text of a value that stands where the templates have an object; empty when there is none that
// would make sense.
func leafOf(path string) string {
	switch path {
	case "error":
		return "error.message"
	case "log":
		return "message"
	case "service":
		return "service_name"
	case "user", "host", "agent", "process", "group", "organization", "package", "network", "observer", "rule":
		return path + ".name"
	case "trace", "span", "parent", "container", "order", "partner", "visit", "transaction", "device", "dns":
		return path + ".id"
	case "client", "server", "source", "destination":
		return path + ".address"
	case "invoice", "credit_note":
		return path + ".number"
	case "url", "user_agent":
		return path + ".original"
	case "ecs", "tls":
		return path + ".version"
	case "event":
		return "event.action"
	case "file", "log.file":
		return path + ".path"
	case "cloud":
		return "cloud.provider"
	case "orchestrator":
		return "orchestrator.type"
	case "waste":
		return "waste.code"
	case "http.response":
		return "http.response.status_code"
	case "http.response.body":
		return "http.response.body.bytes"
	case "kubernetes.pod", "kubernetes.container", "user_agent.os", "user_agent.device":
		return path + ".name"
	}
	return ""
}
