package order

import (
	"bytes"
	"cmp"
	_ "embed" // the page's template
	"encoding/csv"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
)

// The proof of a year: what section 8 GewAbfV wants to be kept of a site's separate collection, namely photos, weighing slips, and who took
// which mass, with name and address. An order belongs to the year in which its container was fetched.

// Limits of one proof; a site of its own, or another year, makes it smaller.
const (
	maxProofOrders = 1000
	maxProofBytes  = 1 << 30
)

// Taker is what order knows of a disposal partner, as the taker of the waste, and its document: a copy of the newest state that disposer has told of.
type Taker struct {
	ID       string `bson:"_id"`
	Version  int64  `bson:"version"`
	Name     string `bson:"name"`
	Street   string `bson:"street"`
	Postcode string `bson:"postcode"`
	City     string `bson:"city"`
}

func takerOf(e event.PartnerChanged) Taker {
	return Taker{e.PartnerID, e.Version, e.Name, e.Street, e.Postcode, e.City}
}

// delivery is one order of a proof.
type delivery struct {
	Order
	FetchedOn string // YYYY-MM-DD
	Taker     Taker
	Files     []proofFile
	Missing   []string // in German, as the page
}

// proofFile is a document of a delivery with its name in the proof.
type proofFile struct {
	Document
	Name string
	at   time.Time
}

// deliveries makes the proof of a year of those of some orders whose container was fetched in it, in the order of the days. zone is where days begin.
func deliveries(orders []Order, partners map[string]Taker, year int, zone *time.Location) (list []delivery, size int64) {
	for _, o := range orders {
		fetched, ok := o.reached(Collected)
		if !ok || fetched.At.In(zone).Year() != year {
			continue
		}
		d := delivery{Order: o, FetchedOn: fetched.At.In(zone).Format(time.DateOnly)}
		kinds := map[string]bool{}
		for _, doc := range o.Documents {
			kinds[doc.Kind] = true
			size += doc.Size
			d.Files = append(d.Files, proofFile{doc, d.FetchedOn + "_" + o.ID + "/" + doc.fileName(), doc.At})
		}
		slices.SortFunc(d.Files, func(a, b proofFile) int { return cmp.Compare(a.Name, b.Name) })
		taker, known := partners[o.PartnerID]
		d.Taker = taker
		d.miss(!known, "Name und Anschrift des Entsorgers")
		d.miss(o.Weighing == nil, "Masse und Nummer des Wiegescheins")
		d.miss(!kinds["slip"], "Wiegeschein als Datei")
		d.miss(!kinds["photo"], "Foto")
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b delivery) int { return cmp.Or(cmp.Compare(a.FetchedOn, b.FetchedOn), cmp.Compare(a.ID, b.ID)) })
	return list, size
}

func (d *delivery) miss(missing bool, what string) {
	if missing {
		d.Missing = append(d.Missing, what)
	}
}

// AVV is the waste's code as it is written: "17 09 04".
func (d delivery) AVV() string {
	if len(d.Waste) != 6 {
		return d.Waste
	}
	return d.Waste[:2] + " " + d.Waste[2:4] + " " + d.Waste[4:]
}

// WasteName is the waste in German.
func (d delivery) WasteName() string {
	w, err := catalog.FindWaste(d.Waste)
	if err != nil {
		return ""
	}
	return w.NameDE
}

// Tonnes is the mass, with the comma of German; empty when it is not weighed.
func (d delivery) Tonnes() string {
	if d.Weighing == nil {
		return ""
	}
	kg := d.Weighing.NetKg()
	return fmt.Sprintf("%d,%03d", kg/1000, kg%1000)
}

// Slip is the number of the weighing slip.
func (d delivery) Slip() string {
	if d.Weighing == nil {
		return ""
	}
	return d.Weighing.Slip
}

// register is the list of a proof, for spreadsheets: semicolons and a byte order mark, as those of German take them. What would be a formula is text.
func register(list []delivery) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	rows := [][]string{{
		"Datum", "AVV-Schlüssel", "Abfall", "Masse in t", "Entsorger", "Anschrift des Entsorgers", "Wiegeschein", "Container", "Auftrag", "Anfallstelle", "Fehlt",
	}}
	for _, d := range list {
		t := d.Taker
		rows = append(rows, []string{
			d.FetchedOn, d.AVV(), d.WasteName(), d.Tonnes(), t.Name, strings.Trim(t.Street+", "+t.Postcode+" "+t.City, ", "), d.Slip(), d.Container, d.ID,
			d.Address.Street + ", " + d.Postcode + " " + d.Address.City, strings.Join(d.Missing, ", "),
		})
	}
	for _, row := range rows {
		for i, cell := range row {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
				row[i] = "'" + cell
			}
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write register: %w", err)
	}
	return b.Bytes(), nil
}

//go:embed proof.html
var proofPage string

// cover is the page of a proof that people read first.
func cover(list []delivery, year int) ([]byte, error) {
	t, err := template.New("proof").Parse(proofPage)
	if err != nil {
		return nil, fmt.Errorf("read page of proof: %w", err)
	}
	kg, missing := 0, 0
	for _, d := range list {
		if d.Weighing != nil {
			kg += d.Weighing.NetKg()
		}
		if len(d.Missing) > 0 {
			missing++
		}
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{"Year": year, "List": list, "Tonnes": fmt.Sprintf("%d,%03d", kg/1000, kg%1000), "Missing": missing})
	if err != nil {
		return nil, fmt.Errorf("write page of proof: %w", err)
	}
	return b.Bytes(), nil
}
