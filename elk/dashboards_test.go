package elk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kreislauf/elk"
)

type object = map[string]any

// at walks maps by key and returns nil where the path ends early.
func at(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(object)
		v = m[key]
	}
	return v
}

func text(v any, path ...string) string { s, _ := at(v, path...).(string); return s }

func list(v any, path ...string) []any { l, _ := at(v, path...).([]any); return l }

func number(v any, path ...string) int { f, _ := at(v, path...).(float64); return int(f) }

// problems collects what is wrong with a set of saved objects.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// unpack parses a stringified member.
func (p *problems) unpack(where, raw string) any {
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		p.add("%s is not JSON in a string: %v", where, err)
	}
	return v
}

// lowest is the typeMigrationVersion below which Kibana would run old migrations over our objects.
var lowest = map[string]string{"index-pattern": "8.0.0", "search": "8.0.0", "lens": "8.9.0", "dashboard": "8.9.0"}

var dashboardKeys = []string{
	"title", "description", "panelsJSON", "optionsJSON", "timeRestore", "timeFrom", "timeTo",
	"refreshInterval", "controlGroupInput", "kibanaSavedObjectMeta", "hits", "version",
}

// check applies the offline rules to an NDJSON file and returns what is wrong.
func check(ndjson []byte, fields map[string]bool) problems {
	var p problems
	var objects []object
	seen := map[string]bool{}
	for i, line := range bytes.Split(bytes.TrimSuffix(ndjson, []byte("\n")), []byte("\n")) {
		var o object
		if err := json.Unmarshal(line, &o); err != nil {
			p.add("line %d: %v", i+1, err)
			continue
		}
		key := text(o, "type") + "/" + text(o, "id")
		if seen[key] {
			p.add("%s comes twice", key)
		}
		seen[key] = true
		objects = append(objects, o)
	}
	for _, o := range objects {
		where := text(o, "type") + "/" + text(o, "id")
		if want, known := lowest[text(o, "type")]; !known || text(o, "typeMigrationVersion") != want {
			p.add("%s: typeMigrationVersion %q, want %q", where, text(o, "typeMigrationVersion"), want)
		}
		if text(o, "coreMigrationVersion") != "8.8.0" {
			p.add("%s: coreMigrationVersion", where)
		}
		if list(o, "references") == nil {
			p.add("%s: references missing", where)
		}
		for _, r := range list(o, "references") {
			if !seen[text(r, "type")+"/"+text(r, "id")] {
				p.add("%s: reference %s points out of the file", where, text(r, "name"))
			}
		}
		switch text(o, "type") {
		case "index-pattern":
			p.view(where, o, fields)
		case "dashboard":
			p.dashboard(where, o, fields)
		}
	}
	return p
}

func (p *problems) view(where string, o object, fields map[string]bool) {
	if text(o, "attributes", "title") == "" || !fields[text(o, "attributes", "timeFieldName")] {
		p.add("%s: title and a known timeFieldName are needed", where)
	}
	if raw := text(o, "attributes", "fieldFormatMap"); raw != "" {
		formats, _ := p.unpack(where+" fieldFormatMap", raw).(object)
		for field := range formats {
			if !fields[field] {
				p.add("%s: format for unknown field %s", where, field)
			}
		}
	}
}

func (p *problems) dashboard(where string, o object, fields map[string]bool) {
	attributes, _ := o["attributes"].(object)
	for key := range attributes {
		if !slices.Contains(dashboardKeys, key) {
			p.add("%s: unknown attribute %s", where, key)
		}
	}
	p.unpack(where+" optionsJSON", text(attributes, "optionsJSON"))
	references := map[string]string{}
	for _, r := range list(o, "references") {
		references[text(r, "name")] = text(r, "id")
	}
	source := p.unpack(where+" searchSourceJSON", text(attributes, "kibanaSavedObjectMeta", "searchSourceJSON"))
	p.searchSource(where, source, references)
	panels, _ := p.unpack(where+" panelsJSON", text(attributes, "panelsJSON")).([]any)
	if len(panels) == 0 {
		p.add("%s: no panels", where)
	}
	used := map[string]bool{}
	for i, panel := range panels {
		index := text(panel, "panelIndex")
		spot := where + " panel " + index
		grid := at(panel, "gridData")
		if index == "" || text(grid, "i") != index {
			p.add("%s: gridData.i %q is not the panelIndex", spot, text(grid, "i"))
		}
		x, y, w, h := number(grid, "x"), number(grid, "y"), number(grid, "w"), number(grid, "h")
		if x < 0 || y < 0 || w <= 0 || h <= 0 || x+w > 48 {
			p.add("%s: outside of the 48 columns", spot)
		}
		for _, other := range panels[:i] {
			g := at(other, "gridData")
			if x < number(g, "x")+number(g, "w") && number(g, "x") < x+w && y < number(g, "y")+number(g, "h") && number(g, "y") < y+h {
				p.add("%s: lies over panel %s", spot, text(other, "panelIndex"))
			}
		}
		if ref := text(panel, "panelRefName"); ref != "" {
			p.add("%s: %s by reference, panels are by value here", spot, ref)
		}
		for _, r := range list(panel, "embeddableConfig", "attributes", "references") {
			name := index + ":" + text(r, "name")
			if references[name] != text(r, "id") {
				p.add("%s: the dashboard does not repeat reference %s", spot, name)
			}
			used[name] = true
		}
		p.lens(spot, at(panel, "embeddableConfig", "attributes"), fields)
	}
	for name := range references {
		if !used[name] {
			p.add("%s: reference %s belongs to no panel", where, name)
		}
	}
}

// searchSource checks that every indexRefName resolves.
func (p *problems) searchSource(where string, source any, references map[string]string) {
	if ref := text(source, "indexRefName"); ref != "" && references[ref] == "" {
		p.add("%s: indexRefName %s does not resolve", where, ref)
	}
	for _, f := range list(source, "filter") {
		if ref := text(f, "meta", "indexRefName"); ref != "" && references[ref] == "" {
			p.add("%s: filter indexRefName %s does not resolve", where, ref)
		}
	}
}

func (p *problems) lens(where string, lens any, fields map[string]bool) {
	if text(lens, "type") != "lens" || text(lens, "title") == "" {
		p.add("%s: by-value lens attributes need type and title", where)
	}
	p.kuery(where, text(lens, "state", "query", "query"), fields)
	layers, _ := at(lens, "state", "datasourceStates", "formBased", "layers").(object)
	if len(layers) == 0 {
		p.add("%s: no layers", where)
	}
	for id, layer := range layers {
		if !slices.ContainsFunc(list(lens, "references"), func(r any) bool { return text(r, "name") == "indexpattern-datasource-layer-"+id }) {
			p.add("%s: layer %s has no data view", where, id)
		}
		columns, _ := at(layer, "columns").(object)
		p.columns(where, list(layer, "columnOrder"), columns, fields)
		for _, name := range accessors(at(lens, "state", "visualization"), id) {
			if columns[name] == nil {
				p.add("%s: accessor %s is no column", where, name)
			}
		}
	}
	for _, id := range layerIDs(at(lens, "state", "visualization")) {
		if layers[id] == nil {
			p.add("%s: visualization layer %s does not exist", where, id)
		}
	}
}

func (p *problems) columns(where string, order []any, columns object, fields map[string]bool) {
	names := make([]string, 0, len(order))
	metrics := false
	for _, n := range order {
		name, _ := n.(string)
		names = append(names, name)
		bucket, _ := at(columns, name, "isBucketed").(bool)
		if bucket && metrics {
			p.add("%s: bucket %s comes after a metric", where, name)
		}
		metrics = metrics || !bucket
	}
	slices.Sort(names)
	if have := slices.Sorted(maps.Keys(columns)); !slices.Equal(names, have) {
		p.add("%s: columnOrder %v, columns %v", where, names, have)
	}
	for name, column := range columns {
		if field := text(column, "sourceField"); field != "___records___" && !fields[field] {
			p.add("%s: column %s: unknown field %q", where, name, field)
		}
		if by := text(column, "params", "orderBy", "columnId"); by != "" && columns[by] == nil {
			p.add("%s: column %s is ordered by %s, which is no column", where, name, by)
		}
		p.kuery(where, text(column, "filter", "query"), fields)
	}
}

var kueryField = regexp.MustCompile(`([@\w.]+)\s*(?::|>=?|<=?)`)

func (p *problems) kuery(where, query string, fields map[string]bool) {
	for _, m := range kueryField.FindAllStringSubmatch(query, -1) {
		if !fields[m[1]] {
			p.add("%s: unknown field %q in %q", where, m[1], query)
		}
	}
}

// accessors returns the column ids a visualization uses of one layer.
func accessors(visualization any, layer string) []string {
	var names []string
	for _, l := range append(list(visualization, "layers"), visualization) {
		if text(l, "layerId") != layer {
			continue
		}
		for _, key := range []string{"xAccessor", "splitAccessor", "metricAccessor"} {
			if name := text(l, key); name != "" {
				names = append(names, name)
			}
		}
		for _, a := range list(l, "accessors") {
			name, _ := a.(string)
			names = append(names, name)
		}
		for _, c := range list(l, "columns") {
			names = append(names, text(c, "columnId"))
		}
	}
	return names
}

func layerIDs(visualization any) []string {
	var ids []string
	for _, l := range append(list(visualization, "layers"), visualization) {
		if id := text(l, "layerId"); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestDashboardsFollowTheImportRules(t *testing.T) {
	fields := templateFields(t)
	names, err := fs.Glob(elk.Files(), "dashboards/*.ndjson")
	if err != nil || len(names) == 0 {
		t.Fatalf("dashboards: %v, %v", names, err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(elk.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range check(raw, fields) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// TestTheGateSeesEachMistake breaks the good file once for every rule.
func TestTheGateSeesEachMistake(t *testing.T) {
	fields := templateFields(t)
	raw, err := fs.ReadFile(elk.Files(), "dashboards/kreislauf.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	for name, c := range map[string]struct{ old, new, want string }{
		"line":        {`{"id":"kreislauf-logs"`, `"id":"kreislauf-logs"`, "line 1"},
		"twice":       {lines[0], lines[0] + lines[0], "comes twice"},
		"reference":   {`{"id":"kreislauf-events","name"`, `{"id":"elsewhere","name"`, "points out of the file"},
		"version":     {`"typeMigrationVersion":"8.9.0"`, `"typeMigrationVersion":""`, "typeMigrationVersion"},
		"string":      {`"panelsJSON":"[{`, `"panelsJSON":"[`, "not JSON in a string"},
		"attribute":   {`"timeRestore":true`, `"timeRestore":true,"colour":"red"`, "unknown attribute colour"},
		"index ref":   {`"searchSourceJSON":"{`, `"searchSourceJSON":"{\"indexRefName\":\"x\",`, "indexRefName x"},
		"panel index": {`\"i\":\"request-time\"`, `\"i\":\"other\"`, "is not the panelIndex"},
		"grid":        {`\"x\":24,\"y\":9,\"w\":24`, `\"x\":25,\"y\":9,\"w\":24`, "outside of the 48 columns"},
		"overlap":     {`\"x\":24,\"y\":9`, `\"x\":23,\"y\":9`, "lies over panel requests-by-status"},
		"layer ref":   {`indexpattern-datasource-layer-l1\",\"type\"`, `indexpattern-datasource-layer-l2\",\"type\"`, "has no data view"},
		"repeat":      {`"name":"orders-placed:indexpattern`, `"name":"orders:indexpattern`, "does not repeat reference"},
		"order":       {`\"columnOrder\":[\"orders\"]`, `\"columnOrder\":[]`, "columnOrder"},
		"buckets":     {`\"columnOrder\":[\"time\",\"p95\"]`, `\"columnOrder\":[\"p95\",\"time\"]`, "comes after a metric"},
		"accessor":    {`\"metricAccessor\":\"orders\"`, `\"metricAccessor\":\"none\"`, "accessor none"},
		"field":       {`\"sourceField\":\"source.geo.city_name\"`, `\"sourceField\":\"source.geo.town\"`, `unknown field "source.geo.town"`},
		"kuery":       {`span.kind: `, `span.sort: `, `unknown field "span.sort"`},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(string(raw), c.old, c.new, 1)
			if broken == string(raw) {
				t.Fatalf("%q is not in the file", c.old)
			}
			found := check([]byte(broken), fields)
			if !slices.ContainsFunc(found, func(p string) bool { return strings.Contains(p, c.want) }) {
				t.Errorf("want a problem with %q, have %q", c.want, found)
			}
		})
	}
}
