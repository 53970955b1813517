// Package bulk brings batches of documents to Elasticsearch or OpenSearch with `_bulk` and create.
//
// It owns the request, the reading of the answer, every retry and the dead-letter file. Deliver returns without
// an error only when each document of the batch is final: stored, already there (409), or in the dead-letter
// file, synced to disk. The same bytes with the same ids are sent until then, without a limit of attempts.
//
// Invariants: nothing is dropped; an answer that does not account for every document sent counts as no answer;
// while the target is in trouble one request at a time probes it.
//
// Not guaranteed: exactly once. The server finds a repeated id only within one backing index, so a retry that
// lands after a rollover is stored twice.
package bulk
