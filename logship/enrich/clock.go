package enrich

import "time"

// stampLayout is the fixed-width time of the contract without its milliseconds and zone.
const stampLayout = "2006-01-02T15:04:05"

// clock renders times and remembers the last second it rendered, because neighbouring lines share it.
type clock struct {
	second int64
	text   []byte
}

// appendStamp appends a time in milliseconds since 1970 as 2006-01-02T15:04:05.000Z.
func (c *clock) appendStamp(dst []byte, ms int64) []byte {
	second := ms / 1000
	if c.text == nil || second != c.second {
		c.second = second
		c.text = time.Unix(second, 0).UTC().AppendFormat(c.text[:0], stampLayout)
	}
	dst = append(dst, c.text...)
	rest := ms % 1000
	return append(dst, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10), 'Z')
}

// maxStamp is the first millisecond of the year 10000, which has no four-digit form.
const maxStamp = 253402300800000

// fixedPoint reads a decimal number without sign or exponent as an integer of 10^-scale; further digits are cut
// off. ok is false for anything else and for more than 18 digits.
func fixedPoint(text []byte, scale int) (n int64, ok bool) {
	digits, fraction, point := 0, 0, false
	for _, c := range text {
		switch {
		case c == '.' && !point && digits > 0:
			point = true
		case c < '0' || c > '9':
			return 0, false
		case point && fraction == scale:
			// below the resolution
		default:
			if digits++; digits > 18 {
				return 0, false
			}
			n = n*10 + int64(c-'0')
			if point {
				fraction++
			}
		}
	}
	for ; fraction < scale; fraction++ {
		if digits++; digits > 18 {
			return 0, false
		}
		n *= 10
	}
	return n, len(text) > 0 && text[len(text)-1] != '.'
}
