// Package strict decodes the hand-written JSON files of elk (rules, funnels) and refuses everything it does not
// know: an unknown key, a key twice, a missing key, a wrong type, a value outside the allowed ones. Every error
// names the file, the key and what is allowed, so that it can be corrected without reading the code.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Error is a mistake in a file. Key is a path such as queries.orders.metric, empty for the whole file.
type Error struct {
	File, Key, Problem string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Key == "" {
		return e.File + ": " + e.Problem
	}
	return e.File + ": " + e.Key + ": " + e.Problem
}

// Member is one allowed key of an object.
type Member struct {
	Into     any  // pointer for encoding/json; *time.Duration takes text such as "5m"
	Optional bool // else a missing key is an error
}

// Object decodes a JSON object into its members. path is the key of the object itself, empty for the top.
func Object(file, path string, raw []byte, members map[string]Member) error {
	found, err := Keys(file, path, raw)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		member, ok := members[name]
		if !ok {
			return &Error{file, join(path, name), "unknown key; allowed are " + strings.Join(slices.Sorted(maps.Keys(members)), ", ")}
		}
		if err := decode(found[name], member.Into); err != nil {
			return &Error{file, join(path, name), err.Error()}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if _, ok := found[name]; !ok && !members[name].Optional {
			return &Error{file, join(path, name), "missing"}
		}
	}
	return nil
}

// Keys splits a JSON object into its members and refuses a key that comes twice.
func Keys(file, path string, raw []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, &Error{file, path, "want a JSON object"}
	}
	found := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, &Error{file, path, err.Error()}
		}
		name, _ := t.(string)
		if _, twice := found[name]; twice {
			return nil, &Error{file, join(path, name), "the key comes twice"}
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, &Error{file, join(path, name), err.Error()}
		}
		found[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, &Error{file, path, err.Error()}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{file, path, "text after the object"}
	}
	return found, nil
}

func decode(raw json.RawMessage, into any) error {
	d, ok := into.(*time.Duration)
	if !ok {
		var wrong *json.UnmarshalTypeError
		if err := json.Unmarshal(raw, into); errors.As(err, &wrong) {
			return fmt.Errorf("want %s, have %s", wrong.Type, wrong.Value)
		} else if err != nil {
			return err
		}
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return errors.New(`want a duration in quotes such as "30s" or "5m"`)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return fmt.Errorf(`%q is not a duration such as "30s" or "5m"`, text)
	}
	*d = parsed
	return nil
}

// OneOf checks a value against the allowed ones.
func OneOf(file, key, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return &Error{file, key, fmt.Sprintf("%q is not one of %s", value, strings.Join(allowed, ", "))}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
