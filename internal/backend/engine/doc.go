// Package engine is a small server of the Elasticsearch 8 HTTP API.
//
// It exists so that log shipping, searches, KPI rules and alerts run unchanged on a bare machine, on
// Elasticsearch and on OpenSearch. It owns one directory: state.json (templates, policies, API keys) and one folder per
// index under indices/.
//
// Invariants: what a bulk answer calls created is synced to disk and survives kill -9; an answer is complete or an
// error, never a part or a guess; what the engine does not know it refuses with the error of the real server.
//
// Not guaranteed: relevance (every match scores 1.0), replication (there is one node), encryption on the wire.
// Security is off without Options.Password, and the address must then be a loopback one. docs/engine.md lists what is
// supported, refused and different.
//
// Layout: http.go and router.go are the edge, the api_*.go files hold one group of endpoints each, cluster.go and
// index.go the state; internal/ has mapping, query, aggs, hits, search, store, dates, esjson and eserr.
package engine
