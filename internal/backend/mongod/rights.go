package mongod

import (
	"net"
	"strings"
)

// action is what a command does, as far as rights go. Every command names one; the zero value is refused to everybody.
type action uint16

const (
	actionFree    action = 1 << iota // needs no login
	actionLogin                      // any user; the command itself limits what it shows
	actionFind                       // reads documents
	actionList                       // reads names, indexes and sizes
	actionWrite                      // changes documents
	actionSchema                     // creates and drops collections and indexes
	actionAdmin                      // changes the database as a whole
	actionUsers                      // reads and changes users
	actionMonitor                    // reads the state of the server

	actionRead      = actionFind | actionList
	actionReadWrite = actionRead | actionWrite | actionSchema
	actionDBAdmin   = actionList | actionSchema | actionAdmin
	actionOwner     = actionReadWrite | actionDBAdmin | actionUsers
)

// Role grants the built-in role Name on the database DB.
type Role struct {
	Name string `json:"role"`
	DB   string `json:"db"`
}

// actions returns what MongoDB's built-in role allows on its database; everywhere tells that it holds for every database.
// 0 means that there is no such role.
func (r Role) actions() (allowed action, everywhere bool) {
	switch r.Name {
	case "read":
		return actionRead, false
	case "readWrite":
		return actionReadWrite, false
	case "dbAdmin":
		return actionDBAdmin, false
	case "userAdmin":
		return actionUsers, false
	case "dbOwner":
		return actionOwner, false
	}
	if r.DB != "admin" {
		return 0, false
	}
	switch r.Name {
	case "readAnyDatabase":
		return actionRead, true
	case "readWriteAnyDatabase":
		return actionReadWrite, true
	case "dbAdminAnyDatabase":
		return actionDBAdmin, true
	case "userAdminAnyDatabase":
		return actionUsers, true
	case "clusterMonitor":
		return actionMonitor, true
	case "root":
		return actionOwner | actionMonitor, true
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

// sees reports whether listDatabases shows the database.
func (q *request) sees(db string) bool {
	u := q.server().users.get(q.client.user)
	return u == nil || u.may(^action(0), db) // nil: nobody has to log in
}

func (q *request) server() *Server { return q.client.server }

// authorize refuses what the connection's user may not do. While there is no user at all, clients on this machine may do everything.
func (s *Server) authorize(q *request) error {
	a := q.command.action
	if a == actionFree {
		return nil
	}
	if s.users.none() {
		if !q.client.local() {
			return failure(codeUnauthorized, "Command %s requires authentication", q.name)
		}
		return q.protectSystem(a)
	}
	u := s.users.get(q.client.user)
	if u == nil {
		return failure(codeUnauthorized, "Command %s requires authentication", q.name)
	}
	if a == actionLogin {
		return nil
	}
	if !u.may(a, q.db) {
		return q.unauthorized()
	}
	return q.protectSystem(a)
}

// protectSystem keeps system.users from being changed other than by the commands for users, and the database that holds it.
func (q *request) protectSystem(a action) error {
	if q.name == "dropDatabase" && q.db == "admin" {
		return failure(codeIllegalOperation, "Dropping the 'admin' database is prohibited.")
	}
	if changes := a&(actionWrite|actionSchema|actionAdmin) != 0; !changes {
		if u := q.server().users.get(q.client.user); u == nil || u.may(actionUsers, q.db) {
			return nil
		}
	}
	if name := q.body.get(q.name); name.kind == kindString && strings.HasPrefix(name.text(), "system.") {
		return q.unauthorized()
	}
	return nil
}

// unauthorized shows the command as MongoDB does, without passwords.
func (q *request) unauthorized() error {
	const shown = 4096
	body := q.body
	if !body.get("pwd").missing() {
		body = body.with("pwd", stringValue("xxx"))
	}
	text := body.String()
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	return failure(codeUnauthorized, "not authorized on %s to execute command %s", q.db, text)
}

// local reports whether the client is on this machine.
func (c *conn) local() bool {
	addr, ok := c.net.RemoteAddr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}
