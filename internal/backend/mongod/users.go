package mongod

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
)

const (
	usersNamespace  = "admin.system.users"
	scramIterations = 15_000
	scramSalt       = 28 // bytes
)

// User is a user that the server has from its start on.
type User struct {
	Name     string `json:"user"`
	DB       string `json:"db"` // where the user logs in (authSource)
	Password string `json:"password"`
	Roles    []Role `json:"roles"`
}

// user is a stored user: no password, only what checks one.
type user struct {
	name, db    string
	credentials scram.StoredCredentials
	roles       []Role
	doc         document
}

// userID is the _id of a user's document.
func userID(db, name string) string { return db + "." + name }

func (u *user) id() string { return userID(u.db, u.name) }

// users are the users by id. They are documents of admin.system.users too, and do not change while the server runs.
type users map[string]*user

// openUsers reads the users from the file and makes the wanted ones as they are wanted.
func openUsers(st *store, wanted []User) (users, error) {
	us := users{}
	err := st.readCollection(usersNamespace, func(c *collTx) error {
		return c.each(func(_ []byte, d document) error {
			u, err := parseUser(d.clone())
			if err != nil {
				return err
			}
			us[u.id()] = u
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	for _, w := range wanted {
		if err := us.ensure(st, w); err != nil {
			return nil, fmt.Errorf("user %s of database %s: %w", w.Name, w.DB, err)
		}
	}
	return us, nil
}

// ensure makes the user as it is wanted and writes nothing when it is so already.
func (us users) ensure(st *store, w User) error {
	if err := w.check(); err != nil {
		return err
	}
	if old := us[userID(w.DB, w.Name)]; old != nil && slices.Equal(old.roles, w.Roles) {
		same, err := deriveKeys(w.Password, old.credentials.KeyFactors)
		if err != nil {
			return err
		}
		if hmac.Equal(same.StoredKey, old.credentials.StoredKey) {
			return nil
		}
	}
	u, err := newUser(w)
	if err != nil {
		return err
	}
	us[u.id()] = u
	return st.write(func(w *writeTx) error {
		c, _, err := w.ensureCollection(usersNamespace)
		if err != nil {
			return err
		}
		key, err := documentKey(stringValue(u.id()))
		if err != nil {
			return err
		}
		return c.put(key, c.get(key), u.doc)
	})
}

func (w User) check() error {
	switch {
	case w.Name == "" || strings.Contains(w.Name, "\x00"):
		return failure(codeBadValue, "Username cannot be empty or contain null bytes")
	case w.Password == "":
		return failure(codeBadValue, "Password cannot be empty")
	case w.DB == "local":
		return failure(codeBadValue, "Cannot create users in the local database")
	}
	for _, r := range w.Roles {
		if allowed, _ := r.actions(); allowed == 0 {
			return failure(codeRoleNotFound, "Could not find role: %s@%s", r.Name, r.DB)
		}
	}
	return checkDatabaseName(w.DB)
}

// deriveKeys makes what is stored of a password. It fails for characters that SASLprep prohibits.
func deriveKeys(password string, k scram.KeyFactors) (scram.StoredCredentials, error) {
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		return scram.StoredCredentials{}, failure(codeBadValue, "Error preflighting UTF-8 conversion: the password has prohibited characters")
	}
	return client.GetStoredCredentialsWithError(k)
}

func newUser(w User) (*user, error) {
	salt := make([]byte, scramSalt)
	rand.Read(salt) // never fails
	keys, err := deriveKeys(w.Password, scram.KeyFactors{Salt: string(salt), Iters: scramIterations})
	if err != nil {
		return nil, err
	}
	uuid := make([]byte, 16)
	rand.Read(uuid)
	uuid[6], uuid[8] = uuid[6]&0x0f|0x40, uuid[8]&0x3f|0x80
	u := &user{name: w.Name, db: w.DB, credentials: keys, roles: w.Roles}
	u.doc = newDocument().str("_id", u.id()).add("userId", value{kind: kindBinary, data: append([]byte{16, 0, 0, 0, 4}, uuid...)}).
		str("user", u.name).str("db", u.db).doc("credentials", storedKeys(keys)).array("roles", u.roleValues()).done()
	return u, nil
}

func storedKeys(k scram.StoredCredentials) document {
	text := base64.StdEncoding.EncodeToString
	return newDocument().doc(mechanism, newDocument().int32("iterationCount", k.Iters).str("salt", text([]byte(k.Salt))).
		str("storedKey", text(k.StoredKey)).str("serverKey", text(k.ServerKey)).done()).done()
}

func (u *user) roleValues() []value {
	var list []value
	for _, r := range u.roles {
		list = append(list, documentValue(newDocument().str("role", r.Name).str("db", r.DB).done()))
	}
	return list
}

// parseUser reads a stored user.
func parseUser(d document) (*user, error) {
	u := &user{name: d.get("user").stringOr(""), db: d.get("db").stringOr(""), doc: d}
	for _, r := range d.get("roles").elements() {
		u.roles = append(u.roles, Role{Name: r.document().get("role").stringOr(""), DB: r.document().get("db").stringOr("")})
	}
	k := d.get("credentials").document().get(mechanism).document()
	n, _ := k.get("iterationCount").wholeNumber()
	var parts [3][]byte
	var errs [3]error
	for i, name := range []string{"salt", "storedKey", "serverKey"} {
		parts[i], errs[i] = base64.StdEncoding.DecodeString(k.get(name).stringOr(""))
	}
	if err := errors.Join(errs[:]...); err != nil || n < scramIterations || len(parts[1]) != 32 || len(parts[2]) != 32 {
		return nil, fmt.Errorf("credentials of %s are damaged: %w", u.id(), errors.Join(err, errMalformed))
	}
	u.credentials = scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(parts[0]), Iters: int(n)}, StoredKey: parts[1], ServerKey: parts[2],
	}
	return u, nil
}
