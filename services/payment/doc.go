// Package payment owns the money: invoices to customers, credit notes to partners, corrections, the bank statement and the books.
//
// Owns: database kreislauf_payment, collections documents (invoices, credit notes and corrections; one of each an order at most, with its
// bookings and its outbox), statement_lines (money that came in, with its bookings), partners and customers (projections), numbers, audit.
// Consumes: identity.signed-up, disposer.partner-changed, order.weighed. Emits: payment.invoiced, payment.credited, payment.reminded,
// payment.paid (topic kreislauf.payment.v1, key = document id). Timed work: a reminder, once, 7 days after an invoice was due.
// Invariants: an order that was weighed has one invoice (R-YYYY-NNNNNN) and one credit note (G-YYYY-NNNNNN), however often its event comes
// and whatever instance dies when; numbers have no gap and are never used again; what a document says never changes after it was
// written (Paper); each booking adds up to zero (Journal), so the books do at every moment; a statement line pays one invoice, once.
// Steps over several documents are begun in one of them, which says so (OpenSince), and are finished by whichever instance is alive.
//
// A document is given out as PDF and as electronic invoice (packages letter and paper), made anew of its Paper at each request. Whose e-mail
// address was not known when the invoice was written gets no XRechnung, only the PDF with ZUGFeRD inside.
//
// The back office finds documents by the beginning of their number or by their order; each search, and each look at a list of work, is in the
// audit trail.
//
// All amounts bear the standard rate. Not there yet: reverse charge (§13b UStG) for scrap from companies, partners without VAT
// (§19 UStG), a new invoice in place of a cancelled one, a new credit note after an objection, paying partners out and customers
// back, further reminders and fees, mails with the file.
package payment
