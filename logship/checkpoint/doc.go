// Package checkpoint remembers, across restarts and crashes, which files logship knows and how far each of them
// is delivered.
//
// The journal is one append-only file: a magic line, then frames of `length (2 bytes) | type (1) | payload |
// CRC-32C (4)`, all integers big-endian, the checksum over everything before it. Open reads it, rewrites it
// compactly and goes on appending. An offset is the contiguous acknowledged one: everything below it is final.
//
// Invariants: offsets in the journal never exceed what was acknowledged, so any valid beginning of a journal is
// safe to start from; one process at a time has the journal open (a lock file says so).
//
// Not guaranteed: that the newest offsets survive a power cut. They are written after each acknowledgement and
// synced about once a second; what is missing is delivered again under the same ids.
package checkpoint
