package identity

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/input"
	"kreislauf/internal/problem"
	"kreislauf/internal/signed"
	"kreislauf/internal/words"
)

// User is the aggregate and its document.
type User struct {
	aggregate.Root `bson:",inline"`
	Email          string    `bson:"email"` // lower case, unique
	Name           string    `bson:"name"`
	Role           string    `bson:"role"` // an authz.Role, or "partner", which older accounts have: a dispatcher
	PartnerID      string    `bson:"partner_id,omitempty"`
	SiteID         string    `bson:"site_id,omitempty"`
	DriverID       string    `bson:"driver_id,omitempty"`
	Password       string    `bson:"password"` // PHC string
	SignUpKey      string    `bson:"sign_up_key"`
	CreatedAt      time.Time `bson:"created_at"`
	Words          []string  `bson:"words,omitempty"` // what the back office finds it by; accounts of earlier versions are found by their e-mail address
}

// SignUp is the body of POST /api/identity/v1/users.
type SignUp struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Invite   string `json:"invite,omitempty"` // from `kreislauf invite`; without one the account is a customer's
}

// Invite is what an invitation grants: the role, and what the role is bound to.
type Invite struct {
	Role      authz.Role `json:"role"`
	PartnerID string     `json:"partner_id,omitempty"` // of a dispatcher or driver
	DriverID  string     `json:"driver_id,omitempty"`  // of a driver
	SiteID    string     `json:"site_id,omitempty"`    // of a site manager
	Until     time.Time  `json:"until"`
}

const inviteKind = "i2" // i1 had no role

// check says what makes an invitation worthless.
func (i Invite) check() error {
	ofPartner := i.Role == authz.Dispatcher || i.Role == authz.Driver
	as := authz.Caller{UserID: "u", Role: i.Role, SiteID: i.SiteID, PartnerID: i.PartnerID, DriverID: i.DriverID}
	_, known := authz.ParseRole(string(i.Role))
	switch {
	case i.Role == authz.Customer:
		return errors.New("a customer needs no invitation")
	case !known || i.Role == "partner":
		return fmt.Errorf("%q is no role; there are dispatcher, driver, site_manager, back_office and ops", i.Role)
	case !as.Complete():
		return fmt.Errorf("the role %s needs what it is bound to: a dispatcher its partner, a driver its partner and driver id, a site manager its site", i.Role)
	case i.PartnerID != "" && !ofPartner || i.DriverID != "" && i.Role != authz.Driver || i.SiteID != "" && i.Role != authz.SiteManager:
		return fmt.Errorf("the role %s is not bound to what the invitation names; leave partner, driver or site out", i.Role)
	}
	return nil
}

// SealInvite makes an invitation code. It refuses an invitation whose account could do nothing.
func SealInvite(key []byte, i Invite) (string, error) {
	if err := i.check(); err != nil {
		return "", fmt.Errorf("make invitation: %w", err)
	}
	return signed.Seal(key, inviteKind, i)
}

// normal checks a sign-up, reporting all mistakes at once, and brings its text into normal form.
func (s SignUp) normal() (SignUp, error) {
	var fields []problem.Field
	bad := func(ptr, detail string) { fields = append(fields, problem.Field{Pointer: ptr, Detail: detail}) }
	var fault string
	if s.Email, fault = input.Email(s.Email); fault != "" {
		bad("/email", fault)
	}
	if n := utf8.RuneCountInString(s.Password); n < 10 || len(s.Password) > 256 {
		bad("/password", "10 characters or more are needed, and at most 256 bytes")
	}
	if s.Name, fault = input.Line(s.Name, 2, 100); fault != "" {
		bad("/name", fault)
	}
	if fields != nil {
		return s, &problem.Error{Kind: problem.Invalid, Detail: "The account cannot be made; see errors.", Fields: fields}
	}
	return s, nil
}

// newUser makes the account; passwordHash is ready.
func newUser(s SignUp, passwordHash, signUpKey string, inviteKey []byte, meta event.Meta) (User, error) {
	u := User{
		Root: aggregate.New(event.NewID("u")), Email: s.Email, Name: s.Name, Role: string(authz.Customer), Password: passwordHash,
		SignUpKey: signUpKey, CreatedAt: meta.At, Words: words.Of(s.Name),
	}
	if s.Invite != "" {
		var i Invite
		if err := signed.Open(inviteKey, inviteKind, s.Invite, &i); err != nil {
			return User{}, problem.InvalidField("/invite", "the invitation is not valid; ask the back office for a new one")
		}
		if err := i.check(); err != nil { // made by a version with other roles
			return User{}, problem.Wrap(problem.Invalid, err, "The invitation is for an account that is not possible; ask the back office for a new one.")
		}
		if meta.At.After(i.Until) {
			return User{}, problem.InvalidField("/invite", "the invitation has ended; ask the back office for a new one")
		}
		u.Role, u.PartnerID, u.DriverID, u.SiteID = string(i.Role), i.PartnerID, i.DriverID, i.SiteID
	}
	return u, u.Emit(meta, event.SignedUp{UserID: u.ID, Role: u.Role, Name: u.Name, Email: u.Email, PartnerID: u.PartnerID})
}
