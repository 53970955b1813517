// Package order owns orders: their state, their history and who may see and change them.
//
// Owns: database kreislauf_order, collections orders (one document an order, with its outbox) and audit (what the back office did); the file
// store's files of orders (photos and weighing slips), which the order's document lists.
// Consumes: matching.accepted, matching.unmatched, payment.invoiced, payment.paid. Emits: order.placed, order.matched, order.on-site,
// order.collected, order.weighed, order.cancelled (topic kreislauf.order.v1, key = order id).
// Invariants: the state machine of state.go is the only way to change a state; an order's _id follows from customer and
// Idempotency-Key, so a repeated request can never make a second order; state, history and events change in one document write. A step
// that is sent again with the same content changes nothing, and with other content it is refused: what is recorded stays.
// The price is the signed quote's; order never asks pricing, so customers can order while pricing is down. An order is weighed once, so
// order.weighed comes once, with all that is needed to bill and to credit. What payment tells of an order that is not weighed becomes a dead
// letter: see Order.invoice.
//
// Without the file store everything else goes on. A file whose order could not be written stays there, and nothing names it.
//
// The back office finds an order by the beginning of its id or container number and by whole words of name and address, and sees all of it
// (http_office.go); each search and each look is in the audit trail. Orders from before there was a search have their words from their next event on;
// until then their id finds them.
//
// Swaps (a new container in place of the full one) and corrections of what is recorded are not there yet. Nobody checks that a driver id is
// that of a driver of the partner: another one's session does not fit it, so it opens nothing.
package order
