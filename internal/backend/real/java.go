package real

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// MinJava is the oldest major version of Java that runs anything here.
const MinJava = 17

// Java is an installed runtime.
type Java struct {
	Path  string
	Major int // 17, 21, 25
}

// FindJava finds the newest Java of at least MinJava; ok is false without one. JAVA_HOME, if it is set, is the only place to look.
func FindJava(ctx context.Context) (best Java, ok bool) {
	seen := map[string]bool{}
	for _, path := range javaPlaces() {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || seen[real] {
			continue
		}
		seen[real] = true
		if major := javaMajor(ctx, path); major >= MinJava && major > best.Major {
			best = Java{path, major}
		}
	}
	return best, best.Path != ""
}

func javaPlaces() []string {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return []string{filepath.Join(home, "bin", "java")}
	}
	var list []string
	if p, err := exec.LookPath("java"); err == nil {
		list = append(list, p)
	}
	for _, pattern := range []string{
		"/usr/lib/jvm/*/bin/java", "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java", "/opt/homebrew/opt/openjdk*/bin/java", "/usr/local/opt/openjdk*/bin/java",
	} {
		found, _ := filepath.Glob(pattern) // fails on a bad pattern only
		list = append(list, found...)
	}
	return list
}

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// javaMajor asks a java what it is; 0 means that it does not tell.
func javaMajor(ctx context.Context, path string) int {
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return 0
	}
	return parseMajor(out)
}

func parseMajor(out []byte) int {
	m := javaVersion.FindSubmatch(out)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1])) // the pattern lets digits through only; a number out of range is no version
	return n
}

// FindMaven is the path of mvn, empty without one.
func FindMaven() string {
	p, _ := exec.LookPath("mvn")
	return p
}

// command is a Java command line with a bounded heap. The serial collector needs the least memory, and these servers are small.
func (j Java) command(heap, lib, mainClass string, properties ...string) []string {
	argv := []string{j.Path, "-Xms64m", "-Xmx" + heap, "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"}
	if j.Major >= 22 {
		argv = append(argv, "--enable-native-access=ALL-UNNAMED") // without it every start warns
	}
	argv = append(argv, properties...)
	return append(argv, "-cp", filepath.Join(lib, "*"), mainClass)
}
