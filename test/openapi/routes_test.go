package openapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
)

// TestRoutesAndDocumentsAgree compares the documents with the table of routes, which a test of internal/authz compares with what the
// services register: the same routes, and a session is asked for in both or in neither.
func TestRoutesAndDocumentsAgree(t *testing.T) {
	describe := func(method, path string, public bool) string {
		if public {
			return method + " " + path + " without a session"
		}
		return method + " " + path + " with a session"
	}
	var inTable, inDocuments []string
	for _, r := range authz.Routes() {
		inTable = append(inTable, describe(r.Method, r.Pattern, r.Public()))
	}
	for service, d := range loadAll(t) {
		for at, op := range d.operations() {
			inDocuments = append(inDocuments, describe(strings.ToUpper(at.method), at.path, len(op.Security) == 0))
			if !strings.HasPrefix(at.path, "/api/"+service+"/") {
				t.Errorf("%s %s stands in the document of %s", at.method, at.path, service)
			}
		}
	}
	slices.Sort(inTable)
	slices.Sort(inDocuments)
	if diff := cmp.Diff(inTable, inDocuments); diff != "" {
		t.Errorf("routes of the services and operations of their documents (-route +document):\n%s", diff)
	}
}
