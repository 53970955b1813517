// Package dates parses, formats and rounds dates as Elasticsearch does.
//
// Instants are milliseconds since 1970 in UTC; what is finer is cut off, as the date field type does.
// Formats are named ones (strict_date_optional_time, epoch_millis, ...) or Java patterns made of the common
// letters; several are joined by || and tried in order, the first one prints.
package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	_ "time/tzdata" // named zones must work on a bare machine

	"kreislauf/internal/backend/engine/internal/eserr"
)

// DefaultFormat is the format of a date field without one.
const DefaultFormat = "strict_date_optional_time||epoch_millis"

// Format is one parsed format specification. It is immutable.
type Format struct {
	Spec  string
	parts []part
}

type part struct {
	kind   kind
	layout string // of kind pattern, a Go layout
	coarse bool   // a pattern without hours: rounding up goes to the end of the day
}

type kind uint8

const (
	optionalTime kind = iota
	epochMillis
	epochSecond
	pattern
)

// MustDefault returns the default format.
func MustDefault() *Format {
	return &Format{Spec: DefaultFormat, parts: []part{{kind: optionalTime}, {kind: epochMillis}}}
}

// ParseFormat reads a format specification such as "yyyy-MM-dd||epoch_millis".
func ParseFormat(spec string) (*Format, error) {
	f := &Format{Spec: spec}
	for name := range strings.SplitSeq(spec, "||") {
		p, err := parsePart(strings.TrimSpace(name))
		if err != nil {
			return nil, eserr.IllegalArgument("Invalid format: [%s]: %s", spec, eserr.From(err).Reason)
		}
		f.parts = append(f.parts, p)
	}
	return f, nil
}

func parsePart(name string) (part, error) {
	switch name {
	case "strict_date_optional_time", "date_optional_time", "strict_date_optional_time_nanos", "iso8601":
		return part{kind: optionalTime}, nil
	case "epoch_millis":
		return part{kind: epochMillis}, nil
	case "epoch_second":
		return part{kind: epochSecond}, nil
	case "date", "strict_date":
		name = "yyyy-MM-dd"
	case "date_time", "strict_date_time":
		name = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
	case "date_time_no_millis", "strict_date_time_no_millis":
		name = "yyyy-MM-dd'T'HH:mm:ssXXX"
	case "date_hour_minute_second", "strict_date_hour_minute_second":
		name = "yyyy-MM-dd'T'HH:mm:ss"
	case "basic_date":
		name = "yyyyMMdd"
	case "year_month", "strict_year_month":
		name = "yyyy-MM"
	case "year", "strict_year":
		name = "yyyy"
	}
	layout, err := goLayout(name)
	return part{kind: pattern, layout: layout, coarse: !strings.Contains(layout, "15") && !strings.Contains(layout, "03")}, err
}

// goLayout translates a Java date pattern; letters without an equal meaning in Go are refused.
func goLayout(java string) (string, error) {
	known := map[string]string{
		"yyyy": "2006", "uuuu": "2006", "yy": "06", "MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1",
		"dd": "02", "d": "2", "HH": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5",
		"S": "0", "SS": "00", "SSS": "000", "SSSSSS": "000000", "SSSSSSSSS": "000000000", "a": "PM", "EEE": "Mon", "E": "Mon", "EEEE": "Monday",
		"XXX": "Z07:00", "XX": "Z0700", "X": "Z07", "xxx": "-07:00", "xx": "-0700", "Z": "-0700", "z": "MST",
	}
	var b strings.Builder
	for i := 0; i < len(java); {
		c := java[i]
		if c == '\'' {
			end := strings.IndexByte(java[i+1:], '\'')
			if end < 0 {
				return "", fmt.Errorf("unterminated quote")
			}
			b.WriteString(java[i+1 : i+1+end])
			i += end + 2
			continue
		}
		if c >= '0' && c <= '9' {
			return "", fmt.Errorf("digits are not supported in a pattern")
		}
		if (c|0x20) < 'a' || (c|0x20) > 'z' {
			b.WriteByte(c)
			i++
			continue
		}
		n := 1
		for i+n < len(java) && java[i+n] == c {
			n++
		}
		layout, ok := known[java[i:i+n]]
		if !ok {
			return "", eserr.IllegalArgument("Unknown pattern letter: %s", java[i:i+n])
		}
		b.WriteString(layout)
		i += n
	}
	return b.String(), nil
}

// Parse reads a date. Zone applies where the text has none (nil is UTC). RoundUp fills missing hours, minutes,
// seconds and milliseconds with their largest value instead of zero.
func (f *Format) Parse(s string, zone *time.Location, roundUp bool) (int64, error) {
	if zone == nil {
		zone = time.UTC
	}
	for _, p := range f.parts {
		if ms, ok := p.parse(s, zone, roundUp); ok {
			return ms, nil
		}
	}
	return 0, fmt.Errorf("failed to parse date field [%s] with format [%s]", s, f.Spec)
}

func (p part) parse(s string, zone *time.Location, roundUp bool) (int64, bool) {
	switch p.kind {
	case optionalTime:
		return parseOptionalTime(s, zone, roundUp)
	case epochMillis, epochSecond:
		scale := 1.0
		if p.kind == epochSecond {
			scale = 1000
		}
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i * int64(scale), i < 1<<53 && i > -1<<53
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f > 1<<53 || f < -1<<53 || strings.ContainsAny(s, "eExXnN") {
			return 0, false
		}
		return int64(f * scale), true
	}
	t, err := time.ParseInLocation(p.layout, s, zone)
	if err != nil {
		return 0, false
	}
	ms := t.UnixMilli()
	if roundUp && p.coarse {
		ms = t.AddDate(0, 0, 1).UnixMilli() - 1
	} else if roundUp && !strings.Contains(p.layout, ".0") {
		ms += 999
	}
	return ms, true
}

// parseOptionalTime reads yyyy[-MM[-dd[THH[:mm[:ss[.S]]][zone]]]].
func parseOptionalTime(s string, zone *time.Location, roundUp bool) (int64, bool) {
	in := scanner{rest: s}
	f := [7]int{0, 1, 1, 0, 0, 0, 0}
	if roundUp {
		f = [7]int{0, 1, 1, 23, 59, 59, 999_999_999}
	}
	if !in.number(4, &f[0]) {
		return 0, false
	}
	ok := true
	step := func(sep byte, i int) bool {
		if !ok || !in.accept(sep) {
			return false
		}
		ok = in.number(2, &f[i])
		return ok
	}
	if step('-', 1) && step('-', 2) && in.accept('T') && in.rest != "" {
		if ok = in.number(2, &f[3]); ok && step(':', 4) && step(':', 5) && (in.accept('.') || in.accept(',')) {
			ok = in.fraction(&f[6])
		}
		if ok && in.rest != "" {
			var err error
			if zone, err = ParseZone(in.rest); err != nil {
				return 0, false
			}
			in.rest = ""
		}
	}
	if !ok || in.rest != "" || f[1] < 1 || f[1] > 12 || f[3] > 23 || f[4] > 59 || f[5] > 59 {
		return 0, false
	}
	t := time.Date(f[0], time.Month(f[1]), f[2], f[3], f[4], f[5], f[6], zone)
	if f[2] < 1 || f[2] > 31 || int(t.Month()) != f[1] && f[3] == t.Hour() {
		return 0, false // such as 30 February
	}
	return t.UnixMilli(), true
}

type scanner struct{ rest string }

func (s *scanner) accept(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) number(digits int, into *int) bool {
	if len(s.rest) < digits {
		return false
	}
	n := 0
	for i := range digits {
		c := s.rest[i]
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	*into, s.rest = n, s.rest[digits:]
	return true
}

func (s *scanner) fraction(nanos *int) bool {
	n, scale, i := 0, 100_000_000, 0
	for ; i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9'; i++ {
		n += int(s.rest[i]-'0') * scale
		scale /= 10
	}
	*nanos, s.rest = n, s.rest[i:]
	return i >= 1 && i <= 9
}

// ParseZone reads Z, UTC, +01, +0100, +01:00 or a zone name such as Europe/Berlin.
func ParseZone(s string) (*time.Location, error) {
	if s == "Z" || s == "UTC" || s == "GMT" {
		return time.UTC, nil
	}
	if s != "" && (s[0] == '+' || s[0] == '-') {
		digits := strings.Replace(s[1:], ":", "", 1)
		n, err := strconv.Atoi(digits)
		if err != nil || len(digits) != 2 && len(digits) != 4 || digits[0] == '+' || digits[0] == '-' {
			return nil, eserr.IllegalArgument("Invalid ID for ZoneOffset, invalid format: %s", s)
		}
		if len(digits) == 2 {
			n *= 100
		}
		seconds := n/100*3600 + n%100*60
		if n/100 > 18 || n%100 > 59 {
			return nil, eserr.IllegalArgument("Zone offset not in valid range: -18:00 to +18:00")
		}
		if s[0] == '-' {
			seconds = -seconds
		}
		return time.FixedZone(s, seconds), nil
	}
	if s == "" || s == "Local" {
		return nil, eserr.IllegalArgument("Unknown time-zone ID: %s", s)
	}
	loc, err := time.LoadLocation(s)
	if err != nil {
		return nil, eserr.IllegalArgument("Unknown time-zone ID: %s", s)
	}
	return loc, nil
}

// Print writes an instant in the first format of the specification.
func (f *Format) Print(ms int64, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	switch p := f.parts[0]; p.kind {
	case epochMillis:
		return strconv.FormatInt(ms, 10)
	case epochSecond:
		return strconv.FormatInt(floorDiv(ms, 1000), 10)
	case optionalTime:
		return time.UnixMilli(ms).In(zone).Format("2006-01-02T15:04:05.000Z07:00")
	default:
		return time.UnixMilli(ms).In(zone).Format(p.layout)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
