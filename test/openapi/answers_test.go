package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/orderedmap"
	"go.uber.org/goleak"

	"kreislauf/internal/client"
	"kreislauf/test/asked"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(asked.By(m, "openapi")) }

// TestAnswersFitTheDocuments sends good and bad requests to every operation. At the end every documented status has been answered.
func TestAnswersFitTheDocuments(t *testing.T) {
	p := startPlatform(t)
	c := newCast(t, p)
	for _, s := range p.scenes(c) {
		p.run(t, s)
	}
	p.withoutStores(t)
	p.run(t, scene{"sessions away", func(t *testing.T) []exchange { return p.sessionsAway(t, c) }})
	p.run(t, scene{"stores away", func(t *testing.T) []exchange { return p.storesAway(t, c) }})
	if !t.Failed() {
		p.everythingSeen(t)
	}
}

func (p *platform) run(t *testing.T, s scene) {
	t.Helper()
	t.Run(s.name, func(t *testing.T) {
		for _, e := range s.exchanges(t) {
			t.Run(e.name, func(t *testing.T) { p.send(t, e) })
		}
	})
}

// compare holds an answer against the document and notes its status as seen.
func (p *platform) compare(t *testing.T, doc document, e exchange, a client.Answer) {
	t.Helper()
	req := p.request(t, e)
	res := &http.Response{StatusCode: a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body))}
	if ok, errs := doc.check.ValidateHttpResponse(req, res); !ok {
		report(t, fmt.Sprintf("answer %d to %s %s: %s", a.Status, e.method, e.path, a.Body), errs)
	}
	at, documented := doc.find(e.method, req.URL.Path)
	if !documented {
		t.Fatalf("%s %s is in no document", e.method, req.URL.Path)
	}
	status := strconv.Itoa(a.Status)
	if p.seen[at] == nil {
		p.seen[at] = map[string]bool{}
	}
	p.seen[at][status] = true
	if code := doc.operations()[at].Responses.Codes.GetOrZero(status); code != nil && orderedmap.Len(code.Content) == 0 && len(a.Body) > 0 {
		t.Errorf("%s %s: a body with status %s, which has none in the document: %s", e.method, e.path, status, a.Body)
	}
	if a.Status < 400 {
		return
	}
	var problem struct {
		Status   int    `json:"status"`
		Instance string `json:"instance"`
	}
	if err := json.Unmarshal(a.Body, &problem); err != nil {
		t.Fatal(err)
	}
	if problem.Status != a.Status || problem.Instance != req.URL.Path {
		t.Errorf("problem of status %d at %s in an answer %d of %s", problem.Status, problem.Instance, a.Status, req.URL.Path)
	}
}

// find gives the operation whose path template fits; a parameter stands for one segment.
func (d document) find(method, path string) (operation, bool) {
	if at := (operation{strings.ToLower(method), path}); d.operations()[at] != nil {
		return at, true
	}
	parts := strings.Split(path, "/")
next:
	for at := range d.operations() {
		template := strings.Split(at.path, "/")
		if !strings.EqualFold(at.method, method) || len(template) != len(parts) {
			continue
		}
		for i, s := range template {
			if s != parts[i] && !strings.HasPrefix(s, "{") {
				continue next
			}
		}
		return at, true
	}
	return operation{}, false
}

// everythingSeen finds promises that nothing has kept. 429 is the entry's answer (see TestAnswersOfTheEntry), 500 a fault that nobody can
// order, and no request to pricing needs a store, so its 503 is the entry's as well.
func (p *platform) everythingSeen(t *testing.T) {
	t.Helper()
	for service, d := range p.docs {
		for at, op := range d.operations() {
			for status := range op.Responses.Codes.FromOldest() {
				if status == "429" || status == "500" || (service == "pricing" && status == "503") {
					continue
				}
				if !p.seen[at][status] {
					t.Errorf("%s %s: no request was answered with the documented status %s", at.method, at.path, status)
				}
			}
		}
	}
}

// checkProblem holds a body against the schema Problem.
func checkProblem(t *testing.T, where string, body []byte) {
	t.Helper()
	schema := vocabulary(t).model.Components.Schemas.GetOrZero("Problem").Schema()
	check := schema_validation.NewSchemaValidator(config.WithFormatAssertions())
	if ok, errs := check.ValidateSchemaBytesWithVersion(schema, body, 3.1); !ok {
		report(t, where+": "+string(body), errs)
	}
}

// TestAnswersOfTheEntry reads the problems that nginx answers itself from its template.
func TestAnswersOfTheEntry(t *testing.T) {
	conf, err := os.ReadFile("../../nginx/nginx.conf.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`return (\d{3}) '(\{.*\})';`).FindAllStringSubmatch(string(conf), -1) {
		found[m[1]] = true
		body := strings.ReplaceAll(m[2], "$trace_id", "4bf92f3577b34da6a3ce929d0e0e4736")
		checkProblem(t, "nginx "+m[1], []byte(body))
		if !strings.Contains(body, `"status":`+m[1]+",") {
			t.Errorf("nginx answers %s with %s", m[1], body)
		}
	}
	for _, status := range []string{"413", "429", "503"} {
		if !found[status] {
			t.Errorf("nginx has no problem for %s, which the documents promise", status)
		}
	}
}

// TestAnswersBesideTheRoutes: unknown paths and methods are not in the documents, but their answers are problems too.
func TestAnswersBesideTheRoutes(t *testing.T) {
	p := startPlatform(t)
	for service, d := range p.docs {
		for _, e := range []exchange{
			{method: "GET", path: "/api/" + service + "/v1/nothing", status: 404},
			{method: "PATCH", path: strings.ReplaceAll(d.model.Paths.PathItems.First().Key(), "{id}", "x"), status: 405},
		} {
			who, call := p.by(e)
			a, err := who.Do(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if ct := a.Header.Get("Content-Type"); a.Status != e.status || ct != "application/problem+json" {
				t.Errorf("%s %s: %d with %q, want %d with a problem", e.method, e.path, a.Status, ct, e.status)
			}
			checkProblem(t, e.method+" "+e.path, a.Body)
		}
	}
}
