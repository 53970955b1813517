package customer

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/input"
	"kreislauf/internal/problem"
)

// Place is what a customer says of a site.
type Place struct {
	Name     string `json:"name" bson:"name"`
	Street   string `json:"street" bson:"street"` // with house number
	Postcode string `json:"postcode" bson:"postcode"`
	City     string `json:"city" bson:"city"`
	Access   string `json:"access" bson:"access"`   // what the driver must know: gate code, hours; may be empty
	Contact  string `json:"contact" bson:"contact"` // whom the driver calls; may be empty
	Phone    string `json:"phone" bson:"phone"`     // of the contact; may be empty
	Active   bool   `json:"active" bson:"active"`   // can be ordered for
}

// Site is the aggregate and its document.
type Site struct {
	aggregate.Root `bson:",inline"`
	Place          `bson:",inline"`
	UserID         string    `bson:"user_id"`              // who made it
	CompanyID      string    `bson:"company_id,omitempty"` // whose it is; empty: the user's own
	MadeAt         time.Time `bson:"made_at"`
	RequestHash    string    `bson:"request_hash"`      // of the body that made it, to tell a replay from a reused key
	Deleted        bool      `bson:"deleted,omitempty"` // it is in no list any more
	Links          []Link    `bson:"links,omitempty"`   // of people who look after it, oldest first; those that have ended may be forgotten
	LinkCount      int       `bson:"link_count"`        // that were ever made; the next link's number is one higher
}

// Limits of a site.
const (
	maxSites  = 200
	maxAccess = 500
)

// phonePattern takes what people write: digits with signs between them.
var phonePattern = regexp.MustCompile(`^\+?[0-9][0-9 ()/.-]{4,28}[0-9]$`)

// faults are what is wrong with a request, all at once.
type faults []problem.Field

func (f *faults) add(pointer, format string, args ...any) {
	*f = append(*f, problem.Field{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// line brings one line of text into normal form.
func (f *faults) line(pointer string, text *string, least, most int) {
	fault := ""
	if *text, fault = input.Line(*text, least, most); fault != "" {
		f.add(pointer, "%s", fault)
	}
}

// problem is nil without faults; what names the thing that cannot be stored.
func (f faults) problem(what string) error {
	if len(f) == 0 {
		return nil
	}
	return &problem.Error{Kind: problem.Invalid, Detail: "The " + what + " cannot be stored; see errors.", Fields: f}
}

// normal brings a place into the form that is stored, reporting all mistakes at once.
func (p Place) normal() (Place, error) {
	var f faults
	f.line("/name", &p.Name, 2, 100)
	f.line("/street", &p.Street, 2, 100)
	f.line("/city", &p.City, 2, 100)
	if _, err := catalog.FindZone(p.Postcode); err != nil {
		f.add("/postcode", "%v", err)
	}
	p.Access = strings.TrimSpace(strings.ReplaceAll(p.Access, "\r\n", "\n"))
	if utf8.RuneCountInString(p.Access) > maxAccess {
		f.add("/access", "at most %d characters are possible", maxAccess)
	} else {
		for i, text := range strings.Split(p.Access, "\n") {
			if _, fault := input.Line(text, 0, maxAccess); fault != "" {
				f.add("/access", "line %d: %s", i+1, fault)
			}
		}
	}
	f.line("/contact", &p.Contact, 0, 100)
	p.Phone = strings.TrimSpace(p.Phone)
	if p.Phone != "" && !phonePattern.MatchString(p.Phone) {
		f.add("/phone", "a phone number is needed, for example 0170 1234567, or none")
	}
	return p, f.problem("site")
}

// idFor derives an id: the same user and key always give the same one.
func idFor(prefix, userID, idempotencyKey string) string {
	h := sha256.Sum256([]byte(userID + "\x00" + idempotencyKey))
	return prefix + "-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h[:10]))
}

// hashOf identifies the content of a request.
func hashOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// newSite makes a site and tells of it.
func newSite(by authz.Caller, key string, p Place, meta event.Meta) (Site, error) {
	sum, err := hashOf(p)
	if err != nil {
		return Site{}, err
	}
	s := Site{
		Root: aggregate.New(idFor("s", by.UserID, key)), Place: p, UserID: by.UserID, CompanyID: by.CompanyID, MadeAt: meta.At, RequestHash: sum,
	}
	return s, s.Emit(meta, s.state(s.Version))
}

// state is what customer.site-changed tells of the site.
func (s *Site) state(version int64) event.SiteChanged {
	return event.SiteChanged{
		SiteID: s.ID, Version: version, UserID: s.UserID, CompanyID: s.CompanyID, Name: s.Name, Street: s.Street, Postcode: s.Postcode,
		City: s.City, Access: s.Access, Contact: s.Contact, Phone: s.Phone, Active: s.Active,
	}
}

// object is whose the site is.
func (s *Site) object() authz.Object {
	return authz.Object{UserID: s.UserID, CompanyID: s.CompanyID, SiteID: s.ID}
}

// change replaces what the customer says of the site. seen is the version that the caller has read; what makes no difference is always right,
// so that a request can be repeated.
func (s *Site) change(p Place, seen int64, meta event.Meta) error {
	if p == s.Place {
		return nil
	}
	if err := stale("site", s.ID, s.Version, seen); err != nil {
		return err
	}
	s.Place = p
	return s.Emit(meta, s.state(s.Version+1)) // the version that this write makes
}

// delete takes the site out of all lists, with what is personal in it. Its links end.
func (s *Site) delete(seen int64, meta event.Meta) error {
	if s.Deleted {
		return nil
	}
	if err := stale("site", s.ID, s.Version, seen); err != nil {
		return err
	}
	s.Deleted, s.Links = true, nil
	s.Access, s.Contact, s.Phone, s.Active = "", "", "", false
	return s.Emit(meta, s.state(s.Version+1))
}

// stale refuses a change of what the caller has not read as it is.
func stale(noun, id string, version, seen int64) error {
	if seen == version {
		return nil
	}
	return problem.New(problem.Conflict, "The %s %s has been changed since: it has version %d now, and you have read %d. Read it again, and send "+
		"your change with If-Match: \"%d\".", noun, id, version, seen, version)
}
