// Package identity owns who somebody is: accounts, passwords, and the beginning and end of sessions.
//
// Owns: database kreislauf_identity, collections users (one document an account, with its outbox; e-mail unique) and audit (who has
// searched for whom).
// Consumes: nothing. Emits: identity.signed-up (topic kreislauf.identity.v1, key = user id).
// Invariants: passwords are stored as argon2id only; every role but a customer's needs an invitation signed with the platform's key;
// signing in answers the same, and takes as long, for an unknown e-mail and for a wrong password; no service reads the users:
// others see the session in Redis; the back office finds accounts by whole words of the name or the beginning of the address, and each search is
// written down; no two addresses that look the same have an account each (package input).
// Not there yet: accounts from before there was a search are found by their address and not by their name; an invitation can be used more than once until it ends; an account cannot be taken away; who owns an address is not checked.
package identity
