package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// foreignLine is a line of somebody else with a field that its document must have, and its tag.
type foreignLine struct{ text, field, value, tag string }

// refusedLines are refused by the index templates as they are. %d is the number of the event.
func refusedLines() []foreignLine {
	return []foreignLine{
		{`{"level":"error","error":"EOF","message":"seq=%d;"}`, "error.message", `"EOF"`, "conflict"},
		{`{"user":"ann","url":"/a","message":"seq=%d;"}`, "user.name", `"ann"`, "conflict"},
		{`{"http":"HTTP/1.1","message":"seq=%d;"}`, "labels.http", `"HTTP/1.1"`, "conflict"},
		{`{"message":{"text":"seq=%d;"}}`, "message", "", "conflict"},
		{`{"event":{"duration":"3 ms"},"message":"seq=%d;"}`, "labels.event_duration", `"3 ms"`, "conflict"},
		{`{"service":{"name":"shop"},"message":"seq=%d;"}`, "service_name", `"shop"`, ""},
		{`{"tags":["mine"],"trace":"abc","message":"seq=%d;"}`, "trace.id", `"abc"`, "conflict"},
		{`{"message":"seq=%d; \ud83d"}`, "message", "", "lone_surrogate"},
	}
}

// asTheTemplates reports whether the templates would refuse a document: a scalar where they have an object, and so on, for the
// fields of refusedLines.
func asTheTemplates(doc []byte) bool {
	var d map[string]json.RawMessage
	if json.Unmarshal(doc, &d) != nil || bytes.Contains(doc, []byte(`\ud83d`)) {
		return true
	}
	for _, name := range []string{"error", "user", "url", "http", "trace"} {
		if v := d[name]; len(v) > 0 && v[0] != '{' && v[0] != 'n' {
			return true
		}
	}
	var service, event map[string]json.RawMessage
	_ = json.Unmarshal(d["service"], &service) // nil when it is none
	_ = json.Unmarshal(d["event"], &event)
	return bytes.HasPrefix(d["message"], []byte{'{'}) || service["name"] != nil || bytes.HasPrefix(event["duration"], []byte{'"'})
}

// conflicts ships lines that the templates refuse as they are, after a dead letter of a version that did not mend them was written by
// hand; the replay delivers that one.
func conflicts(d *drill) error {
	d.target.keepText, d.target.refuse = true, asTheTemplates
	want, err := d.foreign(refusedLines(), 200/d.opt.scale)
	if err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	if err := d.stop(); err != nil {
		return err
	}
	if err := d.check(want); err != nil {
		return err
	}
	n := d.events
	d.events++
	letter, err := json.Marshal(map[string]any{
		"@timestamp": time.Now(), "reason": "document_parsing_exception", "file": d.file("order.log"), "offset": 1, "index": "logs-kreislauf.order-test", "id": "old-1",
		"line": fmt.Sprintf(`{"error":"EOF","message":"seq=%d;"}`, n), "added": `,"@timestamp":"2025-11-22T18:23:30.000Z"}`,
	})
	if err != nil {
		return fmt.Errorf("make dead letter: %w", err)
	}
	if err := appendTo(filepath.Join(d.state, "main", "dead-letter.ndjson"), append(letter, '\n')); err != nil {
		return err
	}
	if err := d.replay(); err != nil {
		return err
	}
	if err := d.check(map[int]foreignLine{n: {field: "error.message", value: `"EOF"`, tag: "conflict"}}); err != nil {
		return err
	}
	d.say("%d lines found, a dead letter replayed", len(want))
	return d.start()
}

// replay runs `logship replay` of the binary of the drills.
func (d *drill) replay() error {
	conf := filepath.Join(filepath.Dir(d.logs), "replay.yaml")
	text := fmt.Sprintf("state_dir: %s\ninputs: [{type: text, paths: [/nothing]}]\ntargets: [{urls: [%q]}]\n", d.state, d.target.url())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, d.opt.binary, "logship", "replay", "-config", conf).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte(" 1 delivered")) {
		return fmt.Errorf("replay: %w: %s", err, out)
	}
	return nil
}

// foreign writes each line some times and returns what is expected of each event.
func (d *drill) foreign(lines []foreignLine, times int) (map[int]foreignLine, error) {
	var all []byte
	want := map[int]foreignLine{}
	for range max(1, times) {
		for _, l := range lines {
			want[d.events] = l
			all = fmt.Appendf(all, l.text+"\n", d.events)
			d.events++
		}
		all = append(all, d.next(3)...)
	}
	return want, appendTo(d.file("order.log"), all)
}

// check compares the documents of events with what is expected.
func (d *drill) check(want map[int]foreignLine) error {
	d.target.mu.Lock()
	defer d.target.mu.Unlock()
	seen := 0
	for _, doc := range d.target.visible {
		l, ok := want[doc.number]
		if !ok {
			continue
		}
		seen++
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(doc.text), &fields); err != nil {
			return fmt.Errorf("event %d: %w", doc.number, err)
		}
		if got := fields[l.field]; got == nil || l.value != "" && string(got) != l.value {
			return fmt.Errorf("event %d has %s %s, want %s: %s", doc.number, l.field, got, l.value, doc.text)
		}
		if l.tag != "" && !bytes.Contains([]byte(doc.tags), []byte(l.tag)) || l.tag == "" && doc.tags != "" {
			return fmt.Errorf("event %d has the tags %q, want %q", doc.number, doc.tags, l.tag)
		}
	}
	if seen != len(want) {
		return fmt.Errorf("%d of %d events are visible", seen, len(want))
	}
	return nil
}

// foreignTimes ships lines with the times of other loggers, and with times that cannot be used.
func foreignTimes(d *drill) error {
	const at = `"2025-03-24T19:10:40.123Z"`
	d.target.keepText = true
	want, err := d.foreign([]foreignLine{
		{`{"time":"2025-03-24T19:10:40.123Z","level":"INFO","msg":"seq=%d;"}`, "@timestamp", at, ""},
		{`{"level":"info","ts":1742843440.123,"msg":"seq=%d;"}`, "@timestamp", at, ""},
		{`{"level":30,"time":1742843440123,"pid":7,"hostname":"web","msg":"seq=%d;"}`, "@timestamp", at, ""},
		{`{"level":"warning","msg":"seq=%d;","time":"2025-03-24T20:10:40.123+01:00"}`, "log.level", `"warn"`, ""},
		{`{"@timestamp":"1742843440.123","message":"seq=%d;"}`, "@timestamp", at, ""},
		{`{"timestamp":1742843440123000,"severity":"ERROR","message":"seq=%d;"}`, "log.level", `"error"`, ""},
		{`{"time":"at noon","message":"seq=%d;"}`, "event.original_time", `"at noon"`, "bad_time"},
		{`{"@timestamp":"1970-01-01T00:00:01.000Z","message":"seq=%d;"}`, "event.original_time", `"1970-01-01T00:00:01.000Z"`, "bad_time"},
		{`{"@timestamp":"2099-01-01T00:00:01.000Z","message":"seq=%d;"}`, "event.original_time", `"2099-01-01T00:00:01.000Z"`, "bad_time"},
	}, 200/d.opt.scale)
	if err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	if err := d.check(want); err != nil {
		return err
	}
	d.say("%d lines with the right time", len(want))
	return nil
}

// fastCGITraces are entries of the error log of nginx that go on over several lines; the last line names the client.
func fastCGITraces(d *drill) error {
	d.target.keepText = true
	path := filepath.Join(filepath.Dir(d.logs), "error.log")
	d.inputs = []string{fmt.Sprintf("{type: nginx_error, paths: [%q]}", path)}
	want := map[int]foreignLine{}
	write := func(n int) error {
		var out []byte
		for range n {
			out = fmt.Appendf(out, "2025/11/22 18:23:30 [error] 7#7: *12 FastCGI sent in stderr: \"PHP message: seq=%d; fails\n#0 /srv/a.php(3): f()\n"+
				"#1 {main}\" while reading response header from upstream, client: 203.0.113.7, server: shop, request: \"GET /a HTTP/1.1\", upstream: "+
				"\"fastcgi://127.0.0.1:9000\", host: \"shop\"\n", d.events)
			want[d.events] = foreignLine{field: "nginx.error.upstream", value: `"fastcgi://127.0.0.1:9000"`}
			d.events++
		}
		return appendTo(path, out)
	}
	n := d.many() / 50
	if err := write(n); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	for range 2 {
		if err := d.arrived(d.events - n/2); err != nil {
			return err
		}
		d.kill()
		if err := write(n); err != nil {
			return err
		}
		if err := d.start(); err != nil {
			return err
		}
	}
	if err := d.all(); err != nil {
		return err
	}
	return d.check(want)
}

// otherEndings are files of other systems: a byte order mark before the first line, carriage returns before the line feeds.
func otherEndings(d *drill) error {
	d.target.keepText = true
	want := map[int]foreignLine{}
	for i := range 5 {
		out := []byte("\ufeff")
		for range d.many() / 50 {
			want[d.events] = foreignLine{field: "message", value: fmt.Sprintf(`"seq=%d;"`, d.events)}
			out = append(out, bytes.Replace(d.next(1), []byte{'\n'}, []byte("\r\n"), 1)...)
		}
		if err := appendTo(d.file(fmt.Sprintf("order-%d.log", i)), out); err != nil {
			return err
		}
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	return d.check(want)
}

// beginAlike are two services whose logs are the same for longer than what a file is known by, of which one is truncated.
func beginAlike(d *drill) error {
	d.inputs = []string{fmt.Sprintf("{type: text, paths: [%q]}", filepath.Join(filepath.Dir(d.logs), "alike", "*.txt"))}
	a, b := filepath.Join(filepath.Dir(d.logs), "alike", "a.txt"), filepath.Join(filepath.Dir(d.logs), "alike", "b.txt")
	banner := bytes.Repeat([]byte("seq=0; the same banner\n"), 200)
	d.events = 1
	if err := errors.Join(appendTo(a, append(bytes.Clone(banner), d.next(500)...)), appendTo(b, append(bytes.Clone(banner), d.next(500)...))); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	all := func() error {
		return d.until("every line", func() bool {
			d.target.mu.Lock()
			defer d.target.mu.Unlock()
			return len(d.target.visible) >= d.events-1+2*200
		})
	}
	if err := all(); err != nil {
		return err
	}
	if err := os.Truncate(a, 0); err != nil {
		return fmt.Errorf("truncate: %w", err)
	}
	if err := errors.Join(appendTo(a, d.next(500)), appendTo(b, d.next(500))); err != nil {
		return err
	}
	if err := all(); err != nil {
		return err
	}
	d.kill()
	if err := errors.Join(appendTo(a, d.next(500)), appendTo(b, d.next(500))); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := all(); err != nil {
		return err
	}
	d.target.mu.Lock()
	defer d.target.mu.Unlock()
	if got := d.target.numbers[0]; got != 2*200 {
		return fmt.Errorf("%d lines of the banners, want 400", got)
	}
	d.target.numbers[0] = 1 // they are meant to be alike
	return nil
}

// syslogFile is rotated as logrotate does it, also while logship is dead.
func syslogFile(d *drill) error {
	path := filepath.Join(filepath.Dir(d.logs), "syslog")
	d.inputs = []string{fmt.Sprintf("{type: syslog, paths: [%q]}", path)}
	write := func(n int) error {
		var out []byte
		for range n {
			out = append(append(out, "2025-11-22T18:23:30.123456+01:00 web1 order[7]: "...), d.next(1)...)
		}
		return appendTo(path, out)
	}
	if err := d.start(); err != nil {
		return err
	}
	for i := range 4 {
		if err := write(d.many() / 20); err != nil {
			return err
		}
		if err := d.arrived(d.events - d.many()/40); err != nil {
			return err
		}
		if i%2 == 1 {
			d.kill()
		}
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if err := write(d.many() / 20); err != nil {
			return err
		}
		if i%2 == 1 {
			if err := d.start(); err != nil {
				return err
			}
		}
		if err := d.all(); err != nil {
			return err
		}
	}
	return nil
}
