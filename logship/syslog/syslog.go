// Package syslog reads messages of syslog: RFC 5424, and what RFC 3164 describes and everybody writes differently, with or without
// the priority, as it comes over a socket or stands in a file. The grammar is that of github.com/leodido/go-syslog.
//
// Invariant: every line gives a message; what has no known form is its text.
package syslog

import (
	"bytes"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"
)

// Message is what one line says. What it does not say is empty.
type Message struct {
	Known    bool      // the line has one of the two forms; if not, only Text is set
	Priority int       // facility * 8 + severity; -1 when the line has none
	Version  int       // 1 of RFC 5424, 0 of RFC 3164
	Time     time.Time // zero when the line has none
	// Host, App, PID and ID name the machine, the program, its process and the kind of message.
	Host, App, PID, ID string
	Data               map[string]map[string]string // structured data of RFC 5424: element, parameter, value
	Text               string
}

// Parser reads lines. It belongs to one goroutine.
type Parser struct {
	zone *time.Location
	bsd  syslog.Machine
	ietf syslog.Machine
}

// noYear is the year that the library gives to times without one. It is a leap year, so that it has a 29th of February.
const noYear = 4

// NewParser returns a Parser. Times without a zone are in the given one.
func NewParser(zone *time.Location) *Parser {
	return &Parser{
		zone: zone,
		bsd: rfc3164.NewMachine(rfc3164.WithBestEffort(), rfc3164.WithRFC3339(), rfc3164.WithOptionalPriority(), rfc3164.WithSecondFractions(),
			rfc3164.WithLenientDay(), rfc3164.WithYear(rfc3164.Year{YYYY: noYear})),
		ietf: rfc5424.NewMachine(rfc5424.WithBestEffort()),
	}
}

// Parse reads one line that was written, or came, before now: a time without a year is the last such time that is not more than a
// day ahead of now.
func (p *Parser) Parse(line []byte, now time.Time) Message {
	if isIETF(line) {
		parsed, err := p.ietf.Parse(line)
		m, ok := parsed.(*rfc5424.SyslogMessage)
		if err == nil && ok {
			out := common(m.Base)
			out.Version = int(m.Version)
			if m.StructuredData != nil {
				out.Data = *m.StructuredData
			}
			out.Text = strings.TrimPrefix(out.Text, "\ufeff") // RFC 5424 lets a UTF-8 text begin with a byte order mark
			return out
		}
	}
	parsed, err := p.bsd.Parse(line)
	m, ok := parsed.(*rfc3164.SyslogMessage)
	if err != nil || !ok || m.Timestamp == nil {
		priority, text := cutPriority(line)
		return Message{Known: priority >= 0, Priority: priority, Text: string(text)}
	}
	out := common(m.Base)
	if out.Time.Year() == noYear {
		out.Time = p.lastBefore(out.Time, now.Add(24*time.Hour))
	}
	return out
}

// common takes over what both forms have.
func common(b syslog.Base) Message {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	m := Message{Known: true, Priority: -1, Host: text(b.Hostname), App: text(b.Appname), PID: text(b.ProcID), ID: text(b.MsgID), Text: text(b.Message)}
	if b.Priority != nil {
		m.Priority = int(*b.Priority)
	}
	if b.Timestamp != nil {
		m.Time = *b.Timestamp
	}
	return m
}

// lastBefore returns the last time before limit with month, day and time of day of t, in the zone of the parser.
func (p *Parser) lastBefore(t, limit time.Time) time.Time {
	for year := limit.In(p.zone).Year(); ; year-- { // at most eight rounds, for the 29th of February
		at := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), p.zone)
		if at.Day() == t.Day() && at.Before(limit) {
			return at
		}
	}
}

// isIETF reports whether a line begins with a priority and the version 1.
func isIETF(line []byte) bool {
	priority, rest := cutPriority(line)
	return priority >= 0 && bytes.HasPrefix(rest, []byte("1 "))
}

// cutPriority returns the priority that a line begins with, -1 when there is none, and what follows.
func cutPriority(line []byte) (priority int, rest []byte) {
	if len(line) < 3 || line[0] != '<' {
		return -1, line
	}
	for i, c := range line[1:min(len(line), 5)] {
		switch {
		case '0' <= c && c <= '9':
			priority = priority*10 + int(c-'0')
		case c == '>' && i > 0 && priority <= 191:
			return priority, line[i+2:]
		default:
			return -1, line
		}
	}
	return -1, line
}

// Severity returns the name of the severity in a priority, as it stands in log.level: the word of nginx, "error", where syslog says "err".
func Severity(priority int) string {
	return [...]string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}[priority&7]
}

// Facility returns the name of the facility in a priority, as RFC 5424 orders them.
func Facility(priority int) string {
	names := [...]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	return names[priority>>3%len(names)]
}
