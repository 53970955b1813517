// Package mongodb is the contract that the embedded MongoDB server keeps: commands, and the answers that MongoDB's own engine gave to them.
//
// A file in testdata is a list of steps; every file has a database of its own. Each step is one line, followed by its recorded answer:
//
//	> {"find":"c","filter":{"a":1}}         a command
//	find c {filter} [{projection} [{sort}]] the documents that match, by _id unless a sort is given
//	apply {document} {update} [{options}]   one update of a fresh document: the answer to the update and what is stored afterwards
//	agg c [pipeline]                        an aggregation
//	eval {expression} [{document}]          the value of an aggregation expression
//
// CURSOR in a command stands for the id of the last cursor that an answer opened. An answer is one line of extended JSON in which a
// plain whole number is an int32 and a plain number with a point a double. What differs from run to run is replaced: new ObjectIDs,
// times and UUIDs. Of an explain only the stages and their counters are kept.
//
// The test replays every file against the embedded server. An answer that differs must be listed in testdata/differences with a
// reason, and one that is listed must differ. `make record-mongodb` replaces the answers by those of the engine at CONTRACT_MONGODB_URI.
package mongodb
