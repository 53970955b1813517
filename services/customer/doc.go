// Package customer owns what customers keep between orders: their sites, the links of people who look after a site, drafts and carts, and
// standing orders.
//
// Owns: database kreislauf_customer, collections sites, drafts and standing (one document each, with its outbox where it tells of anything);
// in Redis the carts of visitors without a session (internal/session), and the links that are open.
// Consumes: customer.site-changed (its own, for the addresses in standing orders), pricing.standing-refused, order.placed,
// order.standing-refused. Emits: customer.site-changed (topic kreislauf.customer.v1, key = site id, the whole state after each change),
// customer.order-due, customer.standing-refused (topic kreislauf.customer.standing.v1, key = standing order's id).
// Invariants: a site, draft or standing order belongs to the user who made it, and to the user's company if it had one then. Who changes a
// site or standing order names the version that it has read; of a draft the last writer wins, and is told the version. A link opens one site
// and nothing else; revoking it, or its end, ends the sessions that it opened. Each occurrence of a standing order is told of once, and what
// became of it stands in the standing order.
//
// A site that is deleted keeps its id and loses what is personal, because orders name it. Limits on how many there may be are looked at
// before the write, so two requests at the same moment may pass one by one.
//
// Customers order without this service: the page then keeps the choice in the browser alone, and no site can be chosen.
package customer
