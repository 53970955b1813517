package mongod

import (
	"net"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
)

// action is what a command does, as far as rights go. Every command names one; the zero value is refused to everybody.
type action uint16

const (
	actionFree  action = 1 << iota // needs no login
	actionLogin                    // any user
	actionRead                     // reads documents
	actionWrite                    // changes documents, creates collections and indexes
	actionAdmin                    // changes the database as a whole
)

// Role grants the built-in role Name on the database DB.
type Role struct {
	Name string `json:"role"`
	DB   string `json:"db"`
}

// actions returns what MongoDB's built-in role allows on its database; everywhere tells that it holds for every database.
// 0 means that there is no such role here.
func (r Role) actions() (allowed action, everywhere bool) {
	switch {
	case r.Name == "readWrite":
		return actionRead | actionWrite, false
	case r.Name == "root" && r.DB == "admin":
		return actionRead | actionWrite | actionAdmin, true
	}
	return 0, false
}

// may reports whether one of the user's roles allows the action on the database.
func (u *user) may(a action, db string) bool {
	for _, r := range u.roles {
		allowed, everywhere := r.actions()
		if allowed&a != 0 && (everywhere || r.DB == db) {
			return true
		}
	}
	return false
}

// authorize refuses what the connection's user may not do. While there is no user at all, clients on this machine may do everything.
func (s *Server) authorize(q *request) error {
	a := q.command.action
	if a == actionFree {
		return nil
	}
	u := s.users[q.client.user]
	if u == nil && (len(s.users) > 0 || !q.client.local()) {
		return fault.New(fault.Unauthorized, "Command %s requires authentication", q.name)
	}
	if u != nil && a != actionLogin && !u.may(a, q.db) {
		return q.unauthorized()
	}
	return q.protectSystem()
}

// protectSystem keeps the users from being read and changed by commands, and the database that holds them from being dropped.
func (q *request) protectSystem() error {
	if q.name == "dropDatabase" && q.db == "admin" {
		return fault.New(fault.IllegalOperation, "Dropping the 'admin' database is prohibited.")
	}
	if strings.HasPrefix(q.body.Get(q.name).StringOr(""), "system.") {
		return q.unauthorized()
	}
	return nil
}

// unauthorized shows the command as MongoDB does.
func (q *request) unauthorized() error {
	const shown = 4096
	text := q.body.String()
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	return fault.New(fault.Unauthorized, "not authorized on %s to execute command %s", q.db, text)
}

// local reports whether the client is on this machine.
func (c *conn) local() bool {
	addr, ok := c.net.RemoteAddr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}
