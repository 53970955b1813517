package enrich

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// appendEscaped appends text as the inside of a JSON string. Invalid UTF-8 becomes U+FFFD; NUL bytes, which say
// nothing but that a writer left a hole, are left out.
func appendEscaped(dst, text []byte) []byte {
	plain := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		dst = append(dst, text[plain:i]...)
		i++
		plain = i
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		case c == 0:
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, text[plain:]...)
}

// appendField appends `,"name":"value"` with value escaped.
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	dst = appendEscaped(dst, []byte(value))
	return append(dst, '"')
}
