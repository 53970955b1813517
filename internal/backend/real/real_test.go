package real

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sets() []Set { return []Set{KafkaJars(), OpenSearchJars(17), OpenSearchJars(21)} }

func TestPinnedLists(t *testing.T) {
	line := regexp.MustCompile(`^[0-9a-f]{64}  [A-Za-z0-9._-]+\.jar$`)
	for _, s := range sets() {
		var names []string
		for l := range strings.Lines(string(s.read(".sha256"))) {
			l = strings.TrimSuffix(l, "\n")
			if !line.MatchString(l) {
				t.Errorf("%s: line %q", s.Name, l)
				continue
			}
			names = append(names, l[66:])
		}
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || len(names) < 40 {
			t.Errorf("%s: %d names, sorted %t", s.Name, len(names), slices.IsSorted(names))
		}
		program, version, _ := strings.Cut(strings.ToLower(s.Name), " ")
		main := map[string]string{"kafka": "kafka_2.13-", "opensearch": "opensearch-"}[program] + version + ".jar"
		if !slices.Contains(names, main) {
			t.Errorf("%s: %s is not pinned", s.Name, main)
		}
		if !bytes.Contains(s.read(".xml"), []byte("<version>"+version)) {
			t.Errorf("%s: the pom has another version", s.Name)
		}
	}
	if OpenSearchJars(17).MinJava != 17 || OpenSearchJars(25).MinJava != 21 {
		t.Error("OpenSearch 3 needs Java 21")
	}
}

func TestVerify(t *testing.T) {
	const one, two = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35" // of "1" and "2"
	list := one + "  a.jar\n" + two + "  b.jar\n"
	for _, tc := range []struct {
		name, list string
		files      map[string]string
		want       string // part of the error, empty for none
	}{
		{"as pinned", list, map[string]string{"a.jar": "1", "b.jar": "2"}, ""},
		{"other content", list, map[string]string{"a.jar": "1", "b.jar": "3"}, "b.jar has the SHA-256 4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce, pinned is d4735e3a"},
		{"cut off", list, map[string]string{"a.jar": "", "b.jar": "2"}, "a.jar has the SHA-256"},
		{"missing", list, map[string]string{"a.jar": "1"}, "b.jar: no such file"},
		{"one more", list, map[string]string{"a.jar": "1", "b.jar": "2", "c.jar": "3"}, "c.jar is not pinned"},
		{"empty list", "", map[string]string{"a.jar": "1"}, "a.jar is not pinned"},
		{"no list", "a.jar\n", nil, `line "a.jar"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := verify(dir, []byte(tc.list))
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// script makes a program of a shell script; it stands where mvn would and gets its arguments.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mvn")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBrokenDownloadIsNotUsed lets Maven bring something else than what is pinned, or fail.
func TestBrokenDownloadIsNotUsed(t *testing.T) {
	out := `for a in "$@"; do case "$a" in -DoutputDirectory=*) out="${a#*=}";; esac; done; mkdir -p "$out"; `
	for name, tc := range map[string]struct{ body, want string }{
		"wrong jar":     {out + `echo x > "$out/kafka_2.13-4.1.0.jar"`, "pinned is"},
		"fails halfway": {out + `echo x > "$out/kafka_2.13-4.1.0.jar"; echo "Could not transfer artifact"; exit 1`, "mvn said: Could not transfer artifact"},
		"does nothing":  {"exit 0", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			_, err := KafkaJars().Fetch(t.Context(), cache, script(t, tc.body))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "Kafka 4.1.0") {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if KafkaJars().Fetched(cache) {
				t.Error("the broken download is in the cache")
			}
			left, err := os.ReadDir(filepath.Join(cache, "real"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestParseMajor(t *testing.T) {
	for said, want := range map[string]int{
		"openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime":                     17,
		"openjdk version \"25\" 2025-09-16 LTS":                                       25,
		"Picked up JAVA_TOOL_OPTIONS: -Xmx1g\njava version \"21.0.2\" 2024-01-16 LTS": 21,
		"java version \"1.8.0_402\"":                                                  1,
		"command not found":                                                           0,
	} {
		if got := parseMajor([]byte(said)); got != want {
			t.Errorf("%q is %d, want %d", said, got, want)
		}
	}
}

func TestFindJavaBelievesJavaHome(t *testing.T) {
	home := t.TempDir()
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", home)
	if j, ok := FindJava(t.Context()); ok {
		t.Errorf("found %v where there is none", j)
	}
	for version, want := range map[string]bool{"11.0.2": false, "21.0.2": true} {
		if err := os.Rename(script(t, `echo 'openjdk version "`+version+`"' >&2`), filepath.Join(bin, "java")); err != nil {
			t.Fatal(err)
		}
		if j, ok := FindJava(t.Context()); ok != want || want && j != (Java{filepath.Join(bin, "java"), 21}) {
			t.Errorf("%s: %v, %t", version, j, ok)
		}
	}
}

func TestOpenSearchCommand(t *testing.T) {
	o := OpenSearch{Java: Java{"/java", 17}, Lib: "/lib", Dir: t.TempDir(), Addr: "127.0.0.1:9210"}
	got, err := o.Command()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/java", "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true", "-cp", "/lib/*",
		"org.codelibs.opensearch.runner.OpenSearchRunner", "-basePath", o.Dir, "-confPath", o.Dir + "/config", "-dataPath", o.Dir + "/data",
		"-logsPath", o.Dir + "/logs", "-clusterName", "kreislauf", "-numOfNode", "1", "-baseHttpPort", "9209",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	for _, addr := range []string{"", "localhost", "127.0.0.1:9300", "127.0.0.1:80", "127.0.0.1:http"} {
		o.Addr = addr
		if _, err := o.Command(); err == nil {
			t.Errorf("address %q was taken", addr)
		}
	}
}

func TestKafkaRefusesAddresses(t *testing.T) {
	for _, addr := range []string{"", "localhost"} {
		if _, err := (Kafka{Dir: t.TempDir(), Addr: addr, Controller: "127.0.0.1:9093"}).Command(t.Context()); err == nil {
			t.Errorf("address %q was taken", addr)
		}
	}
	k := Kafka{Java: Java{script(t, "echo cannot format; exit 1"), 17}, Lib: "/lib", Dir: t.TempDir(), Addr: "127.0.0.1:9092", Controller: "127.0.0.1:9093"}
	if _, err := k.Command(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot format") {
		t.Errorf("a folder that was not formatted: %v", err)
	}
}
