package mongod

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

func dateOperators() []entry[operatorParser] {
	part := func(name string, of func(t time.Time) int) entry[operatorParser] {
		return entry[operatorParser]{name: name, parse: datePart(of)}
	}
	return []entry[operatorParser]{
		part("$year", time.Time.Year),
		part("$month", func(t time.Time) int { return int(t.Month()) }),
		part("$dayOfMonth", time.Time.Day),
		part("$dayOfYear", time.Time.YearDay),
		part("$dayOfWeek", func(t time.Time) int { return int(t.Weekday()) + 1 }),
		part("$hour", time.Time.Hour),
		part("$minute", time.Time.Minute),
		part("$second", time.Time.Second),
		part("$millisecond", func(t time.Time) int { return t.Nanosecond() / 1e6 }),
		{name: "$dateToString", parse: parseDateToString},
		{name: "$dateTrunc", parse: parseDateTrunc},
		{name: "$dateAdd", parse: parseDateAdd},
		{name: "$dateSubtract", parse: parseDateAdd},
		{name: "$dateDiff", parse: parseDateDiff},
	}
}

// timeOf reads a date, an ObjectID or a timestamp as a time in UTC.
func timeOf(v value) (time.Time, error) {
	switch v.kind {
	case kindDate:
		return time.UnixMilli(v.int64()).UTC(), nil
	case kindObjectID:
		return time.Unix(int64(binary.BigEndian.Uint32(v.data)), 0).UTC(), nil
	case kindTimestamp:
		return time.Unix(int64(binary.LittleEndian.Uint32(v.data[4:])), 0).UTC(), nil
	default:
		return time.Time{}, failure(16006, "can't convert from BSON type %s to Date", kindName(v.kind))
	}
}

func isoDate(v value) string {
	return time.UnixMilli(v.int64()).UTC().Format("2006-01-02T15:04:05.000Z")
}

// zone reads a time zone: UTC, an offset such as +02:00, or a name of the tz database.
func zone(v value) (*time.Location, error) {
	if v.kind != kindString {
		return nil, failure(40517, "timezone must evaluate to a string, found %s", kindName(v.kind))
	}
	name := v.text()
	if name == "Z" || name == "UTC" || name == "GMT" {
		return time.UTC, nil
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, offset := t.Zone()
			return time.FixedZone(name, offset), nil
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, failure(40485, "unrecognized time zone identifier: %q", name)
	}
	return loc, nil
}

// inZone evaluates a date and its optional time zone; null is true when one of them is null.
func inZone(s *scope, date, timezone expression) (t time.Time, null bool, err error) {
	v, err := date(s)
	if err != nil {
		return t, false, err
	}
	tz, err := optional(s, timezone, stringValue("UTC"))
	if err != nil || isNull(v) || isNull(tz) {
		return t, true, err
	}
	loc, err := zone(tz)
	if err != nil {
		return t, false, err
	}
	if t, err = timeOf(v); err != nil {
		return t, false, err
	}
	return t.In(loc), false, nil
}

// datePart takes a date, or {date: …, timezone: …}.
func datePart(of func(t time.Time) int) operatorParser {
	return func(p exprParser, name string, arg value) (expression, error) {
		var date, timezone expression
		if arg.kind == kindDocument && !isOperators(arg) {
			for _, f := range documentFields(arg.document()) {
				if f.name != "date" && f.name != "timezone" {
					return nil, failure(40535, "unrecognized option to %s: \"%s\"", name, f.name)
				}
			}
			args, err := p.namedArguments(name, arg, 40535, []string{"date", "timezone"}, nil)
			if err != nil {
				return nil, err
			}
			if args["date"] == nil {
				return nil, failure(40539, "missing 'date' argument to %s, provided: %s: %s", name, name, arg)
			}
			date, timezone = args["date"], args["timezone"]
		} else {
			if arg.kind == kindArray && len(arg.elements()) != 1 {
				return nil, failure(40536, "%s accepts exactly one argument if given an array, but was given %d", name, len(arg.elements()))
			}
			args, err := p.operands(name, arg, 1, 1)
			if err != nil {
				return nil, err
			}
			date = args[0]
		}
		return func(s *scope) (value, error) {
			t, null, err := inZone(s, date, timezone)
			if err != nil || null {
				return nullValue(), err
			}
			return int32Value(int32(of(t))), nil
		}, nil
	}
}

func parseDateToString(p exprParser, name string, arg value) (expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(18629, "%s only supports an object as its argument", name)
	}
	args, err := p.namedArguments(name, arg, 18534, []string{"format", "date", "timezone", "onNull"}, nil)
	if err != nil {
		return nil, err
	}
	if args["date"] == nil {
		return nil, failure(18628, "Missing 'date' parameter to %s", name)
	}
	if format := arg.document().get("format"); format.kind == kindString && !strings.HasPrefix(format.text(), "$") {
		if _, err := formatDate(time.Time{}, format.text()); err != nil {
			return nil, constantFailure(err)
		}
	}
	return func(s *scope) (value, error) {
		t, null, err := inZone(s, args["date"], args["timezone"])
		if err != nil {
			return value{}, err
		}
		if null {
			return optional(s, args["onNull"], nullValue())
		}
		layout := "%Y-%m-%dT%H:%M:%S.%L"
		if t.Location() == time.UTC {
			layout += "Z"
		}
		format, err := optional(s, args["format"], stringValue(layout))
		switch {
		case err != nil || isNull(format):
			return nullValue(), err
		case format.kind != kindString:
			return value{}, failure(18533, "%s requires that 'format' be a string, found: %s with value %s", name, kindName(format.kind), format)
		}
		text, err := formatDate(t, format.text())
		return stringValue(text), err
	}, nil
}

func formatDate(t time.Time, format string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", failure(18535, "Unmatched '%%' at end of format string")
		}
		isoYear, isoWeek := t.ISOWeek()
		_, offset := t.Zone()
		switch format[i] {
		case '%':
			b.WriteByte('%')
		case 'Y':
			fmt.Fprintf(&b, "%04d", t.Year())
		case 'm':
			fmt.Fprintf(&b, "%02d", t.Month())
		case 'd':
			fmt.Fprintf(&b, "%02d", t.Day())
		case 'H':
			fmt.Fprintf(&b, "%02d", t.Hour())
		case 'M':
			fmt.Fprintf(&b, "%02d", t.Minute())
		case 'S':
			fmt.Fprintf(&b, "%02d", t.Second())
		case 'L':
			fmt.Fprintf(&b, "%03d", t.Nanosecond()/1e6)
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'w':
			fmt.Fprintf(&b, "%d", t.Weekday()+1)
		case 'u':
			fmt.Fprintf(&b, "%d", (t.Weekday()+6)%7+1)
		case 'U':
			fmt.Fprintf(&b, "%02d", (t.YearDay()+6-int(t.Weekday()))/7)
		case 'V':
			fmt.Fprintf(&b, "%02d", isoWeek)
		case 'G':
			fmt.Fprintf(&b, "%04d", isoYear)
		case 'b':
			b.WriteString(t.Month().String()[:3])
		case 'B':
			b.WriteString(t.Month().String())
		case 'z':
			b.WriteString(t.Format("-0700"))
		case 'Z':
			fmt.Fprintf(&b, "%+d", offset/60)
		default:
			return "", failure(18536, "Invalid format character '%%%c' in format string", format[i])
		}
	}
	return b.String(), nil
}
