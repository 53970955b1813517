package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxFields is how many names of fields an entry holds.
const maxFields = 32

// Change says what differs, without the values: anybody who has both states can prove that they are the ones.
type Change struct {
	Fields []string `json:"fields,omitempty" bson:"fields,omitempty"` // JSON pointers, sorted; after 32 of them "…"
	Before string   `json:"before,omitempty" bson:"before,omitempty"` // SHA-256 of the state as JSON; empty for a new one
	After  string   `json:"after,omitempty" bson:"after,omitempty"`   // empty for a deleted one
}

// Diff compares two states by their JSON; nil is no state. The whole state is digested at once, because the digest of a short value, such
// as a postcode, could be guessed. Give it what the change is about (a view), not the document with its outbox.
func Diff(before, after any) (Change, error) {
	var c Change
	old, err := digest(before, &c.Before)
	if err != nil {
		return Change{}, fmt.Errorf("digest state before: %w", err)
	}
	now, err := digest(after, &c.After)
	if err != nil {
		return Change{}, fmt.Errorf("digest state after: %w", err)
	}
	c.Fields = differing(nil, "", old, now)
	slices.Sort(c.Fields)
	if len(c.Fields) > maxFields {
		c.Fields = append(c.Fields[:maxFields], "…")
	}
	return c, nil
}

// digest encodes a state, with the members of objects in order, and gives it back as JSON has it.
func digest(state any, sum *string) (any, error) {
	if state == nil {
		return nil, nil
	}
	b, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // a float64 would not tell large numbers apart
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if b, err = json.Marshal(v); err != nil {
		return nil, err
	}
	h := sha256.Sum256(b)
	*sum = hex.EncodeToString(h[:])
	return v, nil
}

// differing appends the pointers of members that differ. Arrays differ as a whole.
func differing(list []string, at string, a, b any) []string {
	x, isObject := a.(map[string]any)
	y, isObjectToo := b.(map[string]any)
	if (isObject || a == nil) && (isObjectToo || b == nil) && (isObject || isObjectToo) {
		for k := range x {
			list = differing(list, at+"/"+escape(k), x[k], y[k])
		}
		for k := range y {
			if _, both := x[k]; !both {
				list = differing(list, at+"/"+escape(k), nil, y[k])
			}
		}
		return list
	}
	if !reflect.DeepEqual(a, b) {
		list = append(list, at)
	}
	return list
}

// escape writes a member's name into a JSON pointer (RFC 6901).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }
