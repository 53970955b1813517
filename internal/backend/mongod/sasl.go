package mongod

import (
	"errors"

	"github.com/xdg-go/scram"
)

// mechanism is the only one offered: SCRAM-SHA-1 rests on MD5.
const mechanism = "SCRAM-SHA-256"

// errAuthentication does not say whether the user or the password is wrong.
var errAuthentication = failure(codeAuthenticationFailed, "Authentication failed.")

// saslSession is a conversation between saslStart and its last saslContinue. A connection has one at a time.
type saslSession struct {
	id           int32
	db           string
	conversation *scram.ServerConversation
	skipEmpty    bool // the client takes the server's last message as the end
	proven       bool
}

func (s *Server) saslStart(q *request) (document, error) {
	return q.client.startSASL(q.db, q.body)
}

// speculate begins the conversation inside hello. Like MongoDB it says nothing when that fails: the client then tries saslStart.
func (c *conn) speculate(first document) document {
	reply, err := c.startSASL(first.get("db").stringOr("admin"), first)
	if err != nil {
		return nil
	}
	return reply
}

func (c *conn) startSASL(db string, command document) (document, error) {
	c.sasl = nil
	switch name := command.get("mechanism").stringOr(""); name {
	case mechanism:
	case "SCRAM-SHA-1": // a driver falls back to it for a user that does not exist
		return nil, errAuthentication
	default:
		return nil, failure(codeMechanismUnavailable, "Received authentication for mechanism %s which is unknown or not enabled", name)
	}
	payload, err := saslPayload("saslStart", command)
	if err != nil {
		return nil, err
	}
	server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		u := c.server.users[userID(db, name)]
		if u == nil {
			return scram.StoredCredentials{}, errAuthentication
		}
		return u.credentials, nil
	})
	if err != nil {
		return nil, err
	}
	c.saslCount++
	options := command.get("options")
	c.sasl = &saslSession{
		id: c.saslCount, db: db, conversation: server.NewConversation(),
		skipEmpty: options.kind == kindDocument && options.document().get("skipEmptyExchange").truthy(),
	}
	return c.stepSASL(payload)
}

func (s *Server) saslContinue(q *request) (document, error) {
	c := q.client
	if c.sasl == nil {
		return nil, failure(codeProtocolError, "No SASL session state found")
	}
	if id, whole := q.body.get("conversationId").wholeNumber(); !whole || id != int64(c.sasl.id) {
		return nil, failure(codeProtocolError, "sasl: Mismatched conversation id")
	}
	payload, err := saslPayload(q.command.name, q.body)
	if err != nil {
		return nil, err
	}
	if c.sasl.proven { // the empty exchange
		return c.endSASL(""), nil
	}
	return c.stepSASL(payload)
}

// stepSASL answers one message of the client.
func (c *conn) stepSASL(payload string) (document, error) {
	session := c.sasl
	answer, err := session.conversation.Step(payload)
	name := session.conversation.Username()
	if err == nil && session.conversation.Done() {
		session.proven = session.conversation.Valid()
		err = c.login(userID(session.db, name))
	}
	if err != nil {
		c.sasl = nil
		c.server.log.Warn().Str("user.name", name).Str("database", session.db).Str("client", c.net.RemoteAddr().String()).Msg("authentication failed")
		var known *commandError
		if errors.As(err, &known) {
			return nil, known
		}
		return nil, errAuthentication
	}
	if session.proven && session.skipEmpty {
		return c.endSASL(answer), nil
	}
	return saslReply(session.id, false, answer), nil
}

func (c *conn) endSASL(answer string) document {
	id := c.sasl.id
	c.sasl = nil
	return saslReply(id, true, answer)
}

func saslReply(id int32, done bool, payload string) document {
	return newDocument().int32("conversationId", int(id)).bool("done", done).add("payload", binaryValue([]byte(payload))).ok()
}

// saslPayload reads the client's message, which drivers send as binary and some as text.
func saslPayload(where string, command document) (string, error) {
	switch v := command.get("payload"); v.kind {
	case kindBinary:
		return string(v.data[5:]), nil
	case kindString:
		return v.text(), nil
	case kindMissing:
		return "", missingField(where, "payload")
	default:
		return "", wrongType(where, "payload", v, "string, binData")
	}
}

// login makes the connection act for a user. A connection stays with its first user, as in MongoDB.
func (c *conn) login(id string) error {
	if c.user != "" && c.user != id {
		return failure(5626701, "Each client connection may only be authenticated once. Previously authenticated as: %s", c.user)
	}
	c.user = id
	return nil
}
