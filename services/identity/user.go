package identity

import (
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/signed"
)

// Roles of accounts.
const (
	roleCustomer = "customer"
	rolePartner  = "partner"
)

// User is the aggregate and its document.
type User struct {
	aggregate.Root `bson:",inline"`
	Email          string    `bson:"email"` // lower case, unique
	Name           string    `bson:"name"`
	Role           string    `bson:"role"`
	PartnerID      string    `bson:"partner_id,omitempty"`
	Password       string    `bson:"password"` // PHC string
	SignUpKey      string    `bson:"sign_up_key"`
	CreatedAt      time.Time `bson:"created_at"`
}

// SignUp is the body of POST /api/identity/v1/users.
type SignUp struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Invite   string `json:"invite,omitempty"` // of a partner, from `kreislauf invite`
}

// Invite is what an invitation grants.
type Invite struct {
	PartnerID string    `json:"partner_id"`
	Until     time.Time `json:"until"`
}

const inviteKind = "i1"

// SealInvite makes an invitation code.
func SealInvite(key []byte, i Invite) (string, error) { return signed.Seal(key, inviteKind, i) }

// normal checks a sign-up, reporting all mistakes at once, and brings its text into normal form.
func (s SignUp) normal() (SignUp, error) {
	var fields []problem.Field
	bad := func(ptr, detail string) { fields = append(fields, problem.Field{Pointer: ptr, Detail: detail}) }
	s.Email = strings.ToLower(strings.TrimSpace(s.Email))
	s.Name = strings.TrimSpace(s.Name)
	if a, err := mail.ParseAddress(s.Email); err != nil || a.Address != s.Email || len(s.Email) > 254 {
		bad("/email", "an e-mail address is needed, for example name@example.org")
	}
	if n := utf8.RuneCountInString(s.Password); n < 10 || len(s.Password) > 256 {
		bad("/password", "10 characters or more are needed, and at most 256 bytes")
	}
	if n := utf8.RuneCountInString(s.Name); n < 2 || n > 100 {
		bad("/name", "2 to 100 characters are needed")
	}
	if fields != nil {
		return s, &problem.Error{Kind: problem.Invalid, Detail: "The account cannot be made; see errors.", Fields: fields}
	}
	return s, nil
}

// newUser makes the account; passwordHash is ready.
func newUser(s SignUp, passwordHash, signUpKey string, inviteKey []byte, meta event.Meta) (User, error) {
	u := User{
		Root: aggregate.New(event.NewID("u")), Email: s.Email, Name: s.Name, Role: roleCustomer, Password: passwordHash,
		SignUpKey: signUpKey, CreatedAt: meta.At,
	}
	if s.Invite != "" {
		var i Invite
		if err := signed.Open(inviteKey, inviteKind, s.Invite, &i); err != nil {
			return User{}, problem.InvalidField("/invite", "the invitation is not valid; ask the back office for a new one")
		}
		if meta.At.After(i.Until) {
			return User{}, problem.InvalidField("/invite", "the invitation has ended; ask the back office for a new one")
		}
		u.Role, u.PartnerID = rolePartner, i.PartnerID
	}
	return u, u.Emit(meta, event.SignedUp{UserID: u.ID, Role: u.Role})
}
