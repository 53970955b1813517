package record

import "bytes"

// CRI is one line as a Kubernetes container runtime writes it: `<time> <stream> <tags> <content>`.
type CRI struct {
	// Time is RFC 3339 with nanoseconds, as written.
	Time []byte
	// Stderr says which stream the container wrote to.
	Stderr bool
	// Partial says that the line goes on in the next one of the same stream (tag P).
	Partial bool
	// Content is the rest of the line and may be empty.
	Content []byte
}

// ParseCRI splits a line without its line feed. ok is false when the line has not the form.
func ParseCRI(line []byte) (c CRI, ok bool) {
	var stream, tags []byte
	if c.Time, line, ok = bytes.Cut(line, []byte{' '}); !ok || !plausibleTime(c.Time) {
		return CRI{}, false
	}
	if stream, line, ok = bytes.Cut(line, []byte{' '}); !ok {
		return CRI{}, false
	}
	switch string(stream) {
	case "stdout":
	case "stderr":
		c.Stderr = true
	default:
		return CRI{}, false
	}
	// A full line that is empty may end after its tag.
	tags, c.Content, _ = bytes.Cut(line, []byte{' '})
	tag, _, _ := bytes.Cut(tags, []byte{':'})
	switch string(tag) {
	case "F":
	case "P":
		c.Partial = true
	default:
		return CRI{}, false
	}
	return c, true
}

// plausibleTime checks the shape 2006-01-02T15:04:05 at the start and the alphabet of the rest, so that the
// bytes can stand in a JSON string.
func plausibleTime(b []byte) bool {
	const shape = "0000-00-00T00:00:00"
	if len(b) <= len(shape) || len(b) > 35 {
		return false
	}
	for i, c := range b {
		digit := '0' <= c && c <= '9'
		switch {
		case i >= len(shape):
			if !digit && c != '.' && c != 'Z' && c != '+' && c != '-' && c != ':' {
				return false
			}
		case shape[i] == '0':
			if !digit {
				return false
			}
		case shape[i] != c:
			return false
		}
	}
	return true
}
