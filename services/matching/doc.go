// Package matching owns who takes an order: the partner network, offers and acceptances.
//
// Owns: database kreislauf_matching, collections partners (master data, imported from a file) and matches (one document an order,
// _id = order id, with its outbox).
// Consumes: order.placed. Emits: matching.offered, matching.accepted, matching.unmatched (topic kreislauf.matching.v1, key = order id).
// Invariants: an order has one open offer at a time and at most one partner accepts it, whatever happens at the same moment;
// an offer is visible to its partner only. A partner with a standing order accepts at once; all others accept by hand.
// Time-outs, declining and offering again are not there yet: an offer stays open until its partner accepts.
package matching
