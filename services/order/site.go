package order

import (
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Site is a copy of a customer's site, and its document. The service customer owns sites.
type Site struct {
	ID        string `bson:"_id"`
	Version   int64  `bson:"version"`
	UserID    string `bson:"user_id"`
	CompanyID string `bson:"company_id,omitempty"`
	Postcode  string `bson:"postcode"`
	Access    Access `bson:"access"`
	Active    bool   `bson:"active"` // can be ordered for
}

// Access is what a driver must know to get to a site. Only a partner that has taken an order for the site reads it.
type Access struct {
	Notes   string `json:"notes" bson:"notes"`     // gate code, hours
	Contact string `json:"contact" bson:"contact"` // whom to call
	Phone   string `json:"phone" bson:"phone"`
}

// SiteOf is the copy of a site as its owner tells of it.
func SiteOf(p event.SiteChanged) Site {
	return Site{p.SiteID, p.Version, p.UserID, p.CompanyID, p.Postcode, Access{p.Access, p.Contact, p.Phone}, p.Active}
}

// takes says what is wrong with an order of a caller for the site at a postcode; known is false for a site that nobody has told of.
func (s Site) takes(by authz.Caller, known bool, postcode string) error {
	own := authz.Own.Covers(by, authz.Object{UserID: s.UserID, CompanyID: s.CompanyID})
	switch {
	case !known || !own:
		return problem.InvalidField("/site_id", "this is none of your sites; choose one of GET /api/customer/v1/sites. One that was made this moment "+
			"is known in a few seconds")
	case !s.Active:
		return problem.InvalidField("/site_id", "this site is not active; make it active again, or choose another one")
	case s.Postcode != postcode:
		return problem.InvalidField("/site_id", "the site is at %s, and the quote is for %s; get a quote for %s", s.Postcode, postcode, s.Postcode)
	}
	return nil
}

// siteView is an order as whoever looks after its site sees it: without money, and without whom the bill is for.
type siteView struct {
	ID        string `json:"order_id"`
	SiteID    string `json:"site_id"`
	State     State  `json:"state"` // weighed is the last one: bills are not theirs
	Waste     string `json:"waste_code"`
	SizeM3    int    `json:"size_m3"`
	Date      string `json:"date"`
	Postcode  string `json:"postcode"`
	Street    string `json:"street"`
	City      string `json:"city"`
	Container string `json:"container,omitempty"`
	PickUpOn  string `json:"pick_up_on,omitempty"`
	History   []Step `json:"history"`
}

func siteViewOf(o Order) siteView {
	v := siteView{
		o.ID, o.SiteID, o.State, o.Waste, o.SizeM3, o.Date, o.Postcode, o.Address.Street, o.Address.City, o.Container, o.PickUpOn, []Step{},
	}
	for _, step := range o.toldHistory() {
		if step.State != Invoiced && step.State != Paid {
			v.History = append(v.History, step)
		}
	}
	if v.State == Invoiced || v.State == Paid {
		v.State = Weighed
	}
	return v
}
