package openapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// registered reads the routes of a service from the calls p.Handle(method, path, …) in its source.
func registered(t *testing.T, service string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, service, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	fset := token.NewFileSet()
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isHandle(call.Fun) {
				return true
			}
			if len(call.Args) != 3 {
				t.Fatalf("%s: Handle has %d arguments, want 3", fset.Position(call.Pos()), len(call.Args))
			}
			routes = append(routes, text(t, fset, call.Args[0])+" "+text(t, fset, call.Args[1]))
			return true
		})
	}
	return routes
}

// isHandle knows <process>.Handle.
func isHandle(fun ast.Expr) bool {
	handle, ok := fun.(*ast.SelectorExpr)
	return ok && handle.Sel.Name == "Handle"
}

// text demands a literal: a route that is computed could not be compared with the document.
func text(t *testing.T, fset *token.FileSet, e ast.Expr) string {
	t.Helper()
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		t.Fatalf("%s: the method and the path of a route have to be string literals", fset.Position(e.Pos()))
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoutesAndDocumentsAgree(t *testing.T) {
	for _, service := range documented() {
		var documented []string
		for at := range maps.Keys(load(t, service).operations()) {
			documented = append(documented, strings.ToUpper(at.method)+" "+at.path)
		}
		routes := registered(t, service)
		slices.Sort(documented)
		slices.Sort(routes)
		if len(routes) == 0 {
			t.Errorf("%s: no route was found in the source", service)
		}
		if diff := cmp.Diff(routes, documented); diff != "" {
			t.Errorf("%s (-registered +documented):\n%s", service, diff)
		}
	}
}
