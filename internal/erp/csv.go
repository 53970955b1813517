package erp

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The columns, in the order in which they are exported; a file may have them in any order.
func columns(k Kind) []string {
	if k == PriceLists {
		return []string{"partner_id", "version", "item", "net_cents"}
	}
	return []string{
		"id", "version", "name", "street", "postcode", "city", "email", "tax_id", "radius_km", "auto_accept", "active", "trip_cents",
		"per_tonne_over_cents", "rates", "certificates",
	}
}

// The items of a price list beside the waste codes.
const (
	itemTrip  = "trip"       // placing and fetching
	itemTonne = "tonne-over" // each tonne above the included weight
)

// table is a CSV file whose first line names its columns.
type table struct {
	reader *csv.Reader
	at     map[string]int
	faults *Faults
}

// openTable reads the heading. Cells are separated by commas or, as German spreadsheets write them, by semicolons: the heading tells.
func openTable(path string, text []byte, k Kind) (*table, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	t := &table{reader: csv.NewReader(bytes.NewReader(text)), at: map[string]int{}, faults: &Faults{Path: path}}
	heading, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.ContainsRune(heading, ';') {
		t.reader.Comma = ';'
	}
	t.reader.TrimLeadingSpace = true
	names, err := t.reader.Read()
	if err != nil {
		return nil, fmt.Errorf("%s:1: the first line must name the columns: %s", path, strings.Join(columns(k), ", "))
	}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if !slices.Contains(columns(k), name) {
			t.faults.add(1, name, "there is no such column; there are %s", strings.Join(columns(k), ", "))
		}
		t.at[name] = i
	}
	for _, name := range columns(k) {
		if _, there := t.at[name]; !there {
			t.faults.add(1, name, "this column is missing")
		}
	}
	return t, t.faults.err()
}

// row is one line of a table.
type row struct {
	*table
	line  int
	cells []string
}

// next reads a line; ok is false at the end. A line that is no CSV ends the reading, as nothing behind it can be told apart.
func (t *table) next() (r row, ok bool) {
	cells, err := t.reader.Read()
	if errors.Is(err, io.EOF) {
		return r, false
	}
	if err != nil {
		line := 0
		if p, is := errors.AsType[*csv.ParseError](err); is {
			line, err = p.Line, p.Err
		}
		t.faults.add(line, "", "the line cannot be read (%v); it needs %d cells, and a cell with quotation marks, commas or semicolons stands in quotation marks", err, len(t.at))
		return r, false
	}
	line, _ := t.reader.FieldPos(0)
	return row{t, line, cells}, true
}

func (r row) text(column string) string { return strings.TrimSpace(r.cells[r.at[column]]) }

func (r row) number(column string, empty bool) int64 {
	text := r.text(column)
	if text == "" && empty {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.faults.add(r.line, column, "%.40q is no whole number; amounts are in cents, 4250 for 42.50 euros", text)
	}
	return n
}

func (r row) yes(column string) bool {
	switch text := r.text(column); text {
	case "true", "1":
		return true
	case "false", "0":
	default:
		r.faults.add(r.line, column, "%.40q is neither true nor false", text)
	}
	return false
}

// readCSV reads a file of a kind.
func readCSV(path string, text []byte, k Kind) ([]Entry, error) {
	t, err := openTable(path, text, k)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for r, ok := t.next(); ok; r, ok = t.next() {
		if k == PriceLists {
			list = r.item(list)
		} else {
			list = append(list, Entry{r.line, r.partner()})
		}
	}
	if k == Partners {
		t.faults.once(list)
	}
	return list, t.faults.err()
}

func (r row) partner() Partner {
	p := Partner{ID: r.text("id"), Version: r.number("version", true), Master: Master{
		Name: r.text("name"), Street: r.text("street"), Postcode: r.text("postcode"), City: r.text("city"), Email: r.text("email"), TaxID: r.text("tax_id"),
		RadiusKm: int(r.number("radius_km", false)), AutoAccept: r.yes("auto_accept"), Active: r.yes("active"),
		Rates:        Rates{Trip: r.number("trip_cents", false), PerM3: map[string]int64{}, PerTonneOver: r.number("per_tonne_over_cents", false)},
		Certificates: []Certificate{},
	}}
	for _, pair := range strings.Fields(r.text("rates")) {
		code, cents, ok := strings.Cut(pair, "=")
		n, err := strconv.ParseInt(cents, 10, 64)
		if !ok || err != nil {
			r.faults.add(r.line, "rates", "%.40q is no rate; write waste code, = and cents for each m³, for example 170904=4420 170107=1615", pair)
			continue
		}
		p.Rates.PerM3[code], p.Wastes = n, append(p.Wastes, code)
	}
	for _, text := range strings.Split(r.text("certificates"), "|") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		kind, rest, ok := strings.Cut(strings.TrimSpace(text), ":")
		last := strings.LastIndex(rest, ":")
		if !ok || last < 0 {
			r.faults.add(r.line, "certificates", "%.60q is no certificate; write kind:number:last day, for example 53:A-53-20728: or efb:EfB-2025-114:2027-06-30, and | between two", text)
			continue
		}
		p.Certificates = append(p.Certificates, Certificate{kind, rest[:last], rest[last+1:]})
	}
	return p
}

// item adds a line of a price list to the list of its partner.
func (r row) item(list []Entry) []Entry {
	id, version, cents := r.text("partner_id"), r.number("version", true), r.number("net_cents", false)
	i := slices.IndexFunc(list, func(e Entry) bool { return e.Partner.ID == id })
	if i < 0 {
		i = len(list)
		list = append(list, Entry{r.line, Partner{ID: id, Version: version, Master: Master{Rates: Rates{Trip: -1, PerM3: map[string]int64{}, PerTonneOver: -1}}}})
	}
	p := &list[i].Partner
	if p.Version != version {
		r.faults.add(r.line, "version", "%d is not the version of line %d of the same partner, %d", version, list[i].Line, p.Version)
	}
	switch item := r.text("item"); item {
	case itemTrip:
		p.Rates.Trip = cents
	case itemTonne:
		p.Rates.PerTonneOver = cents
	default:
		if _, twice := p.Rates.PerM3[item]; twice {
			r.faults.add(r.line, "item", "%s stands twice in the list of %s", item, id)
		}
		p.Rates.PerM3[item], p.Wastes = cents, append(p.Wastes, item)
	}
	return list
}

// writeCSV writes partners as a file of a kind.
func writeCSV(w io.Writer, k Kind, list []Partner) error {
	out := csv.NewWriter(w)
	rows := [][]string{columns(k)}
	num := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, p := range list {
		if k == PriceLists {
			add := func(item string, cents int64) { rows = append(rows, []string{p.ID, num(p.Version), item, num(cents)}) }
			add(itemTrip, p.Rates.Trip)
			add(itemTonne, p.Rates.PerTonneOver)
			for _, code := range p.Rates.codes() {
				add(code, p.Rates.PerM3[code])
			}
			continue
		}
		var rates, certificates []string
		for _, code := range p.Rates.codes() {
			rates = append(rates, code+"="+num(p.Rates.PerM3[code]))
		}
		for _, c := range p.Certificates {
			certificates = append(certificates, c.Kind+":"+c.Number+":"+c.ValidUntil)
		}
		rows = append(rows, []string{
			p.ID, num(p.Version), p.Name, p.Street, p.Postcode, p.City, p.Email, p.TaxID, num(int64(p.RadiusKm)), strconv.FormatBool(p.AutoAccept),
			strconv.FormatBool(p.Active), num(p.Rates.Trip), num(p.Rates.PerTonneOver), strings.Join(rates, " "), strings.Join(certificates, "|"),
		})
	}
	return out.WriteAll(rows)
}
