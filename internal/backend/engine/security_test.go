package engine_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
)

// secured is an engine with security on.
type secured struct {
	t   *testing.T
	dir string
	srv *engine.Server
}

const password = "correct horse"

func startSecured(t *testing.T) *secured {
	t.Helper()
	s := &secured{t: t, dir: t.TempDir()}
	var err error
	if s.srv, err = engine.New(engine.Options{Dir: s.dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop(), Password: password}); err != nil {
		t.Fatal(err)
	}
	if err := s.srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.srv.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func basic(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

// call sends a request with an Authorization header, which may be empty.
func (s *secured) call(auth, method, path, body string) (int, map[string]any, http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.srv.Addr()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var out map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &out); err != nil {
			s.t.Fatal(err)
		}
	}
	return res.StatusCode, out, res.Header
}

// key makes an API key and returns its header and id.
func (s *secured) key(body string) (auth, id string) {
	s.t.Helper()
	status, out, _ := s.call(basic("elastic", password), "POST", "/_security/api_key", body)
	if status != 200 {
		s.t.Fatalf("create key: %d %v", status, out)
	}
	return "ApiKey " + out["encoded"].(string), out["id"].(string)
}

func TestAuthentication(t *testing.T) {
	s := startSecured(t)
	status, out, header := s.call("", "GET", "/_search", "")
	wantEqual(t, "without credentials", []any{status, get(out, "error/type"), get(out, "error/reason"), get(out, "error/root_cause/0/type")}, []any{
		401, "security_exception", "missing authentication credentials for REST request [/_search]", "security_exception",
	})
	wantEqual(t, "challenge", header.Values("WWW-Authenticate"), []string{`Basic realm="security", charset="UTF-8"`, "ApiKey"})
	for _, auth := range []string{basic("elastic", "wrong"), basic("other", password), "Basic !", "Bearer x", "ApiKey " + base64.StdEncoding.EncodeToString([]byte("a:b"))} {
		if status, _, _ := s.call(auth, "GET", "/", ""); status != 401 {
			t.Errorf("%q: status %d", auth, status)
		}
	}
	status, out, _ = s.call(basic("elastic", password), "GET", "/_security/_authenticate", "")
	wantEqual(t, "superuser", []any{status, out["username"], out["authentication_type"]}, []any{200, "elastic", "realm"})

	auth, id := s.key(`{"name":"k"}`)
	status, out, _ = s.call(auth, "GET", "/_security/_authenticate", "")
	wantEqual(t, "key", []any{status, out["authentication_type"], get(out, "api_key/id"), get(out, "api_key/name")}, []any{200, "api_key", id, "k"})
	state, err := os.ReadFile(filepath.Join(s.dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(auth, "ApiKey "))
	if _, secret, _ := strings.Cut(string(raw), ":"); len(secret) < 20 || strings.Contains(string(state), secret) {
		t.Error("the secret is short, or stored")
	}
	status, out, _ = s.call(basic("elastic", password), "DELETE", "/_security/api_key", `{"ids":["`+id+`"]}`)
	wantEqual(t, "invalidate", []any{status, get(out, "invalidated_api_keys/0"), out["error_count"]}, []any{200, id, 0.0})
	if status, _, _ = s.call(auth, "GET", "/", ""); status != 401 {
		t.Errorf("an invalidated key got %d", status)
	}
	status, out, _ = s.call(basic("elastic", password), "GET", "/_security/api_key?name=k", "")
	wantEqual(t, "list", []any{status, get(out, "api_keys/0/id"), get(out, "api_keys/0/invalidated")}, []any{200, id, true})
}

// TestPrivileges checks what keys with roles may do, endpoint by endpoint.
func TestPrivileges(t *testing.T) {
	s := startSecured(t)
	root := basic("elastic", password)
	for _, c := range [][3]string{
		{"PUT", "/_index_template/logs", `{"index_patterns":["logs-*"],"data_stream":{}}`},
		{"POST", "/logs-a/_doc", `{"@timestamp":"2026-01-01","m":"x"}`},
		{"POST", "/logs-b/_doc", `{"@timestamp":"2026-01-01","m":"y"}`},
		{"PUT", "/secret/_doc/1", `{"m":"z"}`},
	} {
		if status, out, _ := s.call(root, c[0], c[1], c[2]); status >= 300 {
			t.Fatalf("%v: %d %v", c, status, out)
		}
	}
	shipper, shipperID := s.key(`{"name":"ship","role_descriptors":{"w":{"cluster":["monitor"],"indices":[{"names":["logs-*"],"privileges":["create_doc","auto_configure"]}]}}}`)
	reader, _ := s.key(`{"name":"read","role_descriptors":{"r":{"indices":[{"names":["logs-a"],"privileges":["read","view_index_metadata"]}]}}}`)
	admin, _ := s.key(`{"name":"adm","role_descriptors":{"a":{"cluster":["manage_index_templates"],"indices":[{"names":["logs-*"],"privileges":["manage"]}]}}}`)
	for _, tc := range []struct {
		name, auth, method, path, body string
		status                         int
	}{
		{"product check", shipper, "GET", "/", "", 200},
		{"no cluster privilege", reader, "GET", "/", "", 403},
		{"create", shipper, "POST", "/logs-a/_doc", `{"@timestamp":"2026-01-01"}`, 201},
		{"create in a new stream", shipper, "POST", "/logs-new/_doc", `{"@timestamp":"2026-01-01"}`, 201},
		{"create elsewhere", shipper, "POST", "/secret/_doc", `{"m":1}`, 403},
		{"shipper reads", shipper, "GET", "/logs-a/_search", "", 403},
		{"shipper makes templates", shipper, "PUT", "/_index_template/x", `{"index_patterns":["x"]}`, 403},
		{"shipper deletes", shipper, "DELETE", "/_data_stream/logs-a", "", 403},
		{"read", reader, "GET", "/logs-a/_search", "", 200},
		{"read another", reader, "GET", "/logs-b/_search", "", 403},
		{"read a document of another", reader, "GET", "/secret/_doc/1", "", 403},
		{"read the source of another", reader, "GET", "/secret/_source/1", "", 403},
		{"count another", reader, "GET", "/secret/_count", "", 403},
		{"fields of another", reader, "GET", "/secret/_field_caps?fields=*", "", 403},
		{"mapping", reader, "GET", "/logs-a/_mapping", "", 200},
		{"mapping of another", reader, "GET", "/secret/_mapping", "", 403},
		{"reader writes", reader, "POST", "/logs-a/_doc", `{"@timestamp":"2026-01-01"}`, 403},
		{"reader creates an index", reader, "PUT", "/logs-x", "", 403},
		{"reader rolls over", reader, "POST", "/logs-a/_rollover", "", 403},
		{"reader updates", reader, "POST", "/secret/_update/1", `{"doc":{"m":1}}`, 403},
		{"reader deletes a document", reader, "DELETE", "/secret/_doc/1", "", 403},
		{"reader deletes an index", reader, "DELETE", "/secret", "", 403},
		{"reader makes keys", reader, "POST", "/_security/api_key", `{"name":"x"}`, 403},
		{"admin rolls over", admin, "POST", "/logs-a/_rollover", "", 200},
		{"admin reads", admin, "GET", "/logs-a/_search", "", 403},
		{"admin makes templates", admin, "PUT", "/_index_template/x", `{"index_patterns":["x"]}`, 200},
		{"admin makes policies", admin, "PUT", "/_ilm/policy/x", `{"policy":{"phases":{}}}`, 403},
		{"admin deletes all streams", admin, "DELETE", "/_data_stream/*", "", 403},
	} {
		if status, out, _ := s.call(tc.auth, tc.method, tc.path, tc.body); status != tc.status {
			t.Errorf("%s: status %d, want %d: %v", tc.name, status, tc.status, out)
		}
	}
	_, out, _ := s.call(reader, "GET", "/_search?size=0", "")
	wantEqual(t, "a search of everything sees what it may", get(out, "hits/total/value"), 2.0)
	_, out, _ = s.call(reader, "POST", "/_mget", `{"docs":[{"_index":"secret","_id":"1"}]}`)
	wantEqual(t, "mget", get(out, "docs/0/error/type"), "security_exception")
	_, out, _ = s.call(reader, "POST", "/_msearch", "{\"index\":\"secret\"}\n{}\n{\"index\":\"logs-a\"}\n{}\n")
	wantEqual(t, "msearch", []any{get(out, "responses/0/status"), get(out, "responses/1/status")}, []any{403.0, 200.0})
	_, out, _ = s.call(shipper, "POST", "/_bulk", `{"create":{"_index":"logs-a"}}`+"\n"+`{"@timestamp":"2026-01-02"}`+"\n"+`{"create":{"_index":"secret"}}`+"\n{}\n"+`{"index":{"_index":"other","_id":"1"}}`+"\n{}\n"+`{"delete":{"_index":"secret","_id":"1"}}`+"\n")
	wantEqual(t, "bulk items", []any{get(out, "items/0/create/status"), get(out, "items/1/create/status"), get(out, "items/2/index/status"), get(out, "items/3/delete/status")}, []any{201.0, 403.0, 403.0, 403.0})
	wantEqual(t, "the words", get(out, "items/1/create/error/reason"), "action [indices:data/write/bulk[s]] is unauthorized for API key id ["+shipperID+
		"] of user [elastic] on indices [secret], this action is granted by the index privileges [create_doc,create,index,write,all]")
	status, out, _ := s.call(root, "POST", "/_security/api_key", `{"name":"x","role_descriptors":{"r":{"indices":[{"names":["a"],"privileges":["read"],"query":"{}"}]}}}`)
	wantEqual(t, "a narrower role is refused", []any{status, get(out, "error/type")}, []any{400, "illegal_argument_exception"})
}

// TestListenOpen checks that an engine without security is not reachable from elsewhere by accident.
func TestListenOpen(t *testing.T) {
	for _, tc := range []struct {
		opt engine.Options
		ok  bool
	}{
		{engine.Options{Addr: "0.0.0.0:0"}, false},
		{engine.Options{Addr: ":0"}, false},
		{engine.Options{Addr: "0.0.0.0:0", Open: true}, true},
		{engine.Options{Addr: "0.0.0.0:0", Password: "x"}, true},
		{engine.Options{Addr: "localhost:0"}, true},
	} {
		tc.opt.Dir, tc.opt.Logger = t.TempDir(), zerolog.Nop()
		srv, err := engine.New(tc.opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Start(); (err == nil) != tc.ok {
			t.Errorf("%q: %v", tc.opt.Addr, err)
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
