package order

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/session"
)

var (
	idPrefix    = regexp.MustCompile(`^o-[a-z2-7]{1,16}$`)
	userPattern = regexp.MustCompile(`^u-[A-Za-z0-9_-]{1,62}$`)
)

// foundView is an order in a list of the back office.
type foundView struct {
	ID        string        `json:"order_id"`
	State     State         `json:"state"`
	Waste     string        `json:"waste_code"`
	SizeM3    int           `json:"size_m3"`
	Date      string        `json:"date"`
	Postcode  string        `json:"postcode"`
	Address   event.Address `json:"address"`
	PartnerID string        `json:"partner_id,omitempty"`
	Container string        `json:"container,omitempty"`
}

// actor is who acts, for the audit trail.
func actor(caller session.Session, meta event.Meta) audit.Actor {
	return audit.Actor{UserID: caller.UserID, Role: caller.Caller().Role, Tenant: meta.Customer}
}

// getSearch finds orders by what was typed. It shows names and addresses, so it is written down
// who searched.
func (s *service) getSearch(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	typed, err := httpserver.Searched(r)
	if err != nil {
		return err
	}
	list, err := s.orders.search(ctx, typed, httpserver.MaxFound)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry := audit.Searched(actor(caller, meta), "order.search", typed, len(list), meta.At, traceOf(meta.Traceparent))
	if err := s.look(ctx, entry); err != nil {
		return err
	}
	views := make([]foundView, len(list))
	for i, o := range list {
		views[i] = foundView{o.ID, o.State, o.Waste, o.SizeM3, o.Date, o.Postcode, o.Address, o.PartnerID, o.Container}
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"orders": views})
}

// recordView is an order with all that the back office decides on: who ordered, both sides of the money, what can be done.
type recordView struct {
	Order     view       `json:"order"`
	Version   int64      `json:"version"` // for If-Match
	UserID    string     `json:"user_id"`
	CompanyID string     `json:"company_id,omitempty"`
	SiteID    string     `json:"site_id,omitempty"`
	QuoteID   string     `json:"quote_id"`
	DriverID  string     `json:"driver_id,omitempty"`
	Pay       *event.Pay `json:"pay,omitempty"` // of the partner, once there is one
	PlacedAt  time.Time  `json:"placed_at"`
	Steps     []step     `json:"steps"` // that are possible now
}

func recordOf(o Order) recordView {
	v := recordView{
		Order: viewOf(o), Version: o.Version, UserID: o.UserID, CompanyID: o.CompanyID, SiteID: o.SiteID, QuoteID: o.QuoteID, DriverID: o.DriverID,
		PlacedAt: o.PlacedAt, Steps: []step{},
	}
	if o.PartnerID != "" {
		v.Pay = &o.Pay
	}
	for _, rule := range machine() {
		if slices.Contains(rule.from, o.State) {
			v.Steps = append(v.Steps, rule.step)
		}
	}
	return v
}

// getRecord shows an order to the back office, and writes down who has looked at whose.
func (s *service) getRecord(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	o, err := s.find(r, caller)
	if err != nil {
		return err
	}
	meta := s.meta(r.Context())
	by := actor(caller, meta)
	by.Behalf = o.UserID
	if err := s.look(r.Context(), audit.Look(by, "order.look", "order/"+o.ID, "opened in the back office", meta.At, traceOf(meta.Traceparent))); err != nil {
		return err
	}
	httpserver.ETag(w, o.Version)
	return httpserver.JSON(w, http.StatusOK, recordOf(o))
}

// How long an order may stay collected without a weighing, and weighed without an invoice.
const (
	weighWithin   = 48 * time.Hour
	invoiceWithin = time.Hour
)

// getWorklists lists the orders that somebody has to look after.
func (s *service) getWorklists(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	now := s.now()
	today := now.In(s.zone).Format(time.DateOnly)
	list := func(name string, state State, before string, waits time.Duration) httpserver.Worklist {
		return httpserver.Worklist{Name: name, Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
			orders, err := s.orders.inState(ctx, state, before, limit)
			return s.workOn(orders, now.Add(-waits)), err
		}}
	}
	return httpserver.Worklists(w, r,
		list("unmatched", Unmatched, "", 0),
		list("overdue-placing", Matched, today, 0),
		list("not-weighed", Collected, "", weighWithin),
		list("not-invoiced", Weighed, "", invoiceWithin),
	)
}

// workOn is the work on orders that have been in their state since before a time, the longest waiting first.
func (s *service) workOn(orders []Order, before time.Time) []httpserver.Work {
	var list []httpserver.Work
	for _, o := range orders {
		since := o.History[len(o.History)-1].At
		if day, err := time.ParseInLocation(time.DateOnly, o.Date, s.zone); err == nil && o.State == Matched {
			since = day.AddDate(0, 0, 1) // it is late since the end of that day
		}
		if since.After(before) {
			continue
		}
		list = append(list, httpserver.Work{
			ID: o.ID, OrderID: o.ID, PartnerID: o.PartnerID, About: fmt.Sprintf("%s %s, %s, %d m³, %s", o.Postcode, o.Address.City, o.Waste, o.SizeM3, o.Date),
			Cents: int64(o.Price.GrossCents), Since: since.UTC(),
		})
	}
	slices.SortStableFunc(list, func(a, b httpserver.Work) int { return a.Since.Compare(b.Since) })
	return list
}

func (s *service) getAudit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return httpserver.Trail(w, r, s.trail, "order")
}
