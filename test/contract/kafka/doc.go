// Package kafka is the contract of the Kafka protocol as services use it: cases written against franz-go, the answers of a real Kafka
// as golden files, and the embedded broker held against them.
//
//	go test ./test/contract/kafka   the embedded broker against the golden files
//	make record-kafka               runs the cases against a real Kafka (Java and Maven needed) and rewrites the golden files
//
// Codes and contents are compared, error messages are not: clients act on codes. Transactions are left out, the platform has none.
package kafka
