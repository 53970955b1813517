package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// golden is one recorded line.
type golden struct {
	Case string `json:"case"`
	Answer
}

// Difference is a case that the engine answers differently on purpose. Answer is what it answers.
type Difference struct {
	File   string `json:"file"`
	Case   string `json:"case"`
	Reason string `json:"reason"`
	Answer Answer `json:"answer"`
}

// Failure is a case that did not give what was expected.
type Failure struct {
	File, Case, Problem string
}

// Result counts a run.
type Result struct {
	Passed, Different int
	Failures          []Failure
	answers           map[string]Answer
}

func key(file, name string) string { return file + "#" + name }

// Record runs the suite on a server and writes the answers below dir, which is this package's testdata.
func Record(ctx context.Context, s *Server, dir string) (int, error) {
	files, err := Files()
	if err != nil {
		return 0, err
	}
	if err := s.Clean(ctx); err != nil {
		return 0, err
	}
	n := 0
	for _, f := range files {
		var out bytes.Buffer
		for _, c := range f.Cases {
			a, err := s.Do(ctx, c)
			if err != nil {
				return n, err
			}
			if err := encode(&out, golden{c.Name, a}); err != nil {
				return n, err
			}
			n++
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name+".golden"), out.Bytes(), 0o600); err != nil {
			return n, fmt.Errorf("write golden file: %w", err)
		}
	}
	return n, s.Clean(ctx)
}

func encode(out *bytes.Buffer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return nil
}

func lines[T any](name string) ([]T, error) {
	raw, err := fs.ReadFile(testdata, name)
	if err != nil {
		return nil, fmt.Errorf("read recorded answers: %w", err)
	}
	var out []T
	sc := bufio.NewScanner(bytes.NewReader(raw))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(sc.Bytes()))
		dec.UseNumber()
		var v T
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("decode %s: %w", name, err)
		}
		out = append(out, v)
	}
	return out, sc.Err()
}

// Differences reads the list of known differences.
func Differences() ([]Difference, error) { return lines[Difference]("testdata/differences.ndjson") }

// Replay runs the suite on a server and compares. Listed differences are demanded of the engine; another server
// may answer a listed case in either way.
func Replay(ctx context.Context, s *Server, isEngine bool) (*Result, error) {
	files, err := Files()
	if err != nil {
		return nil, err
	}
	listed, err := Differences()
	if err != nil {
		return nil, err
	}
	known := map[string]Difference{}
	for _, d := range listed {
		known[key(d.File, d.Case)] = d
	}
	if err := s.Clean(ctx); err != nil {
		return nil, err
	}
	r := &Result{answers: map[string]Answer{}}
	for _, f := range files {
		if err := r.file(ctx, s, f, known, isEngine); err != nil {
			return nil, err
		}
	}
	for k := range known {
		file, name, _ := strings.Cut(k, "#")
		r.Failures = append(r.Failures, Failure{file, name, "is listed as a difference, but there is no such case"})
	}
	return r, s.Clean(ctx)
}

// file runs one file and takes its cases from known.
func (r *Result) file(ctx context.Context, s *Server, f File, known map[string]Difference, isEngine bool) error {
	recorded, err := lines[golden]("testdata/" + f.Name + ".golden")
	if err != nil {
		return err
	}
	for _, c := range f.Cases {
		got, err := s.Do(ctx, c)
		if err != nil {
			return err
		}
		k := key(f.Name, c.Name)
		r.answers[k] = got
		fail := func(problem string) { r.Failures = append(r.Failures, Failure{f.Name, c.Name, problem}) }
		i := slices.IndexFunc(recorded, func(g golden) bool { return g.Case == c.Name })
		d, isKnown := known[k]
		delete(known, k)
		switch {
		case i < 0:
			fail("has no recorded answer: run make record-conformance")
		case !isKnown:
			if diff := compare(recorded[i].Answer, got); diff != "" {
				fail(diff)
				continue
			}
			r.Passed++
		case isEngine && compare(recorded[i].Answer, got) == "":
			fail("is listed as a difference, but is the same: remove it from differences.ndjson")
		case compare(d.Answer, got) == "" || !isEngine && compare(recorded[i].Answer, got) == "":
			r.Passed++
			r.Different++
		default:
			fail("listed difference: " + compare(d.Answer, got))
		}
	}
	return nil
}

// compare prints both answers if they differ; "" is nothing.
func compare(want, got Answer) string {
	var a, b bytes.Buffer
	if err := errors.Join(encode(&a, want), encode(&b, got)); err != nil {
		return err.Error()
	}
	if bytes.Equal(a.Bytes(), b.Bytes()) {
		return ""
	}
	return "want " + a.String() + "got  " + strings.TrimSuffix(b.String(), "\n")
}

// Answer is what the server said to a case.
func (r *Result) Answer(file, name string) (Answer, bool) {
	a, ok := r.answers[key(file, name)]
	return a, ok
}
