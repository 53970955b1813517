package logship

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/config"
)

// TestProposalIsAConfiguration reads back what Propose prints.
func TestProposalIsAConfiguration(t *testing.T) {
	const sample = `{"t1":"22/Nov/2025:18:23:30 +0000","wer":"203.0.113.9","st":"200","body_bytes_sent":1,"request_time":"0.1","xff":"-","a: \"b\nc":"x"}` + "\n" + `{"half`
	text, err := Propose("/var/log/a b/access.log", strings.NewReader(strings.ReplaceAll(sample, "\nc", `\nc`)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("x.yaml", []byte(text), "/", os.LookupEnv)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	want := []config.Input{{
		Type: config.NginxAccess, Paths: []config.Glob{"/var/log/a b/access.log"}, Time: config.InputTime{Key: "t1"},
		Keys: map[string]string{"wer": "remote_addr", "st": "http.response.status_code"},
	}}
	if d := cmp.Diff(want, c.Inputs); d != "" {
		t.Errorf("%s in\n%s", d, text)
	}
	if _, err := Propose("/empty", strings.NewReader("\n")); err == nil {
		t.Error("a file without lines gets a proposal")
	}
}
