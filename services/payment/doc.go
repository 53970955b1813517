// Package payment owns the money: invoices to customers, credit notes to partners, corrections, reminders, the bank and the books.
//
// Owns: database kreislauf_payment, collections documents (invoices, credit notes and corrections, with bookings and outbox), statement_lines (money
// that came or went, with its bookings), statements (files that were imported), runs (files for the bank), mandates (of direct debits), partners,
// customers and clients (projections; a client is a customer's company), numbers, audit. In the store of documents: the PDFs that mails carry.
// Consumes: identity.signed-up and company-changed, disposer.partner-changed, order.weighed and corrected. Emits: payment.invoiced, credited, corrected,
// objected, objection-answered, reminded, paid, returned, paid-out (topic kreislauf.payment.v1, key = document id). Timed work: reminders.
// Invariants: an order that was weighed has one invoice (R-YYYY-NNNNNN) and one credit note (G-YYYY-NNNNNN) that are valid, however often its event
// comes and whatever instance dies when; numbers have no gap and are never used again; what a document says never changes after it was
// written (Paper); each booking adds up to zero (Journal), so the books do at every moment; a statement line pays one invoice or one payout, once;
// a document is in one file for the bank at a time.
// Steps over several documents are begun in one of them, which says so (OpenSince), and are finished by whichever instance is alive.
//
// A wrong document is cancelled by a correction (K-YYYY-NNNNNN), and another one may come in its place; what that says is frozen when the old one is
// cancelled. What was paid for an invoice is taken over; what a partner was paid is set off by the next payout. A credit note that its partner objected
// to has no effect any more and is only replaced.
//
// VAT: the standard rate; none on scrap (annex 3 UStG, see vat.go) of companies to which section 13b applies, and none on what small traders do
// (§19). Which lines of a mixed bill are scrap is this package's reading of the law; a tax adviser has to look at it.
//
// A document is given out as PDF and as electronic invoice (packages letter and paper), made anew of its Paper at each request. Whose e-mail
// address was not known when the invoice was written gets no XRechnung, only the PDF with ZUGFeRD inside.
//
// The back office finds documents by the beginning of their number or by their order; each search, and each look at a list of work, is in the
// audit trail.
//
// Not there yet: paying customers back (what they have paid too much stays on customer-prepayments), dunning by a lawyer, several accounts, several
// sequences of direct debits (all are RCUR), payouts before a credit note is due.
package payment
