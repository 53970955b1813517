package syslog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	local := func(year int, month time.Month, day, hour int) time.Time {
		return time.Date(year, month, day, hour, 42, 41, 0, berlin)
	}
	now := local(2027, 1, 2, 3)
	p := NewParser(berlin)
	for _, tc := range []struct {
		name, line string
		want       Message
	}{
		{"file of rsyslog", "Nov 30 16:42:41 web1 sshd[123]: Accepted publickey",
			Message{Known: true, Priority: -1, Time: local(2026, 11, 30, 16), Host: "web1", App: "sshd", PID: "123", Text: "Accepted publickey"}},
		{"day with a blank", "Jan  2 02:42:41 web1 sshd[123]: x",
			Message{Known: true, Priority: -1, Time: local(2027, 1, 2, 2), Host: "web1", App: "sshd", PID: "123", Text: "x"}},
		{"a clock that is ahead", "Jan  2 16:42:41 web1 a: x", Message{Known: true, Priority: -1, Time: local(2027, 1, 2, 16), Host: "web1", App: "a", Text: "x"}},
		{"summer time", "Jul  1 16:42:41 web1 a: x", Message{Known: true, Priority: -1, Time: local(2026, 7, 1, 16), Host: "web1", App: "a", Text: "x"}},
		{"the last 29th of February", "Feb 29 16:42:41 web1 a: x", Message{Known: true, Priority: -1, Time: local(2024, 2, 29, 16), Host: "web1", App: "a", Text: "x"}},
		{"file of rsyslog with precise times", "2026-11-30T16:42:41+01:00 web1 kernel: [ 12.3] usb 1-1: new",
			Message{Known: true, Priority: -1, Time: local(2026, 11, 30, 16), Host: "web1", App: "kernel", Text: "[ 12.3] usb 1-1: new"}},
		{"socket", "<34>Oct 11 16:42:41 web1 su: 'su root' failed",
			Message{Known: true, Priority: 34, Time: local(2026, 10, 11, 16), Host: "web1", App: "su", Text: "'su root' failed"}},
		{"the C library names no host", "<13>Nov 30 16:42:41 CRON[99]: (root) CMD (x)",
			Message{Known: true, Priority: 13, Time: local(2026, 11, 30, 16), App: "CRON", PID: "99", Text: "(root) CMD (x)"}},
		{"nothing but a text", "<13>just text", Message{Known: true, Priority: 13, Text: "just text"}},
		{"not even a priority", "just text", Message{Priority: -1, Text: "just text"}},
		{"no priority above 191", "<192>x", Message{Priority: -1, Text: "<192>x"}},
		{"RFC 5424", "<165>1 2026-11-30T15:42:41Z web1 evntslog 123 ID47 [example@32473 iut=\"3\" source=\"App\\\"x\"] \ufeffAn application",
			Message{
				Known: true, Priority: 165, Version: 1, Time: local(2026, 11, 30, 16).UTC(), Host: "web1", App: "evntslog", PID: "123", ID: "ID47",
				Data: map[string]map[string]string{"example@32473": {"iut": "3", "source": `App"x`}}, Text: "An application",
			}},
		{"RFC 5424 without anything", "<34>1 - - - - - - hello", Message{Known: true, Priority: 34, Version: 1, Text: "hello"}},
		{"RFC 5424 with a broken time", "<34>1 yesterday web1 a - - - x", Message{Known: true, Priority: 34, Text: "1 yesterday web1 a - - - x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, p.Parse([]byte(tc.line), now), cmp.Comparer(time.Time.Equal)); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzParse: whatever comes, there is a message, and its text is part of the line.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"<13>Nov 30 16:42:41 web1 a[1]: x", `<1>1 - - - - - [a b="c\]"] x`, "Feb 29 00:00:00 h a: b", "<", ""} {
		f.Add([]byte(line))
	}
	p := NewParser(time.UTC)
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line []byte) {
		m := p.Parse(line, now)
		if !m.Known && m.Text != string(line) {
			t.Errorf("%q lost its text: %q", line, m.Text)
		}
		if m.Priority < -1 || m.Priority > 191 {
			t.Errorf("%q has the priority %d", line, m.Priority)
		}
	})
}
