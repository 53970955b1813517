package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const full = `instance: node-7
env: production
customer: kreislauf
state_dir: state
http: 127.0.0.1:9600
log: {level: debug}
poll_interval: 1s
max_procs: 2
inputs:
  - type: service
    paths: ["/var/log/kreislauf/*/*/*/*.log"]
    exclude: ["/**/nginx/*.log"]
    folders: "<env>/<customer>/<service>"
    fields: {env: staging, labels.zone: a}
  - type: text
    paths: [app/**/*.log]
    dataset: app.text
    multiline: {start: '^\d{4}-\d{2}-\d{2}', timeout: 500ms}
  - {type: container, paths: [/var/log/pods/*/*/*.log], multiline: {preset: java, max_bytes: 64KiB}}
geo: {city_dir: geo, country_file: /var/lib/geo/country.mmdb}
user_agent: false
trusted_proxies: [10.1.2.3/8, "127.0.0.1"]
routes:
  - {match: {service_name: "billing*", log.level: [debug, trace]}, dataset: billing.debug, namespace: low}
targets:
  - urls: ["https://es-1:9200", "https://es-2:9200"]
    gzip: 1
    api_key: ${LOGSHIP_KEY}-x
  - name: second
    urls: [http://127.0.0.1:9200]
    username: elastic
    password_file: password
    batch_bytes: 1MiB
    flush_interval: 200ms
`

func parse(t *testing.T, text, dir string) (*Config, error) {
	t.Helper()
	return Parse("logship.yaml", []byte(text), dir, func(name string) (string, bool) {
		return "top", name == "LOGSHIP_KEY"
	})
}

func TestReadsEverything(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parse(t, full, dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Targets[0].APIKey != "top-x" || c.Targets[1].Password != "hunter2" {
		t.Errorf("secrets %q, %q", string(c.Targets[0].APIKey), string(c.Targets[1].Password))
	}
	got := strings.ReplaceAll(strings.Join(c.Dump(), "\n"), dir, "DIR")
	want := `instance=node-7
env=production
customer=kreislauf
state_dir=DIR/state
http=127.0.0.1:9600
log.level=debug
poll_interval=1s
max_procs=2
inputs[0].type=service
inputs[0].paths[0]=/var/log/kreislauf/*/*/*/*.log
inputs[0].exclude[0]=/**/nginx/*.log
inputs[0].folders=<env>/<customer>/<service>
inputs[0].fields.env=staging
inputs[0].fields.labels.zone=a
inputs[1].type=text
inputs[1].paths[0]=DIR/app/**/*.log
inputs[1].dataset=app.text
inputs[1].multiline.start=^\d{4}-\d{2}-\d{2}
inputs[1].multiline.max_bytes=1MiB
inputs[1].multiline.timeout=500ms
inputs[2].type=container
inputs[2].paths[0]=/var/log/pods/*/*/*.log
inputs[2].multiline.continue=` + presets["java"] + `
inputs[2].multiline.max_bytes=64KiB
inputs[2].multiline.timeout=2s
geo.city_dir=DIR/geo
geo.country_file=/var/lib/geo/country.mmdb
user_agent=false
trusted_proxies[0]=10.0.0.0/8
trusted_proxies[1]=127.0.0.1/32
routes[0].match.log.level[0]=debug
routes[0].match.log.level[1]=trace
routes[0].match.service_name[0]=billing*
routes[0].dataset=billing.debug
routes[0].namespace=low
targets[0].name=main
targets[0].urls[0]=https://es-1:9200
targets[0].urls[1]=https://es-2:9200
targets[0].gzip=1
targets[0].api_key=***
targets[0].tls.insecure_skip_verify=false
targets[0].batch_bytes=4MiB
targets[0].flush_interval=100ms
targets[0].check_templates=true
targets[0].dead_letter_bytes=1GiB
targets[0].held_bytes=1GiB
targets[0].max_open_files=1024
targets[0].reconcile=1m0s
targets[0].report_interval=10s
targets[1].name=second
targets[1].urls[0]=http://127.0.0.1:9200
targets[1].gzip=0
targets[1].username=elastic
targets[1].password=***
targets[1].password_file=DIR/password
targets[1].tls.insecure_skip_verify=false
targets[1].batch_bytes=1MiB
targets[1].flush_interval=200ms
targets[1].check_templates=true
targets[1].dead_letter_bytes=1GiB
targets[1].held_bytes=1GiB
targets[1].max_open_files=1024
targets[1].reconcile=1m0s
targets[1].report_interval=10s`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	const text = `env: [a]
statedir: /x
state_dir: /y
http: 9600
log:
  level: loud
inputs:
  - type: nginxx
    paths: ["/a/[b.log"]
    folders: <env>/<tenant>
    fields: {host: x}
  - type: service
    paths: []
    multiline: {timeout: 1d, max_bytes: 4MB}
  - type: text
    paths: [/x]
    multiline: {start: '(', preset: java}
  - type: text
    paths: [/x]
    type: text
trusted_proxies: [10.0.0.0/33]
poll_interval: 1h
user_agent: "yes"
routes:
  - {match: {servicename: x}, dataset: "a.{env}.{nope}"}
  - {match: {env: x}}
targets:
  - name: A b
    urls: [es-1:9200, "http://u:p@es"]
    gzip: 11
    api_key: ${MISSING}
    username: x
    tls: {ca_file: /nowhere/ca.pem, cert_file: /nowhere/c.pem}
  - {urls: [http://a], api_key: k, username: u, password: p}
  - {urls: [http://a], password: p, password_file: /nowhere/password}
`
	_, err := parse(t, text, "/")
	if err == nil {
		t.Fatal("no error")
	}
	want := `logship.yaml:1: env must be one value
logship.yaml:2: statedir is not known; did you mean state_dir?
logship.yaml:4: http "9600" is no address; allowed: host:port, for example 127.0.0.1:9600
logship.yaml:6: log.level "loud" is not known; allowed: debug, info, warn, error
logship.yaml:8: inputs[0].type "nginxx" is not known; allowed: service, nginx_access, nginx_combined, nginx_error, container, text, syslog, journal
logship.yaml:9: inputs[0].paths[0] "/a/[b.log" is no pattern of paths; allowed are *, **, ?, [a-z] and {a,b}, each within one folder name
logship.yaml:10: inputs[0].folders "<tenant>" is not known; allowed: <env>, <customer>, <service>, * with / between them
logship.yaml:11: inputs[0].fields.host is not known; allowed: env, customer, service_name, labels.<name>
logship.yaml:13: inputs[1].paths is empty: name files there, or in receive where lines come from
logship.yaml:14: inputs[1].multiline.max_bytes "4MB" is no size; write for example 64KiB, 4MiB or 1048576
logship.yaml:14: inputs[1].multiline.timeout "1d" is no duration; write for example 50ms, 5s, 2m
logship.yaml:14: inputs[1].multiline is for the types text and container, not for service
logship.yaml:14: inputs[1].multiline needs preset, start or continue
logship.yaml:17: inputs[2].multiline.start "(" is no regular expression: error parsing regexp: missing closing ): ` + "`(`" + `
logship.yaml:20: inputs[3].type is there twice, first in line 18
logship.yaml:21: trusted_proxies[0] "10.0.0.0/33" is no address and no network; write for example 127.0.0.1 or 10.0.0.0/8
logship.yaml:22: poll_interval 1h is out of bounds; allowed: 10ms to 10m
logship.yaml:23: user_agent "yes" is not allowed; allowed: true, false
logship.yaml:25: routes[0].match.servicename is not known; did you mean service_name?
logship.yaml:25: routes[0].dataset "a.{env}.{nope}": {nope} is not known; allowed: ` + strings.Join(MatchKeys(), ", ") + `
logship.yaml:26: routes[1] needs type, dataset or namespace
logship.yaml:28: targets[0].name "A b" is not allowed; allowed: a-z, 0-9, - and _, at most 63
logship.yaml:29: targets[0].urls[0] is no address; allowed: http://host:port or https://host:port
logship.yaml:29: targets[0].urls[1] holds a user; use username and password
logship.yaml:30: targets[0].gzip 11 is out of bounds; allowed: 0 to 9
logship.yaml:31: targets[0].api_key needs the environment variable MISSING, which is not set
logship.yaml:32: targets[0].username and password are only allowed together
logship.yaml:33: targets[0].tls.cert_file and key_file are only allowed together
logship.yaml:33: targets[0].tls.ca_file cannot be read: no such file or directory
logship.yaml:33: targets[0].tls.cert_file cannot be read: no such file or directory
logship.yaml:34: targets[1].api_key excludes username and password
logship.yaml:35: targets[2].name "main" is the name of targets[1] too; each target needs its own
logship.yaml:35: targets[2].password and password_file exclude each other
logship.yaml:35: targets[2].password_file "/nowhere/password" cannot be read: no such file or directory`
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); d != "" {
		t.Error(d)
	}
}

func TestFilesThatHoldNoConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "logship.yaml:1: the file is empty; at least state_dir, inputs and targets are needed",
		"- a":                          "logship.yaml:1: the file must hold keys with values, such as state_dir: /var/lib/logship",
		"a: b: c":                      "logship.yaml:1: not YAML: mapping values are not allowed in this context",
		"a: [":                         "logship.yaml:1: not YAML: did not find expected node content",
		"{}":                           "logship.yaml:1: state_dir is missing\nlogship.yaml:1: inputs is missing\nlogship.yaml:1: targets is missing",
		"env: &x [*x]\n":               "logship.yaml:1: env must be one value",
		"a\x00":                        "logship.yaml:1: not YAML: control characters are not allowed",
		"state_dir: /\n---\nenv: x\n":  "logship.yaml:1: inputs is missing",
		strings.Repeat("#", maxFile+1): "logship.yaml:1: the file has more than 1MiB",
	} {
		_, err := parse(t, text, "/")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "logship.yaml")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

func TestDefaultsMadeInCode(t *testing.T) {
	c := Default()
	if c.Env != "local" || c.PollInterval != 5*time.Second || !c.UserAgent || len(c.TrustedProxies) == 0 || c.Log.Level != "info" {
		t.Errorf("%+v", c)
	}
	if d := cmp.Diff("logship configuration: state_dir is empty\nlogship configuration: inputs is empty\nlogship configuration: targets is empty", c.Check().Error()); d != "" {
		t.Error(d)
	}
	c.StateDir, c.Inputs = "/state", []Input{{Type: Text, Paths: []Glob{"/x"}}}
	c.Targets = []Target{DefaultTarget()}
	c.Targets[0].URLs = []string{"http://127.0.0.1:9200"}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	read, err := parse(t, "{state_dir: /, inputs: [{type: text, paths: [/x]}], targets: [{urls: [http://127.0.0.1:9200]}]}", "/")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(read.Targets, c.Targets); d != "" {
		t.Error(d)
	}
}

func TestPresets(t *testing.T) {
	for name, lines := range map[string]string{
		"java": `2025-11-22 ERROR failed
java.lang.IllegalStateException: no
	at a.B.c(B.java:1)
	... 12 more
Caused by: java.io.IOException: gone
	at a.B.d(B.java:2)
2025-11-22 INFO next`,
		"python": `ERROR failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
ValueError: no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
app.errors.StoreError
INFO next`,
		"go": `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47f0a5]

goroutine 1 [running]:
main.(*T).do(...)
	/src/main.go:9
kreislauf/logship.(*Shipper).read(0xc000012345, {0x1, 0x2})
	/src/pump.go:1 +0x1d
created by main.main in goroutine 1
	/src/main.go:5 +0x1d
exit status 2
starting again`,
	} {
		c, err := parse(t, "{state_dir: /, inputs: [{type: text, paths: [/x], multiline: {preset: "+name+"}}], targets: [{urls: [http://x]}]}", "/")
		if err != nil {
			t.Fatal(err)
		}
		var starts []string
		for line := range strings.SplitSeq(lines, "\n") {
			if !c.Inputs[0].Multiline.Continue.MatchString(line) {
				starts = append(starts, line)
			}
		}
		all := strings.Split(lines, "\n")
		want := []string{all[0], all[len(all)-1]}
		if d := cmp.Diff(want, starts); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestTagsAreComplete: every key has a name, and every default is allowed.
func TestTagsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if k.Path == "" || strings.HasSuffix(k.Path, ".") || k.Allowed == "" || seen[k.Path] {
			t.Errorf("%+v", k)
		}
		seen[k.Path] = true
	}
	if len(seen) < 40 || !seen["inputs[].multiline.max_bytes"] || !seen["targets[].tls.ca_file"] || !seen["trusted_proxies"] {
		t.Errorf("%d keys: %v", len(seen), seen)
	}
	r := &reader{lookup: os.LookupEnv, lines: map[string]int{}}
	var c Config
	r.fill(nil, reflect.ValueOf(&c).Elem(), "")
	if len(r.problems) > 0 {
		t.Error(r.err())
	}
}

// TestReceive: where an input receives lines from, and what does not go together.
func TestReceive(t *testing.T) {
	for in, want := range map[string]string{
		"{type: syslog, receive: [\"udp://127.0.0.1:514\", \"unixgram:///run/log\"]}": "",
		"{type: journal, receive: [journalctl]}":                                      "",
		"{type: text, receive: [stdin], received_bytes: 16MiB}":                       "",
		"{type: syslog, receive: [\"udp://127.0.0.1\"]}":                              "inputs[0].receive[0]",
		"{type: syslog, receive: [\"unix://run/log\"]}":                               "inputs[0].receive[0]",
		"{type: syslog, receive: [journalctl]}":                                       "journalctl is for the type journal",
		"{type: container, receive: [stdin]}":                                         "is not for the type container",
		"{type: syslog, receive: [stdin], paths: [/x]}":                               "excludes paths",
		"{type: syslog, paths: [/x], received_bytes: 16MiB}":                          "is for inputs with receive",
		"{type: syslog, receive: [stdin], received_bytes: 1MiB}":                      "received_bytes",
	} {
		_, err := Parse("logship.yaml", []byte("{state_dir: /s, inputs: ["+in+"], targets: [{urls: [http://x]}]}"), "/", nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

// TestReferenceIsComplete holds the table in README.md against the keys.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| key | meaning | default | allowed |\n|---|---|---|---|\n")
	table, _, ends := strings.Cut(table, "\n\n")
	if !found || !ends {
		t.Fatal("README.md has no table of keys")
	}
	plain := strings.NewReplacer("&lt;", "<", `\*`, "*", "–", "")
	var got []Key
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 4 || cells[1] == "" {
			t.Fatalf("row %q", row)
		}
		got = append(got, Key{strings.Trim(cells[0], "`"), plain.Replace(cells[2]), plain.Replace(cells[3])})
	}
	if d := cmp.Diff(Keys(), got); d != "" {
		t.Error(d)
	}
}

// TestExamplesAreRead: the examples of README.md are configurations.
func TestExamplesAreRead(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"logship", "es.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, mark := range [][2]string{{"<<'END'\n", "END\n"}, {"```yaml\n", "```"}} {
		_, example, found := strings.Cut(string(text), mark[0])
		example, _, ends := strings.Cut(example, mark[1])
		example = strings.NewReplacer("/run/secrets", dir, "/etc/ssl", dir).Replace(example)
		if _, err := parse(t, example, dir); err != nil || !found || !ends {
			t.Errorf("%s: %v", mark[0], err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("a: &x {b: *x}\n"))
	f.Add([]byte("inputs: [{type: text, paths: [x], multiline: {start: '('}}]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("targets: &t [{urls: [http://x]}]\nroutes: *t\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data, "/", func(string) (string, bool) { return "v", true })
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if line == "f:" {
					t.Errorf("an error says nothing: %v", err)
				}
			}
			return
		}
		if len(c.Inputs) == 0 || len(c.Targets) == 0 || c.StateDir == "" {
			t.Errorf("%q gives %+v", data, c)
		}
		if err := c.Check(); err != nil {
			t.Errorf("%q: read, but not valid: %v", data, err)
		}
		c.Dump()
	})
}

func TestNamesAndTimesOfAnInput(t *testing.T) {
	read := func(input string) (*Config, error) {
		return Parse("x.yaml", []byte("state_dir: /s\ninputs:\n  - "+input+"\ntargets: [{urls: [http://x]}]\n"), "/", nil)
	}
	c, err := read("{type: nginx_access, paths: [/a], keys: {st: http.response.status_code}, time: {key: when, format: unix_ms}}")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Input{{
		Type: NginxAccess, Paths: []Glob{"/a"}, Keys: map[string]string{"st": "http.response.status_code"}, Time: InputTime{"when", "unix_ms"},
	}}, c.Inputs); d != "" {
		t.Error(d)
	}
	for input, want := range map[string]string{
		"{type: text, paths: [/a], time: {key: x}}":                                 "inputs[0].time is for JSON lines",
		"{type: nginx_combined, paths: [/a], keys: {a: b}}":                         "inputs[0].keys is for JSON lines",
		"{type: service, paths: [/a], keys: {a: 'b c'}}":                            `inputs[0].keys.a "b c" is no name of a field`,
		"{type: service, paths: [/a], time: {format: iso}}":                         `inputs[0].time.format "iso" is no form of a time`,
		"{type: service, paths: [/a], time: {form: unix}}":                          "inputs[0].time.form is not known",
		"{type: service, paths: [/a], keys: {" + strings.Repeat("a", 129) + ": b}}": "is no name of a field",
	} {
		if _, err := read(input); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", input, err, want)
		}
	}
}
