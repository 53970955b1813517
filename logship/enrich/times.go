package enrich

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

const (
	// earliest is the first second of a time that is believed: 2000-01-01. Times before it are those of a machine without a clock.
	earliest = 946684800
	// ahead is how far a time may be after that of reading: time zones that are not written, clocks that are not set well.
	ahead = 24 * time.Hour
)

// believed reports whether a line can have been written at a time.
func (b *Builder) believed(second int64) bool {
	return second >= earliest && second*1000 <= b.nowMS+ahead.Milliseconds()
}

// appendBelieved appends the time of a line of text, in milliseconds since 1970, and the quote behind it. When it cannot be believed
// that is the time of reading, followed by the time as it is written.
func (b *Builder) appendBelieved(dst []byte, ms int64, written []byte) (out []byte, ok bool) {
	if b.believed(ms / 1000) {
		return append(b.clock.appendStamp(dst, ms), '"'), true
	}
	dst = append(append(dst, b.now...), `","event.original_time":"`...)
	return append(appendEscaped(dst, written), '"'), false
}

// usual reports whether the value of @timestamp is a time in the form 2006-01-02T15:04:05.000Z, perhaps with another number of digits
// or another zone, that can be believed. Neighbouring lines have the same second, so it is remembered.
func (b *Builder) usual(value []byte) bool {
	const second = len(stampLayout)
	if len(value) < second+3 || len(value) > second+20 || value[0] != '"' {
		return false
	}
	if string(value[1:second+1]) != string(b.second[:]) {
		at, err := time.Parse(stampLayout, string(value[1:second+1]))
		if err != nil || !b.believed(at.Unix()) {
			return false
		}
		copy(b.second[:], value[1:])
	}
	return zoned(value[second+1 : len(value)-1])
}

// zoned reports whether text is what may follow the second of a time: .123Z, Z, +01:00.
func zoned(text []byte) bool {
	if text[0] == '.' {
		i := 1
		for i < len(text) && digit(text[i]) {
			i++
		}
		if i == 1 || i > 10 {
			return false
		}
		text = text[i:]
	}
	if len(text) == 1 {
		return text[0] == 'Z'
	}
	return len(text) == 6 && (text[0] == '+' || text[0] == '-') && digit(text[1]) && digit(text[2]) && text[3] == ':' && digit(text[4]) && digit(text[5])
}

// instant is a time: seconds since 1970 and nanoseconds.
type instant struct{ second, nano int64 }

// appendInstant appends a time with as many digits as it needs, at least milliseconds.
func (b *Builder) appendInstant(dst []byte, at instant) []byte {
	dst = b.clock.appendStamp(dst, at.second*1000+at.nano/1e6)
	rest := at.nano % 1e6
	if rest == 0 {
		return dst
	}
	dst = dst[:len(dst)-1]
	width := int64(1e5)
	if rest%1000 == 0 {
		rest, width = rest/1000, 100
	}
	for ; width > 0; width /= 10 {
		dst = append(dst, byte('0'+rest/width%10))
	}
	return append(dst, 'Z')
}

// parseTime reads a JSON value as a time. A number without a form is in seconds, milli-, micro- or nanoseconds, by its size. Text
// without a zone is in the local one. ok is false when it is none that can be believed.
func (b *Builder) parseTime(value []byte, form string) (at instant, ok bool) {
	text := value
	if value[0] == '"' {
		text = value[1 : len(value)-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			var plain string
			if json.Unmarshal(value, &plain) != nil {
				return at, false
			}
			text = []byte(plain)
		}
	}
	text = bytes.TrimSpace(text)
	switch form {
	case "":
		if at, ok = parseEpoch(text, 0); !ok {
			if at, ok = b.parseISO(text); !ok {
				at, ok = b.parseLayouts(text)
			}
		}
	case formUnix:
		at, ok = parseEpoch(text, 1)
	case formUnixMS:
		at, ok = parseEpoch(text, 1e3)
	case formUnixUS:
		at, ok = parseEpoch(text, 1e6)
	case formUnixNS:
		at, ok = parseEpoch(text, 1e9)
	case formISO:
		at, ok = b.parseISO(text)
	default:
		at, ok = b.parseLayout(form, string(text))
	}
	return at, ok && b.believed(at.second)
}

// parseEpoch reads a decimal number of which unit are a second; 0 finds the unit by the size of the number.
func parseEpoch(text []byte, unit int64) (at instant, ok bool) {
	if len(text) == 0 || !digit(text[0]) {
		return at, false
	}
	whole, i := int64(0), 0
	for ; i < len(text) && digit(text[i]); i++ {
		if whole > 9e17-1 {
			return at, false
		}
		whole = whole*10 + int64(text[i]-'0')
	}
	fraction, scale := int64(0), int64(1e9)
	if i < len(text) && text[i] == '.' {
		for i++; i < len(text) && digit(text[i]); i++ {
			if scale > 1 {
				fraction, scale = fraction*10+int64(text[i]-'0'), scale/10
			}
		}
	}
	fraction *= scale // 10^-9 of a unit
	if i < len(text) {
		f, err := strconv.ParseFloat(string(text), 64)
		if err != nil || text[i]|0x20 != 'e' || !(f < 1e18) {
			return at, false
		}
		whole, fraction = int64(f), int64((f-float64(int64(f)))*1e9)
	}
	if unit == 0 {
		switch {
		case whole < 1e11:
			unit = 1
		case whole < 1e14:
			unit = 1e3
		case whole < 1e17:
			unit = 1e6
		default:
			unit = 1e9
		}
	}
	return instant{whole / unit, whole%unit*(1e9/unit) + fraction/unit}, true
}

// parseISO reads 2006-01-02T15:04:05 with a space or a T, digits of the second behind a point or a comma, and a zone with or without
// a colon, or none.
func (b *Builder) parseISO(text []byte) (at instant, ok bool) {
	const size = len(stampLayout)
	if len(text) < size || text[4] != '-' || text[7] != '-' || text[10]|0x20 != 't' && text[10] != ' ' || text[13] != ':' || text[16] != ':' {
		return at, false
	}
	var part [6]int // year, month, day, hour, minute, second
	for i, span := range [...][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		for _, c := range text[span[0]:span[1]] {
			if !digit(c) {
				return at, false
			}
			part[i] = part[i]*10 + int(c-'0')
		}
	}
	rest := text[size:]
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
		scale := int64(1e9)
		for rest = rest[1:]; len(rest) > 0 && digit(rest[0]); rest = rest[1:] {
			if scale > 1 {
				at.nano, scale = at.nano*10+int64(rest[0]-'0'), scale/10
			}
		}
		at.nano *= scale
	}
	zone, offset := time.UTC, 0
	switch rest = bytes.TrimLeft(rest, " "); {
	case len(rest) == 0:
		zone = b.zone
	case string(rest) == "Z" || string(rest) == "z" || string(rest) == "UTC":
	case rest[0] == '+' || rest[0] == '-':
		if offset, ok = parseOffset(rest); !ok {
			return at, false
		}
	default:
		return at, false
	}
	if zone == nil {
		zone = time.UTC
	}
	day := time.Date(part[0], time.Month(part[1]), part[2], part[3], part[4], part[5], 0, zone)
	if part[1] < 1 || part[1] > 12 || day.Day() != part[2] && part[3] < 24 || part[3] > 23 || part[4] > 59 || part[5] > 60 {
		return at, false
	}
	at.second = day.Unix() - int64(offset)
	return at, true
}

// parseOffset reads +01:00, +0100 or +01 as seconds.
func parseOffset(text []byte) (seconds int, ok bool) {
	digits := bytes.Replace(text[1:], []byte{':'}, nil, 1)
	if len(digits) == 2 {
		digits = append(digits[:2:2], '0', '0')
	}
	if n, isNumber := fixedPoint(digits, 0); isNumber && len(digits) == 4 && n/100 < 24 && n%100 < 60 {
		seconds = int(n/100*3600 + n%100*60)
		if text[0] == '-' {
			seconds = -seconds
		}
		return seconds, true
	}
	return 0, false
}

// parseLayouts tries what else is written in practice.
func (b *Builder) parseLayouts(text []byte) (at instant, ok bool) {
	if len(text) == len(accessTime) {
		if ms, ok := parseAccessTime(text); ok {
			return instant{ms / 1000, ms % 1000 * 1e6}, true
		}
	}
	if len(text) < 15 || len(text) > 40 {
		return at, false
	}
	for _, layout := range [...]string{"2006/01/02 15:04:05.999999999", time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate, "20060102T150405Z0700"} {
		if at, ok = b.parseLayout(layout, string(text)); ok {
			return at, true
		}
	}
	return at, false
}

func (b *Builder) parseLayout(layout, text string) (at instant, ok bool) {
	zone := b.zone
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(layout, text, zone)
	if err != nil {
		return at, false
	}
	if t.Year() == 0 { // the layout has none
		t = t.AddDate(time.UnixMilli(b.nowMS).In(zone).Year(), 0, 0)
		if !b.believed(t.Unix()) {
			t = t.AddDate(-1, 0, 0)
		}
	}
	return instant{t.Unix(), int64(t.Nanosecond())}, true
}
