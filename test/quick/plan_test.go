package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const listed = `{"ImportPath":"kreislauf","Module":{"Path":"kreislauf"},"XTestImports":["testing"],"XTestGoFiles":["a_test.go"]}
{"ImportPath":"kreislauf/internal/money","Module":{"Path":"kreislauf"},"Imports":["fmt"],"TestGoFiles":["a_test.go"]}
{"ImportPath":"kreislauf/internal/event","Module":{"Path":"kreislauf"},"Imports":["kreislauf/internal/money"],
 "TestGoFiles":["a_test.go"]}
{"ImportPath":"kreislauf/internal/quote","Module":{"Path":"kreislauf"},"TestImports":["kreislauf/internal/money"],"TestGoFiles":["a_test.go"]}
{"ImportPath":"kreislauf/services/order","Module":{"Path":"kreislauf"},"Imports":["kreislauf/internal/event","kreislauf/internal/quote"]}
{"ImportPath":"kreislauf/k8s","Module":{"Path":"kreislauf"},"XTestGoFiles":["a_test.go"]}
{"ImportPath":"kreislauf/test/openapi","Module":{"Path":"kreislauf"},"XTestGoFiles":["a_test.go"]}
{"ImportPath":"kreislauf/test/journey","Module":{"Path":"kreislauf"},
 "XTestImports":["kreislauf/services/order","kreislauf/internal/money"],"XTestGoFiles":["a_test.go"]}
`

func TestPlan(t *testing.T) {
	list, err := readPackages(strings.NewReader(listed))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		files []string
		want  planned
	}{
		{"nothing", nil, planned{}},
		{"a package and who imports it", []string{"internal/money/removed.go"}, planned{
			changed: []string{"./internal/money"},
			tested:  []string{"./internal/money", "./internal/quote"},
			skipped: []string{"go test ./test/journey: slow, and only something that it imports has changed"},
		}},
		{"a package without tests", []string{"services/order/removed.go"}, planned{
			changed: []string{"./services/order"},
			skipped: []string{"go test ./test/journey: slow, and only something that it imports has changed"},
		}},
		{"documents of services", []string{"services/order/openapi.yaml", "services/components.yaml"}, planned{
			changed: []string{"./test/openapi"}, tested: []string{"./test/openapi"},
			skipped: []string{"make test-released: a document has changed"},
		}},
		{"test data", []string{"internal/quote/testdata/a/b.json"}, planned{
			changed: []string{"./internal/quote"}, tested: []string{"./internal/quote"},
		}},
		{"slow tests that have changed", []string{"test/journey/journey_test.go", "test/journey/x/y"}, planned{
			changed: []string{"./test/journey"}, tested: []string{"./test/journey"},
		}},
		{"what is tested anyway", []string{"internal/event/payload.go", "README.md"}, planned{
			changed: []string{".", "./internal/event"},
		}},
		{"other modules", []string{"web/src/app.ts", "k8s/apps/values.yaml", "k8s/test/apps_test.go"}, planned{
			changed: []string{"./k8s"},
			skipped: []string{"make test-k8s: k8s has changed", "make test-web: web has changed"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, plan(list, tc.files), cmp.AllowUnexported(planned{})); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadPackagesRefusesWhatIsNoList(t *testing.T) {
	if _, err := readPackages(strings.NewReader(listed + "{")); err == nil {
		t.Error("half a list was read")
	}
}
