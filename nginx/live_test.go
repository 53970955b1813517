package nginx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/signal.loop")) }

// real is the installed nginx and options that let it run in a folder of the test.
func real(t *testing.T) (binary string, o Options) {
	t.Helper()
	if binary = Find(); binary == "" {
		t.Fatal("nginx was not found; install it: apt-get install nginx, or run: make deps")
	}
	dir := t.TempDir()
	web := filepath.Join(dir, "web")
	if err := os.MkdirAll(filepath.Join(web, "fahrer"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"index.html": "<!doctype html>page", "fahrer/index.html": "<!doctype html>driver", "fahrer/worker.js": "worker", "fahrer/app.webmanifest": "{}",
	} {
		if err := os.WriteFile(filepath.Join(web, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o = options()
	o.Listen, o.Prefix, o.Workers, o.User = freeAddr(t), filepath.Join(dir, "nginx")+"/", "1", ""
	o.AccessLog, o.ErrorLog, o.WebRoot = filepath.Join(dir, "access.log"), filepath.Join(dir, "error.log"), web
	o.TrustedProxies = []string{"127.0.0.1"}
	if os.Getuid() == 0 {
		o.User = "root" // the folder of a test belongs to its user alone
	}
	return binary, o
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// entry is a running nginx.
type entry struct {
	url, log string
	client   *http.Client
	lines    int // access lines read so far
	options  Options
	pid      int // of the master process
}

// run starts nginx with the upstreams and ends it with the test.
func run(t *testing.T, upstreams map[string][]string) *entry {
	t.Helper()
	binary, o := real(t)
	o.Upstreams = upstreams
	if upstreams["identity"] == nil {
		upstreams["identity"] = []string{freeAddr(t)}
	}
	args, err := Prepare(binary, o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	var console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &console
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("nginx: %v: %s", err, &console)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", o.Listen)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %v: %s", err, &console)
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return &entry{url: "http://" + o.Listen, log: o.AccessLog, client: client, options: o, pid: cmd.Process.Pid}
}

// upstream is a service that remembers what it was asked.
type upstream struct {
	addr string
	seen chan *http.Request
}

func newUpstream(t *testing.T) upstream {
	t.Helper()
	u := upstream{seen: make(chan *http.Request, 1000)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.seen <- r
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "made")
	}))
	t.Cleanup(srv.Close)
	u.addr = srv.Listener.Addr().String()
	return u
}

// answer is what nginx answered, and the access line of that request.
type answer struct {
	status int
	header http.Header
	body   string
	line   map[string]any
}

func (e *entry) do(t *testing.T, method, target, body string, header map[string]string) answer {
	t.Helper()
	req, err := http.NewRequest(method, e.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := e.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b), e.line(t)}
}

// line waits for the next access line, which nginx writes after its answer.
func (e *entry) line(t *testing.T) map[string]any {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile(e.log)
		if err != nil {
			t.Fatal(err)
		}
		if all := bytes.SplitAfter(b, []byte("\n")); len(all) > e.lines+1 {
			raw := all[e.lines]
			e.lines++
			var line map[string]any
			if err := json.Unmarshal(raw, &line); err != nil {
				t.Fatalf("access line %q: %v", raw, err)
			}
			return line
		}
		if time.Now().After(deadline) {
			t.Fatalf("access line %d did not come", e.lines+1)
		}
	}
}

// checkProblem asserts an RFC 9457 answer with the trace id of its access line.
func checkProblem(t *testing.T, a answer, status int, kind string) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
		TraceID                       string `json:"trace_id"`
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%d %q: %v", a.status, a.body, err)
	}
	if a.status != status || p.Status != status || p.Type != "/problems/"+kind || p.Title == "" || p.Detail == "" || p.Instance == "" {
		t.Errorf("status %d, problem %+v, want %d %s", a.status, p, status, kind)
	}
	if p.TraceID == "" || p.TraceID != a.line["trace.id"] || a.line["http.response.status_code"] != float64(status) {
		t.Errorf("problem %+v, line %v", p, a.line)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
}
