package payment

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

// Paper is what an invoice, a credit note or a correction says, with all that §14 (4) UStG and an electronic invoice (EN 16931) ask for.
// It is written once and never changed: not when a partner moves, not when the company does. Its number stands beside it, in Document.
type Paper struct {
	TypeCode     string      `json:"type_code" bson:"type_code"`         // of the list UNTDID 1001
	Title        string      `json:"title" bson:"title"`                 // as printed; the law wants the word "Gutschrift" on a self-billed one
	IssuedOn     string      `json:"issued_on" bson:"issued_on"`         // as all dates here local, YYYY-MM-DD
	SuppliedFrom string      `json:"supplied_from" bson:"supplied_from"` // the time of supply: from placing
	SuppliedTo   string      `json:"supplied_to" bson:"supplied_to"`     // to fetching, which is the date of delivery
	DueOn        string      `json:"due_on" bson:"due_on"`
	TermDays     int         `json:"term_days" bson:"term_days"`
	Seller       Party       `json:"seller" bson:"seller"`
	Buyer        Party       `json:"buyer" bson:"buyer"`
	Lines        []Line      `json:"lines" bson:"lines"`
	Taxes        []Tax       `json:"taxes" bson:"taxes"`
	Total        money.Price `json:"total" bson:"total"`
	IBAN         string      `json:"iban,omitempty" bson:"iban,omitempty"` // where to pay; we do not have those of partners yet
	BIC          string      `json:"bic,omitempty" bson:"bic,omitempty"`
	Notes        []string    `json:"notes" bson:"notes"`                                 // printed below, in German
	OrderID      string      `json:"order_id" bson:"order_id"`                           // the reference of both sides
	Slip         string      `json:"slip" bson:"slip"`                                   // number of the weighing slip
	Corrects     *Reference  `json:"corrects,omitempty" bson:"corrects,omitempty"`       // of a correction: the invoice that it cancels
	SelfBilled   bool        `json:"self_billed,omitempty" bson:"self_billed,omitempty"` // the buyer issues it on the seller's behalf
}

// Reference names another document.
type Reference struct {
	Number   string `json:"number" bson:"number"`
	IssuedOn string `json:"issued_on" bson:"issued_on"`
}

// Party is the seller or the buyer.
type Party struct {
	Name      string `json:"name" bson:"name"`
	Street    string `json:"street" bson:"street"`
	Postcode  string `json:"postcode" bson:"postcode"`
	City      string `json:"city" bson:"city"`
	Country   string `json:"country" bson:"country"`               // ISO 3166: always "DE"
	SellerID  string `json:"seller_id,omitempty" bson:"seller_id"` // the seller's number at the buyer: an e-invoice of somebody without a VAT id needs it
	VATID     string `json:"vat_id,omitempty" bson:"vat_id"`
	TaxNumber string `json:"tax_number,omitempty" bson:"tax_number"`
	Register  string `json:"register,omitempty" bson:"register"`
	Email     string `json:"email,omitempty" bson:"email"`
	Phone     string `json:"phone,omitempty" bson:"phone"`
}

// Quantity counts thousandths of a unit, so that a tonne can be a number of kilograms.
type Quantity int64

// String prints it with three decimals: "0.340".
func (q Quantity) String() string {
	sign := ""
	if q < 0 {
		sign, q = "-", -q
	}
	return fmt.Sprintf("%s%d.%03d", sign, q/1000, q%1000)
}

// MarshalText is String.
func (q Quantity) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// Codes of units (UN/ECE recommendation 20).
const (
	Piece Unit = "C62"
	Day   Unit = "DAY"
	Tonne Unit = "TNE"
)

// Unit is what a line counts.
type Unit string

// Line is one service. NetCents is Quantity times UnitCents, rounded half up to a cent.
type Line struct {
	Item      string      `json:"item" bson:"item"` // what kind of line it is, for programs: "service"
	Text      string      `json:"text" bson:"text"` // as printed, in German
	Quantity  Quantity    `json:"quantity" bson:"quantity"`
	Unit      Unit        `json:"unit" bson:"unit"`
	UnitCents money.Cents `json:"unit_cents" bson:"unit_cents"`
	NetCents  money.Cents `json:"net_cents" bson:"net_cents"`
	Percent   int         `json:"vat_percent" bson:"vat_percent"`
	Category  string      `json:"vat_category" bson:"vat_category"` // of the list UNTDID 5305; S is the standard rate
}

// Tax is what is due at one rate, calculated once on the sum of its lines.
type Tax struct {
	Category string      `json:"category" bson:"category"`
	Percent  int         `json:"percent" bson:"percent"`
	NetCents money.Cents `json:"net_cents" bson:"net_cents"`
	VATCents money.Cents `json:"vat_cents" bson:"vat_cents"`
}

// The items.
const (
	itemService = "service"      // the container, and what is included in its price
	itemDays    = "extra-days"   // of rent
	itemWeight  = "extra-weight" // above the included one
	itemTrips   = "failed-trips" // that the truck made for nothing
)

// What a trip for nothing costs the customer, and what the partner gets for it.
const (
	failedTripCents    money.Cents = 55_00
	failedTripPayCents money.Cents = 40_00
)

const (
	termDays     = 14
	standardRate = "S"
)

// line makes a line at the standard rate.
func line(item, text string, q Quantity, u Unit, price money.Cents) Line {
	return Line{
		Item: item, Text: text, Quantity: q, Unit: u, UnitCents: price, NetCents: times(q, price), Percent: money.VATPercent, Category: standardRate,
	}
}

// times rounds half up to a cent, of a negative quantity as of its positive one.
func times(q Quantity, price money.Cents) money.Cents {
	if q < 0 {
		return -times(-q, price)
	}
	return (money.Cents(q)*price + 500) / 1000
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

// invoiceLines are what the customer pays. The first one is what was promised, the others only what came on top.
func invoiceLines(w event.Weighed) ([]Line, error) {
	days, err := extraDays(w)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s: stellen, abholen, verwerten; bis %d Miettage und %d kg enthalten", serviceText(w), w.IncludedDays, w.IncludedKg)
	lines := []Line{line(itemService, text, 1000, Piece, w.Price.NetCents)}
	if days > 0 {
		lines = append(lines, line(itemDays, "Weitere Miettage", Quantity(days)*1000, Day, w.ExtraDayNetCents))
	}
	if kg := w.NetKg - w.IncludedKg; kg > 0 {
		lines = append(lines, line(itemWeight, fmt.Sprintf("Mehrgewicht (%d kg gewogen)", w.NetKg), Quantity(kg), Tonne, w.ExtraTonneNetCents))
	}
	if w.FailedTrips > 0 {
		lines = append(lines, line(itemTrips, "Leerfahrt", Quantity(w.FailedTrips)*1000, Piece, failedTripCents))
	}
	return lines, nil
}

// creditLines are what the partner gets.
func creditLines(w event.Weighed) []Line {
	lines := []Line{line(itemService, serviceText(w)+": stellen, abholen, verwerten", 1000, Piece, w.Pay.NetCents)}
	if kg := w.NetKg - w.IncludedKg; kg > 0 {
		lines = append(lines, line(itemWeight, fmt.Sprintf("Mehrgewicht (%d kg gewogen)", w.NetKg), Quantity(kg), Tonne, w.Pay.PerTonneOverCents))
	}
	if w.FailedTrips > 0 {
		lines = append(lines, line(itemTrips, "Leerfahrt", Quantity(w.FailedTrips)*1000, Piece, failedTripPayCents))
	}
	return lines
}

// total adds lines up. All have the standard rate, so the tax is calculated once, on their sum.
func total(lines []Line) ([]Tax, money.Price) {
	var net money.Cents
	for _, l := range lines {
		net += l.NetCents
	}
	p := money.FromNet(net)
	return []Tax{{standardRate, money.VATPercent, p.NetCents, p.VATCents}}, p
}

// seller is the company as it stands on documents.
func (c Company) party() Party {
	return Party{
		Name: c.Name, Street: c.Street, Postcode: c.Postcode, City: c.City, Country: "DE", VATID: c.VATID, TaxNumber: c.TaxNumber,
		Register: c.Register, Email: c.Email, Phone: c.Phone,
	}
}

// party is the partner as the seller of its credit notes.
func (p Partner) party() Party {
	party := Party{
		Name: p.Name, Street: p.Street, Postcode: p.Postcode, City: p.City, Country: "DE", SellerID: p.ID, Email: p.Email,
	}
	if strings.HasPrefix(p.TaxID, "DE") {
		party.VATID = p.TaxID
	} else {
		party.TaxNumber = p.TaxID
	}
	return party
}

// customer is who ordered, as it is billed.
func customer(w event.Weighed) Party {
	return Party{Name: w.Address.Name, Street: w.Address.Street, Postcode: w.Postcode, City: w.Address.City, Country: "DE"}
}

// newPaper is what invoice and credit note have in common; today is the local date of issue.
func newPaper(w event.Weighed, lines []Line, today time.Time) Paper {
	taxes, sum := total(lines)
	return Paper{
		IssuedOn: today.Format(time.DateOnly), DueOn: today.AddDate(0, 0, termDays).Format(time.DateOnly), TermDays: termDays,
		SuppliedFrom: w.PlacedOn, SuppliedTo: w.FetchedOn, Lines: lines, Taxes: taxes, Total: sum, OrderID: w.OrderID, Slip: w.Slip,
	}
}

// invoicePaper bills the customer.
func invoicePaper(c Company, w event.Weighed, today time.Time) (Paper, error) {
	lines, err := invoiceLines(w)
	if err != nil {
		return Paper{}, err
	}
	p := newPaper(w, lines, today)
	p.TypeCode, p.Title, p.Seller, p.Buyer, p.IBAN, p.BIC = "380", "Rechnung", c.party(), customer(w), c.IBAN, c.BIC
	p.Notes = []string{
		"Zahlbar bis zum Fälligkeitsdatum ohne Abzug; bitte geben Sie die Rechnungsnummer an.",
		"Privatkunden: Bewahren Sie diese Rechnung zwei Jahre auf, wenn die Leistung mit einem Grundstück zusammenhängt (§ 14b Abs. 1 UStG).",
	}
	return p, p.check()
}

// creditPaper credits the partner: we issue its invoice to us (§14 (2) UStG).
func creditPaper(c Company, partner Partner, w event.Weighed, today time.Time) (Paper, error) {
	if _, err := extraDays(w); err != nil { // the dates are its time of supply
		return Paper{}, err
	}
	p := newPaper(w, creditLines(w), today)
	p.TypeCode, p.Title, p.SelfBilled, p.Seller, p.Buyer = "389", "Gutschrift", true, partner.party(), c.party()
	p.Notes = []string{
		"Gutschrift gemäß § 14 Abs. 2 UStG, ausgestellt durch den Leistungsempfänger.",
		fmt.Sprintf("Sie verliert ihre Wirkung, wenn Sie ihr binnen %d Tagen widersprechen.", objectionDays),
	}
	return p, p.check()
}

// correctionPaper cancels an invoice: the same lines with the opposite sign, and the invoice's number.
func correctionPaper(invoice Paper, number string, today time.Time) (Paper, error) {
	p := invoice
	p.TypeCode, p.Title, p.IssuedOn, p.DueOn, p.TermDays = "384", "Rechnungskorrektur", today.Format(time.DateOnly), today.Format(time.DateOnly), 0
	p.Corrects = &Reference{number, invoice.IssuedOn}
	p.Lines = negated(invoice.Lines)
	p.Taxes, p.Total = total(p.Lines)
	p.Notes = []string{fmt.Sprintf("Diese Korrektur hebt die Rechnung %s vom %s auf. Bereits gezahlte Beträge erstatten wir.", number, invoice.IssuedOn)}
	return p, p.check()
}

// negated are the lines with the opposite sign.
func negated(lines []Line) []Line {
	list := make([]Line, len(lines))
	for i, l := range lines {
		l.Quantity, l.NetCents = -l.Quantity, -l.NetCents
		list[i] = l
	}
	return list
}

// check refuses what must not be sent, before a number is spent on it. The order of an event that fails here is for people to look at, so
// the error is Invalid.
func (p Paper) check() error {
	var errs []error
	need := func(good bool, what string) {
		if !good {
			errs = append(errs, errors.New(what))
		}
	}
	for _, party := range []struct {
		role string
		Party
	}{{"seller", p.Seller}, {"buyer", p.Buyer}} {
		need(party.Name != "" && party.Street != "" && party.Postcode != "" && party.City != "", "the "+party.role+"'s name or address is missing")
	}
	need(p.Seller.VATID != "" || p.Seller.TaxNumber != "", "the seller's VAT id or tax number is missing")
	need(p.Seller != p.Buyer, "seller and buyer are the same")
	need(p.SuppliedFrom != "" && p.SuppliedTo != "", "the time of supply is missing")
	need(p.IssuedOn <= p.DueOn, "it is due before it is issued")
	need((p.TypeCode == "384") == (p.Corrects != nil && p.Corrects.Number != ""), "only a correction names the invoice that it corrects")
	need(p.SelfBilled == (p.Title == "Gutschrift" && p.TypeCode == "389"), `a self-billed one, and no other, is a "Gutschrift"`)
	need((p.Total.GrossCents > 0) == (p.TypeCode != "384") && p.Total.GrossCents != 0, fmt.Sprintf("its total is %s", p.Total.GrossCents))
	var net money.Cents
	for _, l := range p.Lines {
		net += l.NetCents
		need(l.Text != "" && l.Quantity != 0 && l.UnitCents >= 0 && l.NetCents == times(l.Quantity, l.UnitCents), "the line "+l.Item+" is not right")
	}
	need(net == p.Total.NetCents && p.Total == money.FromNet(net), "the lines do not add up to the total")
	if err := errors.Join(errs...); err != nil {
		return problem.Wrap(problem.Invalid, err, "The document %s of order %s cannot be issued.", p.Title, p.OrderID)
	}
	return nil
}
