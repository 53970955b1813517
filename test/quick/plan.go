package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// pkg is one package of the module; imports are those of its tests too.
type pkg struct {
	dir     string // relative to the root: "services/order"; the root is "."
	imports []string
	tests   bool
}

// planned is what to do about a change. Packages are written as the go command takes them: "./services/order".
type planned struct {
	goFiles []string // changed, and still there
	changed []string // packages with a changed file
	tested  []string // these and the packages that import one of them, as far as it is worth the time; without the packages of rules
	skipped []string // what was left out, with the reason
}

// rules are the packages whose tests name what was forgotten: import rules and files of a service, a row of the table of services, a
// type of event, a row of the table of routes, generated files. They always run.
func rules() []string {
	return []string{".", "./services", "./internal/event", "./internal/authz", "./k8s"}
}

// slow lists the folders whose tests run only if they have changed themselves, not because of what they import: they start whole
// platforms, kill processes or replay thousands of answers.
func slow() []string {
	return []string{
		"test", "logship", "cmd", "internal/backend", "internal/auditlog", "internal/blob", "internal/broker",
		"internal/numbering", "internal/repository",
	}
}

// otherModules are folders with tests of their own, and the command that runs these.
func otherModules() map[string]string {
	return map[string]string{"k8s": "make test-k8s", "web": "make test-web"}
}

func within(dir, folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }

// plan says which packages the changed files concern. A file that is no Go file belongs to the package of its folder, or of the nearest
// folder above it that has one; a document of a service to the tests that read it.
func plan(list []pkg, files []string) planned {
	known := map[string]bool{}
	for _, p := range list {
		known[p.dir] = true
	}
	var p planned
	changed, skipped := map[string]bool{}, map[string]bool{}
	for _, f := range files {
		top, _, _ := strings.Cut(f, "/")
		if command, ok := otherModules()[top]; ok {
			skipped[command+": "+top+" has changed"] = true
		}
		if top == "web" || within(f, "k8s/test") {
			continue
		}
		if strings.HasSuffix(f, ".go") {
			if _, err := os.Stat(f); err == nil {
				p.goFiles = append(p.goFiles, f)
			}
		}
		dir := path.Dir(f)
		for !known[dir] && dir != "." {
			dir = path.Dir(dir)
		}
		if within(f, "services") && strings.HasSuffix(f, ".yaml") {
			dir = "test/openapi" // which reads the documents of all services
			skipped["make test-released: a document has changed"] = true
		}
		changed[dir] = known[dir]
	}
	for _, q := range list {
		if !changed[q.dir] && !slices.ContainsFunc(q.imports, func(i string) bool { return changed[i] }) {
			continue
		}
		if changed[q.dir] {
			p.changed = append(p.changed, dotted(q.dir))
		}
		switch {
		case !q.tests, slices.Contains(rules(), dotted(q.dir)):
		case !changed[q.dir] && slices.ContainsFunc(slow(), func(folder string) bool { return within(q.dir, folder) }):
			skipped["go test "+dotted(q.dir)+": slow, and only something that it imports has changed"] = true
		default:
			p.tested = append(p.tested, dotted(q.dir))
		}
	}
	for s := range skipped {
		p.skipped = append(p.skipped, s)
	}
	slices.Sort(p.skipped)
	return p
}

// dotted is a folder as the go command takes it.
func dotted(dir string) string {
	if dir == "." {
		return dir
	}
	return "./" + dir
}

// packages lists those of the module in the current folder.
func packages(ctx context.Context) ([]pkg, error) {
	const fields = "-json=ImportPath,Module,Imports,TestImports,XTestImports,TestGoFiles,XTestGoFiles"
	cmd := exec.CommandContext(ctx, "go", "list", "-e", fields, "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	list, err := readPackages(out)
	return list, errors.Join(err, cmd.Wait())
}

// readPackages reads what `go list -json` prints.
func readPackages(r io.Reader) ([]pkg, error) {
	var list []pkg
	for d := json.NewDecoder(r); ; {
		var p struct {
			ImportPath                         string
			Module                             struct{ Path string }
			Imports, TestImports, XTestImports []string
			TestGoFiles, XTestGoFiles          []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("read list of packages: %w", err)
		}
		q := pkg{dir: relative(p.ImportPath, p.Module.Path), tests: len(p.TestGoFiles)+len(p.XTestGoFiles) > 0}
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if dir := relative(i, p.Module.Path); dir != "" {
				q.imports = append(q.imports, dir)
			}
		}
		list = append(list, q)
	}
}

// relative is the folder of a package within its module; empty for a package of another module.
func relative(importPath, module string) string {
	if importPath == module {
		return "."
	}
	dir, ours := strings.CutPrefix(importPath, module+"/")
	if !ours {
		return ""
	}
	return dir
}
