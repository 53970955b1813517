package customer

import (
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/signed"
)

// Link lets somebody without an account look after a site.
type Link struct {
	Number  int       `json:"number" bson:"number"` // counts the links of the site, from 1
	Label   string    `json:"label" bson:"label"`   // for whom it is, in the customer's words
	MadeAt  time.Time `json:"made_at" bson:"made_at"`
	Until   time.Time `json:"until" bson:"until"`
	Revoked bool      `json:"-" bson:"revoked"`
	Key     string    `json:"-" bson:"key"` // of the request that made it
}

// Limits of links.
const (
	maxLinks    = 50 // of a site, that have not ended
	maxLinkDays = 365
)

// pass is what the code of a link says. Whether the link is still open says the site.
type pass struct {
	SiteID string    `json:"site_id"`
	Number int       `json:"number"`
	Until  time.Time `json:"until"`
}

const passKind = "s1"

// seal makes the code that opens the link.
func (l Link) seal(key []byte, siteID string) (string, error) {
	return signed.Seal(key, passKind, pass{siteID, l.Number, l.Until})
}

// openPass reads a code.
func openPass(key []byte, code string, now time.Time) (pass, error) {
	var p pass
	if err := signed.Open(key, passKind, code, &p); err != nil {
		return p, problem.InvalidField("/code", "this is no link to a site; open it again as you got it, or ask who sent it")
	}
	if !now.Before(p.Until) {
		return p, closed()
	}
	return p, nil
}

// closed says that a link was good once.
func closed() error {
	return problem.InvalidField("/code", "this link has ended or was revoked; ask who sent it for a new one")
}

// name is what sessions of the link carry: it ends with the link.
func (p pass) name() string { return fmt.Sprintf("%s/%d", p.SiteID, p.Number) }

// addLink makes a link, or finds the one that the same request has made. Links that have ended are forgotten when there is no room.
func (s *Site) addLink(key, label string, days int, meta event.Meta) (made Link, replayed bool, err error) {
	if s.Deleted {
		return made, false, noSite(s.ID)
	}
	if i := slices.IndexFunc(s.Links, func(l Link) bool { return l.Key == key }); i >= 0 {
		made = s.Links[i]
		if made.Label != label || !made.Until.Equal(made.MadeAt.AddDate(0, 0, days)) {
			return made, false, problem.New(problem.Invalid, "This Idempotency-Key was used for another link; make a new key for a new link.")
		}
		return made, true, nil
	}
	if len(s.Links) >= maxLinks {
		s.Links = slices.DeleteFunc(s.Links, func(l Link) bool { return l.ended(meta.At) })
	}
	if len(s.Links) >= maxLinks {
		return made, false, problem.New(problem.Conflict, "The site has %d links; revoke one before you make another.", maxLinks)
	}
	s.LinkCount++
	made = Link{Number: s.LinkCount, Label: label, MadeAt: meta.At, Until: meta.At.AddDate(0, 0, days), Key: key}
	s.Links = append(s.Links, made)
	return made, false, nil
}

// ended says whether nobody can come in through the link any more.
func (l Link) ended(now time.Time) bool { return l.Revoked || !now.Before(l.Until) }

// link finds a link of the site.
func (s *Site) link(number int) (*Link, bool) {
	i := slices.IndexFunc(s.Links, func(l Link) bool { return l.Number == number })
	if i < 0 {
		return nil, false
	}
	return &s.Links[i], true
}

// visited finds the link of a code, as long as it is open.
func (s *Site) visited(p pass, now time.Time) (Link, error) {
	l, found := s.link(p.Number)
	if !found || s.Deleted || l.ended(now) {
		return Link{}, closed()
	}
	return *l, nil
}

func noSite(id string) error { return problem.New(problem.NotFound, "There is no site %s.", id) }
