package kreislauf_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kreislauf"
	"kreislauf/services"
)

func names() []string {
	var list []string
	for _, s := range services.All() {
		list = append(list, s.Name)
	}
	return list
}

func versions(t *testing.T, sources fs.FS) kreislauf.Versions {
	t.Helper()
	v, err := kreislauf.VersionsOf(sources, names())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// copyOf is a copy of the embedded sources that a test may change.
func copyOf(t *testing.T) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(kreislauf.Sources(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(kreislauf.Sources(), path)
		m[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestVersionsDoNotDependOnTheFolder: the program's sources, the working tree, and a copy of it elsewhere have the same versions. The
// working tree has everything that a service reaches, so the program's sources lack nothing.
func TestVersionsDoNotDependOnTheFolder(t *testing.T) {
	want := versions(t, kreislauf.Sources())
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(want.Platform) || len(want.Services) != len(names()) {
		t.Fatalf("versions %+v", want)
	}
	if diff := cmp.Diff(want, versions(t, os.DirFS("."))); diff != "" {
		t.Errorf("the working tree has other versions than the program that was built of it (-program +tree):\n%s", diff)
	}
	dir := t.TempDir()
	for _, part := range []string{"services", "internal"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, versions(t, os.DirFS(dir))); diff != "" {
		t.Errorf("a copy in another folder has other versions (-want +got):\n%s", diff)
	}
}

// TestVersionsFollowContent: a change is a new version of the services that it reaches, and of no others; the platform's follows.
func TestVersionsFollowContent(t *testing.T) {
	before := versions(t, kreislauf.Sources())
	known := []string{"identity", "matching", "order", "pricing", "statistics"} // the table speaks of these; a new service changes no line
	for _, tc := range []struct {
		name, file, old, new string
		changes              string // services, separated by spaces; "all"
	}{
		{"a service's code", "services/matching/doc.go", "package", "// changed\npackage", "matching"},
		{"a service's description", "services/pricing/openapi.yaml", "openapi:", "# changed\nopenapi:", "pricing"},
		{"what descriptions share", "services/components.yaml", "openapi:", "# changed\nopenapi:", "all"},
		{"a part of a service", "services/identity/password/password.go", "package", "// changed\npackage", "identity"},
		{"a part of the kit that all use", "internal/process/process.go", "package process", "package process // changed", "all"},
		{"what two services import", "internal/quote/quote.go", "package quote", "package quote // changed", "order pricing"},
		{"data that the kit embeds", "internal/catalog/zones.csv", "Dresden", "Elbflorenz", "matching order pricing"},
		{"tests", "internal/quote/quote_test.go", "package", "// changed\npackage", ""},
		{"the platform on one machine", "internal/local/platform.go", "package local", "package local // changed", ""},
		{"a module that the kit imports", "go.mod", "github.com/redis/go-redis/v9 v9.", "github.com/redis/go-redis/v9 v9.1", "all"},
		{"a module of one part of the kit", "go.mod", "rickar/cal/v2 v2.1.13", "rickar/cal/v2 v2.1.14", "matching order pricing"},
		{"a module that tests use", "go.mod", "github.com/google/go-cmp v0.7.0", "github.com/google/go-cmp v0.7.1", ""},
		{"the version of Go", "go.mod", "go 1.26.0", "go 1.26.1", "all"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := copyOf(t)
			file := changed[tc.file]
			if file == nil || !bytes.Contains(file.Data, []byte(tc.old)) {
				t.Fatalf("%s has no %q", tc.file, tc.old)
			}
			changed[tc.file] = &fstest.MapFile{Data: bytes.Replace(file.Data, []byte(tc.old), []byte(tc.new), 1)}
			after := versions(t, changed)
			var got []string
			for _, name := range known {
				if after.Services[name] != before.Services[name] {
					got = append(got, name)
				}
			}
			want := strings.Fields(tc.changes)
			if tc.changes == "all" {
				want = known
			}
			if !slices.Equal(got, want) {
				t.Errorf("new versions of %v, want of %v", got, want)
			}
			if same := maps.Equal(after.Services, before.Services); same != (after.Platform == before.Platform) || same != (len(want) == 0) {
				t.Errorf("platform %s, before %s", after.Platform, before.Platform)
			}
		})
	}
}

// TestMissingSourcesAreNamed: what is reachable and not embedded is an error that says what is missing.
func TestMissingSourcesAreNamed(t *testing.T) {
	for _, tc := range []struct{ gone, want string }{
		{"internal/quote/", "internal/quote is not among"},
		{"internal/catalog/states.csv", "embeds states.csv, which is not among"},
		{"services/identity/password/", "services/identity/password is not among"},
		{"services/order/", "services/order is not among"},
		{"go.mod", "go.mod"},
	} {
		left := copyOf(t)
		maps.DeleteFunc(left, func(path string, _ *fstest.MapFile) bool { return strings.HasPrefix(path, tc.gone) })
		if _, err := kreislauf.VersionsOf(left, names()); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("without %s: %v, want an error with %q", tc.gone, err, tc.want)
		}
	}
	left := copyOf(t)
	left["internal/catalog/more.go"] = &fstest.MapFile{Data: []byte("package catalog\n\nimport _ \"kreislauf/internal/deep/below\"\n")}
	if _, err := kreislauf.VersionsOf(left, names()); err == nil || !strings.Contains(err.Error(), "internal/deep/below is not among") {
		t.Errorf("a package that nobody embeds: %v", err)
	}
}
