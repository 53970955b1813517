// Package pricing owns prices: the catalogue as customers see it, quotes, and a record of every quote that became an order.
//
// Owns: database kreislauf_pricing, collections sales (one document an order, _id = order id) and standing_quotes (one document an occurrence
// of a standing order, with its outbox).
// Consumes: order.placed (a quote was redeemed), customer.order-due (a standing order wants a price). Emits: pricing.standing-quoted,
// pricing.standing-refused (topic kreislauf.pricing.v1, key = standing order's id and day).
// Invariants: a quote is stateless and signed (internal/quote), so asking for prices writes nothing and can be cached; a sale is
// recorded once, because its _id is the order's id.
package pricing
