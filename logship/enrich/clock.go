package enrich

import "time"

// stampLayout is the fixed-width time of the contract without its milliseconds and zone.
const stampLayout = "2006-01-02T15:04:05"

// clock renders times and remembers the last second it rendered, because neighbouring lines share it.
type clock struct {
	second  int64
	text    []byte
	written [14]byte // how nginx wrote the second, when known
	known   bool
}

// appendStamp appends a time in milliseconds since 1970 as 2006-01-02T15:04:05.000Z.
func (c *clock) appendStamp(dst []byte, ms int64) []byte {
	second := ms / 1000
	if c.text == nil || second != c.second {
		c.second, c.known = second, false
		c.text = time.Unix(second, 0).UTC().AppendFormat(c.text[:0], stampLayout)
	}
	dst = append(dst, c.text...)
	rest := ms % 1000
	return append(dst, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10), 'Z')
}

// appendSeconds appends a time in seconds since 1970 with milliseconds, as nginx writes it in msec. ok is false when it is none, or
// later than the year 9999; then dst comes back unchanged.
func (c *clock) appendSeconds(dst, text []byte) (out []byte, ok bool) {
	if len(text) == len(c.written) && c.known && string(text[:11]) == string(c.written[:11]) &&
		digit(text[11]) && digit(text[12]) && digit(text[13]) {
		return append(append(dst, c.text...), '.', text[11], text[12], text[13], 'Z'), true
	}
	ms, ok := fixedPoint(text, 3)
	if !ok || ms >= maxStamp {
		return dst, false
	}
	dst = c.appendStamp(dst, ms)
	c.known = len(text) == len(c.written) && text[10] == '.'
	copy(c.written[:], text)
	return dst, true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// maxStamp is the first millisecond of the year 10000, which has no four-digit form.
const maxStamp = 253402300800000

// fixedPoint reads a decimal number without sign or exponent as an integer of 10^-scale; further digits are cut
// off. ok is false for anything else and for more than 18 digits.
func fixedPoint(text []byte, scale int) (n int64, ok bool) {
	var room [18]byte
	digits, ok := appendFixed(room[:0], text, scale)
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	return n, ok
}

// appendFixed appends what fixedPoint reads in its digits. When there is none, ok is false and dst comes back unchanged.
func appendFixed(dst, text []byte, scale int) (out []byte, ok bool) {
	start, digits, fraction, point := len(dst), 0, 0, false
	for _, c := range text {
		switch {
		case c == '.' && !point && digits > 0:
			point = true
			continue
		case !digit(c):
			return dst[:start], false
		case point && fraction == scale:
			continue
		case point:
			fraction++
		}
		if digits++; digits > 18 {
			return dst[:start], false
		}
		if c != '0' || len(dst) > start {
			dst = append(dst, c)
		}
	}
	if digits == 0 || digits+scale-fraction > 18 || text[len(text)-1] == '.' {
		return dst[:start], false
	}
	if len(dst) == start {
		return append(dst, '0'), true
	}
	for ; fraction < scale; fraction++ {
		dst = append(dst, '0')
	}
	return dst, true
}
