// Package openapi_test holds the OpenAPI document of each service against the service: the documents are valid OpenAPI 3.1 and their
// examples fit, routes and documents agree, and real requests and answers are what the documents say. It does not test what an answer
// means (test/journey), and it cannot provoke a status 500.
package openapi_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"go.yaml.in/yaml/v3"

	"kreislauf/services"
)

const (
	root   = "../../services"
	shared = "components.yaml" // the components of all services, in root
)

// document is the contract of one service, or what all of them share.
type document struct {
	model *v3.Document
	check validator.Validator
}

// documented lists the services that have routes, and so a document.
func documented() []string {
	var list []string
	for _, s := range services.All() {
		if s.HTTP {
			list = append(list, s.Name)
		}
	}
	return list
}

func load(t *testing.T, service string) document {
	t.Helper()
	return read(t, filepath.Join(root, service), "openapi.yaml")
}

// vocabulary is the document whose components the others refer to.
func vocabulary(t *testing.T) document {
	t.Helper()
	return read(t, root, shared)
}

// read follows references to the shared components, and to no other file.
func read(t *testing.T, dir, name string) document {
	t.Helper()
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := datamodel.NewDocumentConfiguration()
	files.BasePath, files.SpecFilePath, files.FileFilter = dir, name, []string{shared}
	doc, err := libopenapi.NewDocumentWithConfiguration(text, files)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	check, errs := validator.NewValidator(doc, config.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatalf("%s: %v", path, errs)
	}
	return document{&model.Model, check}
}

func loadAll(t *testing.T) map[string]document {
	t.Helper()
	docs := map[string]document{}
	for _, s := range documented() {
		docs[s] = load(t, s)
	}
	return docs
}

// operation is one method on one path.
type operation struct{ method, path string }

func (d document) operations() map[operation]*v3.Operation {
	ops := map[operation]*v3.Operation{}
	if d.model.Paths == nil {
		return ops // components alone
	}
	for path, item := range d.model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			ops[operation{method, path}] = op
		}
	}
	return ops
}

func report(t *testing.T, what string, errs []*errors.ValidationError) {
	t.Helper()
	for _, e := range errs {
		t.Errorf("%s: %v", what, e)
	}
}

func TestDocumentsAreValid(t *testing.T) {
	docs := loadAll(t)
	docs[shared] = vocabulary(t)
	for service, d := range docs {
		if d.model.Version != "3.1.0" {
			t.Errorf("%s is OpenAPI %s, want 3.1.0", service, d.model.Version)
		}
		if ok, errs := d.check.ValidateDocument(); !ok {
			report(t, service, errs)
		}
		for at, op := range d.operations() {
			if op.OperationId == "" || op.Summary == "" || op.Description == "" || op.Security == nil {
				t.Errorf("%s: %v needs operationId, summary, description and security", service, at)
			}
		}
	}
}

// component is what a document defines for references: kind "schemas", name "Problem".
type component struct{ document, kind, name, text string }

// components reads what the documents define, without following references.
func components(t *testing.T) []component {
	t.Helper()
	paths := []string{shared}
	for _, s := range documented() {
		paths = append(paths, filepath.Join(s, "openapi.yaml"))
	}
	var list []component
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Components map[string]map[string]any
		}
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for kind, named := range doc.Components {
			for name, value := range named {
				definition, err := yaml.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				if m, ok := value.(map[string]any); !ok || m["$ref"] == nil {
					list = append(list, component{path, kind, name, string(definition)})
				}
			}
		}
	}
	return list
}

// TestComponentsAreDefinedOnce: a component stands in the document of the one service that needs it, or in components.yaml. So a name
// means the same everywhere, and nothing has to be kept equal.
func TestComponentsAreDefinedOnce(t *testing.T) {
	list := components(t)
	if len(list) < 20 {
		t.Fatalf("only %d components were found: the reading is broken", len(list))
	}
	for i, a := range list {
		for _, b := range list[:i] {
			if a.kind == b.kind && (a.name == b.name || a.text == b.text) {
				t.Errorf("%s %s of %s is %s of %s: define it once, in services/%s", a.kind, a.name, a.document, b.name, b.document, shared)
			}
		}
	}
}

// TestSharedComponentsAreUsed finds what stands in components.yaml for nobody.
func TestSharedComponentsAreUsed(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join(root, "*", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range append(documents, filepath.Join(root, shared)) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, c := range components(t) {
		if ref := "#/components/" + c.kind + "/" + c.name + "'"; c.document == shared && !strings.Contains(all.String(), ref) {
			t.Errorf("%s %s of %s is used by nobody", c.kind, c.name, shared)
		}
	}
}

// TestExamplesFitTheirSchemas demands an example of every body and checks it, and those of parameters and headers.
func TestExamplesFitTheirSchemas(t *testing.T) {
	for service, d := range loadAll(t) {
		for at, op := range d.operations() {
			where := service + " " + at.method + " " + at.path
			if op.RequestBody != nil {
				for typ, m := range op.RequestBody.Content.FromOldest() {
					checkMedia(t, where+" request "+typ, m)
				}
			}
			for status, res := range op.Responses.Codes.FromOldest() {
				for typ, m := range res.Content.FromOldest() {
					checkMedia(t, where+" "+status+" "+typ, m)
				}
				for name, h := range res.Headers.FromOldest() {
					if h.Example != nil {
						checkExample(t, where+" "+status+" "+name, h.Schema, h.Example.Decode)
					}
				}
			}
			for _, p := range op.Parameters {
				if p.Example == nil {
					t.Errorf("%s: parameter %s has no example", where, p.Name)
					continue
				}
				checkExample(t, where+" "+p.Name, p.Schema, p.Example.Decode)
			}
		}
	}
}

func checkMedia(t *testing.T, where string, m *v3.MediaType) {
	t.Helper()
	n := 0
	if m.Example != nil {
		n++
		checkExample(t, where, m.Schema, m.Example.Decode)
	}
	for name, e := range m.Examples.FromOldest() {
		n++
		checkExample(t, where+" "+name, m.Schema, e.Value.Decode)
	}
	if n == 0 {
		t.Errorf("%s has no example", where)
	}
}

func checkExample(t *testing.T, where string, s *base.SchemaProxy, decode func(any) error) {
	t.Helper()
	var v any
	if err := decode(&v); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	check := schema_validation.NewSchemaValidator(config.WithFormatAssertions())
	if ok, errs := check.ValidateSchemaObjectWithVersion(s.Schema(), v, 3.1); !ok {
		report(t, where+" example", errs)
	}
}

// TestObjectsAreClosed: an answer with a member that is not in the document is an error only if its schema says so.
func TestObjectsAreClosed(t *testing.T) {
	docs := loadAll(t)
	docs[shared] = vocabulary(t)
	for service, d := range docs {
		if d.model.Components == nil || d.model.Components.Schemas == nil {
			continue
		}
		part := map[string]bool{} // schemas that are only a part of closed ones
		for _, s := range d.model.Components.Schemas.FromOldest() {
			for _, of := range s.Schema().AllOf {
				part[of.GetReference()] = true
			}
		}
		for name, proxy := range d.model.Components.Schemas.FromOldest() {
			s := proxy.Schema()
			object := slices.Contains(s.Type, "object") || s.Properties != nil
			if object && !part["#/components/schemas/"+name] && s.AdditionalProperties == nil && s.UnevaluatedProperties == nil {
				t.Errorf("%s: schema %s allows members that it does not name", service, name)
			}
		}
	}
}
