package openapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"kreislauf/internal/client"
)

// generator makes requests for operations of the documents: good ones, and ones that are bad in every way that a sender can think of.
type generator struct {
	*rand.Rand
	known []string            // ids that exist, most of them of others
	named map[string][]string // values that are of use, by the member, the header or the segment of a path before the parameter
}

// useful gives a value by its name, where there is one.
func (g *generator) useful(name string) (string, bool) {
	list := g.named[name]
	if len(list) == 0 || g.IntN(4) == 0 {
		return "", false
	}
	return pick(g, list...), true
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// value makes a value of a schema. It does not observe conditions (if, not, dependent members).
func (g *generator) value(s *base.Schema, depth int) any {
	decode := func(n interface{ Decode(any) error }) (v any) {
		if n.Decode(&v) != nil {
			return nil
		}
		return v
	}
	switch {
	case s == nil || depth > 8:
		return nil
	case s.Const != nil:
		return decode(s.Const)
	case len(s.Enum) > 0:
		return decode(pick(g, s.Enum...))
	case len(s.OneOf) > 0:
		return g.value(pick(g, s.OneOf...).Schema(), depth+1)
	case len(s.AnyOf) > 0:
		return g.value(pick(g, s.AnyOf...).Schema(), depth+1)
	}
	object := map[string]any{}
	for _, part := range s.AllOf {
		if m, ok := g.value(part.Schema(), depth+1).(map[string]any); ok {
			for k, v := range m {
				object[k] = v
			}
		}
	}
	typ := ""
	if len(s.Type) > 0 {
		typ = pick(g, s.Type...)
	}
	switch typ {
	case "string":
		return g.text(s)
	case "integer", "number":
		low, high := 0.0, 1000.0
		if s.Minimum != nil {
			low = *s.Minimum
		}
		if s.Maximum != nil {
			high = *s.Maximum
		} else {
			high = max(high, low+1000)
		}
		return pick(g, int64(low), int64(high), int64(low)+g.Int64N(max(int64(high-low), 1)))
	case "boolean":
		return g.IntN(2) == 0
	case "null":
		return nil
	case "array":
		list := []any{}
		least, most := int64(0), int64(3)
		if s.MinItems != nil {
			least = *s.MinItems
		}
		if s.MaxItems != nil {
			most = min(most, *s.MaxItems)
		}
		for range max(least, g.Int64N(most+1)) {
			if s.Items != nil && s.Items.IsA() {
				list = append(list, g.value(s.Items.A.Schema(), depth+1))
			}
		}
		return list
	}
	if s.Properties != nil {
		for name, p := range s.Properties.FromOldest() {
			if slices.Contains(s.Required, name) || g.IntN(2) == 0 {
				object[name] = g.value(p.Schema(), depth+1)
				if v, ok := g.useful(name); ok {
					object[name] = v
				}
			}
		}
	}
	return object
}

func (g *generator) text(s *base.Schema) string {
	if len(g.known) > 0 && g.IntN(6) == 0 {
		return pick(g, g.known...)
	}
	if s.Pattern != "" {
		if re, err := syntax.Parse(s.Pattern, syntax.Perl); err == nil {
			return g.matching(re.Simplify())
		}
	}
	switch s.Format {
	case "date":
		return fmt.Sprintf("20%02d-%02d-%02d", 26+g.IntN(3), 1+g.IntN(12), 1+g.IntN(28))
	case "date-time":
		return "2026-11-24T08:20:00Z"
	case "email":
		return fmt.Sprintf("x%d@example.org", g.IntN(1000))
	}
	least, most := int64(1), int64(12)
	if s.MinLength != nil {
		least = *s.MinLength
	}
	if s.MaxLength != nil {
		most = pick(g, min(most, *s.MaxLength), *s.MaxLength)
	}
	return strings.Repeat(pick(g, "a", "ä", "7", "x y"), int(max(least, most)))[:max(least, most)]
}

// matching makes a text that a regular expression matches.
func (g *generator) matching(re *syntax.Regexp) string {
	repeat := func(least, most int) string {
		var b strings.Builder
		for range least + g.IntN(most-least+1) {
			b.WriteString(g.matching(re.Sub[0]))
		}
		return b.String()
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		at := 2 * g.IntN(len(re.Rune)/2)
		return string(re.Rune[at] + rune(g.IntN(int(min(re.Rune[at+1]-re.Rune[at], 200))+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return pick(g, "a", "ß", "-", "1")
	case syntax.OpStar:
		return repeat(0, 3)
	case syntax.OpPlus:
		return repeat(1, 4)
	case syntax.OpQuest:
		return repeat(0, 1)
	case syntax.OpRepeat:
		return repeat(re.Min, max(re.Max, re.Min))
	case syntax.OpAlternate:
		return g.matching(pick(g, re.Sub...))
	case syntax.OpConcat, syntax.OpCapture:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(g.matching(sub))
		}
		return b.String()
	}
	return ""
}

// hostile is a value that nobody expects.
func (g *generator) hostile() any {
	deep := any("x")
	for range 60 {
		deep = []any{deep}
	}
	return pick[any](g, nil, "", " ", true, 0, -1, 0.5, 1e300, json.Number("9223372036854775808"), json.Number("-"+strings.Repeat("9", 400)), "\x00", "a\x00b",
		"\u202etxt\u2066", "💩", strings.Repeat("ä", 3000), "2026-02-30", "0000-00-00", "99999-01-01", "../../etc/passwd", "{$ne: null}",
		[]any{}, []any{nil, nil}, map[string]any{}, map[string]any{"$gt": ""}, map[string]any{"a.b": map[string]any{"$": 1}}, deep)
}

// spoil changes one place of a JSON tree.
func (g *generator) spoil(v any) any {
	if g.IntN(3) > 0 {
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 0 {
				break
			}
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			slices.Sort(names)
			name := pick(g, names...)
			switch g.IntN(6) {
			case 0:
				delete(v, name)
			case 1:
				v[pick(g, "unknown", "_id", "$set", "__proto__", strings.ToUpper(name), "")] = g.hostile()
			default:
				v[name] = g.spoil(v[name])
			}
			return v
		case []any:
			if len(v) == 0 {
				break
			}
			if g.IntN(4) == 0 {
				return slices.Repeat(v, 1+g.IntN(200)) // too many
			}
			i := g.IntN(len(v))
			v[i] = g.spoil(v[i])
			return v
		}
	}
	return g.hostile()
}

// spoilText changes the text of a body, to something that may be no JSON.
func (g *generator) spoilText(text string) string {
	at := g.IntN(len(text) + 1)
	return pick(g, "", "null", "[]", "0", `"x"`, "\ufeff"+text, text[:at], text+text, text+" x", text[:at]+"\xff\xfe"+text[at:], text[:at]+"\x00"+text[at:],
		text[:at]+`\ud800`+text[at:], strings.Repeat("[", 10_000), strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000),
		strings.Replace(text, "{", `{"unknown":1,"unknown":2,`, 1), strings.Replace(text, ":", ":"+strings.Repeat("9", 5000), 1),
		`{"name":"`+strings.Repeat("x", 70_000)+`"}`, strings.ReplaceAll(text, `"`, "'"), text[:at]+"\r\n\t /* */"+text[at:])
}

// segment is a value of a path or query parameter, escaped; plain says that it is one that a document can be asked about.
func (g *generator) segment(p *v3.Parameter, before string) (text string, plain bool) {
	if v, ok := g.useful(before); ok {
		return url.PathEscape(v), true
	}
	switch g.IntN(6) {
	case 0:
		return pick(g, "%00", "..%2f..%2fx", "%ff%fe", "a%2fb", "%27%20or%201=1", "%F0%9F%92%A9", "%7B%24ne%3A1%7D", strings.Repeat("x", 3000),
			"%20", "-1", "NaN", "%E2%80%AE"), false
	case 1, 2:
		if p.In == "path" && len(g.known) > 0 {
			return url.PathEscape(pick(g, g.known...)), true
		}
	case 3:
		if p.Example != nil {
			return url.QueryEscape(p.Example.Value), true
		}
	}
	if p.Schema == nil {
		return "x", true
	}
	text = fmt.Sprint(g.value(p.Schema.Schema(), 0))
	if text == "" || text == "." || text == ".." {
		return "x", true
	}
	return url.QueryEscape(text), true
}

// call makes a request of an operation; plain says that its path is one that a document can be asked about.
func (g *generator) call(at operation, op *v3.Operation, shared []*v3.Parameter) (c client.Call, plain bool) {
	c = client.Call{Method: strings.ToUpper(at.method), Path: at.path, Header: map[string]string{}}
	plain = true
	var query []string
	for _, p := range append(slices.Clone(shared), op.Parameters...) {
		required := p.Required != nil && *p.Required
		switch {
		case p.In == "path":
			before, _, _ := strings.Cut(at.path, "/{"+p.Name+"}")
			text, ok := g.segment(p, before[strings.LastIndex(before, "/")+1:])
			c.Path, plain = strings.ReplaceAll(c.Path, "{"+p.Name+"}", text), plain && ok
		case p.In == "query" && (required && g.IntN(8) > 0 || g.IntN(2) == 0):
			for range pick(g, 1, 1, 1, 2) {
				text, _ := g.segment(p, p.Name)
				query = append(query, p.Name+"="+text)
			}
		case p.In == "header" && p.Name == "Idempotency-Key":
			if key := pick(g, client.NewKey(), client.NewKey(), client.NewKey(), "k-repeated-1", "", "short", strings.Repeat("k", 300)); key != "" {
				c.Header[p.Name] = key
			}
		case p.In == "header" && p.Name == "X-CSRF-Token":
			if g.IntN(10) == 0 {
				c.Header[p.Name] = pick(g, "", "wrong")
			}
		case p.In == "header" && g.IntN(2) == 0 && p.Example != nil:
			c.Header[p.Name] = p.Example.Value
		case p.In == "header" && g.IntN(4) > 0:
			c.Header[p.Name] = pick(g, `"1"`, `"2"`, `"1"`, `W/"1"`, "*", "x", `"99999999999999999999"`, strings.Repeat("9", 1000))
		}
	}
	if g.IntN(12) == 0 {
		query = append(query, pick(g, "unknown=1", "%ff=%00", "limit=999999999999", "=", "a[$ne]=1"))
	}
	if len(query) > 0 {
		c.Path += "?" + strings.Join(query, "&")
	}
	if op.RequestBody != nil {
		typ, media := "", (*v3.MediaType)(nil)
		for t, m := range op.RequestBody.Content.FromOldest() {
			if media == nil || g.IntN(2) == 0 {
				typ, media = t, m
			}
		}
		c.Header["Content-Type"] = typ
		c.Body = client.Raw(g.body(typ, media))
		if g.IntN(12) == 0 {
			c.Header["Content-Type"] = pick(g, "text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
				"application/json; charset=utf-16", "/", ";;;")
		}
		if g.IntN(20) == 0 {
			c.Header["Content-Encoding"] = "gzip"
		}
	}
	return c, plain
}

// body makes a body: half of them are good as far as the schema says, the others are spoilt.
func (g *generator) body(typ string, media *v3.MediaType) string {
	if !strings.Contains(typ, "json") {
		return pick(g, "\x89PNG\r\n\x1a\n", "%PDF-1.7", "", "x", "\xff\xd8\xff\xe0", strings.Repeat("\x00", 5000))
	}
	var v any
	if media.Example == nil || g.IntN(3) == 0 || media.Example.Decode(&v) != nil {
		v = g.value(media.Schema.Schema(), 0)
	} else if m, ok := v.(map[string]any); ok { // an example names what is not there
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if useful, ok := g.useful(name); ok {
				m[name] = useful
			}
		}
	}
	mode := g.IntN(4)
	if mode == 2 {
		v = g.spoil(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		text = []byte("{}")
	}
	if mode == 3 {
		return g.spoilText(string(text))
	}
	return string(text)
}
