package real

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pinned holds for each set a pom with the coordinates, and the SHA-256 of every jar that it brings.
//
//go:embed jars
var pinned embed.FS

// copyJars is the pinned goal of Maven that copies the jars of a pom into a folder.
const copyJars = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// Set is one pinned set of jars.
type Set struct {
	Name    string // for people: "Kafka 4.1.0"
	MinJava int    // oldest major version of Java that runs it
	file    string // name of its pom and of its checksums, without extension
}

// KafkaJars is the Kafka broker.
func KafkaJars() Set { return Set{"Kafka 4.1.0", MinJava, "kafka"} }

// OpenSearchJars is the newest OpenSearch that a major version of Java runs.
func OpenSearchJars(java int) Set {
	if java >= 21 {
		return Set{"OpenSearch 3.8.0", 21, "opensearch3"}
	}
	return Set{"OpenSearch 2.19.1", MinJava, "opensearch2"}
}

// Folder is where the jars are, or would be, in a cache folder. Another pin is another folder.
func (s Set) Folder(cache string) string {
	h := sha256.Sum256(slices.Concat(s.read(".xml"), s.read(".sha256")))
	return filepath.Join(cache, "real", s.file+"-"+hex.EncodeToString(h[:4]))
}

// Fetched says whether the jars are in the cache.
func (s Set) Fetched(cache string) bool {
	st, err := os.Stat(s.Folder(cache))
	return err == nil && st.IsDir()
}

// Fetch gets the jars with Maven, unless they are in the cache already, and returns their folder.
func (s Set) Fetch(ctx context.Context, cache, maven string) (string, error) {
	folder := s.Folder(cache)
	if s.Fetched(cache) {
		return folder, nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o750); err != nil {
		return "", fmt.Errorf("fetch %s: %w", s.Name, err)
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), s.file+"-fetching-")
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", s.Name, err)
	}
	defer os.RemoveAll(work)
	pom, jars := filepath.Join(work, "pom.xml"), filepath.Join(work, "jars")
	if err := os.WriteFile(pom, s.read(".xml"), 0o640); err != nil {
		return "", fmt.Errorf("fetch %s: %w", s.Name, err)
	}
	cmd := exec.CommandContext(ctx, maven, "-q", "-B", "-f", pom, copyJars, "-DoutputDirectory="+jars)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch %s from Maven Central: %w; %s said: %s", s.Name, err, maven, end(out))
	}
	if err := verify(jars, s.read(".sha256")); err != nil {
		return "", fmt.Errorf("fetch %s from Maven Central: %w; nothing of it is used", s.Name, err)
	}
	if err := os.Rename(jars, folder); err != nil && !s.Fetched(cache) { // another process may have been faster
		return "", fmt.Errorf("fetch %s: %w", s.Name, err)
	}
	return folder, nil
}

// read gives a pinned file. They are compiled in, so that one is missing only where the set's name is wrong.
func (s Set) read(extension string) []byte {
	b, err := pinned.ReadFile("jars/" + s.file + extension)
	if err != nil {
		panic(err)
	}
	return b
}

// verify compares a folder with a list of SHA-256 sums as sha256sum writes it: the same files, each with its sum.
func verify(folder string, list []byte) error {
	var errs []error
	known := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		want, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return fmt.Errorf("list of checksums: line %q", lines.Text())
		}
		known[name] = true
		got, err := sum(filepath.Join(folder, name))
		switch {
		case err != nil:
			errs = append(errs, err)
		case got != want:
			errs = append(errs, fmt.Errorf("%s has the SHA-256 %s, pinned is %s", name, got, want))
		}
	}
	entries, err := os.ReadDir(folder)
	errs = append(errs, err)
	for _, e := range entries {
		if !known[e.Name()] {
			errs = append(errs, fmt.Errorf("%s is not pinned", e.Name()))
		}
	}
	return errors.Join(errs...)
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// end is what a program said last.
func end(out []byte) string {
	const limit = 1500
	out = bytes.TrimSpace(out)
	return string(out[max(0, len(out)-limit):])
}
