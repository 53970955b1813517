// Package matching owns who takes an order: it ranks the partners that can, offers the order to one after the other, and knows who has it.
//
// Owns: database kreislauf_matching, collections network (a copy of each partner's newest state, _id = partner id, for ranking), matches
// (one document an order, _id = order id, with its outbox) and audit (what the back office did).
// Consumes: disposer.partner-changed, order.placed, order.cancelled. Emits: matching.offered, matching.declined, matching.accepted,
// matching.unmatched (topic kreislauf.matching.v1, key = order id).
//
//	order.placed -> offered -> accepted            a partner's dispatcher, or at once by a standing order
//	                  |  ^-- declined, timed out: the next candidate; reassigned: the one that the back office names
//	                  +--> unmatched -> offered    reassigned
//	order.cancelled -> withdrawn                   from every state
//
// Invariants: an order has one open offer at a time and at most one partner accepts it, whatever happens at the same moment; an offer
// cannot be accepted from its end on, timed out yet or not; it is visible to its partner only, and shows nothing of the customer. The list of
// candidates is made when the order comes: rates and places are those of then, so what an offer promises is what is paid. Of two states
// of a partner the higher version stays, in whatever order they come. While no partner is known at all, orders wait.
//
// An order that swaps a container is offered to the partner that has that one first, and declined like any other it goes to the ranked ones.
// The back office sees before it names a partner what that one would be paid, and why it may not be possible (http_office.go).
//
// Not guaranteed: that the network is complete when the first orders of a new deployment come; who is not known yet is not asked. An offer
// is timed out up to a second late, longer while no instance runs. A partner that has accepted cannot give an order back here; that is not
// there yet.
package matching
