package local

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGivenAddressThatNobodyAnswers: the error names variable, address and reason, of each at once, and no password.
func TestGivenAddressThatNobodyAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for variable, value := range map[string]string{
		"KREISLAUF_REDIS_ADDR": nobody, "KREISLAUF_MONGODB_URI": "mongodb://u:secret@" + nobody + "," + nobody + "/?replicaSet=rs",
		"KREISLAUF_KAFKA_BROKERS": nobody + "," + nobody, "KREISLAUF_ELASTICSEARCH_URL": "http://u:secret@" + nobody, "KREISLAUF_SMTP_ADDR": nobody,
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			p := planned(t, false)
			defer p.ports.release()
			err := p.checkGiven(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{variable + ": ", nobody, "does not answer", "connection refused"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the password is in %v", err)
			}
		})
	}
	t.Setenv("KREISLAUF_MONGODB_URI", "secret")
	p := planned(t, false)
	defer p.ports.release()
	if err := p.checkGiven(t.Context()); err == nil || !strings.Contains(err.Error(), "mongodb://host:port") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a URI that is none: %v", err)
	}
}

// TestGivenAddressThatAnswers: any answer will do, and a list needs one that lives.
func TestGivenAddressThatAnswers(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	for variable, value := range map[string]string{"KREISLAUF_REDIS_ADDR": "", "KREISLAUF_KAFKA_BROKERS": "", "KREISLAUF_MONGODB_URI": "mongodb://"} {
		t.Run("another server at "+variable, func(t *testing.T) {
			t.Setenv(variable, value+srv.Listener.Addr().String())
			p := planned(t, false)
			defer p.ports.release()
			if err := p.checkGiven(t.Context()); err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Setenv("KREISLAUF_ELASTICSEARCH_URL", srv.URL)
	t.Setenv("KREISLAUF_MONGODB_URI", "mongodb://127.0.0.1:1,"+srv.Listener.Addr().String()+"/?tls=true")
	p := planned(t, false)
	defer p.ports.release()
	if err := p.checkGiven(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestGivenAddressThatIsSilent: who accepts connections and says nothing is given up in less than ten seconds.
func TestGivenAddressThatIsSilent(t *testing.T) {
	if answerWithin >= 10*time.Second {
		t.Errorf("%s are waited for", answerWithin)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("KREISLAUF_KAFKA_BROKERS", l.Addr().String())
	p := planned(t, false)
	defer p.ports.release()
	err = p.checkGiven(t.Context())
	if err == nil || !strings.Contains(err.Error(), "KREISLAUF_KAFKA_BROKERS: "+l.Addr().String()+" does not answer: nothing came within 8s") {
		t.Errorf("error %v", err)
	}
}

// TestSwitchIsTold: who starts with another Elasticsearch than last time is told so, once.
func TestSwitchIsTold(t *testing.T) {
	data := t.TempDir()
	told := func(real bool) string {
		t.Helper()
		o := DefaultOptions()
		o.Data, o.Cache, o.FreePorts, o.Real = data, t.TempDir(), true, real
		p, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer p.ports.release()
		var b bytes.Buffer
		if err := p.tellSwitch(&table{out: &b}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	must := func(text string, wants ...string) {
		t.Helper()
		if (text == "") != (len(wants) == 0) {
			t.Errorf("told %q", text)
		}
		for _, w := range wants {
			if !strings.Contains(text, w) {
				t.Errorf("%q does not say %q", text, w)
			}
		}
	}
	must(told(false))
	must(told(true), "of this program, this one uses of -real (OpenSearch): funnel, traces", "Kafka changes too")
	must(told(true))
	must(told(false), "of -real (OpenSearch), this one uses of this program")
	t.Setenv("KREISLAUF_ELASTICSEARCH_URL", "http://u:secret@es.example:9200")
	text := told(false)
	must(text, "this one uses at http://es.example:9200")
	if strings.Contains(text, "secret") || strings.Contains(text, "Kafka changes too") {
		t.Error(text)
	}
	t.Setenv("KREISLAUF_ELASTICSEARCH_URL", "")
	data = t.TempDir() // of an older version
	if err := os.MkdirAll(filepath.Join(data, "elasticsearch"), 0o750); err != nil {
		t.Fatal(err)
	}
	must(told(true), "of this program, this one uses of -real")
}
