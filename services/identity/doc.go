// Package identity owns who somebody is: accounts, passwords, and the beginning and end of sessions.
//
// Owns: database kreislauf_identity, collection users (one document an account, with its outbox; e-mail unique).
// Consumes: nothing. Emits: identity.signed-up (topic kreislauf.identity.v1, key = user id).
// Invariants: passwords are stored as argon2id only; every role but a customer's needs an invitation signed with the platform's key;
// signing in answers the same, and takes as long, for an unknown e-mail and for a wrong password; nobody else reads the users:
// other services see the session in Redis; no two addresses that look the same have an account each (package input).
// A dispatcher makes invitations for drivers of its own partner, and for nobody else; they are not stored.
// Not there yet: an invitation can be used more than once until it ends; an account cannot be taken away; who owns an address is not checked.
package identity
