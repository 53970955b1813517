#!/usr/bin/env bash
# github.com/rickar/cal/v2 v2.1.13, package de: the lists of two states lack a public holiday each.
#
# Guessed: HolidaysMV and HolidaysBY are the public holidays of Mecklenburg-Vorpommern and Bayern.
# Seen:    8 March (Frauentag, a public holiday of Mecklenburg-Vorpommern since 2023) is a working day there, and 15 August
#          (Mariä Himmelfahrt, a public holiday in most municipalities of Bayern) one in Bayern. Both holidays are defined in the
#          package and used for other states (Berlin, Saarland). Before 2023 there is nothing to notice in Mecklenburg-Vorpommern, so an
#          old test passes.
# Matters: collection dates, deadlines and "next working day" come out a day early, in two states only and on one day of the year.
#
# Versions: cal v2.1.13; compared with the PyPI package holidays 0.80, which knows both days.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"fmt"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
)

func main() {
	for _, c := range []struct {
		state string
		list  []*cal.Holiday
		day   time.Time
	}{
		{"BE", de.HolidaysBE, time.Date(2027, 3, 8, 12, 0, 0, 0, time.UTC)},
		{"MV", de.HolidaysMV, time.Date(2027, 3, 8, 12, 0, 0, 0, time.UTC)},
		{"SL", de.HolidaysSL, time.Date(2028, 8, 15, 12, 0, 0, 0, time.UTC)},
		{"BY", de.HolidaysBY, time.Date(2028, 8, 15, 12, 0, 0, 0, time.UTC)},
	} {
		business := cal.NewBusinessCalendar()
		business.AddHoliday(c.list...)
		kind := "holiday"
		if business.IsWorkday(c.day) {
			kind = "working day"
		}
		fmt.Println(c.state, c.day.Format(time.DateOnly), kind)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/rickar/cal/v2@v2.1.13 2>/dev/null
seen=$(go run .)

python3 -m venv venv
venv/bin/pip install --quiet holidays==0.80
peer=$(venv/bin/python - <<'EOF'
import holidays
for state, day in (("BE", "2027-03-08"), ("MV", "2027-03-08"), ("SL", "2028-08-15"), ("BY", "2028-08-15")):
    catholic = (holidays.PUBLIC, holidays.CATHOLIC) if state == "BY" else (holidays.PUBLIC,)
    known = holidays.Germany(subdiv=state, categories=catholic)
    print(state, day, "holiday" if day in known else "working day")
EOF
)

expected='BE 2027-03-08 holiday
MV 2027-03-08 working day
SL 2028-08-15 holiday
BY 2028-08-15 working day'
expected_peer='BE 2027-03-08 holiday
MV 2027-03-08 holiday
SL 2028-08-15 holiday
BY 2028-08-15 holiday'
echo "version: $(go list -m github.com/rickar/cal/v2), holidays 0.80 (PyPI)"
echo "guessed: all four are holidays, as the PyPI package says: ${peer//$'\n'/, }"
echo "seen:    ${seen//$'\n'/, }"
[ "$seen" = "$expected" ] && [ "$peer" = "$expected_peer" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
