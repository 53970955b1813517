package charts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// platformServices reads the services and their availability classes from services/services.go, so that the charts
// cannot forget one.
func platformServices(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "testdata/services/services.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok || len(row.Elts) < 2 {
			return true
		}
		name, isText := row.Elts[0].(*ast.BasicLit)
		class, isName := row.Elts[1].(*ast.Ident)
		if isText && isName {
			text, err := strconv.Unquote(name.Value)
			if err != nil {
				t.Fatal(err)
			}
			classes[text] = strings.ToLower(class.Name)
		}
		return true
	})
	if len(classes) < 5 {
		t.Fatalf("found only %v in services.go", classes)
	}
	return classes
}

// goSources is the text of all Go sources that read settings.
func goSources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, root := range []string{"testdata/cmd/", "testdata/elk/", "testdata/internal/", "testdata/logship/", "testdata/services/"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
