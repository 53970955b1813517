package mongod

import (
	"math"
	"time"
)

// serverVersion is the MongoDB release whose answers this server follows; maxWireVersion belongs to it.
const (
	serverVersion  = "7.0.14"
	maxWireVersion = 21
	sessionMinutes = 30
)

// hello describes a standalone server: no replica set, so no retryable writes and no transactions.
func (s *Server) hello(q *request) (document, error) {
	primary := "isWritablePrimary"
	b := newDocument()
	if q.command.name != "hello" {
		primary = "ismaster"
		if q.body.get("helloOk").truthy() {
			b.bool("helloOk", true)
		}
	}
	b.bool(primary, true).
		int32("maxBsonObjectSize", maxDocumentSize).
		int32("maxMessageSizeBytes", maxMessageSize).
		int32("maxWriteBatchSize", maxWriteBatch).
		date("localTime", time.Now()).
		int32("logicalSessionTimeoutMinutes", sessionMinutes).
		int32("connectionId", int(q.client.id&math.MaxInt32)).
		int32("minWireVersion", 0).
		int32("maxWireVersion", maxWireVersion).
		bool("readOnly", false)
	if id := q.body.get("saslSupportedMechs").stringOr(""); id != "" {
		if s.users[id] != nil { // "database.name"
			b.array("saslSupportedMechs", []value{stringValue(mechanism)})
		}
	}
	if first := q.body.get("speculativeAuthenticate"); first.kind == kindDocument && first.document().firstName() == "saslStart" {
		if reply := q.client.speculate(first.document()); reply != nil {
			b.doc("speculativeAuthenticate", reply)
		}
	}
	return b.ok(), nil
}

// acknowledge answers ping and endSessions; sessions hold no state here.
func (s *Server) acknowledge(*request) (document, error) { return newDocument().ok(), nil }
