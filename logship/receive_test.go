package logship_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship"
	"kreislauf/logship/config"
)

const received = "logs-received-test"

// receives makes what comes from sources the only input.
func (b *bench) receives(kind config.Type, sources ...string) {
	b.opt.Inputs = []config.Input{{Type: kind, Receive: sources, Dataset: "received"}}
}

// segments lists the files with received lines.
func (b *bench) segments(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(string(b.opt.StateDir), "received", "*", "*", config.SegmentFile))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// freePort returns the address of a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// dial connects to a socket as soon as it is there.
func dial(b *bench, network, address string) net.Conn {
	var conn net.Conn
	b.until(network+" "+address, func() (ok bool) {
		var err error
		conn, err = net.Dial(network, address)
		return err == nil
	})
	return conn
}

func send(t *testing.T, to io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

func TestSyslogOverSockets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	address, socket := freePort(t), filepath.Join(t.TempDir(), "log")
	b.receives(config.Syslog, "tcp://"+address, "udp://"+address, "unixgram://"+socket)
	_, stop := b.run()
	tcp := dial(b, "tcp", address)
	const counted = "<165>1 2026-11-30T15:42:41.5Z web1 evntslog 12 ID47 [a@1 b=\"c\"] two\nlines \\n"
	send(t, tcp, "<34>Oct 11 22:14:15 web1 su[7]: a line\n"+fmt.Sprintf("%d %s", len(counted), counted))
	send(t, tcp, "<13>Nov 30 16:42:41 web1 app[1]: {\"message\":\"of a service\",\"level\":\"warn\",\"service_name\":\"order\"}\n")
	tcp.Close()
	datagram := dial(b, "udp", address)
	send(t, datagram, "<13>just text")
	local := dial(b, "unixgram", socket)
	send(t, local, "<30>Nov 30 16:42:41 systemd[1]: of this machine\n")
	b.until("five messages", func() bool { return len(b.all(received)) == 5 })
	stop()
	want := []string{"a line", "just text", "of a service", "of this machine", "two\nlines \\n"}
	if d := cmp.Diff(want, b.messages(received)); d != "" {
		t.Error(d)
	}
	for _, doc := range b.all(received) {
		got := map[string]any{}
		for _, name := range []string{
			"log.level", "log.syslog.priority", "log.syslog.facility.name", "host.name", "process.pid", "process.name", "service_name",
			"log.source.address", "log.syslog.msgid",
		} {
			if v, ok := doc.fields[name]; ok {
				got[name] = v
			}
		}
		var want map[string]any
		switch doc.fields["message"] {
		case "a line":
			want = map[string]any{
				"log.level": "crit", "log.syslog.priority": 34.0, "log.syslog.facility.name": "auth", "host.name": "web1", "process.pid": 7.0,
				"process.name": "su", "service_name": "su", "log.source.address": "127.0.0.1",
			}
		case "two\nlines \\n":
			want = map[string]any{
				"log.level": "notice", "log.syslog.priority": 165.0, "log.syslog.facility.name": "local4", "host.name": "web1", "process.pid": 12.0,
				"process.name": "evntslog", "service_name": "evntslog", "log.source.address": "127.0.0.1", "log.syslog.msgid": "ID47",
			}
			if at := doc.fields["@timestamp"]; at != "2026-11-30T15:42:41.5Z" {
				t.Errorf("time of a message is %v", at)
			}
			if d := cmp.Diff(map[string]any{"a@1": map[string]any{"b": "c"}}, doc.fields["log.syslog.structured_data"]); d != "" {
				t.Error(d)
			}
		case "of a service":
			want = map[string]any{ // what the line says itself counts
				"log.level": "warn", "log.syslog.priority": 13.0, "log.syslog.facility.name": "user", "host.name": "web1", "process.pid": 1.0,
				"process.name": "app", "service_name": "order", "log.source.address": "127.0.0.1",
			}
		case "just text":
			want = map[string]any{"log.level": "notice", "log.syslog.priority": 13.0, "log.syslog.facility.name": "user", "log.source.address": "127.0.0.1"}
		case "of this machine":
			want = map[string]any{
				"log.level": "info", "log.syslog.priority": 30.0, "log.syslog.facility.name": "daemon", "process.pid": 1.0, "process.name": "systemd",
				"service_name": "systemd",
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v: %s", doc.fields["message"], d)
		}
	}
	// What is delivered is removed, at the latest after the next start.
	_, stop = b.run()
	b.until("the delivered segment is removed", func() bool { return len(b.segments(t)) == 1 })
	stop()
	if left := b.segments(t); len(left) > 0 {
		t.Errorf("an empty segment stays: %v", left)
	}
	if n := len(b.all(received)); n != 5 {
		t.Errorf("%d documents after a second start", n)
	}
}

func TestSyslogFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := filepath.Join(filepath.Dir(b.logs), "syslog")
	b.opt.Inputs = []config.Input{{Type: config.Syslog, Paths: []config.Glob{config.Glob(file)}, Dataset: "received"}}
	b.appendText(file, "2026-11-30T16:42:41.123456+01:00 web1 sshd[123]: Accepted publickey\nno form at all\n")
	_, stop := b.run()
	b.until("both lines", func() bool { return len(b.all(received)) == 2 })
	stop()
	for _, doc := range b.all(received) {
		switch doc.fields["message"] {
		case "Accepted publickey":
			if doc.fields["@timestamp"] != "2026-11-30T15:42:41.123456Z" || doc.fields["service_name"] != "sshd" {
				t.Errorf("got %v", doc.fields)
			}
		case "no form at all":
			if _, ok := doc.fields["service_name"]; ok {
				t.Errorf("got %v", doc.fields)
			}
		default:
			t.Errorf("unexpected %v", doc.fields)
		}
	}
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.receives(config.Text, "stdin")
	var text strings.Builder
	var want []string
	for i := range 3000 { // alike lines are not taken for copies of each other
		want = append(want, fmt.Sprintf("line %04d", i%1000))
		text.WriteString(want[i] + "\n")
	}
	b.opt.Stdin = strings.NewReader(text.String() + "without a line feed")
	s, err := logship.New(b.opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); err != nil { // ends by itself
		t.Fatal(err)
	}
	want = append(want, "without a line feed")
	slices.Sort(want)
	if d := cmp.Diff(want, b.messages(received)); d != "" {
		t.Error(d)
	}
}

// TestJournal follows a journal whose command is killed and whose shipper is stopped: every entry comes once.
func TestJournal(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	entries := filepath.Join(dir, "entries")
	// It knows --after-cursor, and follows by looking again, as the real one would wait.
	const command = `#!/bin/sh
after=0
for a in "$@"; do case $a in --after-cursor=*) after=${a#--after-cursor=c};; esac; done
while :; do
  total=$(wc -l < "$JOURNAL_ENTRIES")
  if [ "$total" -gt "$after" ]; then sed -n "$((after+1)),${total}p" "$JOURNAL_ENTRIES"; after=$total; fi
  [ -e "$JOURNAL_ENTRIES.die" ] && rm "$JOURNAL_ENTRIES.die" && exit 1
  sleep 0.05
done
`
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(command), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("JOURNAL_ENTRIES", entries)
	b.receives(config.Journal, "journalctl")
	n := 0
	write := func(more int) {
		t.Helper()
		var text strings.Builder
		for range more {
			n++
			fmt.Fprintf(&text, `{"__CURSOR":"c%d","__REALTIME_TIMESTAMP":"%d","MESSAGE":"entry %04d","PRIORITY":"4","_PID":"77","_COMM":"web",`+
				`"SYSLOG_IDENTIFIER":"webd","_SYSTEMD_UNIT":"web.service","_HOSTNAME":"web1","REQUEST":["a","b"],"_TRANSPORT":"journal"}`+"\n", n, 1764520961123456+n, n)
		}
		b.appendText(entries, text.String())
	}
	arrived := func() {
		t.Helper()
		b.until("all entries", func() bool { return len(b.all(received)) >= n })
	}
	write(20)
	_, stop := b.run()
	arrived()
	b.appendText(entries+".die", "x")
	write(20)
	arrived() // the command was started again behind the last entry
	stop()
	write(20)
	_, stop = b.run()
	b.until("delivered segments are removed", func() bool { return len(b.segments(t)) == 1 })
	stop()
	_, stop = b.run()
	b.until("delivered segments are removed", func() bool { return len(b.segments(t)) == 1 })
	stop()
	write(20) // now only the file with the cursor knows where it was
	_, stop = b.run()
	arrived()
	stop()
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("entry %04d", i+1))
	}
	if d := cmp.Diff(want, b.messages(received)); d != "" {
		t.Error(d)
	}
	got := b.all(received)[0].fields
	for name, want := range map[string]any{
		"log.level": "warn", "process.pid": 77.0, "process.name": "web", "service_name": "webd", "host.name": "web1", "systemd.unit": "web.service",
		"labels.request": "a", "systemd.transport": "journal",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if at, ok := got["@timestamp"].(string); !ok || !strings.HasPrefix(at, "2025-11-30T16:42:41.123") {
		t.Errorf("@timestamp is %v", got["@timestamp"])
	}
}
