// Package openapi_test holds the OpenAPI document of each service against the service: the documents are valid OpenAPI 3.1 and their
// examples fit, routes and documents agree, and real requests and answers are what the documents say. It does not test what an answer
// means (test/journey), and it cannot provoke a status 500.
package openapi_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"kreislauf/services"
)

const root = "../../services"

// document is the contract of one service.
type document struct {
	service string
	model   *v3.Document
	check   validator.Validator
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
	text, err := os.ReadFile(filepath.Join(root, service, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	check, errs := validator.NewValidator(doc, config.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatalf("%s: %v", service, errs)
	}
	return document{service, &model.Model, check}
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
	for service, d := range loadAll(t) {
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

// TestSameNameMeansTheSame: each document stands alone, so what they share is repeated and must not drift apart.
func TestSameNameMeansTheSame(t *testing.T) {
	first := map[string]string{}
	origin := map[string]string{}
	seen := func(service, name string, text []byte, err error) {
		if err != nil {
			t.Fatalf("%s: %s: %v", service, name, err)
		}
		if _, ok := first[name]; !ok {
			first[name], origin[name] = string(text), service
		}
		if diff := cmp.Diff(first[name], string(text)); diff != "" {
			t.Errorf("%s differs (-%s +%s):\n%s", name, origin[name], service, diff)
		}
	}
	docs := loadAll(t)
	for _, service := range documented() {
		c := docs[service].model.Components
		for name, s := range c.Schemas.FromOldest() {
			text, err := s.Render()
			seen(service, "schema "+name, text, err)
		}
		for name, h := range c.Headers.FromOldest() {
			text, err := h.Render()
			seen(service, "header "+name, text, err)
		}
		for name, p := range c.Parameters.FromOldest() {
			text, err := p.Render()
			seen(service, "parameter "+name, text, err)
		}
		for name, s := range c.SecuritySchemes.FromOldest() {
			text, err := s.Render()
			seen(service, "security scheme "+name, text, err)
		}
	}
	if _, ok := first["schema Problem"]; !ok {
		t.Error("no document has a schema Problem")
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
	for service, d := range loadAll(t) {
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
