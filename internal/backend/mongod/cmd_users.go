package mongod

import (
	"cmp"
	"slices"
)

// userFields reads what createUser and updateUser have in common. The password comes in clear: SCRAM-SHA-256 needs it so.
func (q *request) userFields() (User, error) {
	w := User{Name: q.body.get(q.name).stringOr(""), DB: q.db}
	a := q.args()
	if !a.bool("digestPassword", true) {
		return w, failure(codeBadValue, "Use of SCRAM-SHA-256 requires undigested passwords")
	}
	for _, m := range q.body.get("mechanisms").elements() {
		if m.stringOr("") != mechanism {
			return w, unsupported("the mechanism %s", m)
		}
	}
	if !q.body.get("pwd").missing() {
		w.Password = a.string("pwd")
	}
	if a.err != nil {
		return w, a.err
	}
	var err error
	w.Roles, err = q.roles()
	return w, err
}

// roles reads the array "roles": names, or documents of a name and a database. Who grants a role must be allowed to on its database.
func (q *request) roles() ([]Role, error) {
	list := q.body.get("roles")
	if !list.missing() && list.kind != kindArray {
		return nil, wrongType(q.command.name, "roles", list, "array")
	}
	var roles []Role
	for _, el := range list.elements() {
		r := Role{DB: q.db}
		switch el.kind {
		case kindString:
			r.Name = el.text()
		case kindDocument:
			r.Name, r.DB = el.document().get("role").stringOr(""), el.document().get("db").stringOr("")
		default:
			return nil, failure(codeBadValue, "Role names must be either strings or objects")
		}
		if granter := q.server().users.get(q.client.user); granter != nil && !granter.may(actionUsers, r.DB) {
			return nil, q.unauthorized()
		}
		roles = append(roles, r)
	}
	return roles, nil
}

func (s *Server) createUser(q *request) (document, error) {
	w, err := q.userFields()
	if err != nil {
		return nil, err
	}
	if q.body.get("roles").missing() {
		return nil, missingField(q.command.name, "roles")
	}
	if q.body.get("pwd").missing() {
		return nil, failure(codeBadValue, "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db")
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	u, err := newUser(w)
	if err != nil {
		return nil, err
	}
	err = s.users.change(func(c *collTx) error {
		key, err := documentKey(stringValue(u.id()))
		if err != nil {
			return err
		}
		if c.docs.Get(key) != nil {
			return failure(51003, "User \"%s@%s\" already exists", w.Name, w.DB)
		}
		return c.insert(u.doc)
	})
	if err != nil {
		return nil, err
	}
	s.log.Info().Str("user.name", w.Name).Str("database", w.DB).Msg("user created")
	return newDocument().ok(), nil
}

func (s *Server) updateUser(q *request) (document, error) {
	w, err := q.userFields()
	if err != nil {
		return nil, err
	}
	noPassword, noRoles := q.body.get("pwd").missing(), q.body.get("roles").missing()
	if noPassword && noRoles {
		return nil, failure(codeBadValue, "Must specify at least one field to update in updateUser")
	}
	var keys document
	if !noPassword {
		if err := w.check(); err != nil {
			return nil, err
		}
		fresh, err := newUser(w)
		if err != nil {
			return nil, err
		}
		keys = storedKeys(fresh.credentials)
	}
	for _, r := range w.Roles {
		if allowed, _ := r.actions(); allowed == 0 {
			return nil, failure(codeRoleNotFound, "Could not find role: %s@%s", r.Name, r.DB)
		}
	}
	err = s.users.change(func(c *collTx) error {
		key, err := documentKey(stringValue(userID(w.DB, w.Name)))
		if err != nil {
			return err
		}
		d := document(c.docs.Get(key)).clone()
		if d == nil {
			return failure(codeUserNotFound, "User %s@%s not found", w.Name, w.DB)
		}
		if keys != nil {
			d = d.with("credentials", documentValue(keys))
		}
		if !noRoles {
			d = d.with("roles", arrayValue((&user{roles: w.Roles}).roleValues()))
		}
		return c.replaceUser(d)
	})
	if err != nil {
		return nil, err
	}
	return newDocument().ok(), nil
}

func (s *Server) dropUser(q *request) (document, error) {
	name := q.body.get(q.name).stringOr("")
	err := s.users.change(func(c *collTx) error {
		key, err := documentKey(stringValue(userID(q.db, name)))
		if err != nil {
			return err
		}
		d := document(c.docs.Get(key)).clone()
		if d == nil {
			return failure(codeUserNotFound, "User '%s@%s' not found", name, q.db)
		}
		return c.remove(key, d)
	})
	if err != nil {
		return nil, err
	}
	s.log.Info().Str("user.name", name).Str("database", q.db).Msg("user dropped")
	return newDocument().ok(), nil
}

// usersInfo shows users without their keys: all of the database (1), or those that are named. Everybody may look at themselves.
func (s *Server) usersInfo(q *request) (document, error) {
	var ids []string
	switch v := q.body.get(q.name); v.kind {
	case kindString, kindDocument:
		ids = append(ids, userRef(v, q.db))
	case kindArray:
		for _, el := range v.elements() {
			ids = append(ids, userRef(el, q.db))
		}
	default:
		for id, u := range *s.users.current.Load() {
			if u.db == q.db {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		if me := s.users.get(q.client.user); me != nil && !me.may(actionUsers, q.db) {
			return nil, q.unauthorized()
		}
	}
	var out []value
	me := s.users.get(q.client.user)
	for _, id := range ids {
		u := s.users.get(id)
		if me != nil && id != me.id() && (u == nil || !me.may(actionUsers, u.db)) {
			return nil, q.unauthorized()
		}
		if u != nil {
			out = append(out, documentValue(newDocument().str("_id", id).add("userId", u.doc.get("userId")).str("user", u.name).str("db", u.db).
				array("roles", u.roleValues()).array("mechanisms", []value{stringValue(mechanism)}).done()))
		}
	}
	return newDocument().array("users", out).ok(), nil
}

// userRef reads a name, or a document of a name and a database.
func userRef(v value, db string) string {
	if v.kind != kindDocument {
		return userID(db, v.stringOr(""))
	}
	d := v.document()
	return userID(cmp.Or(d.get("db").stringOr(""), db), d.get("user").stringOr(""))
}

// saslMechanisms answers hello's question which mechanisms a user ("database.name") has; nothing for a user that does not exist.
func (s *Server) saslMechanisms(id string) []value {
	if s.users.get(id) == nil {
		return nil
	}
	return []value{stringValue(mechanism)}
}
