// Package mailbox is the SMTP server of a bare machine: it takes every mail for everybody and delivers none; each becomes a file that a
// person can read.
//
// A mail is <Dir>/new/<id>.eml: the envelope as Return-Path and Delivered-To, a Received line with the time, then the message as it came.
// Ids sort by the time of arrival.
//
// Invariants: a mail that got its 250 is on the disk, file and folder synced, and survives kill -9 and a power cut; what a
// killed server leaves in <Dir>/tmp goes at the next start; there are at most Keep mails of at most MaxBytes each, and the oldest go first.
// A mail whose sender did not get the 250 may be there nevertheless, and comes again.
//
// It is no mail server: no relaying, no TLS, no sign-in, no mailbox a user. Addresses are not checked beyond their syntax.
package mailbox
