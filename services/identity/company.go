package identity

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/input"
	"kreislauf/internal/problem"
	"kreislauf/internal/sealed"
)

// Details are what a company is billed by.
type Details struct {
	Name     string `json:"name" bson:"name"`     // with legal form, as printed on invoices
	Street   string `json:"street" bson:"street"` // with house number
	Postcode string `json:"postcode" bson:"postcode"`
	City     string `json:"city" bson:"city"`
	Email    string `json:"email" bson:"email"`                       // where invoices go
	VATID    string `json:"vat_id,omitempty" bson:"vat_id,omitempty"` // "DE123456788"
}

// Company is the aggregate and its document: a customer for whom several people order. Who they are stands in their accounts.
type Company struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	Details        `bson:",inline"`
	Edition        int64        `bson:"edition"`        // goes up with each change of what is told of the company; Version does so with invitations too
	ReverseCharge  bool         `bson:"reverse_charge"` // see event.CompanyChanged; the back office says so
	Invitations    []Invitation `bson:"invitations,omitempty"`
	CreatedAt      time.Time    `bson:"created_at"`
}

// Invitation lets whoever has an address order for the company. It is gone when it was used or taken back.
type Invitation struct {
	ID    string    `bson:"id"`
	Email string    `bson:"email"`
	Until time.Time `bson:"until"`
}

const (
	invitationTime = 7 * 24 * time.Hour
	maxInvitations = 50
)

var postcodePattern = regexp.MustCompile(`^[0-9]{5}$`)

// normal brings details into the form that is stored, and says what is wrong with them; at is where they stand in the body.
func (d Details) normal(at string) (Details, []problem.Field) {
	var fields []problem.Field
	note := func(member, fault string) {
		if fault != "" {
			fields = append(fields, problem.Field{Pointer: at + "/" + member, Detail: fault})
		}
	}
	var fault string
	d.Name, fault = input.Line(d.Name, 2, 100)
	note("name", fault)
	d.Street, fault = input.Line(d.Street, 2, 100)
	note("street", fault)
	if d.Postcode = strings.TrimSpace(d.Postcode); !postcodePattern.MatchString(d.Postcode) {
		note("postcode", "five digits are needed")
	}
	d.City, fault = input.Line(d.City, 2, 80)
	note("city", fault)
	d.Email, fault = input.Email(d.Email)
	note("email", fault)
	if d.VATID = strings.TrimSpace(d.VATID); d.VATID != "" {
		d.VATID, fault = input.VATID(d.VATID)
		note("vat_id", fault)
	}
	return d, fields
}

// newCompany makes a company and tells of it.
func newCompany(id string, d Details, meta event.Meta) (Company, error) {
	c := Company{Root: aggregate.New(id), Details: d, CreatedAt: meta.At}
	return c, c.tell(meta)
}

// tell emits the company as it is now, a new edition.
func (c *Company) tell(meta event.Meta) error {
	c.Edition++
	return c.Emit(meta, event.CompanyChanged{
		CompanyID: c.ID, Version: c.Edition, Name: c.Name, Street: c.Street, Postcode: c.Postcode, City: c.City, Email: c.Details.Email, VATID: c.VATID,
		ReverseCharge: c.ReverseCharge,
	})
}

// change replaces what the company is billed by. seen is the edition that the caller has read.
func (c *Company) change(d Details, seen int64, meta event.Meta) error {
	if c.Details == d {
		return nil
	}
	if err := c.check(seen); err != nil {
		return err
	}
	c.Details = d
	return c.tell(meta)
}

// chargeReverse says whether section 13b UStG applies to the company.
func (c *Company) chargeReverse(yes bool, seen int64, entry audit.Entry, meta event.Meta) error {
	if c.ReverseCharge == yes {
		return nil
	}
	if err := c.check(seen); err != nil {
		return err
	}
	var err error
	if entry.Change, err = audit.Diff(map[string]bool{"reverse_charge": c.ReverseCharge}, map[string]bool{"reverse_charge": yes}); err != nil {
		return err
	}
	if err := c.Trail.Add(entry); err != nil {
		return err
	}
	c.ReverseCharge = yes
	return c.tell(meta)
}

func (c *Company) check(seen int64) error {
	if c.Edition != seen {
		return problem.New(problem.Conflict, "The company was changed meanwhile: it has version %d, you have read %d. Read it again, and send your change with If-Match: \"%d\".",
			c.Edition, seen, c.Edition)
	}
	return nil
}

// invitationID follows from the key of the request, so that its repetition finds the invitation.
func invitationID(companyID, key string) string {
	h := sha256.Sum256([]byte(companyID + "/" + key))
	return "i-" + strings.ToLower(base32.StdEncoding.EncodeToString(h[:]))[:16]
}

// invite adds an invitation, in place of an earlier one for the same address, and has it mailed. An invitation with the same id is the answer
// to a repetition.
func (c *Company) invite(id, email, by string, inviteKey, mailKey []byte, meta event.Meta) error {
	if i, found := c.invitation(id); found {
		if i.Email != email {
			return problem.New(problem.Conflict, "This Idempotency-Key was used for another address; send a new one.")
		}
		return nil
	}
	c.Invitations = slices.DeleteFunc(slices.Clone(c.Invitations), func(i Invitation) bool { return i.Email == email || meta.At.After(i.Until) })
	if len(c.Invitations) >= maxInvitations {
		return problem.New(problem.Conflict, "%d invitations are open; take one back, or wait until one has been used.", maxInvitations)
	}
	i := Invitation{id, email, meta.At.Add(invitationTime)}
	c.Invitations = append(c.Invitations, i)
	code, err := c.code(inviteKey, i)
	if err != nil {
		return err
	}
	secret, err := sealed.Seal(mailKey, event.SealedInvite, code)
	if err != nil {
		return err
	}
	return c.Emit(meta, event.MemberInvited{CompanyID: c.ID, Company: c.Name, By: by, Email: email, Sealed: secret, Until: i.Until})
}

// code is what the invited person signs up with.
func (c *Company) code(inviteKey []byte, i Invitation) (string, error) {
	return SealInvite(inviteKey, Invite{Role: authz.Customer, CompanyID: c.ID, Email: i.Email, ID: i.ID, Until: i.Until.UTC()})
}

func (c *Company) invitation(id string) (Invitation, bool) {
	n := slices.IndexFunc(c.Invitations, func(i Invitation) bool { return i.ID == id })
	if n < 0 {
		return Invitation{}, false
	}
	return c.Invitations[n], true
}

// takeBack removes an invitation, because it was used or is not wanted any more.
func (c *Company) takeBack(id string) error {
	c.Invitations = slices.DeleteFunc(slices.Clone(c.Invitations), func(i Invitation) bool { return i.ID == id })
	return nil
}

// forget removes the invitations of an address.
func (c *Company) forget(email string) error {
	c.Invitations = slices.DeleteFunc(slices.Clone(c.Invitations), func(i Invitation) bool { return i.Email == email })
	return nil
}

// found makes a private customer the administrator of a new company.
func (u *User) found(d Details, now time.Time) error {
	if u.CompanyID != "" {
		return problem.New(problem.Conflict, "You order for a company already. Send your change of it with If-Match.")
	}
	u.CompanyID, u.CompanyAdmin, u.Founding = event.NewID("c"), true, &d
	u.Due(now)
	return nil
}

// join makes a private customer a member of the company that invites it.
func (u *User) join(i Invite) error {
	switch {
	case u.Email != i.Email:
		return errOtherAddress()
	case u.CompanyID != "" && u.CompanyID != i.CompanyID:
		return problem.New(problem.Conflict, "You order for another company. Leave it first, then use the invitation.")
	}
	u.CompanyID = i.CompanyID
	return nil
}

func errOtherAddress() error {
	return problem.InvalidField("/invite", "the invitation is for another e-mail address; use that one")
}

// leave makes a member a private customer again; its sessions, which say otherwise, end.
func (u *User) leave(companyID string, now time.Time) error {
	switch {
	case u.CompanyID != companyID:
		return problem.New(problem.NotFound, "There is no such member.")
	case u.CompanyAdmin:
		return problem.New(problem.Conflict, "The administrator cannot leave the company; ask the back office to hand it over.")
	}
	u.CompanyID = ""
	u.endSessions("", now)
	return nil
}

// errNoCompany says that somebody orders as a private person.
func errNoCompany() error {
	return problem.New(problem.NotFound, "You order as a private person. Send your company with If-None-Match: * to order for it.")
}
