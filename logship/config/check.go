package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// MatchKeys are what routes can look at: keys of a line, and what is known of its file. The latter begin with
// "input." and "kubernetes.", or are log.file.path.
func MatchKeys() []string {
	return []string{
		"service_name", "env", "customer", "log.level", "log.logger", "event.action", "event.dataset", "event.outcome",
		"data_stream.type", "data_stream.dataset", "data_stream.namespace", "http.request.method", "http.response.status_code", "url.domain",
		"input.type", "input.dataset", "log.file.path", "kubernetes.namespace", "kubernetes.pod.name", "kubernetes.container.name",
	}
}

// Default returns a configuration without inputs and targets in which every other default is filled in.
func Default() *Config {
	c, err := Parse("default", []byte("{state_dir: /, inputs: [{type: text, paths: [/x]}], targets: [{urls: [http://x]}]}"), "/", os.LookupEnv)
	if err != nil {
		panic("logship/config: " + err.Error()) // fixed text; a test calls it
	}
	c.StateDir, c.Inputs, c.Targets = "", nil, nil
	return c
}

// Tree returns the inputs of a log tree <env>/<customer>/<service>/*.log as the platform writes it: nginx has its own
// folder with access.log and error-<platform version>.log: a line of the error log cannot say who wrote it, but its file can.
func Tree(dir string) []Input {
	folders := Folders{"env", "customer", "service"}
	glob := func(below string) []Glob { return []Glob{Glob(filepath.Join(dir, below))} }
	return []Input{
		{Type: NginxAccess, Paths: glob("*/*/nginx/access.log"), Folders: folders},
		{Type: NginxError, Paths: glob("*/*/nginx/error*.log"), Folders: folders},
		{Type: Service, Paths: glob("*/*/*/*.log"), Folders: folders},
	}
}

// Pods returns the input of a Kubernetes node whose containers log below dir.
func Pods(dir string) Input {
	return Input{Type: Container, Paths: []Glob{Glob(filepath.Join(dir, "*/*/*.log"))}}
}

// DefaultTarget returns a target without addresses in which every default is filled in.
func DefaultTarget() Target {
	return Target{
		Name: "main", BatchBytes: 4 << 20, FlushInterval: 100 * time.Millisecond, CheckTemplates: true, DeadLetterBytes: 1 << 30,
		HeldBytes: 1 << 30, MaxOpenFiles: 1024, Reconcile: time.Minute, ReportInterval: 10 * time.Second,
	}
}

// Check completes a configuration that was made in code, and reports all mistakes in it.
func (c *Config) Check() error {
	r := &reader{name: "logship configuration", lookup: os.LookupEnv}
	r.check(c)
	if len(r.problems) > 0 {
		return r.err()
	}
	return nil
}

// check holds what concerns more than one value, and completes the configuration.
func (r *reader) check(c *Config) {
	if c.Instance == "" {
		name, err := os.Hostname()
		if err != nil {
			r.failKey("instance", "is needed because there is no host name: %v", err)
		}
		c.Instance = name
	}
	if c.HTTP != "" {
		if _, _, err := net.SplitHostPort(c.HTTP); err != nil {
			r.failKey("http", "%q is no address; allowed: host:port, for example 127.0.0.1:9600", c.HTTP)
		}
	}
	if c.TrustedProxies == nil {
		c.TrustedProxies = PrivateNetworks()
	}
	r.notEmpty("state_dir", len(c.StateDir))
	r.notEmpty("inputs", len(c.Inputs))
	r.notEmpty("targets", len(c.Targets))
	for i := range c.Inputs {
		r.checkInput(&c.Inputs[i], fmt.Sprintf("inputs[%d]", i))
	}
	for i := range c.Routes {
		r.checkRoute(&c.Routes[i], fmt.Sprintf("routes[%d]", i))
	}
	names := map[string]int{}
	for i := range c.Targets {
		key := fmt.Sprintf("targets[%d]", i)
		t := &c.Targets[i]
		if first, twice := names[t.Name]; twice {
			r.failKey(key+".name", "%q is the name of targets[%d] too; each target needs its own", t.Name, first)
		}
		names[t.Name] = i
		r.checkTarget(t, key)
	}
}

// notEmpty complains about a required value that is there and empty; one that is not there was complained about.
func (r *reader) notEmpty(key string, length int) {
	if length == 0 && (r.lines == nil || r.lines[key] > 0) {
		r.failKey(key, "is empty")
	}
}

// PrivateNetworks are the networks from which forwarded addresses are believed when nothing is configured.
func PrivateNetworks() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func (r *reader) checkInput(in *Input, at string) {
	r.checkReceive(in, at)
	for _, name := range slices.Sorted(maps.Keys(in.Fields)) {
		label, isLabel := strings.CutPrefix(name, "labels.")
		if name != "env" && name != "customer" && name != "service_name" && (!isLabel || label == "") {
			r.failKey(at+".fields."+name, "is not known; allowed: env, customer, service_name, labels.<name>")
		}
	}
	r.checkNames(in, at)
	m := in.Multiline
	if m == nil {
		return
	}
	at += ".multiline"
	if in.Type != Text && in.Type != Container && in.Type != "" {
		r.failKey(at, "is for the types text and container, not for %s", in.Type)
	}
	switch {
	case m.Preset != "" && (m.Start != nil || m.Continue != nil):
		r.failKey(at+".preset", "excludes start and continue")
	case m.Preset != "":
		m.Start, m.Continue = nil, regexp.MustCompile(presets[m.Preset])
		m.Preset = ""
	case m.Start == nil && m.Continue == nil:
		r.failKey(at, "needs preset, start or continue")
	}
}

// checkReceive checks where the lines of an input come from: files or receivers.
func (r *reader) checkReceive(in *Input, at string) {
	switch {
	case len(in.Receive) == 0 && len(in.Paths) == 0:
		r.failKey(at+".paths", "is empty: name files there, or in receive where lines come from")
	case len(in.Receive) > 0 && len(in.Paths)+len(in.Exclude)+len(in.Folders) > 0:
		r.failKey(at+".receive", "excludes paths, exclude and folders; write two inputs")
	case len(in.Receive) == 0 && in.ReceivedBytes != 0:
		r.failKey(at+".received_bytes", "is for inputs with receive")
	case len(in.Receive) > 0 && in.Type == Container:
		r.failKey(at+".receive", "is not for the type container, whose lines say in their path where they come from")
	}
	if len(in.Receive) > 0 && in.ReceivedBytes == 0 {
		in.ReceivedBytes = 256 << 20
	}
	for i, from := range in.Receive {
		key := fmt.Sprintf("%s.receive[%d]", at, i)
		source, err := ParseSource(from)
		switch {
		case err != nil:
			r.failKey(key, "%v", err)
		case source.Network == Journalctl && in.Type != Journal:
			r.failKey(key, "journalctl is for the type journal, not for %s", in.Type)
		}
	}
}

// maxName is the longest name of a member that can stand for a field, in bytes.
const maxName = 128

// fieldName is the name of a field that a member can stand for.
var fieldName = regexp.MustCompile(`^(@timestamp|[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)$`)

// checkNames checks the keys and the time of an input.
func (r *reader) checkNames(in *Input, at string) {
	given := ""
	switch {
	case len(in.Keys) > 0:
		given = ".keys"
	case in.Time != (InputTime{}):
		given = ".time"
	}
	if given != "" && in.Type != Service && in.Type != NginxAccess && in.Type != Container && in.Type != "" {
		r.failKey(at+given, "is for JSON lines: the types service, nginx_access and container, not %s", in.Type)
	}
	if len(in.Keys) > 100 {
		r.failKey(at+".keys", "has %d names; at most 100 are allowed", len(in.Keys))
	}
	for _, name := range slices.Sorted(maps.Keys(in.Keys)) {
		if path := in.Keys[name]; name == "" || len(name) > maxName || len(path) > maxName || !fieldName.MatchString(path) {
			r.failKey(at+".keys."+name, "%q is no name of a field; write for example status: http.response.status_code", path)
		}
	}
	if len(in.Time.Key) > maxName {
		r.failKey(at+".time.key", "is longer than %d bytes", maxName)
	}
	switch form := in.Time.Format; form {
	case "", "rfc3339", "unix", "unix_ms", "unix_us", "unix_ns":
	default:
		const example = "2006-01-02 15:04:05"
		year, month := time.Date(2017, 11, 23, 18, 48, 59, 0, time.UTC), time.Date(2017, 3, 23, 18, 48, 59, 0, time.UTC)
		if year.Format(form) == form || month.Format(form) == year.Format(form) || len(form) > maxName {
			r.failKey(at+".time.format", "%q is no form of a time; write rfc3339, unix, unix_ms, unix_us, unix_ns, or how %s is written there", form, example)
		}
	}
}

// presets hold for each language the lines that belong to the event before them.
var presets = map[string]string{
	"java": `^\s|^[\w$]+(\.[\w$]+)+(Exception|Error|Throwable)(: |$)|^Caused by: |^\.\.\. \d+ (more|common frames)|^Suppressed: |^$`,
	"python": `^\s|^$|^Traceback \(most recent call last\):|^During handling of the above exception` +
		`|^The above exception was the direct cause` +
		`|^[A-Za-z_][\w.]*(Error|Exception|Warning|Interrupt|Exit|Iteration)(: |$)`,
	"go": `^\s|^$|^goroutine \d+ \[|^\[signal |^created by |^exit status \d+$|^[\w./*()\[\]{}%·-]+\(.*\)$` +
		`|^(rax|rbx|rcx|rdx|rdi|rsi|rbp|rsp|r8|r9|r1[0-5]|rip|rflags|cs|fs|gs) +0x`,
}

// placeholder is {key} in the values of a route.
var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

func (r *reader) checkRoute(route *Route, at string) {
	known := MatchKeys()
	for _, name := range slices.Sorted(maps.Keys(route.Match)) {
		if !slices.Contains(known, name) {
			r.failKey(at+".match."+name, "is not known%s", suggest(name, known))
		}
		r.notEmpty(at+".match."+name, len(route.Match[name]))
	}
	if route.Type == "" && route.Dataset == "" && route.Namespace == "" {
		r.failKey(at, "needs type, dataset or namespace")
	}
	for _, part := range [...]struct{ name, value string }{{"type", route.Type}, {"dataset", route.Dataset}, {"namespace", route.Namespace}} {
		for _, p := range placeholder.FindAllStringSubmatch(part.value, -1) {
			if !slices.Contains(known, p[1]) {
				r.failKey(at+"."+part.name, "%q: {%s} is not known%s", part.value, p[1], suggest(p[1], known))
			}
		}
	}
}

var targetName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (r *reader) checkTarget(t *Target, at string) {
	if !targetName.MatchString(t.Name) {
		r.failKey(at+".name", "%q is not allowed; allowed: a-z, 0-9, - and _, at most 63", t.Name)
	}
	r.notEmpty(at+".urls", len(t.URLs))
	for i, address := range t.URLs {
		u, err := url.Parse(address)
		key := fmt.Sprintf("%s.urls[%d]", at, i)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			r.failKey(key, "is no address; allowed: http://host:port or https://host:port")
		case u.User != nil:
			r.failKey(key, "holds a user; use username and password")
		}
	}
	t.APIKey = r.secret(t.APIKey, t.APIKeyFile, at+".api_key")
	t.Password = r.secret(t.Password, t.PasswordFile, at+".password")
	switch {
	case t.APIKey != "" && (t.Username != "" || t.Password != ""):
		r.failKey(at+".api_key", "excludes username and password")
	case (t.Username == "") != (t.Password == ""):
		r.failKey(at+".username", "and password are only allowed together")
	}
	if (t.TLS.CertFile == "") != (t.TLS.KeyFile == "") {
		r.failKey(at+".tls.cert_file", "and key_file are only allowed together")
	}
	for _, file := range [...]struct {
		name string
		path Path
	}{{"ca_file", t.TLS.CAFile}, {"cert_file", t.TLS.CertFile}, {"key_file", t.TLS.KeyFile}} {
		if file.path == "" {
			continue
		}
		if _, err := os.ReadFile(string(file.path)); err != nil {
			r.failKey(at+".tls."+file.name, "cannot be read: %v", errors.Unwrap(err))
		}
	}
}

// secret returns the secret of a key, which is in the configuration or in a file.
func (r *reader) secret(inline Secret, file Path, key string) Secret {
	if file == "" {
		return inline
	}
	if inline != "" {
		r.failKey(key, "and %s_file exclude each other", key[strings.LastIndexByte(key, '.')+1:])
	}
	data, err := os.ReadFile(string(file))
	if err != nil {
		r.failKey(key+"_file", "%q cannot be read: %v", file, errors.Unwrap(err))
		return ""
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		r.failKey(key+"_file", "%q is empty", file)
	}
	return Secret(text)
}

func checkGlob(pattern string) error {
	for part := range strings.SplitSeq(pattern, "/") {
		if !doublestar.ValidatePattern(part) {
			return fmt.Errorf("%q is no pattern of paths; allowed are *, **, ?, [a-z] and {a,b}, each within one folder name", pattern)
		}
	}
	return nil
}
