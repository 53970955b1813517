// Package record reads one log line in one pass over its bytes and never decodes it.
//
// Scan validates a JSON object (the same grammar as encoding/json, plus UTF-8) and notes where the values of
// the keys stand that routing and enrichment need. ParseCRI splits the prefix that a Kubernetes container
// runtime puts before a line.
//
// Invariants: a Line refers to the scanned bytes by offset and is valid until they change; a key is known by
// its full dotted path, so `"trace.id":"x"` and `"trace":{"id":"x"}` are the same key; nothing here allocates. A Line
// remembers the sequences of keys of the lines it scanned: that changes its speed, never a result.
//
// Not guaranteed: keys written with escapes ("trace\u002eid") are not recognised, and repeated keys are only
// looked for among the first 192 members of a line. The server still refuses those; see the dead-letter file.
package record
