package kreislauf

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// sources are the files that services are made of: their own packages, the kit, and the versions of what they import from elsewhere.
//
//go:embed go.mod services/*/*.go services/*/*/*.go services/*/openapi.yaml services/*/*.html services/*/text/*.txt services/*/*/icc/* services/components.yaml internal/*/*.go internal/broker/*/*.go internal/catalog/*.csv internal/catalog/*/*.go internal/catalog/*/*.txt
var sources embed.FS

// Sources returns the sources that this program was built of, as far as Versions reads them.
func Sources() fs.FS { return sources }

// Versions are the version of the platform and those of its services, 12 hexadecimal digits each. They follow from content alone: two
// builds of the same sources have the same ones, wherever and whenever they were made.
type Versions struct {
	Platform string            // of the set of services
	Services map[string]string // by name
}

// versionDigits is the length of a version.
const versionDigits = 12

// VersionsOf computes the versions of services from the root of the module's sources.
//
// The version of a service follows from its package folder, those of all packages of the module that it imports, directly or not (Go files
// without tests, files that they embed, the description openapi.yaml with what it refers to), the version of Go, and the versions in go.mod of the modules that
// these packages import. A change of the kit is therefore a new version of the services that use it, and of no others. A package or file
// that is reachable but not in the sources is an error that names it.
func VersionsOf(sources fs.FS, services []string) (Versions, error) {
	r := reader{sources: sources, packages: map[string]sourcePackage{}}
	if err := r.readModule(); err != nil {
		return Versions{}, err
	}
	v := Versions{Services: map[string]string{}}
	all := sha256.New()
	for _, name := range slices.Sorted(slices.Values(services)) {
		version, err := r.version("services/" + name)
		if err != nil {
			return Versions{}, fmt.Errorf("version of %s: %w", name, err)
		}
		v.Services[name] = version
		fmt.Fprintf(all, "%s %s\n", name, version)
	}
	v.Platform = hex.EncodeToString(all.Sum(nil))[:versionDigits]
	return v, nil
}

// reader reads packages, each once.
type reader struct {
	sources  fs.FS
	module   string
	golang   string
	requires map[string]string // version by module path; what replaces it included
	packages map[string]sourcePackage
}

// sourcePackage is a folder: the sum of its files, and what they import.
type sourcePackage struct {
	sum              [sha256.Size]byte
	imports, modules []string // folders of this module; lines "path version" of go.mod
}

func (r *reader) readModule() error {
	text, err := fs.ReadFile(r.sources, "go.mod")
	if err != nil {
		return fmt.Errorf("read go.mod: %w", err)
	}
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return fmt.Errorf("read go.mod: %w", err)
	}
	if f.Module == nil || f.Go == nil {
		return errors.New("read go.mod: it names no module or no version of Go")
	}
	r.module, r.golang, r.requires = f.Module.Mod.Path, f.Go.Version, map[string]string{}
	for _, m := range f.Require {
		r.requires[m.Mod.Path] = m.Mod.Version
	}
	for _, m := range f.Replace {
		r.requires[m.Old.Path] += " => " + m.New.String()
	}
	return nil
}

// version sums a folder up with all that it reaches.
func (r *reader) version(dir string) (string, error) {
	reached, modules := map[string]bool{dir: true}, map[string]bool{}
	for open := []string{dir}; len(open) > 0; open = open[1:] {
		p, err := r.read(open[0])
		if err != nil {
			return "", err
		}
		for _, to := range p.imports {
			if !reached[to] {
				reached[to] = true
				open = append(open, to)
			}
		}
		for _, m := range p.modules {
			modules[m] = true
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "go %s\n", r.golang)
	for _, d := range slices.Sorted(maps.Keys(reached)) {
		fmt.Fprintf(h, "%s %x\n", d, r.packages[d].sum)
	}
	for _, m := range slices.Sorted(maps.Keys(modules)) {
		fmt.Fprintln(h, m)
	}
	return hex.EncodeToString(h.Sum(nil))[:versionDigits], nil
}

// read reads the package of a folder.
func (r *reader) read(dir string) (sourcePackage, error) {
	if p, ok := r.packages[dir]; ok {
		return p, nil
	}
	names, err := fs.Glob(r.sources, dir+"/*.go")
	if err != nil {
		return sourcePackage{}, fmt.Errorf("list %s: %w", dir, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	if len(names) == 0 {
		return sourcePackage{}, fmt.Errorf("the package %s is not among the embedded sources; add it to go:embed in version.go", dir)
	}
	var p sourcePackage
	h := sha256.New()
	for _, name := range names {
		text, err := fs.ReadFile(r.sources, name)
		if err != nil {
			return sourcePackage{}, fmt.Errorf("read %s: %w", name, err)
		}
		fmt.Fprintf(h, "%s %d\n%s", path.Base(name), len(text), text)
		data, err := r.data(dir, name, text)
		if err != nil {
			return sourcePackage{}, err
		}
		h.Write(data)
		if err := r.imports(&p, name, text); err != nil {
			return sourcePackage{}, err
		}
	}
	if text, err := fs.ReadFile(r.sources, dir+"/openapi.yaml"); err == nil {
		shared, err := fs.ReadFile(r.sources, "services/components.yaml")
		if err != nil {
			return sourcePackage{}, fmt.Errorf("read what %s/openapi.yaml refers to: %w", dir, err)
		}
		fmt.Fprintf(h, "openapi.yaml %d %d\n%s%s", len(text), len(shared), text, shared)
	}
	h.Sum(p.sum[:0])
	r.packages[dir] = p
	return p, nil
}

var embedLine = regexp.MustCompile(`(?m)^//go:embed (.*)$`)

// data sums up the files that a Go file embeds.
func (r *reader) data(dir, name string, text []byte) ([]byte, error) {
	h := sha256.New()
	for _, line := range embedLine.FindAllSubmatch(text, -1) {
		for _, pattern := range strings.Fields(string(line[1])) {
			files, err := fs.Glob(r.sources, dir+"/"+strings.TrimPrefix(pattern, "all:"))
			if err != nil {
				return nil, fmt.Errorf("%s: pattern %s: %w", name, pattern, err)
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("%s embeds %s, which is not among the embedded sources; add it to go:embed in version.go", name, pattern)
			}
			for _, root := range files {
				err := fs.WalkDir(r.sources, root, func(file string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() {
						return err
					}
					text, err := fs.ReadFile(r.sources, file)
					fmt.Fprintf(h, "%s %d\n%s", file, len(text), text)
					return err
				})
				if err != nil {
					return nil, fmt.Errorf("read what %s embeds: %w", name, err)
				}
			}
		}
	}
	return h.Sum(nil), nil
}

// imports adds what a file imports: folders of this module, and the versions of other modules.
func (r *reader) imports(p *sourcePackage, name string, text []byte) error {
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return fmt.Errorf("read imports: %w", err)
	}
	for _, i := range f.Imports {
		to, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", name, i.Path.Value, err)
		}
		if own, ok := strings.CutPrefix(to, r.module+"/"); ok {
			p.imports = append(p.imports, own)
			continue
		}
		for m := to; m != "."; m = path.Dir(m) { // the longest module path that the import begins with
			if version, ok := r.requires[m]; ok {
				p.modules = append(p.modules, m+" "+version)
				break
			}
		}
	}
	return nil
}
