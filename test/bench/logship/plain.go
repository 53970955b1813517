package main

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// field is a value that the floor splices into documents.
type field uint8

const (
	fieldTimestamp field = iota
	fieldMsec
	fieldRemoteAddr
	fieldRequestTime
	fieldStatus
	fieldConnectTime
	fieldHeaderTime
	fieldResponseTime
	fields
)

// plain is the scanner of the floor: one pass over a flat object that checks its syntax and UTF-8 and notes the fields by their
// names. It has nothing of logship's scanner: it remembers nothing from line to line, and does not see a key that is there twice.
type plain struct {
	values [fields][]byte // without quotes; nil when the line does not have the field
	brace  int            // the closing one
}

// scan reports whether line is one JSON object.
func (p *plain) scan(line []byte) bool {
	p.values = [fields][]byte{}
	i := blank(line, 0)
	if i == len(line) || line[i] != '{' {
		return false
	}
	end, ok := p.object(line, i, true)
	p.brace = end - 1
	return ok && blank(line, end) == len(line)
}

// object checks the object at i; only those of the top level note fields.
func (p *plain) object(b []byte, i int, top bool) (int, bool) {
	if i = blank(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1, true
	}
	for {
		if i == len(b) || b[i] != '"' {
			return 0, false
		}
		end, ok := text(b, i)
		if !ok {
			return 0, false
		}
		key := b[i+1 : end-1]
		if i = blank(b, end); i == len(b) || b[i] != ':' {
			return 0, false
		}
		i = blank(b, i+1)
		if end, ok = p.value(b, i); !ok {
			return 0, false
		}
		if top {
			p.note(key, b[i:end])
		}
		if i = blank(b, end); i == len(b) {
			return 0, false
		}
		switch b[i] {
		case '}':
			return i + 1, true
		case ',':
			i = blank(b, i+1)
		default:
			return 0, false
		}
	}
}

func (p *plain) note(key, value []byte) {
	var f field
	switch string(key) {
	case "@timestamp":
		f = fieldTimestamp
	case "msec":
		f = fieldMsec
	case "remote_addr":
		f = fieldRemoteAddr
	case "request_time":
		f = fieldRequestTime
	case "http.response.status_code":
		f = fieldStatus
	case "upstream_connect_time":
		f = fieldConnectTime
	case "upstream_header_time":
		f = fieldHeaderTime
	case "upstream_response_time":
		f = fieldResponseTime
	default:
		return
	}
	if value[0] == '"' {
		value = value[1 : len(value)-1]
	}
	p.values[f] = value
}

func (p *plain) value(b []byte, i int) (int, bool) {
	if i == len(b) {
		return 0, false
	}
	switch b[i] {
	case '"':
		return text(b, i)
	case '{':
		return p.object(b, i, false)
	case '[':
		return p.array(b, i)
	case 't':
		return word(b, i, "true")
	case 'f':
		return word(b, i, "false")
	case 'n':
		return word(b, i, "null")
	}
	return number(b, i)
}

func (p *plain) array(b []byte, i int) (int, bool) {
	if i = blank(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, true
	}
	for {
		end, ok := p.value(b, i)
		if !ok {
			return 0, false
		}
		if i = blank(b, end); i == len(b) {
			return 0, false
		}
		switch b[i] {
		case ']':
			return i + 1, true
		case ',':
			i = blank(b, i+1)
		default:
			return 0, false
		}
	}
}

// text checks the string at i, eight bytes at a time while they are plain.
func text(b []byte, i int) (int, bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for i++; i < len(b); {
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^ones*'"', w^ones*'\\'
			odd := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*0x20)&^w | w) & highs
			if odd == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(odd) / 8
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, true
		case c == '\\':
			n := escape(b[i:])
			if n == 0 {
				return 0, false
			}
			i += n
		case c < ' ':
			return 0, false
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return 0, false
			}
			i += n
		}
	}
	return 0, false
}

// escape returns the length of an escape sequence, 0 when it is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if c |= 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

func number(b []byte, i int) (int, bool) {
	run := func() bool {
		from := i
		for i < len(b) && '0' <= b[i] && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !run() {
		return 0, false
	}
	if i < len(b) && b[i] == '.' {
		if i++; !run() {
			return 0, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !run() {
			return 0, false
		}
	}
	return i, true
}

func word(b []byte, i int, want string) (int, bool) {
	end := i + len(want)
	return end, end <= len(b) && string(b[i:end]) == want
}

func blank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}
