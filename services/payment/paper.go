package payment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
	"kreislauf/services/payment/paper"
)

// The items.
const (
	itemService = "service"      // the container, and what is included in its price
	itemDays    = "extra-days"   // of rent
	itemWeight  = "extra-weight" // above the included one; with the weight tariff the whole
	itemPermit  = "permit"       // of public ground
	itemScrap   = "disposal"     // what the price includes of it, where its VAT is another one than that of the container
	itemTrips   = "failed-trips" // that the truck made for nothing
)

// What a trip for nothing costs the customer, and what the partner gets for it.
const (
	failedTripCents                = quote.FailedTripNet
	failedTripPayCents money.Cents = 40_00
)

const termDays = 14

// weightTariff is the Tariff of orders that are paid by the tonne.
const weightTariff = "weight"

// line makes a line at the standard rate.
func line(item, text string, q paper.Quantity, u paper.Unit, price money.Cents) paper.Line {
	return paper.Line{
		Item: item, Text: text, Quantity: q, Unit: u, UnitCents: price, NetCents: q.Times(price), Percent: money.VATPercent, Category: paper.StandardRate,
	}
}

// extraDays counts days of rent beyond the included ones. The days of placing and of fetching are not counted.
func extraDays(w event.Weighed) (int, error) {
	placed, err := time.Parse(time.DateOnly, w.PlacedOn)
	if err != nil {
		return 0, problem.New(problem.Invalid, "Order %s: placed_on %q is no date.", w.OrderID, w.PlacedOn)
	}
	fetched, err := time.Parse(time.DateOnly, w.FetchedOn)
	if err != nil || fetched.Before(placed) {
		return 0, problem.New(problem.Invalid, "Order %s: fetched_on %q is no date from %s on.", w.OrderID, w.FetchedOn, w.PlacedOn)
	}
	return max(0, int(fetched.Sub(placed)/(24*time.Hour))-1-w.IncludedDays), nil
}

// serviceText names the container: "Container 7 m³ Baumischabfall (AVV 170904)".
func serviceText(w event.Weighed) string {
	name := "Abfall"
	if waste, err := catalog.FindWaste(w.Waste); err == nil { // a code may leave the catalogue, and its orders are billed all the same
		name = waste.NameDE
	}
	return fmt.Sprintf("Container %d m³ %s (AVV %s)", w.SizeM3, name, w.Waste)
}

// invoiceLines are what the customer pays. The first one is what was promised, the others only what came on top. With reverse the buyer owes
// the tax on its scrap: on its disposal, or on container and disposal in one where the order does not tell them apart. Rent on top, permit and
// trips for nothing are other services and bear the standard rate.
func invoiceLines(w event.Weighed, reverse bool) ([]paper.Line, error) {
	days, err := extraDays(w)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s: stellen, abholen, verwerten; bis %d Miettage und %d kg enthalten", serviceText(w), w.IncludedDays, w.IncludedKg)
	if w.Tariff == weightTariff {
		text = fmt.Sprintf("%s: stellen und abholen; bis %d Miettage enthalten, Verwertung nach Gewicht", serviceText(w), w.IncludedDays)
	}
	disposal := money.Cents(0)
	if reverse {
		disposal = includedDisposal(w)
	}
	lines := []paper.Line{line(itemService, text, 1000, paper.Piece, w.Price.NetCents-w.PermitNetCents-disposal)}
	if disposal > 0 {
		lines[0].Text = fmt.Sprintf("%s: stellen und abholen; bis %d Miettage enthalten", serviceText(w), w.IncludedDays)
		lines = append(lines, line(itemScrap, fmt.Sprintf("Verwertung von bis zu %d kg", w.IncludedKg), 1000, paper.Piece, disposal))
	}
	if w.PermitNetCents > 0 {
		lines = append(lines, line(itemPermit, "Genehmigung für öffentlichen Grund (Sondernutzung)", 1000, paper.Piece, w.PermitNetCents))
	}
	if days > 0 {
		lines = append(lines, line(itemDays, "Weitere Miettage", paper.Quantity(days)*1000, paper.Day, w.ExtraDayNetCents))
	}
	if kg := w.NetKg - w.IncludedKg; kg > 0 {
		lines = append(lines, line(itemWeight, weightText(w), paper.Quantity(kg), paper.Tonne, w.ExtraTonneNetCents))
	}
	if w.FailedTrips > 0 {
		lines = append(lines, line(itemTrips, "Leerfahrt", paper.Quantity(w.FailedTrips)*1000, paper.Piece, failedTripCents))
	}
	switch {
	case reverse && disposal > 0:
		lines = taxed(lines, paper.ReverseCharge, itemScrap, itemWeight)
	case reverse:
		lines = taxed(lines, paper.ReverseCharge, itemService, itemWeight)
	}
	return lines, nil
}

// includedDisposal is the part of the price that is for disposal; 0 where the order does not tell, whose price is for both in one.
func includedDisposal(w event.Weighed) (net money.Cents) {
	for _, l := range w.Lines {
		if l.Kind == "disposal" {
			net += l.NetCents
		}
	}
	return net
}

// weightText is for the tonnes that are paid.
func weightText(w event.Weighed) string {
	if w.Tariff == weightTariff {
		return fmt.Sprintf("Verwertung nach Gewicht (%d kg gewogen)", w.NetKg)
	}
	return fmt.Sprintf("Mehrgewicht (%d kg gewogen)", w.NetKg)
}

// creditLines are what the partner gets. A small trader's services bear no tax.
func creditLines(w event.Weighed, small bool) []paper.Line {
	lines := []paper.Line{line(itemService, serviceText(w)+": stellen, abholen, verwerten", 1000, paper.Piece, w.Pay.NetCents)}
	if kg := w.NetKg - w.IncludedKg; kg > 0 {
		lines = append(lines, line(itemWeight, weightText(w), paper.Quantity(kg), paper.Tonne, w.Pay.PerTonneOverCents))
	}
	if w.FailedTrips > 0 {
		lines = append(lines, line(itemTrips, "Leerfahrt", paper.Quantity(w.FailedTrips)*1000, paper.Piece, failedTripPayCents))
	}
	if small {
		lines = taxed(lines, paper.Exempt)
	}
	return lines
}

// exemptions are the notes that the categories of some lines ask for.
func exemptions(lines []paper.Line) (notes []string) {
	for _, l := range lines {
		if _, reason, _ := paper.Exemption(l.Category); reason != "" && !slices.Contains(notes, reason) {
			notes = append(notes, reason)
		}
	}
	return notes
}

// party is the company as it stands on documents.
func (c Company) party() paper.Party {
	return paper.Party{
		Name: c.Name, Street: c.Street, Postcode: c.Postcode, City: c.City, Country: "DE", VATID: c.VATID, TaxNumber: c.TaxNumber,
		Register: c.Register, Email: c.Email, Phone: c.Phone,
	}
}

// party is the partner as the seller of its credit notes.
func (p Partner) party() paper.Party {
	party := paper.Party{
		Name: p.Name, Street: p.Street, Postcode: p.Postcode, City: p.City, Country: "DE", SellerID: p.ID, Email: p.Email,
	}
	if strings.HasPrefix(p.TaxID, "DE") {
		party.VATID = p.TaxID
	} else {
		party.TaxNumber = p.TaxID
	}
	return party
}

// Buyer is who is billed.
type Buyer struct {
	paper.Party
	Company bool // a company, not a person
	Reverse bool // it owes the tax on the scrap itself (§13b UStG)
}

// person is the buyer of an order without a company; email may be empty.
func person(w event.Weighed, email string) Buyer {
	return Buyer{Party: paper.Party{
		Email: email, Name: w.Address.Name, Street: w.Address.Street, Postcode: w.Postcode, City: w.Address.City, Country: "DE",
	}}
}

// newPaper is what invoice and credit note have in common; today is the local date of issue.
func newPaper(w event.Weighed, lines []paper.Line, today time.Time) paper.Paper {
	taxes, sum := paper.Total(lines)
	return paper.Paper{
		IssuedOn: today.Format(time.DateOnly), DueOn: today.AddDate(0, 0, termDays).Format(time.DateOnly), TermDays: termDays,
		SuppliedFrom: w.PlacedOn, SuppliedTo: w.FetchedOn, Lines: lines, Taxes: taxes, Total: sum, Notes: exemptions(lines), OrderID: w.OrderID, Slip: w.Slip,
	}
}

// invoicePaper bills the buyer.
func invoicePaper(c Company, w event.Weighed, b Buyer, today time.Time) (paper.Paper, error) {
	lines, err := invoiceLines(w, b.Reverse)
	if err != nil {
		return paper.Paper{}, err
	}
	p := newPaper(w, lines, today)
	p.TypeCode, p.Title, p.Seller, p.Buyer, p.IBAN, p.BIC = paper.Invoice, "Rechnung", c.party(), b.Party, c.IBAN, c.BIC
	p.Notes = append(p.Notes, "Zahlbar bis zum Fälligkeitsdatum ohne Abzug; bitte geben Sie die Rechnungsnummer an.")
	if b.Company {
		p.Notes = append(p.Notes, fmt.Sprintf("Stellplatz: %s, %s %s", w.Address.Street, w.Postcode, w.Address.City))
	} else {
		p.Notes = append(p.Notes,
			"Privatkunden: Bewahren Sie diese Rechnung zwei Jahre auf, wenn die Leistung mit einem Grundstück zusammenhängt (§ 14b Abs. 1 UStG).")
	}
	return p, check(p)
}

// creditPaper credits the partner: we issue its invoice to us (§14 (2) UStG).
func creditPaper(c Company, partner Partner, w event.Weighed, today time.Time) (paper.Paper, error) {
	if _, err := extraDays(w); err != nil { // the dates are its time of supply
		return paper.Paper{}, err
	}
	p := newPaper(w, creditLines(w, partner.SmallBusiness), today)
	p.TypeCode, p.Title, p.SelfBilled, p.Seller, p.Buyer = paper.SelfBilled, "Gutschrift", true, partner.party(), c.party()
	p.Notes = append(p.Notes,
		"Gutschrift gemäß § 14 Abs. 2 UStG, ausgestellt durch den Leistungsempfänger.",
		fmt.Sprintf("Sie verliert ihre Wirkung, wenn Sie ihr binnen %d Tagen widersprechen.", objectionDays))
	return p, check(p)
}

// correctionPaper cancels a document: the same lines with the opposite sign, and the document's number.
func correctionPaper(of paper.Paper, number string, today time.Time) (paper.Paper, error) {
	p := of
	p.TypeCode, p.Title, p.IssuedOn, p.DueOn, p.TermDays = paper.Correction, "Rechnungskorrektur", today.Format(time.DateOnly), today.Format(time.DateOnly), 0
	p.Corrects, p.Replaces = &paper.Reference{Number: number, IssuedOn: of.IssuedOn}, nil
	p.Lines = negated(of.Lines)
	p.Taxes, p.Total = paper.Total(p.Lines)
	text := "Diese Korrektur hebt die Rechnung %s vom %s auf. Bereits gezahlte Beträge erstatten wir oder rechnen sie an."
	if of.SelfBilled {
		p.Title, text = "Gutschriftkorrektur", "Diese Korrektur hebt die Gutschrift %s vom %s auf. Bereits gezahlte Beträge verrechnen wir."
	}
	p.Notes = append(exemptions(of.Lines), fmt.Sprintf(text, number, paper.Date(of.IssuedOn)))
	return p, check(p)
}

// negated are the lines with the opposite sign.
func negated(lines []paper.Line) []paper.Line {
	list := make([]paper.Line, len(lines))
	for i, l := range lines {
		l.Quantity, l.NetCents = -l.Quantity, -l.NetCents
		list[i] = l
	}
	return list
}

// check refuses what must not be sent, before a number is spent on it. The order of an event that fails here is for people to look at, so
// the error is Invalid.
func check(p paper.Paper) error {
	if err := p.Check(); err != nil {
		return problem.Wrap(problem.Invalid, err, "The document %s of order %s cannot be issued.", p.Title, p.OrderID)
	}
	return nil
}
