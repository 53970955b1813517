package record

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk"
)

var update = flag.Bool("update", false, "rewrite fields.go")

// TestFieldsAreThoseOfTheTemplates holds fields.go to elk/templates.
func TestFieldsAreThoseOfTheTemplates(t *testing.T) {
	paths := map[string][]string{} // by class
	seen := map[string]bool{}
	files, err := fs.Glob(elk.Files(), "templates/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := fs.ReadFile(elk.Files(), file)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Template struct {
				Mappings struct{ Properties map[string]any }
			}
		}
		if err := json.Unmarshal(raw, &template); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		collectFields(t, "", template.Template.Mappings.Properties, func(path, class string) {
			if !seen[path] {
				seen[path] = true
				paths[class] = append(paths[class], path)
			}
		})
	}
	if len(seen) < 150 {
		t.Fatalf("%d fields: the test no longer reads the templates", len(seen))
	}
	var out strings.Builder
	out.WriteString("package record\n\n// FieldOf returns the class of a field of the index templates. It is made of elk/templates:\n" +
		"// go test ./logship/record -run TestFieldsAreThoseOfTheTemplates -update\nfunc FieldOf(path []byte) Class {\n\tswitch string(path) {\n")
	for _, class := range []string{"Object", "Text", "Number", "Date", "Address", "Point", "Flattened", "Alias"} {
		slices.Sort(paths[class])
		fmt.Fprintf(&out, "case \"%s\":\nreturn %s\n", strings.Join(paths[class], "\",\n\""), class)
	}
	out.WriteString("}\nreturn Unknown\n}\n")
	want, err := format.Source([]byte(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("fields.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("fields.go")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("fields.go is not what the templates say; run this test with -update: %s", d)
	}
}

func collectFields(t *testing.T, prefix string, properties map[string]any, add func(path, class string)) {
	classes := map[string]string{
		"keyword": "Text", "match_only_text": "Text", "long": "Number", "double": "Number", "date": "Date", "ip": "Address",
		"geo_point": "Point", "flattened": "Flattened", "alias": "Alias", "object": "Object",
	}
	for name, field := range properties {
		f := field.(map[string]any)
		if inner, ok := f["properties"].(map[string]any); ok {
			add(prefix+name, "Object")
			collectFields(t, prefix+name+".", inner, add)
			continue
		}
		class := classes[f["type"].(string)]
		if class == "" {
			t.Errorf("%s%s: the type %v has no class", prefix, name, f["type"])
		}
		add(prefix+name, class)
	}
}
