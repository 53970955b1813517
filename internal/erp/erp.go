// Package erp owns the files by which an ERP gives master data to the platform and takes them: partners and what they are paid, as CSV and as
// JSON. docs/erp.md describes them for those who write such files.
//
// A file is all or nothing: Import has the service check each entry as if it were stored, and stores none while one is refused. A version of
// an entry is the one that was exported; an entry that somebody has changed since is refused. Sending a file again changes nothing. Faults name
// the line as an editor counts it.
//
// Not guaranteed: that nothing is stored when somebody changes a partner between check and storing, or when the platform goes away in the middle.
// Then the error says which entries are stored, and sending the file again does the rest.
package erp

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Partner is a partner as the platform keeps it, see services/disposer/openapi.yaml. Amounts are net cents.
type Partner struct {
	ID      string `json:"id"`
	Version int64  `json:"version,omitempty"` // that was exported; 0: a new partner, or one that is as the file says
	Master
}

// Master is all of a partner but its id and version.
type Master struct {
	Name         string          `json:"name"`
	Street       string          `json:"street"`
	Postcode     string          `json:"postcode"`
	City         string          `json:"city"`
	Email        string          `json:"email"`
	TaxID        string          `json:"tax_id"`
	RadiusKm     int             `json:"radius_km"`
	Wastes       []string        `json:"waste_codes"`
	AutoAccept   bool            `json:"auto_accept"`
	Active       bool            `json:"active"`
	Rates        Rates           `json:"rates"`
	Certificates []Certificate   `json:"certificates"`
	Drivers      json.RawMessage `json:"drivers,omitempty"`  // the partner keeps them; a file without them leaves them as they are
	Vehicles     json.RawMessage `json:"vehicles,omitempty"` // likewise
}

// Rates are what a partner is paid.
type Rates struct {
	Trip         int64            `json:"trip_cents"`
	PerM3        map[string]int64 `json:"per_m3_cents"` // by waste code
	PerTonneOver int64            `json:"per_tonne_over_cents"`
}

// Certificate is a proof with its last day, YYYY-MM-DD, or "" for one without end.
type Certificate struct {
	Kind       string `json:"kind"` // "efb", "53" or "54"
	Number     string `json:"number"`
	ValidUntil string `json:"valid_until,omitempty"`
}

// Kind is what a file holds.
type Kind string

// The kinds. The name of a file begins with its kind: partners.csv, rates-2027.json.
const (
	Partners   Kind = "partners" // whole partners
	PriceLists Kind = "rates"    // price lists: what partners are paid
)

// Format is how a file is written.
type Format string

// The formats, which are the endings of names.
const (
	CSV  Format = "csv"
	JSON Format = "json"
)

// NameSays reads kind and format from the name of a file.
func NameSays(path string) (Kind, Format, error) {
	name := strings.ToLower(filepath.Base(path))
	format := Format(strings.TrimPrefix(filepath.Ext(name), "."))
	for _, kind := range []Kind{Partners, PriceLists} {
		if strings.HasPrefix(name, string(kind)) && (format == CSV || format == JSON) {
			return kind, format, nil
		}
	}
	return "", "", fmt.Errorf("%s: the name must say what is in it: partners or rates, then .csv or .json, for example partners.csv or rates-2027.json", path)
}

// Entry is one partner of a file, or its price list, with the line where it begins.
type Entry struct {
	Line    int
	Partner Partner // of a price list only ID, Version, Wastes and Rates
}

// Fault is what is wrong with a line.
type Fault struct {
	Line   int
	Column string // or member; empty: the whole line
	What   string // what to do
}

// Faults are all that is wrong with a file.
type Faults struct {
	Path string
	List []Fault
}

// Error lists the faults, a line each: "partners.csv:7: postcode: five digits are needed".
func (f *Faults) Error() string {
	slices.SortStableFunc(f.List, func(a, b Fault) int { return a.Line - b.Line })
	lines := make([]string, len(f.List))
	for i, each := range f.List {
		lines[i] = fmt.Sprintf("%s:%d: ", f.Path, each.Line)
		if each.Column != "" {
			lines[i] += each.Column + ": "
		}
		lines[i] += each.What
	}
	return strings.Join(lines, "\n")
}

func (f *Faults) add(line int, column, format string, args ...any) {
	f.List = append(f.List, Fault{line, column, fmt.Sprintf(format, args...)})
}

// err is nil without faults.
func (f *Faults) err() error {
	if len(f.List) == 0 {
		return nil
	}
	return f
}

// once adds a fault for each partner that a file names twice.
func (f *Faults) once(list []Entry) {
	seen := map[string]int{}
	for _, e := range list {
		if first, twice := seen[e.Partner.ID]; twice {
			f.add(e.Line, "id", "%s stands in line %d already; keep one of them", e.Partner.ID, first)
			continue
		}
		seen[e.Partner.ID] = e.Line
	}
}

// codes lists the wastes of a price list, sorted.
func (r Rates) codes() []string { return slices.Sorted(maps.Keys(r.PerM3)) }
