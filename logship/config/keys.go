package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Key is a line of the reference.
type Key struct {
	// Path is the full name with [] for each element of a list: inputs[].type.
	Path string
	// Default is the value of a key that is not there, "required" when it must be, empty for none.
	Default string
	// Allowed says which values there are.
	Allowed string
}

// Keys returns all keys in the order of the file.
func Keys() []Key { return appendKeys(nil, reflect.TypeFor[Config](), "") }

func appendKeys(out []Key, t reflect.Type, at string) []Key {
	for i := range t.NumField() {
		f := t.Field(i)
		path := join(at, f.Tag.Get("key"))
		elem := f.Type
		if elem.Kind() == reflect.Slice && elem.Elem().Kind() == reflect.Struct && elem.Elem() != reflect.TypeFor[netip.Prefix]() {
			path += "[]"
			elem = elem.Elem()
		}
		if elem.Kind() == reflect.Pointer {
			elem = elem.Elem()
		}
		if elem.Kind() == reflect.Struct && !isScalar(reflect.New(elem).Elem()) && elem != reflect.TypeFor[regexp.Regexp]() {
			out = appendKeys(out, elem, path)
			continue
		}
		out = append(out, Key{path, defaultOf(f.Tag), allowedIn(f)})
	}
	return out
}

func defaultOf(tag reflect.StructTag) string {
	if tag.Get("required") != "" {
		return "required"
	}
	if shown := tag.Get("shown"); shown != "" {
		return shown
	}
	return tag.Get("default")
}

func allowedIn(f reflect.StructField) string {
	for _, name := range []string{"allowed", "oneof"} {
		if text := f.Tag.Get(name); text != "" {
			return text
		}
	}
	if low := f.Tag.Get("min"); low != "" {
		return low + " to " + f.Tag.Get("max")
	}
	return "true, false"
}

// keysOf returns the names of the keys of a section.
func keysOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("key"))
	}
	return names
}

// isScalar reports whether a value is written as one text.
func isScalar(v reflect.Value) bool {
	switch v.Interface().(type) {
	case netip.Prefix, *regexp.Regexp, Folders:
		return true
	}
	switch v.Kind() {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool:
		return true
	}
	return false
}

// Dump returns the configuration as key and value, secrets masked, what is empty left out.
func (c *Config) Dump() []string {
	return appendDump(nil, reflect.ValueOf(c).Elem(), "")
}

func appendDump(out []string, v reflect.Value, at string) []string {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil(),
		v.IsZero() && v.Kind() != reflect.Bool && v.Kind() != reflect.Struct && v.Kind() != reflect.Int:
		return out
	case isScalar(v):
		return append(out, fmt.Sprintf("%s=%v", at, v.Interface()))
	case v.Kind() == reflect.Pointer:
		return appendDump(out, v.Elem(), at)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			out = appendDump(out, v.Index(i), fmt.Sprintf("%s[%d]", at, i))
		}
	case v.Kind() == reflect.Map:
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, name := range names {
			out = appendDump(out, v.MapIndex(name), join(at, name.String()))
		}
	default:
		for i := range v.NumField() {
			out = appendDump(out, v.Field(i), join(at, v.Type().Field(i).Tag.Get("key")))
		}
	}
	return out
}
