package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// catColumn is a column of a table with the short names a request may use.
type catColumn struct {
	name, aliases, help string
}

func (c catColumn) is(name string) bool {
	return c.name == name || c.aliases != "" && slices.Contains(strings.Split(c.aliases, ","), name)
}

// catTable is an answer of the cat API.
type catTable struct {
	columns []catColumn
	rows    [][]string
}

// shown is a column as the request asks for it.
type shown struct {
	title string
	at    int
}

// print answers in the asked format. Columns that do not exist are left out, as the real server does.
func (t *catTable) print(r *request) (int, any, error) {
	if help, err := r.flag("help", false); err != nil || help {
		return t.help(err)
	}
	columns := t.chosen(r.args["h"])
	if err := t.sort(r.args["s"]); err != nil {
		return 0, nil, err
	}
	format := r.args["format"]
	if format == "" && strings.Contains(r.Header.Get("Accept"), "json") {
		format = "json"
	}
	switch format {
	case "json":
		out := []any{}
		for _, row := range t.rows {
			m := map[string]any{}
			for _, c := range columns {
				m[c.title] = row[c.at]
			}
			out = append(out, m)
		}
		return 200, out, nil
	case "", "text", "txt":
	default:
		return 0, nil, eserr.IllegalArgument("format [%s] is not supported by this engine", format)
	}
	titles, err := r.flag("v", false)
	if err != nil {
		return 0, nil, err
	}
	var lines [][]string
	if titles {
		var line []string
		for _, c := range columns {
			line = append(line, c.title)
		}
		lines = append(lines, line)
	}
	for _, row := range t.rows {
		var line []string
		for _, c := range columns {
			line = append(line, row[c.at])
		}
		lines = append(lines, line)
	}
	return 200, padded(lines), nil
}

func (t *catTable) help(err error) (int, any, error) {
	var lines [][]string
	for _, c := range t.columns {
		lines = append(lines, []string{c.name, "|", c.aliases, "|", c.help})
	}
	return 200, padded(lines), err
}

func (t *catTable) chosen(h string) []shown {
	var out []shown
	if h == "" {
		for i, c := range t.columns {
			out = append(out, shown{c.name, i})
		}
		return out
	}
	for name := range strings.SplitSeq(h, ",") {
		if strings.Contains(name, "*") {
			for i, c := range t.columns {
				if mapping.Glob(name, c.name) {
					out = append(out, shown{c.name, i})
				}
			}
		} else if i := slices.IndexFunc(t.columns, func(c catColumn) bool { return c.is(name) }); i >= 0 {
			out = append(out, shown{name, i})
		}
	}
	return out
}

// sort orders the rows by columns such as docs.count:desc; numbers are compared as numbers.
func (t *catTable) sort(s string) error {
	if s == "" {
		return nil
	}
	type key struct {
		at   int
		desc bool
	}
	var keys []key
	for part := range strings.SplitSeq(s, ",") {
		name, desc := strings.CutSuffix(part, ":desc")
		name = strings.TrimSuffix(name, ":asc")
		i := slices.IndexFunc(t.columns, func(c catColumn) bool { return c.is(name) })
		if i < 0 {
			return eserr.New(500, "unsupported_operation_exception", "Unable to sort by unknown sort key `%s`", name)
		}
		keys = append(keys, key{i, desc})
	}
	slices.SortStableFunc(t.rows, func(a, b []string) int {
		for _, k := range keys {
			d := compareCells(a[k.at], b[k.at])
			if k.desc {
				d = -d
			}
			if d != 0 {
				return d
			}
		}
		return 0
	})
	return nil
}

func compareCells(a, b string) int {
	x, errX := cellNumber(a)
	y, errY := cellNumber(b)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

func cellNumber(s string) (float64, error) {
	if n, err := parseBytes(s); err == nil {
		return float64(n), nil
	}
	return strconv.ParseFloat(s, 64)
}

func padded(lines [][]string) text {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var l strings.Builder
		for i, cell := range line {
			fmt.Fprintf(&l, "%-*s ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return text(b.String())
}

// byteSize prints a size as the cat API does: 81.7kb, or a plain number in the unit asked for.
func byteSize(n int64, unit string) (string, error) {
	units := []string{"b", "kb", "mb", "gb", "tb", "pb"}
	if unit != "" {
		i := slices.Index(units, strings.ToLower(unit))
		if i < 0 {
			return "", eserr.IllegalArgument("Unable to parse [bytes]: unknown unit [%s]", unit)
		}
		return strconv.FormatInt(n>>(10*i), 10), nil
	}
	i := 0
	size := float64(n)
	for size >= 1024 && i < len(units)-1 {
		size /= 1024
		i++
	}
	return strings.TrimSuffix(strconv.FormatFloat(float64(int64(size*10))/10, 'f', 1, 64), ".0") + units[i], nil
}
