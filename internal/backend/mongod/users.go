package mongod

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"

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
	doc         raw.Document
}

// userID is the _id of a user's document.
func userID(db, name string) string { return db + "." + name }

func (u *user) id() string { return userID(u.db, u.name) }

// users are the users by id. They are documents of admin.system.users too, and do not change while the server runs.
type users map[string]*user

// openUsers reads the users from the file and makes the wanted ones as they are wanted.
func openUsers(st *store.Store, wanted []User) (users, error) {
	us := users{}
	err := st.ReadCollection(usersNamespace, func(c *store.Collection) error {
		return c.Each(func(_ []byte, d raw.Document) error {
			u, err := parseUser(d.Clone())
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
func (us users) ensure(st *store.Store, w User) error {
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
	return st.Write(func(w *store.Tx) error {
		c, _, err := w.EnsureCollection(usersNamespace)
		if err != nil {
			return err
		}
		key, err := store.DocumentKey(raw.String(u.id()))
		if err != nil {
			return err
		}
		return c.Put(key, c.Get(key), u.doc)
	})
}

func (w User) check() error {
	switch {
	case w.Name == "" || strings.Contains(w.Name, "\x00"):
		return fault.New(fault.BadValue, "Username cannot be empty or contain null bytes")
	case w.Password == "":
		return fault.New(fault.BadValue, "Password cannot be empty")
	case w.DB == "local":
		return fault.New(fault.BadValue, "Cannot create users in the local database")
	}
	for _, r := range w.Roles {
		if allowed, _ := r.actions(); allowed == 0 {
			return fault.New(fault.RoleNotFound, "Could not find role: %s@%s", r.Name, r.DB)
		}
	}
	return store.CheckDatabaseName(w.DB)
}

// deriveKeys makes what is stored of a password. It fails for characters that SASLprep prohibits.
func deriveKeys(password string, k scram.KeyFactors) (scram.StoredCredentials, error) {
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		return scram.StoredCredentials{}, fault.New(fault.BadValue, "Error preflighting UTF-8 conversion: the password has prohibited characters")
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
	u.doc = raw.New().Str("_id", u.id()).Add("userId", raw.Value{Kind: raw.KindBinary, Data: append([]byte{16, 0, 0, 0, 4}, uuid...)}).
		Str("user", u.name).Str("db", u.db).Doc("credentials", storedKeys(keys)).Array("roles", u.roleValues()).Done()
	return u, nil
}

func storedKeys(k scram.StoredCredentials) raw.Document {
	text := base64.StdEncoding.EncodeToString
	return raw.New().Doc(mechanism, raw.New().Int32("iterationCount", k.Iters).Str("salt", text([]byte(k.Salt))).
		Str("storedKey", text(k.StoredKey)).Str("serverKey", text(k.ServerKey)).Done()).Done()
}

func (u *user) roleValues() []raw.Value {
	var list []raw.Value
	for _, r := range u.roles {
		list = append(list, raw.Doc(raw.New().Str("role", r.Name).Str("db", r.DB).Done()))
	}
	return list
}

// parseUser reads a stored user.
func parseUser(d raw.Document) (*user, error) {
	u := &user{name: d.Get("user").StringOr(""), db: d.Get("db").StringOr(""), doc: d}
	for _, r := range d.Get("roles").Elements() {
		u.roles = append(u.roles, Role{Name: r.Document().Get("role").StringOr(""), DB: r.Document().Get("db").StringOr("")})
	}
	k := d.Get("credentials").Document().Get(mechanism).Document()
	n, _ := k.Get("iterationCount").WholeNumber()
	var parts [3][]byte
	var errs [3]error
	for i, name := range []string{"salt", "storedKey", "serverKey"} {
		parts[i], errs[i] = base64.StdEncoding.DecodeString(k.Get(name).StringOr(""))
	}
	if err := errors.Join(errs[:]...); err != nil || n < scramIterations || len(parts[1]) != 32 || len(parts[2]) != 32 {
		return nil, fmt.Errorf("credentials of %s are damaged: %w", u.id(), errors.Join(err, raw.ErrMalformed))
	}
	u.credentials = scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(parts[0]), Iters: int(n)}, StoredKey: parts[1], ServerKey: parts[2],
	}
	return u, nil
}
