package events_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// shape is what JSON of a type looks like.
type shape struct {
	kind    string           // object, array, string, integer, number, boolean, or any
	members map[string]shape // of an object; those of a map have the name "*"
	item    *shape           // of an array
}

// shapeOf says how encoding/json writes a type.
func shapeOf(t reflect.Type) shape {
	switch t {
	case reflect.TypeFor[time.Time]():
		return shape{kind: "string"}
	case reflect.TypeFor[json.RawMessage]():
		return shape{kind: "any"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.String:
		return shape{kind: "string"}
	case reflect.Bool:
		return shape{kind: "boolean"}
	case reflect.Float32, reflect.Float64:
		return shape{kind: "number"}
	case reflect.Slice, reflect.Array:
		item := shapeOf(t.Elem())
		return shape{kind: "array", item: &item}
	case reflect.Map:
		return shape{kind: "object", members: map[string]shape{"*": shapeOf(t.Elem())}}
	case reflect.Struct:
		s := shape{kind: "object", members: map[string]shape{}}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous && name == "":
				maps.Copy(s.members, shapeOf(f.Type).members)
			case name != "-" && f.IsExported():
				if name == "" {
					name = f.Name
				}
				s.members[name] = shapeOf(f.Type)
			}
		}
		return s
	}
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
		return shape{kind: "integer"}
	}
	panic("no JSON of " + t.String())
}

// parse keeps numbers as they are written.
func parse(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func kindOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "any" // null
}

// unwritten lists the members of a record that JSON of the shape has not, or as another type: a reader that knows them from the release
// would miss them.
func unwritten(at string, recorded any, s shape) (list []string) {
	kind := kindOf(recorded)
	if kind == "any" || s.kind == "any" {
		return nil
	}
	if kind != s.kind {
		return []string{fmt.Sprintf("%s was of the type %s and is %s", at, kind, s.kind)}
	}
	switch v := recorded.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member, there := s.members[name]
			if !there {
				member, there = s.members["*"]
			}
			if !there {
				list = append(list, at+"/"+name+" is no longer written")
				continue
			}
			list = append(list, unwritten(at+"/"+name, v[name], member)...)
		}
	case []any:
		for i, item := range v {
			list = append(list, unwritten(fmt.Sprintf("%s/%d", at, i), item, *s.item)...)
		}
	}
	return list
}

// lost lists the members of a record that a reader of the type does not keep.
func lost(at string, recorded, kept any) (list []string) {
	switch v := recorded.(type) {
	case map[string]any:
		k, ok := kept.(map[string]any)
		if !ok {
			return []string{at + " is lost"}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if member, there := k[name]; there {
				list = append(list, lost(at+"/"+name, v[name], member)...)
			} else {
				list = append(list, at+"/"+name+" is lost")
			}
		}
	case []any:
		k, ok := kept.([]any)
		if !ok || len(k) != len(v) {
			return []string{at + " is lost"}
		}
		for i := range v {
			list = append(list, lost(fmt.Sprintf("%s/%d", at, i), v[i], k[i])...)
		}
	default:
		if recorded != kept {
			list = append(list, fmt.Sprintf("%s was %v and is read as %v", at, recorded, kept))
		}
	}
	return list
}

// breaks says what a type has against a record, in both directions.
func breaks(recorded json.RawMessage, t reflect.Type) []string {
	was, err := parse(recorded)
	if err != nil {
		return []string{err.Error()}
	}
	list := unwritten("", was, shapeOf(t))
	v := reflect.New(t)
	if err := json.Unmarshal(recorded, v.Interface()); err != nil {
		return append(list, "cannot be read: "+err.Error())
	}
	again, err := json.Marshal(v.Interface())
	if err != nil {
		return append(list, err.Error())
	}
	kept, err := parse(again)
	if err != nil {
		return append(list, err.Error())
	}
	return append(list, lost("", was, kept)...)
}
