package order

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
	"kreislauf/internal/session"
)

type view struct {
	ID           string        `json:"order_id"`
	State        State         `json:"state"`
	Waste        string        `json:"waste_code"`
	SizeM3       int           `json:"size_m3"`
	Date         string        `json:"date"`
	Postcode     string        `json:"postcode"`
	Address      event.Address `json:"address"`
	PublicGround bool          `json:"public_ground"`
	Phone        string        `json:"phone,omitempty"`
	AccessNotes  string        `json:"access_notes,omitempty"`
	Price        money.Price   `json:"price"`
	PartnerID    string        `json:"partner_id,omitempty"`
	SwapOf       string        `json:"swap_of,omitempty"`
	Plan         *Plan         `json:"plan,omitempty"`
	SiteID       string        `json:"site_id,omitempty"`
	StandingID   string        `json:"standing_id,omitempty"`
	work
	Invoice      *Invoice      `json:"invoice,omitempty"`
	Cancellation *Cancellation `json:"cancellation,omitempty"`
	History      []Step        `json:"history"`

	Window string            `json:"window,omitempty"`
	Tariff string            `json:"tariff,omitempty"` // none in orders of before tariff 2027-01, as of lines
	Permit string            `json:"permit,omitempty"` // who gets the one for public ground: "ours" or "own"; empty on private ground
	Lines  []event.PriceLine `json:"lines,omitempty"`  // what the price consists of, net
}

// permit says who gets the permit that the order needs; empty: it needs none.
func (o Order) permit() string {
	switch {
	case !o.PublicGround:
		return ""
	case o.PermitNet > 0:
		return "ours"
	}
	return "own"
}

// work is what customer and partner see alike of the work on site.
type work struct {
	Container string        `json:"container,omitempty"`
	PickUpOn  string        `json:"pick_up_on,omitempty"`
	SwappedBy string        `json:"swapped_by,omitempty"` // the order that swaps it, or has swapped it
	Weighing  *weighingView `json:"weighing,omitempty"`
	Documents []Document    `json:"documents,omitempty"`
}

type weighingView struct {
	GrossKg     int    `json:"gross_kg"`
	TareKg      int    `json:"tare_kg"`
	NetKg       int    `json:"net_kg"`
	Slip        string `json:"slip"`
	Implausible bool   `json:"implausible,omitempty"`
}

func workOf(o Order) work {
	v := work{Container: o.Container, PickUpOn: o.PickUpOn, Documents: o.Documents}
	if o.SwappedBy != nil {
		v.SwappedBy = o.SwappedBy.OrderID
	}
	if w := o.Weighing; w != nil {
		v.Weighing = &weighingView{w.GrossKg, w.TareKg, w.NetKg(), w.Slip, w.Implausible}
	}
	return v
}

func viewOf(o Order) view {
	return view{
		o.ID, o.State, o.Waste, o.SizeM3, o.Date, o.Postcode, o.Address, o.PublicGround, o.Phone, o.AccessNotes, o.Price, o.PartnerID,
		o.swapOf(), o.Plan.told(), o.SiteID, o.StandingID, workOf(o), o.Invoice, o.Cancellation, o.toldHistory(), o.Window, o.Tariff, o.permit(), o.Lines,
	}
}

func (s *service) postOrder(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var req Request
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	req = req.trimmed()
	q, err := s.check(req, s.now())
	if errors.Is(err, errEnded) {
		// The quote has ended since, but a retry of an order that was placed in time must still get its answer.
		return s.replay(w, r, idFor(caller.UserID, key), req, err)
	}
	if err != nil {
		return err
	}
	id := idFor(caller.UserID, key)
	if err := s.checkSite(ctx, caller, req, q); err != nil {
		return s.replay(w, r, id, req, err) // the site may have changed since the order was placed
	}
	old, err := s.toSwap(ctx, caller, req.SwapOf)
	if err != nil {
		return err
	}
	if old != nil { // before a place is taken for it
		if _, err := old.swapFor(req, q); err != nil {
			return s.replay(w, r, id, req, err)
		}
	}
	slot, err := s.places.book(ctx, id, network.Job{Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date})
	if problem.KindOf(err) == problem.Conflict {
		return s.replay(w, r, id, req, err) // a retry of an order that was placed must still get its answer
	}
	if err != nil {
		return err
	}
	o, err := place(caller.Caller(), key, req, q, slot, old, s.meta(ctx))
	if problem.KindOf(err) == problem.Conflict { // nothing can be swapped any more, perhaps because the first try of this request did
		return s.replay(w, r, id, req, err)
	}
	if err != nil {
		return err
	}
	stored, replayed, err := s.orders.Add(ctx, o)
	if o.Swap != nil && problem.KindOf(err) == problem.NotFound { // what is there already is another order's claim
		return errSecondSwap(o.Swap.Of)
	}
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "order.id", stored.ID)
	if stored.State == Void {
		return problem.New(problem.Unavailable, "Placing the order took too long, and it was given up. Order again with a new Idempotency-Key.")
	}
	if replayed {
		return answerReplay(w, stored, o.RequestHash)
	}
	httpserver.Action(ctx, "order.placed")
	w.Header().Set("Location", "/api/order/v1/orders/"+o.ID)
	return httpserver.JSON(w, http.StatusCreated, viewOf(o))
}

// toSwap reads the order whose container is to be swapped; without an id it is nil. Another's does not exist for the caller.
func (s *service) toSwap(ctx context.Context, caller session.Session, id string) (*Order, error) {
	if id == "" {
		return nil, nil
	}
	old, err := s.orders.Get(ctx, id)
	if problem.KindOf(err) == problem.NotFound || err == nil && !caller.Covers(old.object()) {
		return nil, problem.InvalidField("/swap_of", "there is no order %s of yours", id)
	}
	return &old, err
}

func (s *service) replay(w http.ResponseWriter, r *http.Request, id string, req Request, otherwise error) error {
	stored, err := s.orders.Get(r.Context(), id)
	if problem.KindOf(err) == problem.NotFound || stored.State == Void {
		return otherwise
	}
	if err != nil {
		return err
	}
	sum, err := req.hash()
	if err != nil {
		return err
	}
	httpserver.Annotate(r.Context(), "order.id", stored.ID)
	return answerReplay(w, stored, sum)
}

// answerReplay repeats the first answer for the same body and refuses another body under the same key.
func answerReplay(w http.ResponseWriter, stored Order, sum string) error {
	if stored.RequestHash != sum {
		return problem.New(problem.Invalid, "This Idempotency-Key was used for another order; make a new key for a new order.")
	}
	httpserver.Replayed(w)
	w.Header().Set("Location", "/api/order/v1/orders/"+stored.ID)
	return httpserver.JSON(w, http.StatusCreated, viewOf(stored.asPlaced()))
}

var phonePattern = regexp.MustCompile(`^[+0-9][0-9 /()-]{4,29}$`)

// errEnded marks a quote that was ours but has ended, or whose date has passed.
var errEnded = errors.New("quote ended")

// check verifies the quote and the address, reporting all mistakes at once.
func (s *service) check(req Request, now time.Time) (quote.Quote, error) {
	q, err := quote.Verify(s.key, req.Quote, now)
	switch {
	case errors.Is(err, quote.ErrExpired):
		e := problem.InvalidField("/quote", "the quote has ended; get a new one and order again")
		e.Cause = errEnded
		return q, e
	case err != nil:
		return q, problem.InvalidField("/quote", "%v; get one from GET /api/pricing/v1/quotes", err)
	}
	if err := catalog.CheckDate(q.Postcode, q.Date, now.In(s.zone)); err != nil {
		e := problem.InvalidField("/quote", "%v; get a new quote", err)
		e.Cause = errEnded
		return q, e
	}
	var fields []problem.Field
	for _, f := range []struct{ ptr, v string }{
		{"/address/name", req.Address.Name}, {"/address/street", req.Address.Street}, {"/address/city", req.Address.City},
	} {
		if n := utf8.RuneCountInString(f.v); n < 2 || n > 100 {
			fields = append(fields, problem.Field{Pointer: f.ptr, Detail: "2 to 100 characters are needed"})
		}
	}
	if fields == nil {
		if err := checkTown(q.Postcode, req.Address.City); err != nil {
			fields = append(fields, problem.Field{Pointer: "/address/city", Detail: err.Error()})
		}
	}
	if req.Phone != "" && !phonePattern.MatchString(req.Phone) {
		fields = append(fields, problem.Field{Pointer: "/phone", Detail: "must be a telephone number, for example +49 221 123456, or left out"})
	}
	if !oneLine(req.AccessNotes, 0, 300) {
		fields = append(fields, problem.Field{Pointer: "/access_notes", Detail: "must be one line of at most 300 characters"})
	}
	if fields != nil {
		return q, &problem.Error{Kind: problem.Invalid, Detail: "The order cannot be taken as it is; see errors.", Fields: fields}
	}
	if _, err := catalog.FindWindow(req.Window); err != nil {
		return q, problem.InvalidField("/window", "%v", err)
	}
	if q.PermitNetCents > 0 && !req.PublicGround {
		return q, problem.InvalidField("/public_ground", "the quote includes a permit for public ground; confirm that the container stands there, or get a quote without permit")
	}
	return q, httpserver.VisitID("/visit_id", req.VisitID)
}

// checkTown refuses a town that does not have the postcode.
func checkTown(postcode, city string) error {
	place, err := catalog.FindPlace(postcode)
	if err != nil {
		return err
	}
	return place.CheckTown(city)
}

func (s *service) getOrders(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.orders.newest(r.Context(), caller.Caller(), siteOf(r, caller), 100)
	if err != nil {
		return err
	}
	views := make([]any, len(list))
	for i, o := range list {
		views[i] = shown(o, caller)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"orders": views})
}

// find reads an order that the caller may see. Another's does not exist for it.
func (s *service) find(r *http.Request, caller session.Session) (Order, error) {
	id := mux.Vars(r)["id"]
	o, err := s.orders.Get(r.Context(), id)
	if err == nil && (o.State == Void || !caller.Covers(o.object())) {
		err = noOrder(id)
	}
	if err != nil {
		return Order{}, err
	}
	httpserver.Annotate(r.Context(), "order.id", o.ID)
	return o, nil
}

func noOrder(id string) error { return problem.New(problem.NotFound, "There is no order %s.", id) }

// change lets decide change an order that the caller may touch; action names it on the request's line when anything has changed.
func (s *service) change(r *http.Request, caller session.Session, action string, decide func(*Order, event.Meta) error) (_ Order, changed bool, err error) {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	meta := s.meta(ctx)
	o, changed, err := s.orders.Change(ctx, id, func(o *Order) error {
		if o.State == Void || !caller.Covers(o.object()) {
			return noOrder(id)
		}
		return decide(o, meta)
	})
	if err != nil {
		return Order{}, false, err
	}
	httpserver.Annotate(ctx, "order.id", o.ID)
	if changed {
		httpserver.Action(ctx, action)
	}
	return o, changed, nil
}

func (s *service) getOrder(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	o, err := s.find(r, caller)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, shown(o, caller))
}

func (s *service) postCancel(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var req struct {
		Reason string `json:"reason"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	seen, err := httpserver.IfMatch(r)
	if err != nil {
		return err
	}
	o, _, err := s.change(r, caller, "order.cancelled", func(o *Order, m event.Meta) error {
		if o.Cancellation == nil { // a repeated request has seen an older one
			if err := httpserver.Stale("order", o.ID, seen, o.Version); err != nil {
				return err
			}
		}
		return o.cancel(caller.Caller(), req.Reason, m)
	})
	if err == nil {
		err = s.places.follow(r.Context(), o) // repeating the request does it again
	}
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(o))
}

// postCorrect corrects what was recorded of an order, for the back office.
func (s *service) postCorrect(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	o, err := s.correct(r, caller)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(o))
}

func (s *service) correct(r *http.Request, caller session.Session) (Order, error) {
	var c Corrections
	if err := httpserver.Decode(r, &c); err != nil {
		return Order{}, err
	}
	o, _, err := s.change(r, caller, "order.corrected", func(o *Order, m event.Meta) error { return o.correct(caller.Caller(), c, s.zone, m) })
	return o, err
}

func (s *service) postPickUp(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var req struct {
		Date string `json:"date"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	today := s.now().In(s.zone)
	o, _, err := s.change(r, caller, "order.pick-up-asked", func(o *Order, m event.Meta) error { return o.askPickUp(req.Date, today, m) })
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, shown(o, caller))
}
