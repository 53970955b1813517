package connect

import (
	"encoding/json"
	"maps"
	"strconv"
	"time"
)

// Doc is a document with dotted keys. The shipper writes dotted keys, other shippers and a server that rebuilds
// its source nest objects; Flatten makes both the same. Values are strings, json.Number, bool, or slices of them.
type Doc map[string]any

// opaque names objects whose keys are data, not fields: they stay one map under their own name.
func opaque(name string) bool { return name == "attributes" || name == "alert.values" }

// Flatten turns nested objects into dotted keys. Arrays stay as they are.
func Flatten(source map[string]any) Doc {
	doc := make(Doc, len(source))
	flatten(doc, "", source)
	return doc
}

func flatten(into Doc, prefix string, object map[string]any) {
	for key, value := range object {
		name := prefix + key
		if inner, ok := value.(map[string]any); ok && !opaque(name) {
			flatten(into, name+".", inner)
			continue
		}
		into[name] = value
	}
}

// String returns a text or number field as text, "" when it is absent. Of an array it returns the first value.
func (d Doc) String(field string) string { return text(d[field]) }

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		if len(v) > 0 {
			return text(v[0])
		}
	}
	return ""
}

// Strings returns a field that may hold one value or an array of them.
func (d Doc) Strings(field string) []string {
	list, ok := d[field].([]any)
	if !ok {
		if s := d.String(field); s != "" {
			return []string{s}
		}
		return nil
	}
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, text(v))
	}
	return out
}

// Int returns a whole number, 0 when the field is absent or not a number.
func (d Doc) Int(field string) int64 {
	s := d.String(field)
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, _ := strconv.ParseFloat(s, 64)
		return int64(f)
	}
	return n
}

// Duration returns a field in nanoseconds, as event.duration is.
func (d Doc) Duration(field string) time.Duration { return time.Duration(d.Int(field)) }

// Time returns a timestamp field in UTC, the zero time when it is absent or unreadable.
func (d Doc) Time(field string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, d.String(field))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Object returns an opaque object such as attributes; nil when absent.
func (d Doc) Object(field string) map[string]any {
	object, _ := d[field].(map[string]any)
	return maps.Clone(object)
}
