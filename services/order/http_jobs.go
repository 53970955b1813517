package order

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// jobView is an order as the partner sees it that has taken it: with its own pay, without the customer's price.
type jobView struct {
	ID           string        `json:"order_id"`
	State        State         `json:"state"`
	Waste        string        `json:"waste_code"`
	SizeM3       int           `json:"size_m3"`
	Date         string        `json:"date"`
	Postcode     string        `json:"postcode"`
	Address      event.Address `json:"address"` // with the customer's name
	PublicGround bool          `json:"public_ground"`
	Phone        string        `json:"phone,omitempty"`
	AccessNotes  string        `json:"access_notes,omitempty"`
	Pay          event.Pay     `json:"pay"`
	DriverID     string        `json:"driver_id,omitempty"`
	Plan         *Plan         `json:"plan,omitempty"`
	work
	Cancellation *Cancellation `json:"cancellation,omitempty"`
	History      []Step        `json:"history"`
	Window       string        `json:"window,omitempty"`
	Permit       string        `json:"permit,omitempty"`       // as in view
	Plausible    *weights      `json:"plausible_kg,omitempty"` // with it a device without network checks what is typed
	Access       *Access       `json:"access,omitempty"`       // to the customer's site, as it is now
}

// weights are the least and the most that the container's waste can weigh net, in kg: see catalog.Waste.PlausibleKg.
type weights struct {
	Least int `json:"least"`
	Most  int `json:"most"`
}

func jobOf(o Order, access *Access) jobView {
	var plausible *weights
	if waste, err := catalog.FindWaste(o.Waste); err == nil {
		least, most := waste.PlausibleKg(o.SizeM3)
		plausible = &weights{least, most}
	}
	return jobView{
		o.ID, o.State, o.Waste, o.SizeM3, o.Date, o.Postcode, o.Address, o.PublicGround, o.Phone, o.AccessNotes, o.Pay, o.DriverID, o.Plan,
		workOf(o), o.Cancellation, o.History, o.Window, o.permit(), plausible, access,
	}
}

// maxJobs is how many jobs one answer lists at most.
const maxJobs = 200

// getJobs lists the open jobs of the caller's partner. A driver gets its own; with a day what is to be done on it.
func (s *service) getJobs(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	states, date, limit, err := jobQuery(r.URL.Query())
	if err != nil {
		return err
	}
	var list []Order
	if caller.Scope == authz.Own {
		list, err = s.orders.jobs(r.Context(), caller.PartnerID, caller.DriverID, "", states, maxJobs)
		list = drivingOrder(list, date)
		list = list[:min(len(list), int(limit))]
	} else {
		list, err = s.orders.jobs(r.Context(), caller.PartnerID, "", date, states, limit)
	}
	if err != nil {
		return err
	}
	access, err := s.accessTo(r.Context(), list...)
	if err != nil {
		return err
	}
	views := make([]jobView, len(list))
	for i, o := range list {
		views[i] = jobOf(o, access[o.SiteID])
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"jobs": views})
}

// drivingOrder leaves a driver what is to be done on a day and what should have been done before, all without a day, in the order in which it
// is driven: what is on the truck first.
func drivingOrder(list []Order, date string) []Order {
	list = slices.DeleteFunc(list, func(o Order) bool {
		due, known := o.dueOn()
		return date != "" && (!known || due > date)
	})
	slices.SortStableFunc(list, func(a, b Order) int {
		dueA, _ := a.dueOn()
		dueB, _ := b.dueOn()
		return cmp.Or(cmp.Compare(dueA, dueB), cmp.Compare(a.position(), b.position()))
	})
	return list
}

// jobQuery reads the parameters of getJobs, reporting all mistakes at once.
func jobQuery(q url.Values) (states []State, date string, limit int64, err error) {
	var fields []problem.Field
	states, limit = open(), maxJobs
	if q.Has("state") {
		if states = []State{State(q.Get("state"))}; !slices.Contains(open(), states[0]) {
			fields = append(fields, problem.Field{Pointer: "?state", Detail: "must be matched, on_site or collected, or left out for all of them"})
		}
	}
	if date = q.Get("date"); q.Has("date") {
		if _, err := time.Parse(catalog.DateFormat, date); err != nil {
			fields = append(fields, problem.Field{Pointer: "?date", Detail: "must be a date as YYYY-MM-DD, or left out for all days"})
		}
	}
	if q.Has("limit") {
		if limit, err = strconv.ParseInt(q.Get("limit"), 10, 64); err != nil || limit < 1 || limit > maxJobs {
			fields = append(fields, problem.Field{Pointer: "?limit", Detail: "must be a whole number from 1 to " + strconv.Itoa(maxJobs)})
		}
	}
	if fields != nil {
		return nil, "", 0, &problem.Error{Kind: problem.Invalid, Detail: "The jobs cannot be listed; see errors.", Fields: fields}
	}
	return states, date, limit, nil
}

func (s *service) getJob(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	o, err := s.find(r, caller)
	if err != nil {
		return err
	}
	return s.answerJob(w, r, o)
}

// work changes a job and answers with what has become of it.
func (s *service) work(w http.ResponseWriter, r *http.Request, caller session.Session, action string, decide func(*Order, event.Meta) error) error {
	o, _, err := s.change(r, caller, action, decide)
	if err != nil {
		return err
	}
	return s.answerJob(w, r, o)
}

// step is work with a step of a job. A device that sends it late, and perhaps again, gives it an Idempotency-Key; others need none. content is
// the decoded body.
func (s *service) step(w http.ResponseWriter, r *http.Request, caller session.Session, action string, content any, decide func(*Order, event.Meta) error) error {
	key := ""
	if r.Header.Get("Idempotency-Key") != "" {
		var err error
		if key, err = httpserver.IdempotencyKey(r); err != nil {
			return err
		}
	}
	o, changed, err := s.change(r, caller, action, func(o *Order, m event.Meta) error {
		return o.once(key, content, func() error { return decide(o, m) })
	})
	if err != nil {
		return err
	}
	if !changed && key != "" {
		httpserver.Replayed(w)
	}
	return s.answerJob(w, r, o)
}

func (s *service) postPlan(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var req struct {
		Day      string `json:"day"`
		Window   string `json:"window"`
		DriverID string `json:"driver_id"`
		Vehicle  string `json:"vehicle"`
		Position int    `json:"position"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	p := Planned{Plan: Plan{Day: req.Day, Window: req.Window, Vehicle: req.Vehicle, Position: req.Position}, DriverID: req.DriverID, By: caller.UserID}
	today := s.now().In(s.zone)
	return s.work(w, r, caller, "order.scheduled", func(o *Order, m event.Meta) error { return o.plan(p, today, m) })
}

func (s *service) postFailedTrip(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var req struct {
		Reason string     `json:"reason"`
		Note   string     `json:"note"`
		At     *time.Time `json:"at"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	trip := FailedTrip{Reason: req.Reason, Note: req.Note, Key: key}
	o, changed, err := s.change(r, caller, "order.trip-failed", func(o *Order, m event.Meta) error { return o.failTrip(trip, req.At, m) })
	if err != nil {
		return err
	}
	if !changed {
		httpserver.Replayed(w)
	}
	return s.answerJob(w, r, o)
}

func (s *service) postOnSite(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var req struct {
		Container string     `json:"container"`
		At        *time.Time `json:"at"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	return s.step(w, r, caller, "order.on-site", req, func(o *Order, m event.Meta) error { return o.putOnSite(req.Container, req.At, m) })
}

func (s *service) postCollected(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var req struct {
		At *time.Time `json:"at"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	return s.step(w, r, caller, "order.collected", req, func(o *Order, m event.Meta) error { return o.collect(req.At, m) })
}

func (s *service) postWeighed(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var req struct {
		GrossKg   int        `json:"gross_kg"`
		TareKg    int        `json:"tare_kg"`
		Slip      string     `json:"slip"`
		Confirmed bool       `json:"confirmed"` // the weight is right although it is not plausible
		At        *time.Time `json:"at"`
	}
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	weighing := Weighing{GrossKg: req.GrossKg, TareKg: req.TareKg, Slip: req.Slip}
	return s.step(w, r, caller, "order.weighed", req, func(o *Order, m event.Meta) error {
		return o.weigh(weighing, req.Confirmed, req.At, s.zone, m)
	})
}
