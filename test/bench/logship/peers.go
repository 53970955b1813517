package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kreislauf/test/shipper"
)

// peer is another shipper: how it is set up to send the lines of one file, parsed as JSON and uncompressed.
type peer struct {
	program, config string   // config is the name of its file
	args            []string // after the program; %DIR% is the folder with the file
	text            string   // of the file; %DIR%, %HOST%, %PORT%, %INPUT%
	module, install string   // what must be there beside the program, as a pattern; how both are installed
}

// missing says what is not installed, "" when nothing is.
func (p peer) missing() string {
	_, err := exec.LookPath(p.program)
	found := []string{p.module}
	if err == nil && p.module != "" {
		found, err = filepath.Glob(p.module)
	}
	switch {
	case err == nil && len(found) > 0:
		return ""
	case p.install != "":
		return "not installed: " + p.install
	}
	return "not installed"
}

func peerSetups() []peer {
	return []peer{
		{"rsyslogd", "rsyslog.conf", []string{"-n", "-f", "%DIR%/rsyslog.conf", "-i", "%DIR%/pid"}, `global(workDirectory="%DIR%" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
module(load="omelasticsearch")
template(name="doc" type="list") { property(name="$!all-json-plain") }
input(type="imfile" file="%INPUT%" tag="nginx" ruleset="ship")
ruleset(name="ship" queue.type="linkedList" queue.size="50000" queue.dequeueBatchSize="4096") {
  action(type="mmjsonparse" cookie="")
  action(type="omelasticsearch" server="%HOST%" serverport="%PORT%" searchIndex="logs-nginx.access-local" searchType="" bulkmode="on" maxbytes="4m" template="doc" action.resumeRetryCount="-1")
}
`, "/usr/lib/*/rsyslog/omelasticsearch.so", "apt-get install rsyslog rsyslog-elasticsearch"},
		{"fluent-bit", "fluent-bit.conf", []string{"-c", "%DIR%/fluent-bit.conf"}, `[SERVICE]
  Flush 0.2
  Log_Level error
  Parsers_File %DIR%/parsers.conf
[INPUT]
  Name tail
  Path %INPUT%
  Read_from_Head On
  Parser json
  DB %DIR%/tail.db
[OUTPUT]
  Name es
  Match *
  Host %HOST%
  Port %PORT%
  Index logs-nginx.access-local
  Write_Operation create
  Suppress_Type_Name On
  Buffer_Size False
  Workers 2
`, "", ""},
		{"filebeat", "filebeat.yml", []string{"-e", "-c", "%DIR%/filebeat.yml", "--path.data", "%DIR%/data", "--path.logs", "%DIR%/logs"}, `filebeat.inputs:
  - type: filestream
    id: access
    paths: ["%INPUT%"]
    parsers: [{ndjson: {target: ""}}]
output.elasticsearch: {hosts: ["http://%HOST%:%PORT%"], compression_level: 0, bulk_max_size: 2048, worker: 2, index: logs-nginx.access-local}
setup.template.enabled: false
setup.ilm.enabled: false
logging.level: error
`, "", ""},
		{"vector", "vector.yaml", []string{"-q", "-c", "%DIR%/vector.yaml"}, `data_dir: %DIR%
sources: {access: {type: file, include: ["%INPUT%"], read_from: beginning}}
transforms: {parsed: {type: remap, inputs: [access], source: ". = object!(parse_json!(.message))"}}
sinks:
  out: {type: elasticsearch, inputs: [parsed], endpoints: ["http://%HOST%:%PORT%"], api_version: v8, bulk: {action: create, index: logs-nginx.access-local}, healthcheck: {enabled: false}}
`, "", ""},
		{"file.d", "file.d.yaml", []string{"--config", "%DIR%/file.d.yaml"}, `pipelines:
  access:
    settings: {capacity: 2048}
    input: {type: file, paths: {include: ["%INPUT%"]}, offsets_file: "%DIR%/offsets.yaml", offsets_op: reset, persistence_mode: async}
    output: {type: elasticsearch, endpoints: ["http://%HOST%:%PORT%"], index_format: logs-nginx.access-local, batch_op_type: create, workers_count: 2}
`, "", "go build ./cmd/file.d in a copy of github.com/ozontech/file.d"},
	}
}

// peers ships nginx lines with every peer that is installed.
func (b *bench) peers() error {
	n := 100_000
	if b.quick {
		n = 30_000
	}
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	path, err := b.nginxFile(root, n)
	if err != nil {
		return err
	}
	runs, err := b.inTurn(n, b.floor(path, kind{geo: true}), b.logship(root, kind{geo: true}))
	if err != nil {
		return err
	}
	f, l := runs[0], runs[1]
	b.table.row(fmt.Sprintf("beside peers, %d lines", n), cost("logship", l), cost("floor", f), b.table.ratio(l.over(f), 0))
	for _, p := range peerSetups() {
		if what := p.missing(); what != "" {
			b.table.row("peer "+p.program, what)
			continue
		}
		r, err := b.until(n, func() (*shipper.Process, error) { return b.startPeer(p, path) })
		if err != nil {
			b.table.row("peer "+p.program, "did not do it: "+err.Error())
			continue
		}
		b.table.row("peer "+p.program+", no geo, no ids", cost(p.program, series{r, []time.Duration{r.cpu}}), fmt.Sprintf("%.1f times logship", r.perMillion()/l.perMillion()), b.table.ratio(r.perMillion()/f.perMillion(), 0))
	}
	return nil
}

func (b *bench) startPeer(p peer, input string) (*shipper.Process, error) {
	u, err := url.Parse(b.sinkURL)
	if err != nil {
		return nil, fmt.Errorf("address of the sink: %w", err)
	}
	dir, err := os.MkdirTemp(b.dir, "peer-")
	if err != nil {
		return nil, fmt.Errorf("make folder of peer: %w", err)
	}
	fill := strings.NewReplacer("%DIR%", dir, "%HOST%", u.Hostname(), "%PORT%", u.Port(), "%INPUT%", input)
	for name, text := range map[string]string{p.config: p.text, "parsers.conf": "[PARSER]\n  Name json\n  Format json\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fill.Replace(text)), 0o644); err != nil {
			return nil, fmt.Errorf("configure peer: %w", err)
		}
	}
	args := []string{p.program}
	for _, a := range p.args {
		args = append(args, fill.Replace(a))
	}
	return shipper.StartCommand(args, nil, b.log)
}
