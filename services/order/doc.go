// Package order owns orders: their state, their history and who may see them.
//
// Owns: database kreislauf_order, collection orders (one document an order, with its outbox).
// Consumes: matching.accepted, matching.unmatched. Emits: order.placed, order.matched (topic kreislauf.order.v1, key = order id).
// Invariants: the state machine of order.go is the only way to change a state; an order's _id follows from customer and
// Idempotency-Key, so a repeated request can never make a second order; state, history and events change in one document write.
// The price is the signed quote's; order never asks pricing, so customers can order while pricing is down.
package order
