// Package order owns orders: their state, their history and who may see and change them.
//
// Owns: database kreislauf_order, collections orders (one document an order, with its outbox), refusals (occurrences of standing orders that
// did not become an order), sites (copies of customers' sites), takers (a copy of each
// partner's name and address, for proofs of what they took) and audit (what the back office did); the file
// store's files of orders (photos and weighing slips), which the order's document lists.
// Collections network (a copy of each partner's newest state) and days (the places of a partner, size and day, with the orders that hold them).
// Consumes: its own events of orders that swap a container, disposer.partner-changed, matching.accepted, matching.unmatched, payment.invoiced, payment.paid, customer.site-changed,
// pricing.standing-quoted. Emits: order.placed, order.matched,
// order.scheduled, order.on-site, order.collected, order.weighed, order.cancelled, order.corrected, order.capacity-changed, order.standing-refused (topic kreislauf.order.v1, key = order id, of the last
// one the day's id).
// Invariants: the state machine of state.go is the only way to change a state; an order's _id follows from customer and
// Idempotency-Key, so a repeated request can never make a second order; state, history and events change in one document write. A step
// that is sent again with the same content changes nothing, and with other content it is refused: what is recorded stays.
// The price is the signed quote's; order never asks pricing, so customers can order while pricing is down. An order is weighed once, so
// order.weighed comes once, with all that is needed to bill and to credit; order.corrected says what it should have said. What payment tells of an order that is not weighed becomes a dead
// letter: see Order.invoice.
//
// No more orders are placed for a day than the partners that can do them have places, see capacity.go and ADR 0016.
//
// Each occurrence of a standing order becomes one order or one refusal, whose id follows from it. How to get to a site (gate code, whom to call)
// is shown to the partner that has taken the order, as it is now, and never before.
//
// A swap is a new order that takes an older one's container away. An order is changed by what happens to itself; what that means for the other
// one of a swap comes to it as an event, which is in the same document write. So a process may die at any moment, and both fit each other again.
//
// Without the file store everything else goes on. A file whose order could not be written stays there, and nothing names it.
//
// A photo is shown upright, as its EXIF says, and without what else the camera wrote into it (photo.go); the file as it came stays in the file store, and no route shows
// it. Its digest is the document's name, so it is there once however often, late or in whatever order it is sent.
//
// The back office finds an order by the beginning of its id or container number and by whole words of name and address, and sees all of it
// (http_office.go); each search and each look is in the audit trail. Orders from before there was a search have their words from their next event on;
// until then their id finds them.
//
// Nobody checks that a driver id is that of a driver of the partner: another one's session does not fit it, so it opens nothing.
package order
