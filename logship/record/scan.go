package record

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Fault says what is wrong with a line.
type Fault uint8

// The faults, in the order in which they hide each other: a syntax error hides the rest.
const (
	OK           Fault = iota
	NotObject          // valid JSON, but no object
	Syntax             // not JSON
	TooDeep            // nested deeper than 64
	InvalidUTF8        // JSON but for invalid UTF-8 inside a string
	DuplicateKey       // one object has the same key twice
)

// maxDepth is the deepest nesting accepted; the state of a level is one bit.
const maxDepth = 64

// maxPath bounds the dotted path of a nested key that can be known, in bytes.
const maxPath = 64

// Span is a value inside the line: its first byte and the byte after it. Strings include their quotes.
type Span struct{ Start, End uint32 }

// Line is what Scan found. The zero value is ready; reuse it for the next line.
type Line struct {
	// Brace is the offset of the closing brace of the object.
	Brace int
	// Empty says that the object has no member.
	Empty bool

	present uint64
	spans   [numKeys]Span
	names   *Names
	notes   []Note
	lone    bool // half of a surrogate pair stands alone in a string
	count   int  // top-level members
	seen    memberSet
	shapes  shapeTree
	members [memberLimit]Span // the top-level keys of this line, without their quotes
	last    Span              // the key that topKey read
	path    [maxPath]byte
	badUTF8 bool
	dup     bool
}

// Has reports whether the line has the key.
func (l *Line) Has(k Key) bool { return l.present&(1<<k) != 0 }

// Which returns those of the keys that the line has.
func (l *Line) Which(keys Keys) Keys { return Keys(l.present) & keys }

// Raw returns the bytes of the key's value as written, nil when the line does not have it.
func (l *Line) Raw(line []byte, k Key) []byte {
	if !l.Has(k) {
		return nil
	}
	s := l.spans[k]
	return line[s.Start:s.End]
}

// Text returns the value without its quotes, escapes untouched. A value that is no string is returned as written.
func (l *Line) Text(line []byte, k Key) []byte {
	v := l.Raw(line, k)
	if len(v) >= 2 && v[0] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}

// IsString reports whether the key's value is a string.
func (l *Line) IsString(line []byte, k Key) bool {
	v := l.Raw(line, k)
	return len(v) >= 2 && v[0] == '"'
}

// Scan validates line as one JSON object, surrounded by nothing but white space, and notes the known keys.
// line must be shorter than 4 GiB.
func (l *Line) Scan(line []byte) Fault {
	l.present, l.Brace, l.Empty, l.badUTF8, l.dup, l.lone = 0, 0, false, false, false, false
	l.notes = l.notes[:0]
	l.seen.reset()
	l.shapes.reset()
	i := skipSpace(line, 0)
	if i >= len(line) {
		return Syntax
	}
	object := line[i] == '{'
	var end int
	var fault Fault
	if object {
		end, fault = l.top(line, i)
		l.Brace = end - 1
	} else {
		end, fault = l.value(line, i, 0, -1)
	}
	if fault != OK {
		return fault
	}
	if skipSpace(line, end) != len(line) {
		return Syntax
	}
	switch {
	case !object:
		return NotObject
	case l.badUTF8:
		return InvalidUTF8
	case l.dup:
		return DuplicateKey
	}
	return OK
}

// top scans the object of the line, whose brace is at i, and returns the offset after its closing brace. It
// follows the shape tree for as long as the members are in it, and extends it.
func (l *Line) top(b []byte, i int) (int, Fault) {
	if end := skipSpace(b, i+1); end < len(b) && b[end] == '}' {
		l.Empty = true
		return end + 1, OK
	}
	at, onTree := uint16(0), true
	noted := 0                  // how many of the members are in l.seen
	for count := 0; ; count++ { // i is at the brace or the comma before the member
		var fault Fault
		next := uint16(0)
		if onTree {
			next = l.shapes.next(at, b, i)
		}
		if next != 0 {
			at = next
			i, fault = l.known(b, i, count, &l.shapes.nodes[at])
		} else {
			at, i, fault = l.unknown(b, i, count, &noted, at, onTree)
			onTree = at != 0
		}
		if fault != OK {
			return 0, fault
		}
		if i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if i >= len(b) {
			return 0, Syntax
		}
		if b[i] == '}' {
			l.count = count + 1
			return i + 1, OK
		}
		if b[i] != ',' {
			return 0, Syntax
		}
	}
}

// known scans the value of a member that the shape tree knows, whose text begins at i.
func (l *Line) known(b []byte, i, count int, node *shapeNode) (end int, fault Fault) {
	name := i + int(node.name)
	if count < memberLimit {
		l.members[count] = Span{uint32(name), uint32(name + int(node.length))}
	}
	start := i + int(node.size)
	if node.quoted { // by far the most
		start--
		ok := false
		if end, ok = l.str(b, start); !ok {
			return 0, Syntax
		}
	} else {
		start = skipSpace(b, start)
		below := -1
		if node.parent && start < len(b) && b[start] == '{' {
			below = copy(l.path[:], b[name:name+int(node.length)])
		}
		if end, fault = l.value(b, start, 0, below); fault != OK {
			return 0, fault
		}
	}
	if node.key != noKey {
		l.spans[node.key] = Span{uint32(start), uint32(end)}
		l.present |= 1 << node.key
	}
	if node.watch && node.accepts&kindOf(b[start]) == 0 {
		l.note(Note{Start: uint32(name - 1), Key: Span{uint32(name), uint32(name + int(node.length))}, Value: Span{uint32(start), uint32(end)}, name: node.foreign})
	}
	return end, OK
}

// unknown scans a member that is not in the shape tree below the node at, and teaches it to the tree when the line was on it so
// far. It returns the new node, 0 when there is none, and the offset after the value.
func (l *Line) unknown(b []byte, i, count int, noted *int, at uint16, onTree bool) (fresh uint16, end int, fault Fault) {
	key := skipSpace(b, i+1)
	colon, learn, fault := l.topKey(b, key, count, noted)
	if fault != OK {
		return 0, 0, fault
	}
	value := skipSpace(b, colon+1)
	if onTree && learn && value < len(b) {
		quoted := b[value] == '"'
		text := b[i:value]
		if quoted {
			text = b[i : value+1]
		}
		fresh = l.shapes.learn(at, text, int(l.last.Start)-i, int(l.last.End-l.last.Start), quoted, l.names)
	}
	name := l.last
	end, fault = l.member(b, value, 0, 0, b[name.Start:name.End])
	if fault == OK {
		if accepts, foreign := l.names.accepts(b[name.Start:name.End]); accepts&kindOf(b[value]) == 0 {
			l.note(Note{Start: name.Start - 1, Key: name, Value: Span{uint32(value), uint32(end)}, name: foreign})
		}
	}
	return fresh, end, fault
}

// topKey scans a key that the shape tree did not expect and checks it against all keys before it. It returns the
// offset of its colon, and whether the tree may learn it.
func (l *Line) topKey(b []byte, i, count int, noted *int) (colon int, learn bool, fault Fault) {
	if i >= len(b) || b[i] != '"' {
		return 0, false, Syntax
	}
	end, ok := l.str(b, i)
	if !ok {
		return 0, false, Syntax
	}
	l.last = Span{uint32(i + 1), uint32(end - 1)}
	for ; *noted < min(count, memberLimit); *noted++ {
		l.seen.add(b, 0, int(l.members[*noted].Start), int(l.members[*noted].End))
	}
	if l.seen.add(b, 0, i+1, end-1) {
		l.dup = true
	}
	if count < memberLimit {
		l.members[count] = l.last
		*noted = count + 1
	}
	if colon = skipSpace(b, end); colon >= len(b) || b[colon] != ':' {
		return 0, false, Syntax
	}
	return colon, count < memberLimit/2 && !l.dup && !l.badUTF8, OK
}

// object scans the object whose brace is at i. prefix is the length of the dotted path of the object in
// l.path, or -1 when its keys cannot be known. It returns the offset after the closing brace.
func (l *Line) object(b []byte, i, depth, prefix int) (int, Fault) {
	if depth == maxDepth {
		return 0, TooDeep
	}
	start := i
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, OK
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return 0, Syntax
		}
		end, ok := l.str(b, i)
		if !ok {
			return 0, Syntax
		}
		name := b[i+1 : end-1]
		if l.seen.add(b, start, i+1, end-1) {
			l.dup = true
		}
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ':' {
			return 0, Syntax
		}
		i = skipSpace(b, i+1)
		next, fault := l.member(b, i, depth, prefix, name)
		if fault != OK {
			return 0, fault
		}
		i = skipSpace(b, next)
		if i >= len(b) {
			return 0, Syntax
		}
		if b[i] == '}' {
			return i + 1, OK
		}
		if b[i] != ',' {
			return 0, Syntax
		}
		i = skipSpace(b, i+1)
	}
}

// member scans the value at i of the key name and notes it when the key is known.
func (l *Line) member(b []byte, i, depth, prefix int, name []byte) (int, Fault) {
	if prefix < 0 {
		return l.value(b, i, depth, -1)
	}
	path := name
	if prefix > 0 {
		if prefix+1+len(name) > maxPath {
			return l.value(b, i, depth, -1)
		}
		l.path[prefix] = '.'
		copy(l.path[prefix+1:], name)
		path = l.path[:prefix+1+len(name)]
	}
	below := -1
	if i < len(b) && b[i] == '{' && parent(path) {
		copy(l.path[:], path)
		below = len(path)
	}
	key := lookup(path)
	end, fault := l.value(b, i, depth, below)
	if fault == OK && key != noKey {
		l.spans[key] = Span{uint32(i), uint32(end)}
		l.present |= 1 << key
	}
	return end, fault
}

// value scans any JSON value at i and returns the offset after it.
func (l *Line) value(b []byte, i, depth, prefix int) (int, Fault) {
	if i >= len(b) {
		return 0, Syntax
	}
	ok := false
	switch c := b[i]; {
	case c == '"':
		i, ok = l.str(b, i)
	case c == '-' || '0' <= c && c <= '9':
		i, ok = number(b, i)
	case c == '{':
		return l.object(b, i, depth+1, prefix)
	case c == '[':
		return l.array(b, i, depth+1)
	case c == 't':
		i, ok = literal(b, i, "true")
	case c == 'f':
		i, ok = literal(b, i, "false")
	case c == 'n':
		i, ok = literal(b, i, "null")
	}
	if !ok {
		return 0, Syntax
	}
	return i, OK
}

func (l *Line) array(b []byte, i, depth int) (int, Fault) {
	if depth == maxDepth {
		return 0, TooDeep
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, OK
	}
	for {
		next, fault := l.value(b, i, depth, -1)
		if fault != OK {
			return 0, fault
		}
		i = skipSpace(b, next)
		if i >= len(b) {
			return 0, Syntax
		}
		if b[i] == ']' {
			return i + 1, OK
		}
		if b[i] != ',' {
			return 0, Syntax
		}
		i = skipSpace(b, i+1)
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, in the high bit of each byte, the bytes that end the plain part of a string: a quote, a
// backslash, a control character, anything outside ASCII. Only the lowest mark is exact, which is the one used.
func special(w uint64) uint64 {
	quote := w ^ (ones * '"')
	slash := w ^ (ones * '\\')
	return ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*0x20)&^w | w) & highs
}

// str scans the string whose opening quote is at i and returns the offset after the closing quote.
func (l *Line) str(b []byte, i int) (int, bool) {
	i++
	for i+8 <= len(b) {
		if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			if i += bits.TrailingZeros64(m) >> 3; b[i] == '"' {
				return i + 1, true
			}
			return l.rare(b, i)
		}
		i += 8
	}
	return l.rare(b, i)
}

// rare goes on in a string at i, where an escape, a control character or a byte outside ASCII may be.
func (l *Line) rare(b []byte, i int) (int, bool) {
	for {
		if i >= len(b) {
			return 0, false
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, true
		case c == '\\':
			n := escape(b[i:])
			if n == 0 {
				return 0, false
			}
			if n == 6 && b[i+2]|0x20 == 'd' {
				n = l.surrogate(b, i)
			}
			i += n
		case c < 0x20:
			return 0, false
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				l.badUTF8 = true
			}
			i += n
		}
		for i+8 <= len(b) {
			m := special(binary.LittleEndian.Uint64(b[i:]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
	}
}

// surrogate looks at an escape that may be half of a surrogate pair, and returns the length of the pair or of the escape.
func (l *Line) surrogate(b []byte, i int) int {
	n, lone := surrogateAt(b[i:])
	l.lone = l.lone || lone
	return n
}

// surrogateAt returns the length of the escape at the start of b, or of the two that are a pair, and whether half of a pair stands
// alone there. The escape has been checked.
func surrogateAt(b []byte) (n int, lone bool) {
	r := hexRune(b[2:])
	if !utf16.IsSurrogate(r) {
		return 6, false
	}
	if escape(b[6:]) == 6 && utf16.DecodeRune(r, hexRune(b[8:])) != utf8.RuneError {
		return 12, false
	}
	return 6, true
}

// AppendWhole appends a line that was scanned, with U+FFFD in the place of each half of a surrogate pair that stands alone. The
// length stays the same, and with it every offset.
func AppendWhole(dst, line []byte) []byte {
	start := len(dst)
	dst = append(dst, line...)
	out := dst[start:]
	for i := 0; i+1 < len(out); {
		if out[i] != '\\' {
			i++
			continue
		}
		n := max(2, escape(out[i:]))
		if n == 6 {
			var lone bool
			if n, lone = surrogateAt(out[i:]); lone {
				copy(out[i:], `\ufffd`)
			}
		}
		i += n
	}
	return dst
}

// escape returns the length of the escape sequence at the start of b, 0 when it is none.
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
			if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

func number(b []byte, i int) (int, bool) {
	if b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	case i < len(b) && '1' <= b[i] && b[i] <= '9':
		i = digits(b, i)
	default:
		return 0, false
	}
	if i < len(b) && b[i] == '.' {
		end := digits(b, i+1)
		if end == i+1 {
			return 0, false
		}
		i = end
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		end := digits(b, i)
		if end == i {
			return 0, false
		}
		i = end
	}
	return i, true
}

func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

func literal(b []byte, i int, word string) (int, bool) {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return 0, false
	}
	return i + len(word), true
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}
