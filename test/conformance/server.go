package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Answer is what a server said. Body is the decoded JSON, or the text of another media type, without its columns'
// padding.
type Answer struct {
	Status int `json:"status"`
	Body   any `json:"body,omitempty"`
}

// Server is where the suite runs: the engine, OpenSearch or Elasticsearch.
type Server struct {
	url    string
	oracle bool // OpenSearch
	client *http.Client
}

// Connect asks a server what it is.
func Connect(ctx context.Context, url string) (*Server, error) {
	s := &Server{url: strings.TrimSuffix(url, "/"), client: &http.Client{Timeout: time.Minute}}
	a, err := s.send(ctx, Case{Method: "GET", Path: "/"})
	if err != nil {
		return nil, err
	}
	root, _ := a.Body.(map[string]any)
	version, _ := root["version"].(map[string]any)
	s.oracle = version["distribution"] == "opensearch"
	return s, nil
}

// Do sends a case and returns the normalised answer.
func (s *Server) Do(ctx context.Context, c Case) (Answer, error) {
	a, err := s.send(ctx, c)
	if err == nil {
		a.Body = normalise(a.Body, s.oracle)
	}
	return a, err
}

func (s *Server) send(ctx context.Context, c Case) (Answer, error) {
	body := c.Body
	if s.oracle {
		body = strings.ReplaceAll(body, `"flattened"`, `"flat_object"`)
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, s.url+c.Path, strings.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("case %q: %w", c.Name, err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("case %q: %w", c.Name, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read answer of %q: %w", c.Name, err)
	}
	a := Answer{Status: res.StatusCode}
	switch {
	case len(raw) == 0:
	case strings.Contains(res.Header.Get("Content-Type"), "json"):
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&a.Body); err != nil {
			return a, fmt.Errorf("decode answer of %q: %w", c.Name, err)
		}
	default:
		a.Body = columns(string(raw))
	}
	return a, nil
}

// columns joins the cells of a text table by single spaces.
func columns(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	return strings.Join(lines, "\n")
}

// Clean removes what the suite leaves behind, so that it can run again on the same server.
func (s *Server) Clean(ctx context.Context) error {
	var names []map[string]any
	a, err := s.send(ctx, Case{Name: "list indices", Method: "GET", Path: "/_cat/indices/c-*?format=json&h=index"})
	if err != nil {
		return err
	}
	if err := convert(a.Body, &names); err != nil {
		return fmt.Errorf("list indices: %w", err)
	}
	paths := []string{"/_data_stream/c-*"}
	for _, n := range names {
		paths = append(paths, fmt.Sprint("/", n["index"]))
	}
	paths = append(paths, "/_index_template/c-*", "/_component_template/c-*")
	for _, p := range paths {
		if _, err := s.send(ctx, Case{Name: "clean", Method: "DELETE", Path: p}); err != nil {
			return err
		}
	}
	return nil
}

func convert(v, into any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
