// Package receive takes lines that do not stand in files: from standard input, from sockets, and from the journal of systemd. It writes
// them into files of its own, segments, which logship follows like any others, and removes a segment when every target has it.
//
// Invariants: a line that was written to a segment is delivered like a line of any file, whatever happens to the process; lines of
// different senders do not mix; not more than Limit bytes wait for delivery. When they do, streams are not read on, so that their
// senders wait, and datagrams are dropped and counted.
//
// Not guaranteed: what a sender was rid of and the process has not written when it is killed is lost, because none of these protocols
// says what has arrived. The journal is the exception: it is read on behind the last entry that was written. Segments are not synced, so
// a power cut can lose what came last.
package receive
