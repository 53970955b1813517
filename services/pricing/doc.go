// Package pricing owns prices: the catalogue as customers see it, quotes, and a record of every quote that became an order.
//
// Owns: database kreislauf_pricing, collections sales (one document an order, _id = order id), standing_quotes (one document an occurrence
// of a standing order, with its outbox), network (a copy of each partner's newest state) and full_days (partners' days without room, as order
// tells of them).
// Consumes: order.placed (a quote was redeemed), order.capacity-changed, disposer.partner-changed, customer.order-due (a standing order wants a
// price). Emits: pricing.standing-quoted, pricing.standing-refused (topic kreislauf.pricing.v1, key = standing order's id and day).
// Invariants: a quote is stateless and signed (internal/quote), so asking for prices writes nothing and can be cached; a sale is
// recorded once, because its _id is the order's id. Prices and days are shown from a copy in memory, so they can be asked for while the database is
// away; which days have room is some seconds old, and placing an order decides.
package pricing
