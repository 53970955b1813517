package identity

import (
	"errors"
	"fmt"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
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
	audit.Trail    `bson:",inline"`
	Email          string    `bson:"email"` // lower case, unique
	Name           string    `bson:"name"`
	Role           string    `bson:"role"`                    // an authz.Role, or "partner", which older accounts have: a dispatcher
	CompanyID      string    `bson:"company_id,omitempty"`    // of a customer who orders for a company
	CompanyAdmin   bool      `bson:"company_admin,omitempty"` // may change the company and its members
	PartnerID      string    `bson:"partner_id,omitempty"`
	SiteID         string    `bson:"site_id,omitempty"`
	DriverID       string    `bson:"driver_id,omitempty"`
	Password       string    `bson:"password"` // PHC string
	SignUpKey      string    `bson:"sign_up_key"`
	CreatedAt      time.Time `bson:"created_at"`

	Reset    *Reset   `bson:"reset,omitempty"`
	Ending   *Ending  `bson:"ending,omitempty"`   // what follows a change and is not done yet, see claim
	Founding *Details `bson:"founding,omitempty"` // the company CompanyID, which is not stored yet
	Words    []string `bson:"words,omitempty"`    // what the back office finds it by; accounts of earlier versions are found by their e-mail address
}

// SignUp is the body of POST /api/identity/v1/users.
type SignUp struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Invite   string `json:"invite,omitempty"` // from `kreislauf invite` or a company's administrator; without one the account is a customer's

	Company *Details `json:"company,omitempty"` // of a customer who orders for a new company and administers it
}

// Invite is what an invitation grants: the role, and what the role is bound to.
type Invite struct {
	Role      authz.Role `json:"role"`
	CompanyID string     `json:"company_id,omitempty"` // of a customer, with the next two
	Email     string     `json:"email,omitempty"`      // whose invitation it is
	ID        string     `json:"id,omitempty"`         // of the Invitation in the company
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
	case i.Role == authz.Customer && i.CompanyID == "":
		return errors.New("a customer needs no invitation; to a company, its administrator invites")
	case i.CompanyID != "" && (i.Role != authz.Customer || i.Email == "" || i.ID == ""):
		return errors.New("an invitation to a company is for a customer, and names address and id")
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
	if fault := checkPassword(s.Password); fault != "" {
		bad("/password", fault)
	}
	if s.Name, fault = input.Line(s.Name, 2, 100); fault != "" {
		bad("/name", fault)
	}
	if s.Company != nil {
		d, faults := s.Company.normal("/company")
		s.Company, fields = &d, append(fields, faults...)
		if s.Invite != "" {
			bad("/company", "who is invited makes no company; leave one of both out")
		}
	}
	if fields != nil {
		return s, &problem.Error{Kind: problem.Invalid, Detail: "The account cannot be made; see errors.", Fields: fields}
	}
	return s, nil
}

// openInvite reads an invitation code.
func openInvite(key []byte, code string, at time.Time) (Invite, error) {
	var i Invite
	if err := signed.Open(key, inviteKind, code, &i); err != nil {
		return Invite{}, problem.InvalidField("/invite", "the invitation is not valid; ask for a new one where you got it")
	}
	if err := i.check(); err != nil { // made by a version with other roles
		return Invite{}, problem.Wrap(problem.Invalid, err, "The invitation is for an account that is not possible; ask for a new one where you got it.")
	}
	if at.After(i.Until) {
		return Invite{}, problem.InvalidField("/invite", "the invitation has ended; ask for a new one where you got it")
	}
	return i, nil
}

// newUser makes the account; passwordHash is ready. i is the invitation, the zero value without one.
func newUser(s SignUp, passwordHash, signUpKey string, i Invite, meta event.Meta) (User, error) {
	u := User{
		Root: aggregate.New(event.NewID("u")), Email: s.Email, Name: s.Name, Role: string(authz.Customer), Password: passwordHash,
		SignUpKey: signUpKey, CreatedAt: meta.At, Words: words.Of(s.Name),
	}
	if i.Role != "" {
		if i.Email != "" && i.Email != u.Email {
			return User{}, errOtherAddress()
		}
		u.Role, u.CompanyID, u.PartnerID, u.DriverID, u.SiteID = string(i.Role), i.CompanyID, i.PartnerID, i.DriverID, i.SiteID
	}
	if s.Company != nil {
		if err := u.found(*s.Company, meta.At); err != nil {
			return User{}, err
		}
	}
	return u, u.Emit(meta, event.SignedUp{UserID: u.ID, Role: u.Role, Name: u.Name, Email: u.Email, PartnerID: u.PartnerID, CompanyID: u.CompanyID})
}
