// Package pricing owns prices: the catalogue as customers see it, quotes, and a record of every quote that became an order.
//
// Owns: database kreislauf_pricing, collection sales (one document an order, _id = order id).
// Consumes: order.placed (a quote was redeemed). Emits: nothing yet.
// Invariants: a quote is stateless and signed (internal/quote), so asking for prices writes nothing and can be cached; a sale is
// recorded once, because its _id is the order's id.
package pricing
