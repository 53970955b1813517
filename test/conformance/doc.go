// Package conformance holds one suite of requests with the answers a real server gave, and replays it.
//
// The requests are in testdata/<area>/<file>.http, the recorded answers beside them in <file>.golden, one JSON
// object a line. Answers come from OpenSearch 3.8 and are normalised by the named rules of normalise.go before they
// are written and before they are compared: what is left is what every client sees.
//
// A case whose answer differs on purpose is listed in testdata/differences.ndjson with the reason and the answer
// of the engine. Invariants: a difference that is not listed fails; a listed one that is gone, or that now
// answers something else, fails too; a case without a recorded answer fails.
//
// Not guaranteed: anything about time, memory or relevance; scores are compared only by their presence.
package conformance
