// Package mongod is a small server of MongoDB's wire protocol on one bbolt file, for unmodified MongoDB drivers and many client processes.
// It presents itself as a standalone mongod: no replica set, so no retryable writes, transactions or change streams.
//
// It owns the data folder given to New; a second process is refused. Invariants:
//
//   - A write is acknowledged after it is on disk (fsync). Concurrent writers share one sync: one goroutine puts all waiting
//     write commands into one bbolt transaction.
//   - A write to one document, with all its index keys, is atomic, and so is findAndModify, across all clients. Errors are found
//     before anything is written, so a command that fails does not disturb its neighbours in the transaction. A command over several
//     documents keeps what it did before its error, as in MongoDB; readers see all of a command or nothing of it.
//   - A read sees every write that was acknowledged before it began. Each batch of a cursor is one snapshot, a cursor as a whole is not.
//   - What is not supported is refused with an error, never ignored: a name with MongoDB's own error for an unknown one, a kind of
//     value with NotImplemented (238).
//
// Units: sizes in bytes, times in milliseconds where BSON says so. Limits: messages of 48,000,000 bytes, documents of 16 MiB and
// 100 levels, index keys of 32 KiB, 64 indexes a collection, 1,000 open cursors, 4,096 connections, 100 MiB for what one sort,
// group or pipeline holds.
//
// Users log in with SCRAM-SHA-256 and may do what their roles allow on their databases; of a password only the keys that check it are
// stored. While there is no user, every client on this machine may do everything, and clients elsewhere nothing. There is no TLS.
//
// It does not guarantee an order of find without a sort (it is the order of _id or of the index in use).
//
// This package has the connections, the commands, cursors and users. Below it: raw (BSON), fault (errors), registry (tables of names),
// query, update and pipeline (what clients ask, applied to documents), store (collections, indexes, plans on bbolt), wire (messages).
package mongod
