package paper

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// element of an XML document. One without text and children is left out: that is how optional parts are written.
type element struct {
	name     string
	attrs    []attr
	text     string
	children []*element
}

type attr struct{ name, value string }

// el makes an element of its content: attr, string (its text), *element or []*element; nil when there is nothing in it.
func el(name string, content ...any) *element {
	e := &element{name: name}
	for _, c := range content {
		switch c := c.(type) {
		case attr:
			e.attrs = append(e.attrs, c)
		case string:
			e.text += c
		case *element:
			e.add(c)
		case []*element:
			e.add(c...)
		}
	}
	if e.text == "" && len(e.children) == 0 {
		return nil
	}
	return e
}

// add leaves out those that are nil.
func (e *element) add(children ...*element) {
	for _, c := range children {
		if c != nil {
			e.children = append(e.children, c)
		}
	}
}

// document gives the bytes, with a line for each element.
func (e *element) document() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e.write(&b, 0)
	return b.Bytes()
}

func (e *element) write(b *bytes.Buffer, depth int) {
	b.WriteString(strings.Repeat("  ", depth) + "<" + e.name)
	for _, a := range e.attrs {
		b.WriteString(" " + a.name + `="`)
		escape(b, a.value)
		b.WriteByte('"')
	}
	b.WriteByte('>')
	escape(b, e.text)
	if len(e.children) > 0 {
		b.WriteByte('\n')
		for _, c := range e.children {
			c.write(b, depth+1)
		}
		b.WriteString(strings.Repeat("  ", depth))
	}
	b.WriteString("</" + e.name + ">\n")
}

// escape also replaces what XML cannot hold. A buffer takes everything, so there is no error.
func escape(b *bytes.Buffer, s string) { _ = xml.EscapeText(b, []byte(s)) }
