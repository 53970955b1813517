package mongod

import (
	"errors"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"

	"github.com/xdg-go/scram"
)

// mechanism is the only one offered: SCRAM-SHA-1 rests on MD5.
const mechanism = "SCRAM-SHA-256"

// errAuthentication does not say whether the user or the password is wrong.
var errAuthentication = fault.New(fault.AuthenticationFailed, "Authentication failed.")

// saslSession is a conversation between saslStart and its last saslContinue. A connection has one at a time.
type saslSession struct {
	id           int32
	db           string
	conversation *scram.ServerConversation
	skipEmpty    bool // the client takes the server's last message as the end
	proven       bool
}

func (s *Server) saslStart(q *request) (raw.Document, error) {
	return q.client.startSASL(q.db, q.body)
}

// speculate begins the conversation inside hello. Like MongoDB it says nothing when that fails: the client then tries saslStart.
func (c *conn) speculate(first raw.Document) raw.Document {
	reply, err := c.startSASL(first.Get("db").StringOr("admin"), first)
	if err != nil {
		return nil
	}
	return reply
}

func (c *conn) startSASL(db string, command raw.Document) (raw.Document, error) {
	c.sasl = nil
	switch name := command.Get("mechanism").StringOr(""); name {
	case mechanism:
	case "SCRAM-SHA-1": // a driver falls back to it for a user that does not exist
		return nil, errAuthentication
	default:
		return nil, fault.New(fault.MechanismUnavailable, "Received authentication for mechanism %s which is unknown or not enabled", name)
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
	options := command.Get("options")
	c.sasl = &saslSession{
		id: c.saslCount, db: db, conversation: server.NewConversation(),
		skipEmpty: options.Kind == raw.KindDocument && options.Document().Get("skipEmptyExchange").Truthy(),
	}
	return c.stepSASL(payload)
}

func (s *Server) saslContinue(q *request) (raw.Document, error) {
	c := q.client
	if c.sasl == nil {
		return nil, fault.New(fault.ProtocolError, "No SASL session state found")
	}
	if id, whole := q.body.Get("conversationId").WholeNumber(); !whole || id != int64(c.sasl.id) {
		return nil, fault.New(fault.ProtocolError, "sasl: Mismatched conversation id")
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
func (c *conn) stepSASL(payload string) (raw.Document, error) {
	session := c.sasl
	answer, err := session.conversation.Step(payload)
	name := session.conversation.Username()
	if err == nil && session.conversation.Done() {
		session.proven = session.conversation.Valid()
		err = c.login(userID(session.db, name))
	}
	if err != nil {
		c.sasl = nil
		c.server.log.Warn().Str("user.name", name).Str("database", session.db).Str("client", c.net.RemoteAddr().String()).
			Msg("authentication failed")
		var known *fault.Error
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

func (c *conn) endSASL(answer string) raw.Document {
	id := c.sasl.id
	c.sasl = nil
	return saslReply(id, true, answer)
}

func saslReply(id int32, done bool, payload string) raw.Document {
	return raw.New().Int32("conversationId", int(id)).Bool("done", done).Add("payload", raw.Binary([]byte(payload))).OK()
}

// saslPayload reads the client's message, which drivers send as binary and some as text.
func saslPayload(where string, command raw.Document) (string, error) {
	switch v := command.Get("payload"); v.Kind {
	case raw.KindBinary:
		return string(v.Data[5:]), nil
	case raw.KindString:
		return v.Text(), nil
	case raw.KindMissing:
		return "", missingField(where, "payload")
	default:
		return "", wrongType(where, "payload", v, "string, binData")
	}
}

// login makes the connection act for a user. A connection stays with its first user, as in MongoDB.
func (c *conn) login(id string) error {
	if c.user != "" && c.user != id {
		return fault.New(5626701, "Each client connection may only be authenticated once. Previously authenticated as: %s", c.user)
	}
	c.user = id
	return nil
}
