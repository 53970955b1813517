// Package logship follows log files and delivers every line to Elasticsearch or OpenSearch, enriched, at least
// once and visibly once.
//
// Each target has a pipeline of its own. Its parts do not reach into each other:
//
//	follow.Follower  finds the files, knows their names, reads them, keeps the checkpoint
//	batch.Batcher    makes events and documents of the lines, fills batches, knows what is acknowledged
//	pump             the one goroutine that calls the two, and decides when
//	bulk.Client      brings batches to the target, in two goroutines of the Batcher
//
// The pump asks the Follower for the next piece of a file (Next), gives it to the Batcher (Take), and says what was taken
// (Took). When a batch is final it asks the Batcher which files that moves (Acknowledge) and tells the Follower
// (Acknowledged). The Follower knows nothing of batches.
//
// The files themselves are the buffer: when both senders are busy and the batch is full, the pump stops reading. There is no
// queue, goroutine, channel operation or allocation per line.
//
// Invariants: an offset in the checkpoint is acknowledged, and so is everything below it; the identity of a file
// is on disk before its first line is sent; a line has the same document id at every attempt and after every
// restart. Sizes and offsets are bytes, ages are durations.
//
// What it does not guarantee is in README.md.
package logship
