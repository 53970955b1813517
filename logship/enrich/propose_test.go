package enrich

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPropose(t *testing.T) {
	at := time.Date(2025, 11, 22, 18, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		text string
		want Proposal
	}{
		"our nginx": {accessLine, Proposal{Type: "nginx_access", Lines: 1, Fits: 1, Others: []string{}}},
		"combined":  {combinedText + "\n\n" + combinedText + "\nbroken", Proposal{Type: "nginx_combined", Lines: 3, Fits: 2}},
		"error log": {errorText, Proposal{Type: "nginx_error", Lines: 1, Fits: 1}},
		"container": {"2025-11-22T18:23:30.123456789Z stdout F x", Proposal{Type: "container", Lines: 1, Fits: 1}},
		"text":      {"a\nb", Proposal{Type: "text", Lines: 2, Fits: 2}},
		"nothing":   {" \n", Proposal{Type: "text"}},
		"slog": {`{"time":"2025-11-22T18:23:30Z","level":"INFO","msg":"x","order":{"id":1},"n":200}`, Proposal{
			Type: "service", Lines: 1, Fits: 1, Known: map[string]string{"time": "@timestamp", "level": "log.level", "msg": "message"}, Others: []string{"n"},
		}},
		"a time with another name": {`{"when":1763835810.1,"msg":"x"}` + "\n" + `{"when":1763835811,"msg":"x"}`, Proposal{
			Type: "service", Lines: 2, Fits: 2, TimeKey: "when", Known: map[string]string{"msg": "message"},
		}},
		"an nginx of somebody": {`{"t1":"22/Nov/2025:18:23:30 +0000","wer":"203.0.113.9","st":"200","body_bytes_sent":1,"request_time":"0.1","xff":"-","was":"/a","wie":"GET","womit":"Mozilla/5.0","pool":"a"}`, Proposal{
			Type: "nginx_access", Lines: 1, Fits: 1, TimeKey: "t1", Known: map[string]string{"body_bytes_sent": "http.response.body.bytes", "xff": "x_forwarded_for"},
			Keys:   map[string]string{"wer": "remote_addr", "st": "http.response.status_code", "was": "url.original", "wie": "http.request.method", "womit": "user_agent.original"},
			Others: []string{"pool"},
		}},
	} {
		var lines [][]byte
		for line := range strings.SplitSeq(c.text, "\n") {
			lines = append(lines, []byte(line))
		}
		got := Propose(lines, at)
		if len(got.Keys) == 0 {
			got.Keys = nil
		}
		if len(got.Known) == 0 {
			got.Known = nil
		}
		if name == "our nginx" { // what it holds beyond the templates does not matter here
			got.Others = []string{}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
