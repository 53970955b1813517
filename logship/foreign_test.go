package logship_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/logship/config"
)

// TestErrorLogWithTrace has an entry of the nginx error log that goes on over several lines, as PHP makes it with a stack trace.
func TestErrorLogWithTrace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := filepath.Join(b.logs, "test", "acme", "nginx", "error.log")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	const first = "2025/11/22 18:23:30 [error] 12#13: *14 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Exception: boom\n"
	const rest = "Stack trace:\n#0 {main}\n  thrown in /srv/index.php on line 3\" while reading response header from upstream, client: 203.0.113.9, " +
		"server: shop.example, request: \"GET /x?y=1 HTTP/1.1\", upstream: \"fastcgi://unix:/run/php.sock:\", host: \"shop.example\"\n"
	const single = "2025/11/22 18:23:31 [notice] 12#13: signal process started\n"
	b.appendText(file, first)
	s, stop := b.run()
	b.until("the entry waits", func() bool { return s.Status().OldestUnacked > 0 })
	stop() // in the middle of the entry
	b.appendText(file, rest+single)
	s, _ = b.run()
	const stream = "logs-nginx.error-test"
	b.until("both entries", func() bool { return len(b.all(stream)) == 2 && s.Status().Behind == 0 })
	want := map[string]any{
		"log.level": "error", "message": strings.TrimPrefix(strings.TrimSuffix(first+rest, "\n"), "2025/11/22 18:23:30 [error] 12#13: *14 "),
		"remote_addr": "203.0.113.9", "nginx.error.server": "shop.example", "nginx.error.upstream": "fastcgi://unix:/run/php.sock:",
		"url.domain": "shop.example", "http.request.method": "GET", "url.original": "/x?y=1", "log.offset": 0.0,
	}
	for _, d := range b.all(stream) {
		if d.fields["log.offset"] != 0.0 {
			continue
		}
		got := map[string]any{}
		for key := range want {
			got[key] = d.fields[key]
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if d.fields["tags"] != nil {
			t.Errorf("tags %v", d.fields["tags"])
		}
	}
}

// TestByteOrderMark has a byte order mark in front of the first line of a file of each type of input. The documents are those that
// come without it.
func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := filepath.Join(b.logs, "..")
	types := map[config.Type]string{
		config.Service: line(0), config.NginxAccess: `{"msec":1763835810.123,"request_time":0.012,"http.response.status_code":200}` + "\n",
		config.NginxCombined: `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET /x HTTP/1.1" 404 12 "-" "curl/8.0"` + "\n",
		config.NginxError:    "2025/11/22 18:23:30 [error] 12#13: *14 connect() failed, client: 203.0.113.9, server: _\n",
		config.Container:     "2025-11-22T18:23:30.123456789Z stdout F " + `{"service_name":"order"}` + "\n", config.Text: "plain\n",
	}
	b.opt.Inputs = nil
	for kind, text := range types {
		for _, mark := range []string{"", "\xef\xbb\xbf"} {
			file := filepath.Join(dir, string(kind), map[string]string{"": "plain.log"}[mark]+"x.log")
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			b.appendText(file, mark+text)
		}
		b.opt.Inputs = append(b.opt.Inputs, config.Input{
			Type: kind, Paths: []config.Glob{config.Glob(filepath.Join(dir, string(kind), "*.log"))}, Dataset: string(kind),
		})
	}
	s, _ := b.run()
	b.until("all documents", func() bool { return b.count() == 2*len(types) && s.Status().Behind == 0 })
	byType := map[string][]map[string]any{}
	for _, d := range b.everything() {
		path := d.fields["log.file.path"].(string)
		delete(d.fields, "log.file.path")
		delete(d.fields, "event.created")
		if strings.Contains(path, string(config.Text)+"/") {
			delete(d.fields, "@timestamp") // the time of shipping
		}
		kind := filepath.Base(filepath.Dir(path))
		byType[kind] = append(byType[kind], d.fields)
	}
	for kind, docs := range byType {
		if len(docs) != 2 {
			t.Errorf("%s: %d documents", kind, len(docs))
		} else if d := cmp.Diff(docs[0], docs[1]); d != "" || docs[0]["tags"] != nil {
			t.Errorf("%s: %s %v", kind, d, docs[0]["tags"])
		}
	}
}

// TestLinksThatLeadNowhere has links to logs and folders that are not mounted, as with the pod logs of the Docker runtime.
func TestLinksThatLeadNowhere(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]string{"file": "shop_order-7d9f_0b1c/order/0.log", "folder": "shop_order-7d9f_0b1c/order"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			pods, docker := filepath.Join(b.logs, "../pods"), filepath.Join(b.logs, "../docker")
			b.opt.Inputs = []config.Input{config.Pods(pods)}
			log := &noise{}
			b.opt.Logger = zerolog.New(log)
			path := filepath.Join(pods, link)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(docker, "there"), path); err != nil {
				t.Fatal(err)
			}
			b.run()
			b.until("an alarm", func() bool { return log.has("a link that leads nowhere") && log.has(path) })
			target := filepath.Join(docker, "there")
			if name == "folder" {
				target = filepath.Join(target, "0.log")
			}
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { // it is mounted now
				t.Fatal(err)
			}
			b.appendText(target, "2025-11-22T18:23:30.123456789Z stdout F "+line(0))
			b.wait(1)
		})
	}
}
