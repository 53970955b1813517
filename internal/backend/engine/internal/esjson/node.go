// Package esjson parses JSON into a tree that remembers where each value stood.
//
// Elasticsearch names line and column of what it refuses, in requests and in documents, so encoding/json is
// not enough. The parser is strict: RFC 8259, valid UTF-8, no duplicate keys, nesting up to MaxDepth.
// Numbers keep their literal. A tree refers to the parsed bytes, and its strings are parts of them: the caller must not
// change them, and copies what it keeps for long (strings.Clone), so that a whole request does not stay in memory.
package esjson

import (
	"bytes"
	"encoding/json"
	"strconv"

	"kreislauf/internal/backend/engine/internal/eserr"
)

// MaxDepth is the deepest nesting of objects and arrays that is accepted.
const MaxDepth = 200

// Kind is the type of a JSON value.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Node is one value. Str is the decoded string, the literal of a number, or "true"/"false".
type Node struct {
	Kind   Kind
	Start  int // offset of the first byte in the input
	End    int // offset after the last byte
	Str    string
	Items  []*Node // of an array
	Fields []Field // of an object, in the order of the input
	doc    *source
}

// Field is one member of an object.
type Field struct {
	Name  string
	Start int // offset of the key's opening quote
	Value *Node
}

type source struct{ data []byte }

// Pos returns line and column (both from 1, columns in bytes) of the value.
func (n *Node) Pos() (line, col int) { return position(n.doc.data, n.Start) }

// PosAt returns line and column of an offset in the same input.
func (n *Node) PosAt(offset int) (line, col int) { return position(n.doc.data, offset) }

// Raw returns the bytes of the value as they were sent.
func (n *Node) Raw() []byte { return n.doc.data[n.Start:n.End] }

func position(data []byte, offset int) (line, col int) {
	offset = min(offset, len(data))
	line = 1 + bytes.Count(data[:offset], []byte{'\n'})
	return line, offset - bytes.LastIndexByte(data[:offset], '\n')
}

// Get returns the member with that name, or nil.
func (n *Node) Get(name string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := range n.Fields {
		if n.Fields[i].Name == name {
			return n.Fields[i].Value
		}
	}
	return nil
}

// IsScalar says whether the value is a string, number, bool or null.
func (n *Node) IsScalar() bool { return n.Kind < Array }

// Token is the name Elasticsearch's parser has for the first token of the value.
func (n *Node) Token() string {
	switch n.Kind {
	case Null:
		return "VALUE_NULL"
	case Bool:
		return "VALUE_BOOLEAN"
	case Number:
		return "VALUE_NUMBER"
	case String:
		return "VALUE_STRING"
	case Array:
		return "START_ARRAY"
	}
	return "START_OBJECT"
}

// Int returns an integer value; strings with an integer are accepted, as Elasticsearch does.
func (n *Node) Int() (int64, bool) {
	if n.Kind != Number && n.Kind != String {
		return 0, false
	}
	i, err := strconv.ParseInt(n.Str, 10, 64)
	if err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(n.Str, 64)
	if err != nil || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// Float returns a number or a string with a number.
func (n *Node) Float() (float64, bool) {
	if n.Kind != Number && n.Kind != String {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.Str, 64)
	return f, err == nil
}

// Bool returns true or false, also written as a string.
func (n *Node) Bool() (value, ok bool) {
	if n.Kind != Bool && n.Kind != String {
		return false, false
	}
	return n.Str == "true", n.Str == "true" || n.Str == "false"
}

// Any returns the value as encoding/json would hold it, with numbers as json.Number.
func (n *Node) Any() any {
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		return n.Str == "true"
	case Number:
		return json.Number(n.Str)
	case String:
		return n.Str
	case Array:
		list := make([]any, len(n.Items))
		for i, it := range n.Items {
			list[i] = it.Any()
		}
		return list
	}
	m := make(map[string]any, len(n.Fields))
	for _, f := range n.Fields {
		m[f.Name] = f.Value.Any()
	}
	return m
}

// Errorf is a parsing_exception at the value.
func (n *Node) Errorf(format string, args ...any) *eserr.Error {
	line, col := n.Pos()
	return eserr.Parsing(line, col, format, args...)
}

// Unknown is the error for a member that an object of that name does not have.
func (f Field) Unknown(object string) *eserr.Error {
	line, col := f.Value.PosAt(f.Start)
	e := eserr.Content(line, col, "[%s] unknown field [%s]", object, f.Name)
	line, col = f.Value.Pos()
	e.At = [2]int{line, col}
	return e
}

// Contentf is an x_content_parse_exception at the value.
func (n *Node) Contentf(format string, args ...any) *eserr.Error {
	line, col := n.Pos()
	return eserr.Content(line, col, format, args...)
}
