package hits

import (
	"slices"
	"strings"
	"unicode/utf8"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
)

// highlight is what is to be marked in hits. Fragments are whole sentences up to a size, in the order of the text.
type highlight struct {
	fields []highlightField
}

type highlightField struct {
	pattern   string
	pre, post string
	size      int // of a fragment, in characters
	fragments int // 0 is the whole text
	noMatch   int
	anyField  bool // require_field_match: false
	html      bool
	query     *query.Query // nil is the query of the search
}

func parseHighlight(n *esjson.Node) (*highlight, error) {
	if n.Kind != esjson.Object {
		return nil, n.Errorf("Unknown key for a %s in [highlight].", n.Token())
	}
	base := highlightField{pre: "<em>", post: "</em>", size: 100, fragments: 5}
	for _, f := range n.Fields {
		if f.Name == "fields" {
			continue
		}
		if err := base.option(f, "highlight"); err != nil {
			return nil, err
		}
	}
	h := &highlight{}
	add := func(f esjson.Field) error {
		field := base
		field.pattern = f.Name
		if f.Value.Kind != esjson.Object {
			return f.Value.Contentf("[highlight] failed to parse field [fields]")
		}
		for _, o := range f.Value.Fields {
			if err := field.option(o, "highlight_field"); err != nil {
				return err
			}
		}
		h.fields = append(h.fields, field)
		return nil
	}
	fields := n.Get("fields")
	if fields == nil {
		return h, nil
	}
	objects := []*esjson.Node{fields}
	if fields.Kind == esjson.Array {
		objects = fields.Items
	}
	for _, o := range objects {
		for _, f := range o.Fields {
			if err := add(f); err != nil {
				return nil, err
			}
		}
	}
	return h, nil
}

// option reads what can stand beside the fields and in each of them.
func (h *highlightField) option(f esjson.Field, object string) (err error) {
	number := func(into *int) {
		v, ok := f.Value.Int()
		if !ok || v < 0 || v > 1<<20 {
			err = f.Value.Contentf("[%s] failed to parse field [%s]", object, f.Name)
		}
		*into = int(v)
	}
	only := func(values ...string) {
		if !slices.Contains(values, strings.ToLower(f.Value.Str)) {
			err = eserr.IllegalArgument("[highlight] [%s] [%s] is not supported by this engine", f.Name, f.Value.Str)
		}
	}
	switch f.Name {
	case "pre_tags", "post_tags":
		tags := texts(f.Value)
		if len(tags) == 0 {
			return f.Value.Contentf("[%s] failed to parse field [%s]", object, f.Name)
		}
		if f.Name == "pre_tags" {
			h.pre = tags[0]
		} else {
			h.post = tags[0]
		}
	case "tags_schema":
		if only("styled", "default"); f.Value.Str == "styled" {
			h.pre = `<em class="hlt1">`
		}
	case "fragment_size":
		number(&h.size)
	case "number_of_fragments":
		number(&h.fragments)
	case "no_match_size":
		number(&h.noMatch)
	case "require_field_match":
		h.anyField = f.Value.Str == "false"
	case "encoder":
		only("html", "default")
		h.html = f.Value.Str == "html"
	case "type":
		only("unified", "plain")
	case "order":
		only("none")
	case "boundary_scanner":
		only("sentence")
	case "fragmenter":
		only("span", "simple")
	case "highlight_query":
		h.query, err = query.Parse(f.Value)
	case "boundary_scanner_locale", "max_analyzed_offset":
	default:
		err = f.Unknown(object)
	}
	return err
}

// apply marks one document.
func (h *highlight) apply(t *query.Target, src *esjson.Node) (map[string]any, error) {
	out := map[string]any{}
	for _, field := range h.fields {
		marks := t.Marks
		if field.query != nil {
			m, err := field.query.Bind(t)
			if err != nil {
				return nil, err
			}
			marks = m.Marks()
		}
		t.Mapping.Leaves(func(path string, _ *mapping.Field) {
			if !mapping.Glob(field.pattern, path) || out[path] != nil {
				return
			}
			if list := field.fragmentsOf(t, src, path, marks); len(list) > 0 {
				out[path] = list
			}
		})
	}
	return out, nil
}

func (h *highlightField) fragmentsOf(t *query.Target, src *esjson.Node, path string, marks []query.Mark) []string {
	f := t.Mapping.Lookup(path)
	if f == nil || f.Kind() != column.String || f.Type == mapping.IP || f.Type == mapping.Flattened {
		return nil
	}
	from := f.Path
	if t.Mapping.IsMulti(from) {
		from = from[:strings.LastIndexByte(from, '.')]
	}
	marks = slices.DeleteFunc(slices.Clone(marks), func(m query.Mark) bool { return m.Path != f.Path && !h.anyField })
	var out []string
	first := ""
	valuesAt(src, from, func(n *esjson.Node) {
		if !n.IsScalar() || n.Kind == esjson.Null || f.IgnoreAbove > 0 && utf8.RuneCountInString(n.Str) > f.IgnoreAbove {
			return
		}
		if first == "" {
			first = n.Str
		}
		words := []mapping.Span{{Token: n.Str, End: len(n.Str)}}
		if f.IsText() {
			words = mapping.Spans(n.Str)
		}
		out = append(out, h.marked(n.Str, words, marks)...)
	})
	if h.fragments > 0 {
		out = out[:min(len(out), h.fragments)]
	}
	if len(out) == 0 && h.noMatch > 0 && first != "" {
		return []string{h.encode(first[:cutAt(first, h.noMatch)])}
	}
	return out
}

// marked are the fragments of a text that hold a word to mark.
func (h *highlightField) marked(text string, words []mapping.Span, marks []query.Mark) []string {
	wanted := make([]bool, len(words))
	for _, m := range marks {
		for i, hit := range m.Hits(words) {
			wanted[i] = wanted[i] || hit
		}
	}
	if !slices.Contains(wanted, true) {
		return nil
	}
	pieces := []int{len(text)}
	if h.fragments > 0 {
		pieces = fragments(text, h.size)
	}
	var out []string
	start := 0
	for _, end := range pieces {
		var b strings.Builder
		at, any := start, false
		for i, w := range words {
			if wanted[i] && w.Start >= start && w.End <= end {
				b.WriteString(h.encode(text[at:w.Start]) + h.pre + h.encode(text[w.Start:w.End]) + h.post)
				at, any = w.End, true
			}
		}
		if any {
			b.WriteString(h.encode(text[at:end]))
			out = append(out, strings.TrimSpace(b.String()))
		}
		start = end
	}
	return out
}

func (h *highlightField) encode(s string) string {
	if !h.html {
		return s
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "/", "&#x2F;").Replace(s)
}

// fragments are the ends of pieces of at most size characters: sentences, as many as fit, or else words.
func fragments(text string, size int) []int {
	if size == 0 {
		return []int{len(text)}
	}
	var out []int
	start := 0
	for start < len(text) {
		rest := text[start:]
		end := cutAt(rest, size)
		if end < len(rest) {
			if s := lastSentence(rest[:end]); s > 0 {
				end = s
			}
		}
		start += end
		out = append(out, start)
	}
	return out
}

// cutAt is the largest number of bytes up to the end of a word within size characters, or of the first word.
func cutAt(s string, size int) int {
	limit, n := len(s), 0
	for i := range s {
		if n == size {
			limit = i
			break
		}
		n++
	}
	if limit == len(s) || s[limit] == ' ' {
		return limit
	}
	if i := strings.LastIndexByte(s[:limit], ' '); i >= 0 {
		return i + 1
	}
	if i := strings.IndexByte(s[limit:], ' '); i >= 0 {
		return limit + i + 1
	}
	return len(s)
}

// lastSentence is the end of the last whole sentence, or 0.
func lastSentence(s string) int {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] == ' ' && strings.IndexByte(".!?", s[i-1]) >= 0 {
			return i + 1
		}
	}
	return 0
}
