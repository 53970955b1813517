package conformance

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed testdata
var testdata embed.FS

// Case is one request. Name is unique within its file.
type Case struct {
	Name, Method, Path, Body string
}

// File is one file of cases that run in order. Name is <area>/<file> without an extension.
type File struct {
	Name  string
	Cases []Case
}

// Files reads the whole suite: setup first, then the areas by name.
func Files() ([]File, error) {
	var out []File
	err := fs.WalkDir(testdata, "testdata", func(p string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(p) != ".http" {
			return err
		}
		raw, err := testdata.ReadFile(p)
		if err != nil {
			return err
		}
		cases, err := parse(string(raw))
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		out = append(out, File{strings.TrimSuffix(strings.TrimPrefix(p, "testdata/"), ".http"), cases})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	slices.SortStableFunc(out, func(a, b File) int { return strings.Compare(rank(a.Name), rank(b.Name)) })
	return out, nil
}

func rank(name string) string {
	if strings.HasPrefix(name, "setup/") {
		return "0" + name
	}
	return "1" + name
}

// parse reads a file of cases. Blank lines separate blocks:
//
//	# the name of the next case; without one it is the request itself
//	POST /index/_search
//	{"size":0}
//
//	@each POST /index/_search {"query":$}
//	  {"match_all":{}}
//
// A line after @each is a case: $ in the path or body is the line, $$ the line as a JSON string. A body whose
// first line is @open has no final line feed; the line @blank is empty.
func parse(text string) ([]Case, error) {
	var out []Case
	for block := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		lines := strings.Split(strings.Trim(block, "\n"), "\n")
		name := ""
		for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
			name = strings.TrimSpace(strings.TrimPrefix(lines[0], "#"))
			lines = lines[1:]
		}
		if len(lines) == 0 || lines[0] == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(lines[0], "@each "); ok {
			more, err := expand(rest, lines[1:])
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		method, target, ok := strings.Cut(lines[0], " ")
		if !ok || !strings.HasPrefix(target, "/") {
			return nil, fmt.Errorf("no request in %q", lines[0])
		}
		c := Case{Name: name, Method: method, Path: target}
		if len(lines) > 1 {
			c.Body = body(lines[1:])
		}
		if c.Name == "" {
			c.Name = strings.TrimSpace(method + " " + target + " " + strings.Join(lines[1:], " "))
		}
		out = append(out, c)
	}
	return unique(out), nil
}

func body(lines []string) string {
	end := "\n"
	if lines[0] == "@open" {
		lines, end = lines[1:], ""
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "@blank", "") + end
}

func expand(head string, lines []string) ([]Case, error) {
	parts := strings.SplitN(head, " ", 3)
	if len(parts) < 2 || len(lines) == 0 {
		return nil, fmt.Errorf("@each needs a method, a path and lines: %q", head)
	}
	parts = append(parts, "")
	var out []Case
	for _, line := range lines {
		line = strings.TrimPrefix(line, "  ")
		quoted, err := json.Marshal(line)
		if err != nil {
			return nil, err
		}
		fill := strings.NewReplacer("$$", string(quoted), "$", line)
		out = append(out, Case{Name: line, Method: parts[0], Path: fill.Replace(parts[1]), Body: fill.Replace(parts[2])})
	}
	return out, nil
}

// unique numbers cases of the same name.
func unique(cases []Case) []Case {
	seen := map[string]int{}
	for i, c := range cases {
		if seen[c.Name]++; seen[c.Name] > 1 {
			cases[i].Name = fmt.Sprintf("%s (%d)", c.Name, seen[c.Name])
		}
	}
	return cases
}
