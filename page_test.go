package kreislauf_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAddingAServiceCompiles compiles the Go files of docs/adding-a-service.md, as they are before the step about routes and after it. A
// block is the file that is named last before it; a later one of the same file takes its place. A block without a package is a piece of
// a test file, and is left out.
func TestAddingAServiceCompiles(t *testing.T) {
	const (
		folder   = "services/greeting"
		compiled = "services/fromthepage" // so that nothing is in the way of who tries the page
		routes   = "\n## 4. Its routes\n"
	)
	text, err := os.ReadFile("docs/adding-a-service.md")
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), routes)
	if !ok {
		t.Fatalf("the page has no step %q", routes)
	}
	block, name := regexp.MustCompile("(?s)\n```go\n(.*?)```"), regexp.MustCompile("`"+folder+"/([a-z_]+\\.go)`")
	for title, tc := range map[string]struct {
		page  string
		files int
	}{"without routes": {before, 5}, "with routes": {string(text), 7}} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			files, end := map[string]string{}, 0
			for _, at := range block.FindAllStringSubmatchIndex(tc.page, -1) {
				names, body := name.FindAllStringSubmatch(tc.page[end:at[0]], -1), tc.page[at[2]:at[3]]
				if end = at[1]; strings.Contains("\n"+body, "\npackage ") && len(names) > 0 {
					files[names[len(names)-1][1]] = strings.ReplaceAll(body, module+"/"+folder, module+"/"+compiled)
				}
			}
			if len(files) != tc.files {
				t.Fatalf("%d files were found, want %d", len(files), tc.files)
			}
			compileOverlay(t, compiled, files)
		})
	}
}

// compileOverlay compiles a package, tests included, as if the files were in its folder.
func compileOverlay(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	dir, replace := t.TempDir(), map[string]string{}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		target, err := filepath.Abs(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		replace[target] = path
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	// List with -export compiles; vet and test would enter the folder, which is not there.
	cmd := exec.CommandContext(t.Context(), "go", "list", "-test", "-export", "-overlay", filepath.Join(dir, "overlay.json"), "./"+folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("compile: %v\n%s", err, out)
	}
}
