package kreislauf_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kitOf lists the packages of the kit that a file of a service may import beside the vocabulary and the process basics.
// A file that is not named here decides: it holds pure types and rules, and imports no package that imports a driver.
func kitOf(file string) []string {
	kind, _, _ := strings.Cut(strings.TrimSuffix(file, ".go"), "_") // http_offers.go is an http file
	return map[string][]string{
		"service":  {"broker", "health", "httpserver", "mongodb", "process", "repository", "session"},
		"store":    {"blob", "mongodb", "numbering", "repository"},
		"http":     {"httpserver", "session"},
		"consumer": {},
	}[kind]
}

// serviceFaults says what a file of a service must not do: handlers reach no driver, and deciding stays pure.
func serviceFaults(s source) []string {
	var faults []string
	may := kitOf(filepath.Base(s.path))
	for _, i := range s.imports {
		kit, ours := strings.CutPrefix(i, module+"/internal/")
		if ours && layer("internal/"+kit) > 1 && !slices.Contains(may, kit) {
			faults = append(faults, s.path+" imports internal/"+kit+
				": in a service, only files named service, store, http or consumer reach out, each to its own part of the kit")
		}
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if f, ok := n.(*ast.StructType); ok {
			for _, field := range f.Fields.List {
				if holdsProcess(field.Type) {
					faults = append(faults, s.path+": a struct holds the process; it holds what it needs, so that a handler cannot reach more")
				}
			}
		}
		return true
	})
	return faults
}

func TestServiceFiles(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !within(s.dir, "services") || s.dir == "services" {
			continue
		}
		for _, f := range serviceFaults(s) {
			t.Error(f)
		}
	}
}

// TestServiceFaultsAreFound holds the fence against files that must not pass it.
func TestServiceFaultsAreFound(t *testing.T) {
	for name, tc := range map[string]struct {
		path, text string
		faults     int
	}{
		"a noun that stores":           {"services/order/order.go", `import "kreislauf/internal/repository"`, 1},
		"a noun that knows sessions":   {"services/order/order.go", `import "kreislauf/internal/session"`, 1},
		"a noun that decides":          {"services/order/order.go", `import "kreislauf/internal/event"`, 0},
		"a handler that stores":        {"services/order/http.go", `import "kreislauf/internal/mongodb"`, 1},
		"a handler that publishes":     {"services/order/http_swap.go", `import "kreislauf/internal/broker"`, 1},
		"a handler that answers":       {"services/order/http_swap.go", `import "kreislauf/internal/httpserver"`, 0},
		"a service in a process":       {"services/order/service.go", "import \"kreislauf/internal/process\"\ntype service struct { *process.Process }", 1},
		"a service with what it needs": {"services/order/service.go", "import \"kreislauf/internal/process\"\nfunc Wire(p *process.Process) error { return nil }", 0},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), tc.path, "package order\n"+tc.text+"\n", 0)
		if err != nil {
			t.Fatal(err)
		}
		s := source{path: tc.path, dir: filepath.Dir(tc.path), ast: f}
		for _, i := range f.Imports {
			s.imports = append(s.imports, strings.Trim(i.Path.Value, `"`))
		}
		if got := serviceFaults(s); len(got) != tc.faults {
			t.Errorf("%s: %d faults, want %d: %v", name, len(got), tc.faults, got)
		}
	}
}

// holdsProcess says whether a type is process.Process or a pointer to it.
func holdsProcess(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "process" && sel.Sel.Name == "Process"
}

// TestHandlersCannotReachDrivers compiles handlers that try, beside the real files of order. Each must fail for the reason given.
func TestHandlersCannotReachDrivers(t *testing.T) {
	const head = "package order\n\nimport \"net/http\"\n\nfunc (s *service) fence(_ http.ResponseWriter, r *http.Request) error {\n"
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                {"\treturn nil", ""},
		"the database":           {"\treturn s.DB.Drop(r.Context())", "s.DB undefined"},
		"the producer":           {"\treturn s.Producer.Publish(r.Context(), \"t\")", "s.Producer undefined"},
		"the process":            {"\treturn s.Process.Stop(r.Context())", "s.Process undefined"},
		"the driver's documents": {"\treturn s.orders.coll.Drop(r.Context())", "s.orders.coll undefined"},
		"the relay":              {"\ts.orders.relay.Kick(\"o-1\")\n\treturn nil", "s.orders.relay undefined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "http_fence.go")
			if err := os.WriteFile(file, []byte(head+tc.body+"\n}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			here, err := filepath.Abs("services/order")
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, "http_fence.go"): file}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "./services/order").CombinedOutput()
			if tc.want == "" {
				if err != nil {
					t.Fatalf("a handler that reaches for nothing does not compile: %v\n%s", err, out)
				}
			} else if err == nil || !strings.Contains(string(out), tc.want) {
				t.Errorf("want %q, got %v\n%s", tc.want, err, out)
			}
		})
	}
}
