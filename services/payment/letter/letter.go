// Package letter prints invoices, credit notes and corrections: a German business letter (after DIN 5008, form B) as PDF/A-3b with the
// ZUGFeRD invoice inside, so that people and machines read the same file.
//
// It is a function of number and Paper alone: the dates in the file are those of the document, and the same Paper gives the same bytes.
// Characters that the font does not have (it has Latin, Greek and Cyrillic ones) are printed as question marks.
package letter

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/sfnt"

	"kreislauf/services/payment/paper"
)

// Measures in millimetres.
const (
	left, right    = 25.0, 190.0
	width          = right - left
	addressTop     = 45.0 // of form B
	infoLeft       = 122.0
	subjectTop     = 100.0
	bottom         = 257.0 // what is below belongs to the footer
	footerTop      = 266.0
	continuedTop   = 28.0
	lineHeight     = 4.8
	small, normal  = 7.5, 9.5
	family         = "Liberation Sans"
	producer       = "kreislauf"
	attachmentName = "factur-x.xml"
)

// PDF prints the document.
func PDF(number string, p paper.Paper) ([]byte, error) {
	issued, err := time.Parse(time.DateOnly, p.IssuedOn)
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", number, err)
	}
	glyphs, err := sfnt.Parse(liberationsansregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", number, err)
	}
	l := &letter{Fpdf: fpdf.New("P", "mm", "A4", ""), paper: p, number: number, glyphs: glyphs, issuer: p.Seller, recipient: p.Buyer}
	if p.SelfBilled {
		l.issuer, l.recipient = p.Buyer, p.Seller
	}
	l.setUp(issued)
	l.AddPage()
	l.head()
	l.lines()
	l.totals()
	if err := l.payment(); err != nil {
		return nil, fmt.Errorf("print %s: %w", number, err)
	}
	l.notes()
	var b bytes.Buffer
	if err := l.Output(&b); err != nil {
		return nil, fmt.Errorf("print %s: %w", number, err)
	}
	pdf, err := attach(b.Bytes(), paper.ZUGFeRD(number, p), issued)
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", number, err)
	}
	return pdf, nil
}

// letter is a document while it is printed.
type letter struct {
	*fpdf.Fpdf
	paper             paper.Paper
	number            string
	issuer, recipient paper.Party
	glyphs            *sfnt.Font
}

func (l *letter) setUp(issued time.Time) {
	l.SetCatalogSort(true) // the same order of objects each time
	l.SetCreationDate(issued)
	l.SetModificationDate(issued)
	l.SetProducer(producer, true)
	l.SetTitle(l.text(l.title()), true)
	l.SetAuthor(l.text(l.issuer.Name), true)
	l.SetLang("de-DE")
	l.SetXmpMetadata(metadata(l.text(l.title()), l.text(l.issuer.Name), issued))
	l.AddOutputIntent(fpdf.OutputIntentType{
		SubtypeIdent: fpdf.OutputIntent_GTS_PDFA1, OutputConditionIdentifier: "sRGB2014", Info: "sRGB2014", ICCProfile: profile,
	})
	l.AddUTF8FontFromBytes(family, "", liberationsansregular.TTF)
	l.AddUTF8FontFromBytes(family, "B", liberationsansbold.TTF)
	l.SetMargins(left, continuedTop, 210-right)
	l.SetAutoPageBreak(false, 0)
	l.SetCellMargin(0)
	l.SetLineWidth(0.2)
	l.AliasNbPages("{nb}")
	l.SetHeaderFunc(l.pageHead)
	l.SetFooterFunc(l.pageFoot)
}

func (l *letter) title() string { return l.paper.Title + " " + l.number }

// text leaves out what cannot be seen and replaces what the font does not have: PDF/A forbids to print it.
func (l *letter) text(s string) string {
	var b sfnt.Buffer
	return strings.Map(func(r rune) rune {
		if i, err := l.glyphs.GlyphIndex(&b, r); err != nil || i == 0 || r > 0xffff {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

func (l *letter) style(weight string, size float64, grey int) {
	l.SetFont(family, weight, size)
	l.SetTextColor(grey, grey, grey)
}

// put prints one line that begins at x, or ends there with align "R"; what is too long for the room is printed narrower.
func (l *letter) put(x, y, room float64, align, s string) {
	s = l.text(s)
	size, _ := l.GetFontSize()
	for fit := size; l.GetStringWidth(s) > room && fit > 5; fit -= 0.5 {
		l.SetFontSize(fit)
	}
	if align == "R" {
		x -= room
	}
	l.SetXY(x, y)
	l.CellFormat(room, lineHeight, s, "", 0, align, false, 0, "")
	l.SetFontSize(size)
}

// block prints a text over as many lines as it needs and gives the place below.
func (l *letter) block(x, y, room float64, s string) float64 {
	for _, line := range l.SplitText(l.text(s), room) {
		l.put(x, y, room, "L", line)
		y += lineHeight
	}
	return y
}

// rule draws a line over the width.
func (l *letter) rule(y float64, grey int) {
	l.SetDrawColor(grey, grey, grey)
	l.Line(left, y, right, y)
}

// need begins a new page when there is no room for a part that is so high, and gives where the part begins.
func (l *letter) need(y, height float64) float64 {
	if y+height <= bottom {
		return y
	}
	l.AddPage()
	return continuedTop
}

func (l *letter) pageHead() {
	if l.PageNo() == 1 {
		l.style("B", 15, 30)
		l.put(left, 16, width, "L", l.issuer.Name)
		l.style("", 8.5, 110)
		l.put(left, 22.5, width, "L", l.issuer.Street+" · "+l.issuer.Postcode+" "+l.issuer.City)
		l.rule(29.5, 60)
		l.SetDrawColor(150, 150, 150)
		for _, fold := range []float64{105, 148.5, 210} { // two for folding, the middle one for punching
			l.Line(5, fold, 9, fold)
		}
		return
	}
	l.style("", 8.5, 110)
	l.put(left, 16, 80, "L", l.issuer.Name)
	l.put(right, 16, 80, "R", l.title())
	l.rule(21.5, 180)
}

// pageFoot says who the issuer is: three columns and the page.
func (l *letter) pageFoot() {
	i := l.issuer
	l.rule(footerTop-3, 180)
	l.style("", small, 90)
	columns := [][]string{
		{i.Name, i.Street, i.Postcode + " " + i.City},
		{prefix("Telefon ", i.Phone), i.Email, i.Register},
		{prefix("USt-IdNr. ", i.VATID), prefix("Steuernummer ", i.TaxNumber)},
	}
	if !l.paper.SelfBilled {
		columns[2] = append(columns[2], prefix("IBAN ", grouped(l.paper.IBAN)))
	}
	for n, rows := range columns {
		y := footerTop
		for _, row := range rows {
			if row != "" {
				l.put(left+float64(n)*57, y, 54, "L", row)
				y += 3.6
			}
		}
	}
	l.put(right-17, 282, 30, "L", fmt.Sprintf("Seite %d von {nb}", l.PageNo()))
}

func prefix(label, value string) string {
	if value == "" {
		return ""
	}
	return label + value
}

// head is what stands above the lines: address, facts, subject, first sentence.
func (l *letter) head() {
	p, to := l.paper, l.recipient
	l.style("", 6.5, 110)
	l.put(left, addressTop+12.2, 80, "L", l.issuer.Name+" · "+l.issuer.Street+" · "+l.issuer.Postcode+" "+l.issuer.City)
	l.style("", 10.5, 20)
	y := addressTop + 18.2
	for _, row := range []string{to.Name, to.Street, to.Postcode + " " + to.City} {
		l.put(left, y, 80, "L", row)
		y += 5.2
	}
	y = addressTop + 5
	for _, f := range l.facts() {
		if f.value == "" {
			continue
		}
		l.style("", normal, 110)
		l.put(infoLeft, y, 30, "L", f.label)
		l.style("", normal, 20)
		l.put(right, y, right-infoLeft-30, "R", f.value)
		y += 5
	}
	l.style("B", 14, 30)
	l.put(left, subjectTop, width, "L", l.title())
	l.style("", normal, 20)
	sentence := map[string]string{
		paper.Invoice:    "Vielen Dank für Ihren Auftrag. Wir haben ihn ausgeführt und berechnen Ihnen:",
		paper.SelfBilled: "Für Ihre Leistungen schreiben wir Ihnen gut:",
		paper.Correction: "Wir nehmen die folgende Rechnung ganz zurück:",
	}[p.TypeCode]
	if c := p.Corrects; c != nil {
		sentence = fmt.Sprintf("Wir nehmen die %s %s vom %s ganz zurück:", corrected(p), c.Number, paper.Date(c.IssuedOn))
	}
	l.put(left, subjectTop+9, width, "L", sentence)
	l.SetY(subjectTop + 18)
}

// corrected is the word for what a correction cancels, and a replacement replaces.
func corrected(p paper.Paper) string {
	if p.SelfBilled {
		return "Gutschrift"
	}
	return "Rechnung"
}

type fact struct{ label, value string }

func (l *letter) facts() []fact {
	p := l.paper
	supplied := paper.Date(p.SuppliedFrom) + " – " + paper.Date(p.SuppliedTo)
	if p.SuppliedFrom == p.SuppliedTo {
		supplied = paper.Date(p.SuppliedTo)
	}
	list := []fact{{p.Title + "snummer", l.number}, {"Datum", paper.Date(p.IssuedOn)}}
	switch p.TypeCode {
	case paper.Invoice:
		list[0].label = "Rechnungsnummer"
		list = append(list, fact{"Fällig am", paper.Date(p.DueOn)})
	case paper.SelfBilled:
		list[0].label = "Gutschriftnummer"
		list = append(list, fact{"Fällig am", paper.Date(p.DueOn)})
	default:
		list[0].label = "Korrekturnummer"
		if p.Corrects != nil {
			list = append(list, fact{"Zu " + corrected(p), p.Corrects.Number})
		}
	}
	if p.Replaces != nil {
		list = append(list, fact{"Ersetzt " + corrected(p), p.Replaces.Number})
	}
	list = append(list, fact{"Leistungszeit", supplied}, fact{"Auftrag", p.OrderID}, fact{"Wiegeschein", p.Slip})
	if p.SelfBilled { // the law wants the tax number of who did the work
		list = append(list, fact{"Ihre Nummer", p.Seller.SellerID}, fact{"Ihre USt-IdNr.", p.Seller.VATID}, fact{"Ihre Steuernummer", p.Seller.TaxNumber})
	} else {
		list = append(list, fact{"Ihre USt-IdNr.", p.Buyer.VATID})
	}
	return list
}
