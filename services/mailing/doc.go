// Package mailing owns the mails to customers, partners, the back office and the owners of accounts: which event is worth one, its words, and that
// it reaches the recipient's mail server.
//
// Owns: database kreislauf_mailing, collections mails (one document an event, _id = event id: the queue and its history), recipients
// (_id = id of a user, a customer's company or a partner: name and address), orders (_id = order id: what was ordered) and suppressed (_id = address that does not exist).
// Consumes: identity (all), disposer.partner-changed, customer.standing-refused, pricing.standing-refused, of order placed, matched, scheduled, on-site, collected, weighed, cancelled
// and standing-refused, matching.unmatched, payment (all). Emits: nothing.
//
// Invariants:
//   - An event gets one mail, however often it is delivered; a mail has one recipient.
//   - A mail whose recipient or order is not known yet waits for it, without end. It is neither lost nor failed.
//   - A mail is sent at least once. It is sent a second time when the process dies, or the connection breaks, after the server took it and
//     before that was written down: each such moment can double it once. Its Message-ID follows from the event, so both are recognised as one.
//     What a process that died was sending is tried again after 90 s.
//   - A mail server that is away stops nothing but sending: events are consumed, and mails are tried again after 1 s, 10 s, 1 min, 10 min,
//     then each hour. After two days of trying a mail has failed.
//   - A permanent refusal (5xx) of the recipient or the content fails the mail at once. An address that the server says does not exist
//     is suppressed: nothing more is sent to it. A 5xx to the sender, the sign-in or the greeting is our own mistake and is tried again.
//   - Nothing that somebody typed can become a header: subjects have our words only, names and addresses are encoded or refused.
//   - The secret of a link (a new password, an invitation) comes sealed, is opened when the mail is written, and stands in the mail alone.
//   - What an event names as its document goes with the mail, and is what the event says by its hash, or the mail waits.
//   - No line has a mail address, and no error of a server, which may quote one: its code only.
//
// Language: identity does not know it, so every mail is German with the same in English beneath. Text only.
//
// Not there yet: taking an address off the suppressed ones (but in the database), bounces that come back as mails,
// DKIM, more than one mail a connection, forgetting recipients and old mails.
package mailing
