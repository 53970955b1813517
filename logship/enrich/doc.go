// Package enrich turns one log line into the two lines of a bulk request: the create action and the document.
//
// It owns the routing (which data stream), the document id, and everything the contract of lines says that
// logship adds. A line that is a JSON object is copied once and the additions are spliced in before its closing
// brace; any other line is wrapped into a document that carries it as message, with a tag that says why.
//
// A JSON line of somebody else that the index templates would refuse, or that has other names for what the contract knows, is mended
// (mend.go): some members get another name or value, the rest is copied.
//
// Invariants: a field that the line has is never added again; every line yields exactly one document with
// exactly one id, the same at every attempt; a document is valid JSON in valid UTF-8. Times are UTC with
// milliseconds, event.duration is in nanoseconds, the *_ms fields are whole milliseconds (rounded down).
//
// Not guaranteed: that the server accepts the document. A line may carry a field that the templates do not know and that the
// server has seen with another type; that is the business of the dead-letter file in package bulk.
package enrich
