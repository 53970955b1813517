package customer

import (
	"context"
	"fmt"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
)

// service is what the handlers need.
type service struct {
	sites    sites
	drafts   drafts
	standing standings
	sessions *session.Store
	meta     func(context.Context) event.Meta
	linkKey  []byte
	zone     *time.Location
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{
		sites:    sites{process.Repository[Site](p, "sites", "site", event.TopicCustomer)},
		drafts:   drafts{process.Repository[Draft](p, "drafts", "draft", "")}, // they emit nothing
		standing: standings{process.Repository[Standing](p, "standing", "standing order", event.TopicStanding)},
		sessions: p.Sessions, meta: p.Meta, linkKey: p.Config.Key("KREISLAUF_LINK_KEY"), zone: berlin,
	}
	p.Late(s.sites.ensureIndexes)
	p.Late(s.drafts.ensureIndexes)
	p.Late(s.standing.ensureIndexes)
	process.Work(p, "standing order", s.standing.Repository, func(m event.Meta, o *Standing) error { return o.tell(m, berlin) })
	p.Handle("POST", "/api/customer/v1/sites", s.postSite)
	p.Handle("GET", "/api/customer/v1/sites", s.getSites)
	p.Handle("GET", "/api/customer/v1/sites/{id}", s.getSite)
	p.Handle("PUT", "/api/customer/v1/sites/{id}", s.putSite)
	p.Handle("DELETE", "/api/customer/v1/sites/{id}", s.deleteSite)
	p.Handle("POST", "/api/customer/v1/sites/{id}/links", s.postLink)
	p.Handle("GET", "/api/customer/v1/sites/{id}/links", s.getLinks)
	p.Handle("DELETE", "/api/customer/v1/sites/{id}/links/{number}", s.deleteLink)
	p.Handle("POST", "/api/customer/v1/visits", s.postVisit)
	p.Handle("PUT", "/api/customer/v1/cart", s.putCart)
	p.Handle("GET", "/api/customer/v1/cart", s.getCart)
	p.Handle("DELETE", "/api/customer/v1/cart", s.deleteCart)
	p.Handle("POST", "/api/customer/v1/cart/take-over", s.postTakeOver)
	p.Handle("GET", "/api/customer/v1/drafts", s.getDrafts)
	p.Handle("PUT", "/api/customer/v1/drafts/{id}", s.putDraft)
	p.Handle("DELETE", "/api/customer/v1/drafts/{id}", s.deleteDraft)
	p.Handle("POST", "/api/customer/v1/standing-orders", s.postStanding)
	p.Handle("GET", "/api/customer/v1/standing-orders", s.getStanding)
	p.Handle("PUT", "/api/customer/v1/standing-orders/{id}", s.putStanding)
	p.Consume(s.consume)
	return nil
}
