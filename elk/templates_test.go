package elk_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"kreislauf/elk"
)

// templateFields returns the fields the component templates map, by dotted name.
func templateFields(t *testing.T) map[string]bool {
	t.Helper()
	fields := map[string]bool{}
	for _, file := range glob(t, "templates/*@*.json") {
		var template struct {
			Template struct{ Mappings struct{ Properties object } }
		}
		decode(t, file, &template)
		collect(fields, "", template.Template.Mappings.Properties)
	}
	return fields
}

func collect(fields map[string]bool, prefix string, properties object) {
	for name, field := range properties {
		if inner, ok := at(field, "properties").(object); ok {
			collect(fields, prefix+name+".", inner)
			continue
		}
		fields[prefix+name] = true
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := fs.Glob(elk.Files(), pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	return names
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := fs.ReadFile(elk.Files(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// expanded are fields the contract writes with braces or in words; the test reads all others from it.
var expanded = []string{
	"@timestamp", "ecs.version", "service.name", "service.environment", "user.id", "order.id", "partner.id", "source.ip",
	"source.geo.country_iso_code", "source.geo.region_name", "source.geo.city_name", "source.geo.location",
	"nginx.access.upstream.address_list", "nginx.access.upstream.status_list", "nginx.access.upstream.connect_time_list",
	"nginx.access.upstream.header_time_list", "nginx.access.upstream.response_time_list", "nginx.access.upstream.address",
	"nginx.access.upstream.status_code", "nginx.access.upstream.connect_time_ms", "nginx.access.upstream.header_time_ms",
	"nginx.access.upstream.response_time_ms", "nginx.access.upstream.retries",
	"data_stream.type", "data_stream.dataset", "data_stream.namespace", "event.dataset", "event.created", "agent.name", "log.file.path", "log.offset",
}

// TestEveryContractFieldIsMapped reads the section "Contract: lines" of the architecture.
func TestEveryContractFieldIsMapped(t *testing.T) {
	raw, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(raw), "## Contract: lines")
	section, _, end := strings.Cut(section, "## Contract: data streams")
	if !ok || !end {
		t.Fatal("the section Contract: lines is gone")
	}
	want := append([]string{}, expanded...)
	quoted := regexp.MustCompile("`([a-z_]+(?:\\.[a-z_0-9]+)*|@timestamp)`")
	member := regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)*)":`)
	notFields := map[string]bool{
		"traces": true, "events": true, "kreislauf": true, "order.placed": true, "http.request": true, "event.consumed": true, "server": true,
		"client": true, "producer": true, "consumer": true, "internal": true, "success": true, "failure": true, "flattened": true, "log_format": true,
		"supervisor": true, "process.started": true, "process.ready": true, "process.suspect": true, "process.recovered": true,
		"process.hung": true, "process.exited": true, "process.stopped": true, "entry.balanced": true,
	}
	for _, m := range append(quoted.FindAllStringSubmatch(section, -1), member.FindAllStringSubmatch(section, -1)...) {
		if !notFields[m[1]] && !strings.HasSuffix(m[1], "_id_") {
			want = append(want, m[1])
		}
	}
	if len(want) < 90 {
		t.Errorf("only %d fields found in the contract: the test no longer reads it", len(want))
	}
	fields := templateFields(t)
	for _, field := range want {
		if !fields[field] {
			t.Errorf("%s is not mapped", field)
		}
	}
}

func TestIndexTemplates(t *testing.T) {
	streams := map[string]string{
		"logs-kreislauf.order-local": "kreislauf-logs", "logs-kubernetes.container-local": "kreislauf-logs", "logs-generic-local": "kreislauf-logs", "logs-nginx.access-local": "kreislauf-nginx", "logs-nginx.error-local": "kreislauf-nginx",
		"traces-kreislauf-local": "kreislauf-traces", "events-kreislauf-local": "kreislauf-events", "alerts-kreislauf-local": "kreislauf-alerts",
		"metrics-kreislauf.logship-local": "kreislauf-metrics",
	}
	type indexTemplate struct {
		Patterns   []string `json:"index_patterns"`
		Priority   int
		DataStream object   `json:"data_stream"`
		ComposedOf []string `json:"composed_of"`
	}
	for _, file := range glob(t, "templates/*.json") {
		name := strings.TrimSuffix(path.Base(file), ".json")
		if strings.Contains(name, "@") {
			continue
		}
		var template indexTemplate
		decode(t, file, &template)
		if template.Priority != 500 || template.DataStream == nil || len(template.ComposedOf) != 2 {
			t.Errorf("%s: %+v", file, template)
		}
		for _, part := range template.ComposedOf {
			if _, err := fs.Stat(elk.Files(), "templates/"+part+".json"); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		for _, pattern := range template.Patterns {
			for stream, owner := range streams {
				if match, err := path.Match(pattern, stream); err != nil {
					t.Error(err)
				} else if match && owner != name {
					t.Errorf("%s is matched by %s", stream, name)
				} else if match {
					delete(streams, stream)
				}
			}
		}
	}
	if len(streams) > 0 {
		t.Errorf("streams without a template: %v", streams)
	}
}

func TestLifecycle(t *testing.T) {
	var policy object
	decode(t, "ilm/logs.json", &policy)
	rollover := at(policy, "policy", "phases", "hot", "actions", "rollover")
	if text(rollover, "max_age") != "1d" || text(rollover, "max_primary_shard_size") != "25gb" {
		t.Errorf("rollover: %v", rollover)
	}
	if text(policy, "policy", "phases", "delete", "min_age") != "30d" || at(policy, "policy", "phases", "delete", "actions", "delete") == nil {
		t.Errorf("delete: %v", at(policy, "policy", "phases", "delete"))
	}
	var settings object
	decode(t, "templates/kreislauf@settings.json", &settings)
	if name := text(settings, "template", "settings", "index", "lifecycle", "name"); name != "kreislauf-logs" {
		t.Errorf("the settings name the policy %q", name)
	}
}
