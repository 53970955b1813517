package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Read reads a configuration file. The error holds one line for every mistake.
func Read(file string) (*Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(file, data, dir, os.LookupEnv)
}

// Parse reads a configuration from data. name stands in messages, dir is what relative paths are relative to, lookup
// finds the environment variables of secrets.
func Parse(name string, data []byte, dir string, lookup func(string) (string, bool)) (*Config, error) {
	r := &reader{name: name, dir: dir, lookup: lookup, lines: map[string]int{}}
	c := &Config{}
	if root := r.document(data); root != nil {
		r.fill(root, reflect.ValueOf(c).Elem(), "")
		r.check(c)
	}
	if len(r.problems) > 0 {
		return nil, r.err()
	}
	return c, nil
}

// reader collects the mistakes.
type reader struct {
	name     string
	dir      string
	lookup   func(string) (string, bool)
	lines    map[string]int // of every key that is there
	problems []problem
}

type problem struct {
	line int
	text string
}

func (r *reader) fail(line int, format string, args ...any) {
	r.problems = append(r.problems, problem{line, fmt.Sprintf(format, args...)})
}

// failKey notes a mistake in the value of a key, at its line or at that of the nearest key around it.
func (r *reader) failKey(key, format string, args ...any) {
	if r.lines == nil { // made in code
		r.fail(0, key+" "+format, args...)
		return
	}
	at := key
	for at != "" && r.lines[at] == 0 {
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	r.fail(max(1, r.lines[at]), key+" "+format, args...)
}

func (r *reader) err() error {
	slices.SortStableFunc(r.problems, func(a, b problem) int { return a.line - b.line })
	var errs []error
	for _, p := range r.problems {
		if p.line == 0 {
			errs = append(errs, fmt.Errorf("%s: %s", r.name, p.text))
		} else {
			errs = append(errs, fmt.Errorf("%s:%d: %s", r.name, p.line, p.text))
		}
	}
	return errors.Join(errs...)
}

// yamlLine finds the line in a message of the YAML parser.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// document parses the YAML text and returns its one mapping, nil when it has none.
func (r *reader) document(data []byte) *yaml.Node {
	if len(data) > maxFile {
		r.fail(1, "the file has more than %s", Size(maxFile))
		return nil
	}
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.fail(1, "the file is empty; at least state_dir, inputs and targets are needed")
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	switch err := d.Decode(&more); {
	case err == nil:
		r.fail(max(1, more.Line), "a second document begins here; one is allowed")
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	}
	root := resolve(doc.Content[0])
	if root.Kind != yaml.MappingNode {
		r.fail(root.Line, "the file must hold keys with values, such as state_dir: /var/lib/logship")
		return nil
	}
	return root
}

func (r *reader) syntax(err error) {
	line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		_, _ = fmt.Sscan(m[1], &line) // digits by the expression
		text = strings.Replace(text, m[0], "", 1)
	}
	r.fail(line, "not YAML: %s", text)
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// fill reads a mapping into a struct; keys that are not there get their defaults. n is nil when the whole mapping is
// not there.
func (r *reader) fill(n *yaml.Node, v reflect.Value, at string) {
	values := map[string]*yaml.Node{}
	if n != nil {
		r.members(n, at, func(name string, key, value *yaml.Node) {
			if !slices.Contains(keysOf(v.Type()), name) {
				r.fail(key.Line, "%s is not known%s", join(at, name), suggest(name, keysOf(v.Type())))
				return
			}
			values[name] = value
		})
	}
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name := tag.Get("key")
		key := join(at, name)
		value := values[name]
		switch def := tag.Get("default"); {
		case value != nil && !null(value):
			r.value(value, v.Field(i), tag, key)
		case v.Field(i).Kind() == reflect.Struct && !isScalar(v.Field(i)):
			r.fill(nil, v.Field(i), key)
		case tag.Get("required") != "" && n != nil:
			r.failKey(key, "is missing")
		case def != "":
			if err := r.scalar(def, v.Field(i), tag); err != nil {
				r.failKey(key, "%v", err)
			}
		}
	}
}

// members calls f for every key of a mapping and notes where it is.
func (r *reader) members(n *yaml.Node, at string, f func(name string, key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "%s must hold keys with values", at)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolve(n.Content[i]), resolve(n.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			r.fail(n.Content[i].Line, "%s holds a key that is no text", at)
			continue
		}
		if line := seen[key.Value]; line > 0 {
			r.fail(key.Line, "%s is there twice, first in line %d", join(at, key.Value), line)
			continue
		}
		seen[key.Value] = key.Line
		r.lines[join(at, key.Value)] = key.Line
		f(key.Value, key, value)
	}
}

// value reads a node into v.
func (r *reader) value(n *yaml.Node, v reflect.Value, tag reflect.StructTag, at string) {
	switch {
	case v.Type() == reflect.TypeFor[Patterns]() && n.Kind == yaml.ScalarNode:
		v.Set(reflect.ValueOf(Patterns{n.Value}))
	case isScalar(v):
		if n.Kind != yaml.ScalarNode {
			r.fail(n.Line, "%s must be one value", at)
			return
		}
		if err := r.scalar(n.Value, v, tag); err != nil {
			r.fail(n.Line, "%s %v", at, err)
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.fill(n, v.Elem(), at)
	case v.Kind() == reflect.Struct:
		r.fill(n, v, at)
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		r.members(n, at, func(name string, _, value *yaml.Node) {
			e := reflect.New(v.Type().Elem()).Elem()
			r.value(value, e, tag, join(at, name))
			v.SetMapIndex(reflect.ValueOf(name), e)
		})
	case n.Kind != yaml.SequenceNode:
		r.fail(n.Line, "%s must be a list, such as [a, b]", at)
	default:
		for i, item := range n.Content {
			e := reflect.New(v.Type().Elem()).Elem()
			key := fmt.Sprintf("%s[%d]", at, i)
			r.lines[key] = item.Line
			r.value(resolve(item), e, tag, key)
			v.Set(reflect.Append(v, e))
		}
	}
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// suggest names the known key that is nearest to name, or all of them.
func suggest(name string, known []string) string {
	best, least := "", len(name)/2+1
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; allowed: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance counts the bytes to insert, delete or replace between two names (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
