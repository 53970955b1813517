package load

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const ownLine = `{"msec":1763835810.123,"service_name":"nginx","message":"POST /api/order/v1/orders 201","remote_addr":"203.0.113.9","http.request.method":"POST",` +
	`"url.original":"/api/order/v1/orders?x=1","http.response.status_code":201,"user_agent.original":"curl/8","http.request.referrer":""}`

func TestParseOwnLine(t *testing.T) {
	for line, want := range map[string]string{
		ownLine:                               "",
		strings.Replace(ownLine, "}", "", 1):  "JSON: ",
		`{"level":"info","msg":"hello"}`:      "msec: ",
		`{"msec":1,"http.request.method":""}`: "http.request.method, url.original: ",
		`{"msec":-1}`:                         "msec: ",
	} {
		got, err := parseLine(line)
		if want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: err %v, want %s", line, err, want)
			}
			continue
		}
		r := record{netip.MustParseAddr("203.0.113.9"), time.UnixMilli(1763835810123).UTC(), "POST", "/api/order/v1/orders?x=1", "", "curl/8"}
		if d := cmp.Diff(r, got, cmp.AllowUnexported(record{}), cmpopts.EquateComparable(netip.Addr{})); err != nil || d != "" {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	}
}

// growing writes a line to the log with each request, as nginx does.
type growing struct {
	*recorder
	path string
}

func (g growing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, err := os.OpenFile(g.path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(ownLine + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	g.recorder.ServeHTTP(w, r)
}

// TestReplayOwnLog: the log that the replayed requests themselves are written to ends where it ended at the start.
func TestReplayOwnLog(t *testing.T) {
	path := logFile(t, "access.log", ownLine+"\n"+strings.Split(sample, "\n")[0]+"\n")
	rec := newRecorder()
	srv := httptest.NewServer(growing{rec, path})
	defer srv.Close()
	sum, err := Replay(t.Context(), ReplayOptions{Entry: srv.URL, File: path, Rate: 20})
	if err != nil || sum.Sent != 2 || sum.Lines != 2 || sum.Unreadable != 0 {
		t.Fatalf("%v: %+v", err, sum)
	}
	if d := cmp.Diff(map[string]string{
		"/api/order/v1/orders?x=1": `GET from "203.0.113.9" by "curl/8" via ""`,
		"/a?b=c":                   `GET from "91.10.20.30" by "Mozilla/5.0 (X11)" via "https://example.org/"`,
	}, rec.seen); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}

// TestReplayOfAnotherFile: a file of which no line is a request says so, and how one looks.
func TestReplayOfAnotherFile(t *testing.T) {
	srv := httptest.NewServer(newRecorder())
	defer srv.Close()
	for _, text := range []string{"hello\nworld\n", `{"level":"info"}`} {
		_, err := Replay(t.Context(), ReplayOptions{Entry: srv.URL, File: logFile(t, "x.log", text)})
		if err == nil || !strings.Contains(err.Error(), "combined") || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: error %v", text, err)
		}
	}
	if sum, err := Replay(t.Context(), ReplayOptions{Entry: srv.URL, File: logFile(t, "empty.log", "")}); err != nil || sum.Lines != 0 {
		t.Errorf("an empty log: %v, %+v", err, sum)
	}
}
