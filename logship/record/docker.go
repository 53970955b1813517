package record

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ParseDocker reads a line as the json-file driver of Docker writes it,
// `{"log":"text\n","stream":"stdout","time":"2006-01-02T15:04:05.000Z"}`, perhaps with attrs. A text without a line
// feed at its end goes on in the next line. scratch gets the text without escapes; the caller keeps it for the next
// call. ok is false when the line has not the form.
func ParseDocker(line, scratch []byte) (c CRI, out []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"log":"`))
	if !ok {
		return CRI{}, scratch, false
	}
	text, rest, ok := unescape(rest, scratch[:0])
	if !ok {
		return CRI{}, scratch, false
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"stream":"std`)); !ok {
		return CRI{}, text, false
	}
	switch {
	case bytes.HasPrefix(rest, []byte(`out"`)):
	case bytes.HasPrefix(rest, []byte(`err"`)):
		c.Stderr = true
	default:
		return CRI{}, text, false
	}
	at := bytes.LastIndex(rest, []byte(`,"time":"`))
	if at < 0 {
		return CRI{}, text, false
	}
	if c.Time, ok = bytes.CutSuffix(rest[at+len(`,"time":"`):], []byte(`"}`)); !ok || !plausibleTime(c.Time) {
		return CRI{}, text, false
	}
	whole, ended := bytes.CutSuffix(text, []byte{'\n'})
	c.Content, c.Partial = whole, !ended
	return c, text, true
}

// unescape reads the inside of a JSON string up to its closing quote. It appends the text to dst and returns what
// follows the quote.
func unescape(text, dst []byte) (out, rest []byte, ok bool) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			return dst, text[i+1:], true
		case c < 0x20:
			return dst, nil, false
		case c != '\\':
			dst = append(dst, c)
			i++
		default:
			n := escape(text[i:])
			if n == 0 {
				return dst, nil, false
			}
			if n == 2 {
				dst = append(dst, simpleEscape(text[i+1]))
				i += n
				continue
			}
			r := hexRune(text[i+2:])
			i += n
			if utf16.IsSurrogate(r) {
				second := utf8.RuneError
				if escape(text[i:]) == 6 {
					second = utf16.DecodeRune(r, hexRune(text[i+2:]))
				}
				if r = second; r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst, nil, false
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// hexRune reads the four hexadecimal digits of an escape that was checked.
func hexRune(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}
