package mongod

import (
	"math"
	"time"

	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/wire"
)

// serverVersion is the MongoDB release whose answers this server follows; maxWireVersion belongs to it.
const (
	serverVersion  = "7.0.14"
	maxWireVersion = 21
	sessionMinutes = 30
)

// hello describes a standalone server: no replica set, so no retryable writes and no transactions.
func (s *Server) hello(q *request) (raw.Document, error) {
	primary := "isWritablePrimary"
	b := raw.New()
	if q.command.name != "hello" {
		primary = "ismaster"
		if q.body.Get("helloOk").Truthy() {
			b.Bool("helloOk", true)
		}
	}
	b.Bool(primary, true).
		Int32("maxBsonObjectSize", raw.MaxDocumentSize).
		Int32("maxMessageSizeBytes", wire.MaxMessageSize).
		Int32("maxWriteBatchSize", maxWriteBatch).
		Date("localTime", time.Now()).
		Int32("logicalSessionTimeoutMinutes", sessionMinutes).
		Int32("connectionId", int(q.client.id&math.MaxInt32)).
		Int32("minWireVersion", 0).
		Int32("maxWireVersion", maxWireVersion).
		Bool("readOnly", false)
	if id := q.body.Get("saslSupportedMechs").StringOr(""); id != "" {
		if s.users[id] != nil { // "database.name"
			b.Array("saslSupportedMechs", []raw.Value{raw.String(mechanism)})
		}
	}
	if first := q.body.Get("speculativeAuthenticate"); first.Kind == raw.KindDocument && first.Document().FirstName() == "saslStart" {
		if reply := q.client.speculate(first.Document()); reply != nil {
			b.Doc("speculativeAuthenticate", reply)
		}
	}
	return b.OK(), nil
}

// acknowledge answers ping and endSessions; sessions hold no state here.
func (s *Server) acknowledge(*request) (raw.Document, error) { return raw.New().OK(), nil }
