package letter

import (
	"fmt"
	"strconv"
	"strings"

	"kreislauf/internal/money"
	"kreislauf/services/payment/paper"
)

// Where the columns of the table of lines are: the left edge of texts, the right edge of numbers.
const (
	atText, textWidth = left + 10, 80.0
	atQuantity        = 132.0
	atPrice           = 162.0
	inset             = 1.5
)

// lines prints the table, and its head again on each page.
func (l *letter) lines() {
	y := l.tableHead(l.GetY())
	for i, line := range l.paper.Lines {
		l.style("", normal, 20)
		text := line.Text
		if _, _, paragraph := paper.Exemption(line.Category); paragraph != "" && len(l.paper.Taxes) > 1 {
			text += " – ohne Umsatzsteuer (" + paragraph + ")"
		}
		height := float64(len(l.SplitText(l.text(text), textWidth)))*lineHeight + 2.4
		if y+height > bottom {
			l.AddPage()
			y = l.tableHead(continuedTop)
		}
		l.style("", normal, 20)
		y += 1.2
		l.put(left+inset, y, 8, "L", strconv.Itoa(i+1))
		l.put(atQuantity, y, 26, "R", quantity(line))
		l.put(atPrice, y, 28, "R", euros(line.UnitCents))
		l.put(right-inset, y, 26, "R", euros(line.NetCents))
		y = l.block(atText, y, textWidth, text) + 1.2
		l.rule(y, 215)
	}
	l.SetY(y)
}

func (l *letter) tableHead(y float64) float64 {
	l.SetFillColor(238, 241, 240)
	l.Rect(left, y, width, 7, "F")
	l.style("B", 8.5, 60)
	y += 1.1
	l.put(left+inset, y, 9, "L", "Pos.")
	l.put(atText, y, textWidth, "L", "Leistung")
	l.put(atQuantity, y, 26, "R", "Menge")
	l.put(atPrice, y, 28, "R", "Einzelpreis")
	l.put(right-inset, y, 26, "R", "Betrag netto")
	return y + 5.9
}

// totals stand together, on one page.
func (l *letter) totals() {
	y := l.need(l.GetY()+2, 24+5.2*float64(len(l.paper.Taxes)-1))
	row := func(weight string, size float64, label string, c money.Cents) {
		l.style(weight, size, 20)
		l.put(atPrice, y, 70, "R", label)
		l.put(right-inset, y, 28, "R", euros(c))
	}
	p := l.paper
	row("", normal, "Summe netto", p.Total.NetCents)
	for _, t := range p.Taxes {
		y += 5.2
		label := fmt.Sprintf("Umsatzsteuer %d %% auf %s", t.Percent, euros(t.NetCents))
		if _, _, paragraph := paper.Exemption(t.Category); paragraph != "" {
			label = fmt.Sprintf("Keine Umsatzsteuer auf %s (%s)", euros(t.NetCents), paragraph)
		}
		row("", normal, label, t.VATCents)
	}
	y += 6.4
	l.SetDrawColor(60, 60, 60)
	l.Line(atQuantity-16, y, right, y)
	y += 1.2
	label := "Rechnungsbetrag"
	switch p.TypeCode {
	case paper.SelfBilled:
		label = "Gutschriftbetrag"
	case paper.Correction:
		label = "Korrekturbetrag"
	}
	row("B", 11, label, p.Total.GrossCents)
	l.SetY(y + 10)
}

// payment says how the buyer of an invoice pays; the sides of other documents wait for us.
func (l *letter) payment() error {
	p := l.paper
	if p.TypeCode != paper.Invoice {
		return nil
	}
	const side, pad, height = 32.0, 4.0, 40.0
	y := l.need(l.GetY(), height+4)
	l.SetDrawColor(200, 205, 203)
	l.Rect(left, y, width, height, "D")
	code, err := giroCode(p.BIC, p.Seller.Name, p.IBAN, l.number, p.Total.GrossCents)
	if err != nil {
		return err
	}
	l.squares(code, right-pad-side, y+pad, side)
	l.style("B", normal, 20)
	l.put(left+pad, y+3.2, 110, "L", fmt.Sprintf("Bitte überweisen Sie %s bis zum %s", euros(p.Total.GrossCents), paper.Date(p.DueOn)))
	row := y + 10
	for _, f := range []fact{
		{"Empfänger", p.Seller.Name}, {"IBAN", grouped(p.IBAN)}, {"BIC", p.BIC}, {"Verwendungszweck", l.number},
	} {
		if f.value == "" {
			continue
		}
		l.style("", normal, 110)
		l.put(left+pad, row, 34, "L", f.label)
		l.style("", normal, 20)
		l.put(left+pad+34, row, 84, "L", f.value)
		row += 5
	}
	l.style("", small, 110)
	l.put(left+pad, y+height-7.5, 110, "L", "Den Code rechts (GiroCode) liest die App Ihrer Bank.")
	l.SetY(y + height + 5)
	return nil
}

func (l *letter) notes() {
	l.style("", normal, 20)
	y := l.GetY()
	for _, note := range l.paper.Notes {
		rows := l.SplitText(l.text(note), width)
		y = l.need(y, float64(len(rows))*lineHeight)
		l.style("", normal, 20)
		y = l.block(left, y, width, note) + 1.5
	}
	y = l.need(y, lineHeight)
	l.style("", small, 110)
	l.put(left, y+1, width, "L", "Diese Datei enthält dieselben Angaben als elektronische Rechnung (ZUGFeRD, "+attachmentName+").")
}

// squares draws a code of dark and light squares into a square of the given side. Those beside each other are one bar, a little higher than
// a row, so that no gaps are seen between rows.
func (l *letter) squares(code [][]bool, x, y, side float64) {
	unit := side / float64(len(code))
	l.SetFillColor(0, 0, 0)
	for r, row := range code {
		for from := 0; from < len(row); from++ {
			to := from
			for to < len(row) && row[to] {
				to++
			}
			if to > from {
				l.Rect(x+float64(from)*unit, y+float64(r)*unit, float64(to-from)*unit, unit+0.01, "F")
				from = to
			}
		}
	}
}

// euros prints an amount in the German way: "1.234,50 €".
func euros(c money.Cents) string {
	sign := ""
	if c < 0 {
		sign, c = "−", -c
	}
	whole := strconv.FormatInt(int64(c/100), 10)
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "." + whole[at:]
	}
	return fmt.Sprintf("%s%s,%02d €", sign, whole, c%100)
}

// quantity prints "2 Tage" or "0,345 t".
func quantity(l paper.Line) string {
	n := strings.TrimSuffix(strings.ReplaceAll(l.Quantity.String(), ".", ","), ",000")
	unit := map[paper.Unit]string{paper.Piece: "Stück", paper.Day: "Tage", paper.Tonne: "t"}[l.Unit]
	if l.Unit == paper.Day && (l.Quantity == 1000 || l.Quantity == -1000) {
		unit = "Tag"
	}
	return strings.Replace(n, "-", "−", 1) + " " + unit
}

// grouped writes an IBAN in groups of four.
func grouped(iban string) string {
	var b strings.Builder
	for i, r := range iban {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
