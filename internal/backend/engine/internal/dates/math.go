package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
)

// Resolve reads a date or date math expression: `now-5m/m`, `2026-01-01||+1M/d`, or a plain date.
// Now is the instant of the request. Zone (nil is UTC) applies to dates without one and to rounding.
// RoundUp is for gt and lte: missing parts and rounding go to the last millisecond.
func (f *Format) Resolve(expr string, now time.Time, zone *time.Location, roundUp bool) (int64, error) {
	if zone == nil {
		zone = time.UTC
	}
	var start time.Time
	var ops string
	if rest, ok := strings.CutPrefix(expr, "now"); ok {
		start, ops = now.In(zone), rest
	} else {
		date, rest, math := strings.Cut(expr, "||")
		ms, err := f.Parse(date, zone, roundUp && !math)
		if err != nil {
			return 0, err
		}
		if !math {
			return ms, nil
		}
		start, ops = time.UnixMilli(ms).In(zone), rest
	}
	t, err := apply(start, ops, roundUp)
	if err != nil {
		return 0, fmt.Errorf("%w [%s]", err, ops)
	}
	return t.UnixMilli(), nil
}

func apply(t time.Time, ops string, roundUp bool) (time.Time, error) {
	for i := 0; i < len(ops); {
		op := ops[i]
		i++
		if op != '+' && op != '-' && op != '/' {
			return t, fmt.Errorf("operator not supported for date math")
		}
		start := i
		for i < len(ops) && ops[i] >= '0' && ops[i] <= '9' {
			i++
		}
		n := 1
		if i > start {
			var err error
			if n, err = strconv.Atoi(ops[start:i]); err != nil || n > 1_000_000_000 {
				return t, fmt.Errorf("number out of range")
			}
		}
		if i >= len(ops) {
			return t, fmt.Errorf("truncated date math")
		}
		unit := ops[i]
		i++
		switch {
		case op == '/' && n != 1:
			return t, fmt.Errorf("rounding `/` can only be used on single unit types")
		case op == '/' && unit == 'q': // a unit of histograms only
			return t, fmt.Errorf("unit [q] not supported for date math")
		case op == '/':
			floor, err := floorUnit(t, unit)
			if err != nil {
				return t, err
			}
			t = floor
			if roundUp {
				next, err := shift(floor, unit, 1)
				if err != nil {
					return t, err
				}
				t = next.Add(-time.Millisecond)
			}
		default:
			if op == '-' {
				n = -n
			}
			var err error
			if t, err = shift(t, unit, n); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

func shift(t time.Time, unit byte, n int) (time.Time, error) {
	switch unit {
	case 'y':
		return addMonths(t, 12*n), nil
	case 'M':
		return addMonths(t, n), nil
	case 'w':
		return t.AddDate(0, 0, 7*n), nil
	case 'd':
		return t.AddDate(0, 0, n), nil
	case 'h', 'H':
		return t.Add(time.Duration(n) * time.Hour), nil
	case 'm':
		return t.Add(time.Duration(n) * time.Minute), nil
	case 's':
		return t.Add(time.Duration(n) * time.Second), nil
	}
	return t, fmt.Errorf("unit [%c] not supported for date math", unit)
}

// addMonths keeps the day within the month: 31 January plus a month is the last of February.
func addMonths(t time.Time, n int) time.Time {
	next := t.AddDate(0, n, 0)
	if next.Day() != t.Day() {
		next = next.AddDate(0, 0, -next.Day())
	}
	return next
}

func floorUnit(t time.Time, unit byte) (time.Time, error) {
	y, mo, d := t.Date()
	switch unit {
	case 'y':
		return time.Date(y, 1, 1, 0, 0, 0, 0, t.Location()), nil
	case 'q':
		return time.Date(y, (mo-1)/3*3+1, 1, 0, 0, 0, 0, t.Location()), nil
	case 'M':
		return time.Date(y, mo, 1, 0, 0, 0, 0, t.Location()), nil
	case 'w':
		return time.Date(y, mo, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location()), nil
	case 'd':
		return time.Date(y, mo, d, 0, 0, 0, 0, t.Location()), nil
	case 'h', 'H':
		return floorOffset(t, time.Hour), nil
	case 'm':
		return floorOffset(t, time.Minute), nil
	case 's':
		return floorOffset(t, time.Second), nil
	}
	return t, fmt.Errorf("unit [%c] not supported for date math", unit)
}

// floorOffset rounds down in local time, so that half-hour zones round to their own full hours.
func floorOffset(t time.Time, unit time.Duration) time.Time {
	_, offset := t.Zone()
	ms := t.UnixMilli() + int64(offset)*1000
	step := unit.Milliseconds()
	return time.UnixMilli(floorDiv(ms, step)*step - int64(offset)*1000).In(t.Location())
}

// Interval is the width of a date_histogram: either a fixed number of milliseconds or a calendar unit.
type Interval struct {
	Fixed int64 // milliseconds; 0 for a calendar interval
	Unit  byte  // y q M w d h m of a calendar interval
}

// ParseFixed reads an interval such as 30s, 5m, 12h, 1d or 500ms.
func ParseFixed(s string) (Interval, error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	scale := map[string]int64{"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}[s[i:]]
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil || scale == 0 || n < 1 || n > 1<<53/scale {
		return Interval{}, fmt.Errorf("failed to parse setting [date_histogram.fixedInterval] with value [%s] as a time value: unit is missing or unrecognized", s)
	}
	return Interval{Fixed: n * scale}, nil
}

// ParseCalendar reads a calendar unit: 1m, minute, 1h, hour, 1d, day, 1w, week, 1M, month, 1q, quarter, 1y, year.
func ParseCalendar(s string) (Interval, error) {
	units := map[string]byte{
		"1m": 'm', "minute": 'm', "1h": 'h', "hour": 'h', "1d": 'd', "day": 'd', "1w": 'w', "week": 'w',
		"1M": 'M', "month": 'M', "1q": 'q', "quarter": 'q', "1y": 'y', "year": 'y',
	}
	unit, ok := units[s]
	if !ok {
		return Interval{}, eserr.IllegalArgument("The supplied interval [%s] could not be parsed as a calendar interval.", s)
	}
	return Interval{Unit: unit}, nil
}

// Floor returns the start of the bucket that holds the instant.
func (iv Interval) Floor(ms int64, zone *time.Location) int64 {
	if iv.Fixed > 0 {
		var offset int64
		if zone != nil && zone != time.UTC {
			_, seconds := time.UnixMilli(ms).In(zone).Zone()
			offset = int64(seconds) * 1000
		}
		return floorDiv(ms+offset, iv.Fixed)*iv.Fixed - offset
	}
	if zone == nil {
		zone = time.UTC
	}
	t, err := floorUnit(time.UnixMilli(ms).In(zone), iv.Unit)
	if err != nil {
		return ms // ParseCalendar lets no other unit in
	}
	return t.UnixMilli()
}

// Next returns the start of the bucket after the one that starts at ms.
func (iv Interval) Next(ms int64, zone *time.Location) int64 {
	if zone == nil {
		zone = time.UTC
	}
	if iv.Fixed > 0 {
		// A change of the offset makes one bucket longer or shorter; half a step in is always the next one.
		return iv.Floor(ms+iv.Fixed+min(iv.Fixed/2, 3_600_000), zone)
	}
	t := time.UnixMilli(ms).In(zone)
	switch iv.Unit {
	case 'q':
		return t.AddDate(0, 3, 0).UnixMilli()
	case 'y':
		return t.AddDate(1, 0, 0).UnixMilli()
	case 'M':
		return t.AddDate(0, 1, 0).UnixMilli()
	case 'w':
		return t.AddDate(0, 0, 7).UnixMilli()
	case 'd':
		return t.AddDate(0, 0, 1).UnixMilli()
	case 'h':
		return t.Add(time.Hour).UnixMilli()
	}
	return t.Add(time.Minute).UnixMilli()
}
