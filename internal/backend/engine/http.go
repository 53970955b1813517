package engine

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// Limits of requests: one body (http.max_content_length) and all bodies in flight together.
const (
	maxBody     = 100 << 20
	maxInFlight = 256 << 20
)

// api serves the endpoints on a cluster.
type api struct {
	*cluster
	log      zerolog.Logger
	password string // of the superuser; "" is no security
	routes   []route
	inFlight atomic.Int64
}

func newAPI(c *cluster, log zerolog.Logger, password string) *api {
	a := &api{cluster: c, log: log, password: password}
	a.routes = a.table()
	return a
}

// request is one call of an endpoint.
type request struct {
	*http.Request
	body []byte
	vars map[string]string // parts of the path
	args map[string]string // parameters of the query string
	who  *principal        // nil without security
	need access            // of the endpoint
}

// text is an answer in text/plain.
type text string

// ServeHTTP answers one request in the asked format.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	format, err := negotiate(r)
	if err != nil {
		a.write(w, r, http.StatusNotAcceptable, map[string]any{"error": eserr.From(err).Reason, "status": http.StatusNotAcceptable}, "application/json")
		return
	}
	status, answer := a.serve(w, r)
	a.write(w, r, status, answer, format)
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) (int, any) {
	who, err := a.authenticate(r)
	if err != nil {
		for _, c := range challenges() {
			w.Header().Add("WWW-Authenticate", c)
		}
		return a.fail(err)
	}
	rt, vars, allowed := a.find(r.Method, r.URL.EscapedPath())
	switch {
	case rt == nil && len(allowed) > 0:
		w.Header().Set("Allow", strings.Join(allowed, ","))
		return http.StatusMethodNotAllowed, map[string]any{
			"error":  fmt.Sprintf("Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]", r.URL.RequestURI(), r.Method, strings.Join(allowed, ", ")),
			"status": http.StatusMethodNotAllowed,
		}
	case rt == nil:
		return http.StatusBadRequest, map[string]any{"error": fmt.Sprintf("no handler found for uri [%s] and method [%s]", r.URL.RequestURI(), r.Method)}
	}
	req := &request{Request: r, vars: vars, who: who, need: rt.access}
	if err := req.allow(rt.access); err != nil {
		return a.fail(err)
	}
	if err := req.parseArgs(rt.params); err != nil {
		return a.fail(err)
	}
	release, err := a.readBody(w, req)
	if err != nil {
		return a.fail(err)
	}
	defer release()
	status, answer, err := rt.handle(req)
	if _, isText := answer.(text); err == nil && !isText && answer != nil {
		if f := parseFilterPath(req.args["filter_path"]); f != nil {
			answer, err = f.apply(answer)
		}
	}
	if err != nil {
		return a.fail(err)
	}
	return status, answer
}

func (a *api) fail(err error) (int, any) {
	e := eserr.From(err)
	if e.Status >= 500 {
		a.log.Error().Err(err).Msg("request failed")
	}
	return e.Status, e.Body()
}

// parseArgs refuses parameters the endpoint does not know.
func (r *request) parseArgs(allowed []string) error {
	r.args = map[string]string{}
	for name, values := range r.URL.Query() {
		if !slices.Contains(allowed, name) && name != "pretty" && name != "human" && name != "error_trace" && name != "filter_path" {
			return eserr.IllegalArgument("request [%s] contains unrecognized parameter: [%s]", r.URL.Path, name)
		}
		r.args[name] = values[len(values)-1]
	}
	return r.refuseArgs()
}

// refuseArgs refuses parameters of the real server that would change an answer in a way the engine does not have.
func (r *request) refuseArgs() error {
	for _, name := range []string{"flat_settings", "include_defaults", "lazy", "verbose", "include_segment_file_sizes", "human", "write_index_only", "only_errors"} {
		if v, ok := r.args[name]; ok && v != "false" {
			return eserr.IllegalArgument("parameter [%s] is not supported by this engine", name)
		}
	}
	for name, only := range map[string]string{"features": "", "filters": "", "types": "", "include_empty_fields": "true"} {
		if v, ok := r.args[name]; ok && v != only {
			return eserr.IllegalArgument("parameter [%s] with value [%s] is not supported by this engine", name, v)
		}
	}
	return nil
}

// flag reads a boolean parameter; present without a value means true.
func (r *request) flag(name string, def bool) (bool, error) {
	v, ok := r.args[name]
	switch {
	case !ok:
		return def, nil
	case v == "" || v == "true":
		return true, nil
	case v == "false":
		return false, nil
	}
	return false, eserr.IllegalArgument("Failed to parse value [%s] as only [true] or [false] are allowed.", v)
}

// json parses the body; an empty body is nil.
func (r *request) json() (*esjson.Node, error) {
	if len(bytes.TrimSpace(r.body)) == 0 {
		return nil, nil
	}
	return esjson.Parse(r.body)
}

// object parses a body that must be an object.
func (r *request) object() (*esjson.Node, error) {
	n, err := r.json()
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, eserr.New(400, "parse_exception", "request body is required")
	}
	if n.Kind != esjson.Object {
		return nil, n.Contentf("Expected START_OBJECT but was: %s", n.Token())
	}
	return n, nil
}

// readBody reads and decompresses the body. Release must be called when it is not used any more.
func (a *api) readBody(w http.ResponseWriter, r *request) (release func(), err error) {
	size := max(r.ContentLength, 0)
	release = func() { a.inFlight.Add(-size) }
	if a.inFlight.Add(size) > maxInFlight {
		release()
		return nil, eserr.New(429, "es_rejected_execution_exception", "rejected execution: too many bytes of requests in flight, limit [%d]", maxInFlight)
	}
	var in io.Reader = http.MaxBytesReader(w, r.Body, maxBody)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
	case "gzip":
		gz, err := gzip.NewReader(in)
		if err != nil {
			release()
			return nil, eserr.New(400, "x_content_parse_exception", "Not in GZIP format")
		}
		in = io.LimitReader(gz, maxBody+1)
	default:
		release()
		return nil, eserr.New(415, "illegal_argument_exception", "Content-Encoding [%s] is not supported", enc)
	}
	r.body, err = readAll(in, size)
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) || len(r.body) > maxBody {
		err = eserr.New(413, "content_too_long_exception", "entity content is too long [%d] for the configured buffer limit [%d]", max(r.ContentLength, int64(len(r.body))), maxBody)
	} else if err != nil {
		err = eserr.New(400, "parse_exception", "read body: %v", err)
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// readAll reads to the end. Size is how much the client announced, which it need not keep to.
func readAll(in io.Reader, size int64) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, min(size, maxBody)+bytes.MinRead))
	_, err := buf.ReadFrom(in)
	return buf.Bytes(), err
}

const vendor = "application/vnd.elasticsearch+json"

// negotiate checks the media types of a request and returns that of the answer.
func negotiate(r *http.Request) (format string, err error) {
	if ct := r.Header.Get("Content-Type"); !supported(ct, false) && (ct != "" || r.ContentLength > 0) {
		return "", eserr.New(406, "media_type_header_exception", "Content-Type header [%s] is not supported", ct)
	}
	accept := r.Header.Get("Accept")
	if accept == "" {
		return "application/json", nil
	}
	for part := range strings.SplitSeq(accept, ",") {
		part = strings.TrimSpace(part)
		if !supported(part, true) {
			continue
		}
		if strings.HasPrefix(part, "application/vnd.") {
			return part, nil
		}
		return "application/json", nil
	}
	return "", eserr.New(406, "media_type_header_exception", "Accept header [%s] is not supported", accept)
}

func supported(value string, accept bool) bool {
	typ, params, err := mime.ParseMediaType(value)
	if err != nil {
		return false
	}
	switch typ {
	case "application/json", "application/x-ndjson":
		return true
	case vendor, "application/vnd.elasticsearch+x-ndjson":
		return params["compatible-with"] == "8" || params["compatible-with"] == "9"
	case "*/*", "application/*", "text/plain", "text/*":
		return accept
	}
	return false
}

func (a *api) write(w http.ResponseWriter, r *http.Request, status int, answer any, format string) {
	var body []byte
	switch v := answer.(type) {
	case nil:
	case text:
		body, format = []byte(v), "text/plain; charset=UTF-8"
	default:
		var err error
		if body, err = esjson.Append(nil, v); err != nil {
			a.log.Error().Err(err).Msg("encode answer")
			http.Error(w, "encode answer", http.StatusInternalServerError)
			return
		}
		if r.URL.RawQuery != "" && r.URL.Query().Has("pretty") {
			var buf bytes.Buffer
			if json.Indent(&buf, body, "", "  ") == nil { // what Append wrote is valid
				body = buf.Bytes()
			}
		}
	}
	w.Header().Set("Content-Type", format)
	if len(body) > 1024 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = compress(body)
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		// The client may be gone; there is nobody left to tell.
		_, _ = w.Write(body)
	}
}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	gz, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return body // the level is a constant of the package
	}
	// Writing to a buffer does not fail.
	_, _ = gz.Write(body)
	_ = gz.Close()
	return buf.Bytes()
}
