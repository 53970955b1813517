package kreislauf_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "kreislauf"

// source is one parsed file.
type source struct {
	path, dir string // relative, with slashes
	ast       *ast.File
	imports   []string
	test      bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if d.IsDir() {
			if slices.Contains([]string{"node_modules", "testdata", ".git", "dist"}, d.Name()) || path == "k8s/test" || (strings.HasPrefix(d.Name(), ".") && path != ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		s := source{path: path, dir: filepath.ToSlash(filepath.Dir(path)), ast: f, test: strings.HasSuffix(path, "_test.go")}
		for _, i := range f.Imports {
			s.imports = append(s.imports, strings.Trim(i.Path.Value, `"`))
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Fatalf("only %d Go files were found: the walk is broken", len(list))
	}
	return list
}

// within says whether dir is one of the folders or below one.
func within(dir string, folders ...string) bool {
	for _, f := range folders {
		if dir == f || strings.HasPrefix(dir, f+"/") {
			return true
		}
	}
	return false
}

// layers are the kit, from the bottom up: a package imports its own layer and those below it.
func layers() []struct{ name, packages string } {
	return []struct{ name, packages string }{
		{"vocabulary", "money event problem quote signed sealed catalog network input aggregate authz audit words"}, // values and rules; no I/O
		{"process basics", "config logging telemetry run clock"},                                                    // settings in, lines and spans out
		{"clients", "mongodb broker health httpserver session lease blob"},                                          // one outside thing each
		{"aggregates", "outbox repository numbering auditlog"},                                                      // what belongs to documents
		{"process", "process"},                  // a service's life
		{"users of the API", "client load erp"}, // only commands and tests use it
	}
}

// outside is what stands in internal and is no kit: services and the pipeline must not know it.
func outside() []string {
	return []string{"internal/backend", "internal/local", "internal/client", "internal/load"}
}

// layer finds the layer of a package of the kit; -1 for none.
func layer(dir string) int {
	parts := strings.Split(dir, "/")
	return slices.IndexFunc(layers(), func(l struct{ name, packages string }) bool {
		return len(parts) > 1 && slices.Contains(strings.Fields(l.packages), parts[1])
	})
}

// climbs says why a package of the kit must not import another one: because it stands higher, or is none of the kit.
func climbs(from, to string) string {
	mine, theirs := layer(from), layer(to)
	switch {
	case mine < 0:
		return "the package has no layer: add it to layers in this test"
	case theirs < 0:
		return "the kit imports the kit"
	case theirs > mine:
		return layers()[theirs].name + " stand above " + layers()[mine].name
	}
	return ""
}

// allowed says whether a package of the project may import another one, and why not.
func allowed(from, to string) string {
	switch {
	case within(from, "cmd", "test", ".", "k8s"):
		return ""
	case within(from, "internal/backend"):
		own := strings.Join(strings.Split(from, "/")[:min(3, strings.Count(from, "/")+1)], "/")
		if !within(to, own) {
			return "embedded servers import nothing else of the project"
		}
	case within(from, "internal/local"):
		if within(to, "cmd", "test") {
			return "the platform on one machine is started by commands and tests, not the other way"
		}
	case within(from, "internal/money", "internal/problem"):
		return "it is a leaf"
	case within(from, "internal/event"):
		if to != "internal/money" {
			return "the event contract imports money only"
		}
	case within(from, "services"):
		own := strings.Join(strings.Split(from, "/")[:min(2, strings.Count(from, "/")+1)], "/") // the table in services imports them all
		if !within(to, "internal", own) || within(to, outside()...) {
			return "a service imports the kit and its own subpackages"
		}
	case within(from, "logship", "nginx", "elk"):
		own, _, _ := strings.Cut(from, "/")
		if !within(to, "internal", own) || within(to, outside()...) {
			return "the pipeline imports the kit and its own tree"
		}
	case within(from, "internal"):
		return climbs(from, to)
	default:
		return "the folder has no layer: add it to doc.go and to this test"
	}
	return ""
}

func TestImportRules(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue // tests may start embedded servers
		}
		for _, i := range s.imports {
			to, ours := strings.CutPrefix(i, module+"/")
			if !ours {
				continue
			}
			if why := allowed(s.dir, to); why != "" {
				t.Errorf("%s imports %s: %s", s.path, to, why)
			}
		}
	}
}

// TestServicesDoNotKnowEachOther holds for tests too.
func TestServicesDoNotKnowEachOther(t *testing.T) {
	for _, s := range sources(t) {
		if !within(s.dir, "services") || s.dir == "services" { // the table in services imports them all
			continue
		}
		own := module + "/" + strings.Join(strings.Split(s.dir, "/")[:2], "/")
		for _, i := range s.imports {
			if strings.HasPrefix(i, module+"/services/") && i != own && !strings.HasPrefix(i, own+"/") {
				t.Errorf("%s imports %s", s.path, i)
			}
		}
	}
}

func TestDriverFences(t *testing.T) {
	fences := []struct {
		driver string
		ok     func(s source) bool
		rule   string
	}{
		{"go.mongodb.org/mongo-driver", func(s source) bool {
			return within(s.dir, "internal/mongodb", "internal/outbox", "internal/repository", "internal/numbering", "internal/auditlog", "internal/backend/mongod", "test/bench/backends", "test/drills/backends")
		}, "internal/{mongodb,outbox,repository,numbering,auditlog}; services/*/store.go and store_*.go may use its bson and options"},
		{"github.com/twmb/franz-go", func(s source) bool { return within(s.dir, "internal/broker", "internal/backend/kafkad", "test") }, "internal/broker"},
		{"github.com/redis/go-redis", func(s source) bool {
			return within(s.dir, "internal/session", "internal/lease", "test/drills/backends")
		}, "internal/{session,lease}"},
		{"github.com/wneessen/go-mail", func(s source) bool { return within(s.dir, "services/mailing") }, "services/mailing"},
		{"github.com/emersion/", func(s source) bool { return within(s.dir, "internal/backend/mailbox") }, "internal/backend/mailbox"},
		{"codeberg.org/go-pdf/", func(s source) bool { return within(s.dir, "services/payment/letter") }, "services/payment/letter"},
		{"github.com/boombuler/barcode", func(s source) bool { return within(s.dir, "services/payment/letter") }, "services/payment/letter"},
		{"gocloud.dev", func(s source) bool { return within(s.dir, "internal/blob") }, "internal/blob"},
		{"github.com/elastic/", func(s source) bool {
			return within(s.dir, "logship/bulk", "cmd", "internal/local") || within(s.dir, "elk")
		}, "logship/bulk, elk, internal/local and cmd"},
	}
	storeMay := []string{"go.mongodb.org/mongo-driver/v2/bson", "go.mongodb.org/mongo-driver/v2/mongo/options"} // filters and indexes; no connection
	isStore := func(s source) bool {
		name := filepath.Base(s.path)
		return within(s.dir, "services") && (name == "store.go" || strings.HasPrefix(name, "store_"))
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, i := range s.imports {
			for _, f := range fences {
				if strings.HasPrefix(i, f.driver) && !f.ok(s) && !(isStore(s) && slices.Contains(storeMay, i)) {
					t.Errorf("%s imports %s, which belongs into %s", s.path, i, f.rule)
				}
			}
		}
	}
}

// TestLoggingGlobals: zerolog's package variables are set in one place.
func TestLoggingGlobals(t *testing.T) {
	for _, s := range sources(t) {
		if within(s.dir, "internal/logging") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, l := range a.Lhs {
				if sel, ok := l.(*ast.SelectorExpr); ok {
					if id, ok := sel.X.(*ast.Ident); ok && id.Name == "zerolog" {
						t.Errorf("%s sets zerolog.%s", s.path, sel.Sel.Name)
					}
				}
			}
			return true
		})
	}
}

func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.dir] = documented[s.dir] || (s.ast.Doc != nil && len(s.ast.Doc.Text()) > 40)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment that says what it owns", dir)
		}
	}
}

func TestNamesAndInits(t *testing.T) {
	banned := []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "shared"}
	for _, s := range sources(t) {
		if slices.Contains(banned, filepath.Base(s.dir)) {
			t.Errorf("%s: the folder's name says nothing", s.path)
		}
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
				t.Errorf("%s has an init function", s.path)
			}
		}
	}
}
