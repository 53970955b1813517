// Package identity owns who somebody is: accounts, passwords, and the beginning and end of sessions.
//
// Owns: database kreislauf_identity, collections users (one document an account, with its outbox; e-mail unique), notices (what the owner of
// an address is to be told; gone after a day), companies (one document a customer's company, with its outbox) and audit (what the back office did, and who has searched for whom). In Redis, through package session: sessions, and counts of attempts.
// Consumes: nothing. Emits: identity.signed-up, identity.sign-in-locked, identity.password-reset-requested, identity.password-changed
// (topic kreislauf.identity.v1, key = user id), identity.company-changed, identity.member-invited (the same topic, key = company id).
// Invariants: passwords are stored as argon2id only; every role but a customer's needs an invitation signed with the platform's key;
// signing in answers the same, and takes as long, for an unknown e-mail and for a wrong password; no service reads the users:
// others see the session in Redis; the back office finds accounts by whole words of the name or the beginning of the address, and each search is
// written down; no two addresses that look the same have an account each (package input).
//
// Attempts with a wrong password are counted before the password is looked at, for the address and for the network they come from, whether or
// not the address has an account. From the fifth on, those for an address wait: 30 s, then twice as long each time, up to 15 minutes; of a
// network from the 30th on. The owner gets one mail. Success, or a new password by mail, ends it. Nobody who is signed in is affected.
//
// A new password ends every other session, also when the process dies in between: the account says what has to end until it is done. So does the
// back office, with a reason in the audit trail. The link of a forgotten password works once, for an hour, and no longer when the password
// changes; its token stands in the mail alone: the account has its hash, the event has it sealed (package sealed).
//
// A customer orders for itself or for one company: the account says which, and sessions say it to the other services. Whoever founds a company, by
// signing up or later, is its administrator, who changes it and invites members. An invitation stands in the company until it is used or taken
// back, and is for one address; who is removed is a private person again, and its sessions end. A company that an account founds is stored after the
// account, also when the process dies in between.
//
// Demo people (one account for each kind, made when its link is first used, without a password that anybody knows) are there with KREISLAUF_ENV=local
// only. Their links are signed with the key of invitations and end by themselves; everywhere else the route answers 404.
//
// Not guaranteed: a Redis that is empty has forgotten the counts; while it is away nobody signs in, so nobody tries uncounted. Somebody who
// types wrong passwords on purpose can make the owner wait; the mail shows the way around. Networks are told apart by the entry's header.
//
// A dispatcher makes invitations for drivers of its own partner, and for nobody else; they are not stored.
// Not there yet: another administrator, or none; asking VIES whether a VAT id was given to the company; an invitation of `kreislauf invite` can be used more than once until it ends; an account cannot be taken away; who owns an address is not checked.
package identity
