// Package logship follows log files and delivers every line to Elasticsearch or OpenSearch, enriched, at least
// once and visibly once.
//
// One goroutine, the pump, finds files, reads them, and appends documents to a batch; two senders bring full
// batches to the target (package bulk). The files themselves are the buffer: when both senders are busy and the
// batch is full, the pump stops reading. There is no queue, goroutine, channel operation or allocation per line.
//
// Invariants: an offset in the checkpoint is acknowledged, and so is everything below it; the identity of a file
// is on disk before its first line is sent; a line has the same document id at every attempt and after every
// restart. Sizes and offsets are bytes, ages are durations.
//
// What it does not guarantee is in README.md.
package logship
