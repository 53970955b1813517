// Package redis is the contract of the Redis protocol: what internal/session uses and what the author of a service reaches for next,
// written against go-redis. The answers of a redis-server are golden files; both servers that may stand behind the platform's Redis
// address, redis-server and miniredis, are held against them.
//
//	go test ./test/contract/redis   both servers against the golden files
//	make record-redis               runs the cases against redis-server and rewrites the golden files
package redis
