package bulk

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// smallestDocument is the size in bytes below which a document is not shortened: the target has another reason.
const smallestDocument = 4 << 10

// truncatedTag marks a document that lost a part.
const truncatedTag = "truncated"

// member is one member of a document, as text.
type member struct {
	key   string
	value json.RawMessage
}

// shorten makes doc about size bytes long: the longest member, as a rule message, is cut when it is a text and left
// out otherwise, then the next. The tag truncated says so. ok is false when doc is small already.
func shorten(doc []byte, size int) (short []byte, ok bool) {
	if size < smallestDocument {
		return nil, false
	}
	members, ok := membersOf(doc)
	if !ok {
		return nil, false
	}
	excess := len(doc) - size
	for range members {
		i := longest(members)
		if excess <= 0 || i < 0 {
			break
		}
		before := len(members[i].value)
		var text string
		if json.Unmarshal(members[i].value, &text) == nil && members[i].value[0] == '"' {
			members[i].value = quote(cut(text, max(0, len(text)-excess*len(text)/before-1)))
		} else {
			before += len(members[i].key)
			members = append(members[:i], members[i+1:]...)
			excess -= before
			continue
		}
		excess -= before - len(members[i].value)
	}
	return render(mark(members)), true
}

// longest returns the longest member, -1 when there is none worth shortening.
func longest(members []member) int {
	best := -1
	for i, m := range members {
		if len(m.value) > 64 && (best < 0 || len(m.value) > len(members[best].value)) {
			best = i
		}
	}
	return best
}

// cut shortens text to at most n bytes without splitting a character.
func cut(text string, n int) string {
	for n = min(n, len(text)); n > 0 && n < len(text) && !utf8.RuneStart(text[n]); {
		n--
	}
	return text[:n]
}

// mark adds the tag.
func mark(members []member) []member {
	for i := range members {
		if members[i].key != "tags" {
			continue
		}
		var tags []json.RawMessage
		if json.Unmarshal(members[i].value, &tags) != nil {
			tags = []json.RawMessage{members[i].value}
		}
		for _, t := range tags {
			if string(t) == `"`+truncatedTag+`"` {
				return members
			}
		}
		tags = append(tags, quote(truncatedTag))
		var list [][]byte
		for _, t := range tags {
			list = append(list, t)
		}
		members[i].value = append(append([]byte{'['}, bytes.Join(list, []byte{','})...), ']')
		return members
	}
	return append(members, member{"tags", json.RawMessage(`["` + truncatedTag + `"]`)})
}

func membersOf(doc []byte) ([]member, bool) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var out []member
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, false
		}
		m := member{key: key}
		if err := dec.Decode(&m.value); err != nil {
			return nil, false
		}
		out = append(out, m)
	}
	return out, true
}

func render(members []member) []byte {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, quote(m.key)...), ':'), m.value...)
	}
	return append(out, '}')
}

func quote(text string) json.RawMessage {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always has an encoding
	return json.RawMessage(strings.TrimSuffix(out.String(), "\n"))
}
