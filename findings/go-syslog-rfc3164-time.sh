#!/usr/bin/env bash
# github.com/leodido/go-syslog v4.6.0, rfc3164: WithTimezone does not say in which zone a time without one was written, and a leap day is moved.
#
# Guessed: a message of RFC 3164 has a local time without year and zone; WithTimezone(loc) says that it is of loc (its README, under "Timezone
#          Configuration": "By default, timestamps without timezone information use UTC. You can specify a different timezone"), and a day that
#          the given year does not have is an error.
# Seen:    with WithTimezone(Europe/Berlin), "Nov 30 16:42:41" is 17:42:41 +0100: the time is read as UTC and only shown in the zone, an hour off
#          (two in summer). WithLocaleTimezone, which the README does not show and whose comment is the same to the letter, reads it as 16:42:41 +0100.
#          "Feb 29" with the year 2026 is the 1st of March, without an error.
# Matters: every line of /var/log/syslog lands an hour or two beside the lines of others; who tests in UTC does not see it.
#
# Versions: go-syslog v4.6.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/rfc3164"
)

func read(line string, options ...syslog.MachineOption) string {
	m, err := rfc3164.NewParser(append(options, rfc3164.WithYear(rfc3164.Year{YYYY: 2026}))...).Parse([]byte(line))
	if err != nil {
		return err.Error()
	}
	return m.(*rfc3164.SyslogMessage).Timestamp.Format(time.RFC3339)
}

func main() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	const winter, summer, leap = "<13>Nov 30 16:42:41 host app: x", "<13>Jul  1 16:42:41 host app: x", "<13>Feb 29 16:42:41 host app: x"
	ok := true
	for _, c := range []struct{ what, got, want string }{
		{"WithTimezone, winter", read(winter, rfc3164.WithTimezone(berlin)), "2026-11-30T17:42:41+01:00"},
		{"WithTimezone, summer", read(summer, rfc3164.WithTimezone(berlin)), "2026-07-01T18:42:41+02:00"},
		{"WithLocaleTimezone, winter", read(winter, rfc3164.WithLocaleTimezone(berlin)), "2026-11-30T16:42:41+01:00"},
		{"no zone, leap day of no leap year", read(leap), "2026-03-01T16:42:41Z"},
	} {
		fmt.Printf("%-34s %s\n", c.what, c.got)
		if c.got != c.want {
			fmt.Printf("%-34s %s, as it was\n", "  is not", c.want)
			ok = false
		}
	}
	if !ok {
		os.Exit(1)
	}
}
GO

go mod init finding >/dev/null 2>&1
go get github.com/leodido/go-syslog/v4@v4.6.0 >/dev/null 2>&1
go run .
echo "go-syslog v4.6.0: WithTimezone shows UTC in a zone; a leap day of no leap year is the next day"
