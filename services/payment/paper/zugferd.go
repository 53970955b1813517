package paper

import (
	"strconv"
	"strings"
)

// ZUGFeRD writes the document in the profile EN 16931 of ZUGFeRD 2 (Factur-X 1.0), in the syntax CII D16B.
func ZUGFeRD(number string, p Paper) []byte {
	document := el(
		"rsm:ExchangedDocument", el("ram:ID", number), el("ram:TypeCode", p.TypeCode), ciiDate("ram:IssueDateTime", "udt", p.IssuedOn),
	)
	for _, note := range p.Notes {
		document.add(el("ram:IncludedNote", el("ram:Content", note)))
	}
	transaction := el("rsm:SupplyChainTradeTransaction", p.ciiLines())
	transaction.add(p.ciiAgreement(), p.ciiDelivery(), p.ciiSettlement(number))
	return el(
		"rsm:CrossIndustryInvoice",
		attr{"xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"},
		attr{"xmlns:qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"},
		attr{"xmlns:ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"},
		attr{"xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"},
		el("rsm:ExchangedDocumentContext", el("ram:GuidelineSpecifiedDocumentContextParameter", el("ram:ID", "urn:cen.eu:en16931:2017"))),
		document,
		transaction,
	).document()
}

func (p Paper) ciiLines() (list []*element) {
	for i, l := range p.Lines {
		list = append(list, el(
			"ram:IncludedSupplyChainTradeLineItem",
			el("ram:AssociatedDocumentLineDocument", el("ram:LineID", strconv.Itoa(i+1))),
			el("ram:SpecifiedTradeProduct", el("ram:Name", l.Text)),
			el("ram:SpecifiedLineTradeAgreement", el("ram:NetPriceProductTradePrice", el("ram:ChargeAmount", l.UnitCents.String()))),
			el("ram:SpecifiedLineTradeDelivery", el("ram:BilledQuantity", attr{"unitCode", string(l.Unit)}, l.Quantity.String())),
			el(
				"ram:SpecifiedLineTradeSettlement",
				el(
					"ram:ApplicableTradeTax",
					el("ram:TypeCode", "VAT"), el("ram:CategoryCode", l.Category), el("ram:RateApplicablePercent", strconv.Itoa(l.Percent)),
				),
				el("ram:SpecifiedTradeSettlementLineMonetarySummation", el("ram:LineTotalAmount", l.NetCents.String())),
			),
		))
	}
	return list
}

func (p Paper) ciiAgreement() *element {
	c := p.contact()
	return el(
		"ram:ApplicableHeaderTradeAgreement",
		el("ram:BuyerReference", p.OrderID),
		el("ram:SellerTradeParty", ciiParty(p.Seller, el(
			"ram:DefinedTradeContact",
			el("ram:PersonName", c.Name),
			el("ram:TelephoneUniversalCommunication", el("ram:CompleteNumber", c.Phone)),
			el("ram:EmailURIUniversalCommunication", el("ram:URIID", c.Email)),
		)), taxRegistration("FC", p.Seller.TaxNumber), taxRegistration("VA", p.Seller.VATID)),
		el("ram:BuyerTradeParty", ciiParty(p.Buyer, nil), taxRegistration("VA", p.Buyer.VATID)),
		el("ram:BuyerOrderReferencedDocument", el("ram:IssuerAssignedID", p.OrderID)),
	)
}

// ciiParty writes one side without its tax numbers; the contact is only the seller's.
func ciiParty(p Party, contact *element) []*element {
	return []*element{
		el("ram:ID", p.SellerID),
		el("ram:Name", p.Name),
		el("ram:SpecifiedLegalOrganization", el("ram:ID", p.Register)),
		contact,
		el(
			"ram:PostalTradeAddress",
			el("ram:PostcodeCode", p.Postcode), el("ram:LineOne", p.Street), el("ram:CityName", p.City), el("ram:CountryID", p.Country),
		),
		el("ram:URIUniversalCommunication", el("ram:URIID", attr{"schemeID", "EM"}, p.Email)),
	}
}

func taxRegistration(schemeID, id string) *element {
	return el("ram:SpecifiedTaxRegistration", el("ram:ID", attr{"schemeID", schemeID}, id))
}

func (p Paper) ciiDelivery() *element {
	return el(
		"ram:ApplicableHeaderTradeDelivery",
		el("ram:ActualDeliverySupplyChainEvent", ciiDate("ram:OccurrenceDateTime", "udt", p.SuppliedTo)),
		el("ram:DespatchAdviceReferencedDocument", el("ram:IssuerAssignedID", p.Slip)),
	)
}

func (p Paper) ciiSettlement(number string) *element {
	means := el("ram:SpecifiedTradeSettlementPaymentMeans", el("ram:TypeCode", p.paymentMeans()))
	reference := ""
	if p.payable() {
		reference = number
		means.add(
			el("ram:PayeePartyCreditorFinancialAccount", el("ram:IBANID", p.IBAN), el("ram:AccountName", p.Seller.Name)),
			el("ram:PayeeSpecifiedCreditorFinancialInstitution", el("ram:BICID", p.BIC)),
		)
	}
	s := el(
		"ram:ApplicableHeaderTradeSettlement",
		el("ram:PaymentReference", reference),
		el("ram:InvoiceCurrencyCode", currency),
		means,
	)
	for _, t := range p.Taxes {
		code, reason, _ := Exemption(t.Category)
		s.add(el(
			"ram:ApplicableTradeTax",
			el("ram:CalculatedAmount", t.VATCents.String()),
			el("ram:TypeCode", "VAT"),
			el("ram:ExemptionReason", reason),
			el("ram:BasisAmount", t.NetCents.String()),
			el("ram:CategoryCode", t.Category),
			el("ram:ExemptionReasonCode", code),
			el("ram:RateApplicablePercent", strconv.Itoa(t.Percent)),
		))
	}
	s.add(
		el("ram:BillingSpecifiedPeriod", ciiDate("ram:StartDateTime", "udt", p.SuppliedFrom), ciiDate("ram:EndDateTime", "udt", p.SuppliedTo)),
		el("ram:SpecifiedTradePaymentTerms", el("ram:Description", p.terms()), ciiDate("ram:DueDateDateTime", "udt", p.dueOn())),
		el(
			"ram:SpecifiedTradeSettlementHeaderMonetarySummation",
			el("ram:LineTotalAmount", p.Total.NetCents.String()),
			el("ram:TaxBasisTotalAmount", p.Total.NetCents.String()),
			el("ram:TaxTotalAmount", attr{"currencyID", currency}, p.Total.VATCents.String()),
			el("ram:GrandTotalAmount", p.Total.GrossCents.String()),
			el("ram:DuePayableAmount", p.Total.GrossCents.String()),
		),
	)
	if c := p.preceding(); c != nil {
		s.add(el("ram:InvoiceReferencedDocument", el("ram:IssuerAssignedID", c.Number), ciiDate("ram:FormattedIssueDateTime", "qdt", c.IssuedOn)))
	}
	return s
}

// ciiDate writes a date in format 102, YYYYMMDD; nothing when it is empty.
func ciiDate(name, namespace, iso string) *element {
	return el(name, el(namespace+":DateTimeString", attr{"format", "102"}, strings.ReplaceAll(iso, "-", "")))
}
