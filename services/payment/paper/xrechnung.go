package paper

import (
	"errors"
	"strconv"
	"strings"
)

const (
	xrechnungID = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
	processID   = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
	currency    = "EUR"
)

// ErrNoAddress is the error of XRechnung when the e-mail address of the seller or the buyer is not known.
var ErrNoAddress = errors.New("an XRechnung needs the e-mail addresses of seller and buyer")

// XRechnung writes the document as XRechnung 3.0 in the syntax UBL 2.1. All types are a UBL Invoice.
func XRechnung(number string, p Paper) ([]byte, error) {
	if p.Seller.Email == "" || p.Buyer.Email == "" {
		return nil, ErrNoAddress
	}
	root := el(
		"Invoice",
		attr{"xmlns", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"},
		attr{"xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"},
		attr{"xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"},
		el("cbc:CustomizationID", xrechnungID),
		el("cbc:ProfileID", processID),
		el("cbc:ID", number),
		el("cbc:IssueDate", p.IssuedOn),
		el("cbc:DueDate", p.dueOn()),
		el("cbc:InvoiceTypeCode", p.TypeCode),
	)
	for _, note := range p.Notes {
		root.add(el("cbc:Note", note))
	}
	root.add(
		el("cbc:DocumentCurrencyCode", currency),
		el("cbc:BuyerReference", p.OrderID),
		el("cac:InvoicePeriod", el("cbc:StartDate", p.SuppliedFrom), el("cbc:EndDate", p.SuppliedTo)),
		el("cac:OrderReference", el("cbc:ID", p.OrderID)),
	)
	if c := p.preceding(); c != nil {
		root.add(el("cac:BillingReference", el("cac:InvoiceDocumentReference", el("cbc:ID", c.Number), el("cbc:IssueDate", c.IssuedOn))))
	}
	contact := p.contact()
	root.add(
		el("cac:DespatchDocumentReference", el("cbc:ID", p.Slip)),
		el("cac:AccountingSupplierParty", ublParty(
			p.Seller, el("cac:PartyTaxScheme", el("cbc:CompanyID", p.Seller.TaxNumber), scheme("FC", p.Seller.TaxNumber)),
			el("cac:Contact", el("cbc:Name", contact.Name), el("cbc:Telephone", contact.Phone), el("cbc:ElectronicMail", contact.Email)),
		)),
		el("cac:AccountingCustomerParty", ublParty(p.Buyer, nil, nil)),
		el("cac:Delivery", el("cbc:ActualDeliveryDate", p.SuppliedTo)),
		p.ublPayment(number),
		el("cac:PaymentTerms", el("cbc:Note", p.terms())),
		p.ublTaxes(),
		el(
			"cac:LegalMonetaryTotal",
			ublAmount("LineExtensionAmount", p.Total.NetCents.String()),
			ublAmount("TaxExclusiveAmount", p.Total.NetCents.String()),
			ublAmount("TaxInclusiveAmount", p.Total.GrossCents.String()),
			ublAmount("PayableAmount", p.Total.GrossCents.String()),
		),
	)
	for i, l := range p.Lines {
		root.add(el(
			"cac:InvoiceLine",
			el("cbc:ID", strconv.Itoa(i+1)),
			el("cbc:InvoicedQuantity", attr{"unitCode", string(l.Unit)}, l.Quantity.String()),
			ublAmount("LineExtensionAmount", l.NetCents.String()),
			el(
				"cac:Item",
				el("cbc:Name", l.Text),
				el("cac:ClassifiedTaxCategory", el("cbc:ID", l.Category), el("cbc:Percent", strconv.Itoa(l.Percent)), scheme("VAT", l.Category)),
			),
			el("cac:Price", ublAmount("PriceAmount", l.UnitCents.String())),
		))
	}
	return root.document(), nil
}

// ublParty writes one side; tax and contact are only the seller's.
func ublParty(p Party, tax, contact *element) *element {
	return el(
		"cac:Party",
		el("cbc:EndpointID", attr{"schemeID", "EM"}, p.Email),
		el("cac:PartyIdentification", el("cbc:ID", p.SellerID)),
		el(
			"cac:PostalAddress",
			el("cbc:StreetName", p.Street), el("cbc:CityName", p.City), el("cbc:PostalZone", p.Postcode),
			el("cac:Country", el("cbc:IdentificationCode", p.Country)),
		),
		el("cac:PartyTaxScheme", el("cbc:CompanyID", p.VATID), scheme("VAT", p.VATID)),
		tax,
		el("cac:PartyLegalEntity", el("cbc:RegistrationName", p.Name), el("cbc:CompanyID", p.Register)),
		contact,
	)
}

// scheme says of what kind a tax number or category is; nothing when there is none.
func scheme(id, of string) *element {
	if of == "" {
		return nil
	}
	return el("cac:TaxScheme", el("cbc:ID", id))
}

func ublAmount(name, euros string) *element {
	return el("cbc:"+name, attr{"currencyID", currency}, euros)
}

func (p Paper) ublPayment(number string) *element {
	means := el("cac:PaymentMeans", el("cbc:PaymentMeansCode", p.paymentMeans()))
	if p.payable() {
		means.add(
			el("cbc:PaymentID", number),
			el(
				"cac:PayeeFinancialAccount",
				el("cbc:ID", p.IBAN), el("cbc:Name", p.Seller.Name), el("cac:FinancialInstitutionBranch", el("cbc:ID", p.BIC)),
			),
		)
	}
	return means
}

func (p Paper) ublTaxes() *element {
	total := el("cac:TaxTotal", ublAmount("TaxAmount", p.Total.VATCents.String()))
	for _, t := range p.Taxes {
		code, reason, _ := Exemption(t.Category)
		total.add(el(
			"cac:TaxSubtotal",
			ublAmount("TaxableAmount", t.NetCents.String()),
			ublAmount("TaxAmount", t.VATCents.String()),
			el(
				"cac:TaxCategory",
				el("cbc:ID", t.Category), el("cbc:Percent", strconv.Itoa(t.Percent)), el("cbc:TaxExemptionReasonCode", code),
				el("cbc:TaxExemptionReason", reason), scheme("VAT", t.Category),
			),
		))
	}
	return total
}

// preceding is the document that this one corrects or replaces; nil when it stands for itself.
func (p Paper) preceding() *Reference {
	if p.Corrects != nil {
		return p.Corrects
	}
	return p.Replaces
}

// payable says whether the buyer is to transfer the total to the account of the document.
func (p Paper) payable() bool { return p.TypeCode == Invoice }

// dueOn is when the total is due; a correction asks for nothing.
func (p Paper) dueOn() string {
	if p.TypeCode == Correction {
		return ""
	}
	return p.DueOn
}

// terms is the sentence about payment.
func (p Paper) terms() string {
	if !p.payable() {
		return ""
	}
	return "Zahlbar bis " + Date(p.DueOn) + " ohne Abzug."
}

// paymentMeans is a code of the list UNTDID 4461: a SEPA transfer, or what is not agreed in the document.
func (p Paper) paymentMeans() string {
	if p.payable() {
		return "58"
	}
	return "1"
}

// contact is who answers questions: the one who has written the document.
func (p Paper) contact() Party {
	if p.SelfBilled {
		return p.Buyer
	}
	return p.Seller
}

// Date prints a date in the German way: "30.11.2026".
func Date(iso string) string {
	parts := strings.Split(iso, "-")
	if len(parts) != 3 {
		return iso
	}
	return parts[2] + "." + parts[1] + "." + parts[0]
}
