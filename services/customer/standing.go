package customer

import (
	"slices"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Plan is what a customer says of a standing order: a container of one kind comes to a site again and again.
type Plan struct {
	SiteID string `json:"site_id" bson:"site_id"`
	Waste  string `json:"waste_code" bson:"waste_code"`
	SizeM3 int    `json:"size_m3" bson:"size_m3"`
	// Either EveryWeeks and Weekday (1 Monday to 6 Saturday), or MonthDay (1 to 31; a shorter month has its last day), is set; the others are 0.
	EveryWeeks   int    `json:"every_weeks" bson:"every_weeks"`
	Weekday      int    `json:"weekday" bson:"weekday"`
	MonthDay     int    `json:"month_day" bson:"month_day"`
	From         string `json:"from" bson:"from"`   // first possible day, YYYY-MM-DD
	Until        string `json:"until" bson:"until"` // last possible day; empty: without end
	PublicGround bool   `json:"public_ground" bson:"public_ground"`
	State        string `json:"state" bson:"state"`
}

// States of a standing order.
const (
	running = "active"
	paused  = "paused" // its days pass without an order
	ended   = "ended"  // for good
)

// Occurrence is one day of the plan and what became of it.
type Occurrence struct {
	Day     string `json:"day" bson:"day"`   // by the plan; it names the occurrence
	Date    string `json:"date" bson:"date"` // the working day of placing
	State   string `json:"state" bson:"state"`
	OrderID string `json:"order_id,omitempty" bson:"order_id,omitempty"` // of one that is placed
	Reason  string `json:"reason,omitempty" bson:"reason,omitempty"`     // of one that is refused
	// At is when it was told of, or refused at once.
	At time.Time `json:"-" bson:"at"`
}

// States of an occurrence.
const (
	Due     = "due" // told of; a price and an order follow
	Placed  = "placed"
	Refused = "refused"
)

// Standing is the aggregate and its document.
type Standing struct {
	aggregate.Root `bson:",inline"`
	Plan           `bson:",inline"`
	UserID         string        `bson:"user_id"` // who made it, and whose the orders are
	CompanyID      string        `bson:"company_id,omitempty"`
	Postcode       string        `bson:"postcode"` // of the site, as the next one
	Address        event.Address `bson:"address"`
	RequestHash    string        `bson:"request_hash"`
	Next           string        `bson:"next,omitempty"`        // the next day of the plan that is not told of; empty: none follows
	Occurrences    []Occurrence  `bson:"occurrences,omitempty"` // the newest, newest first
	MadeAt         time.Time     `bson:"made_at"`
}

const (
	maxStanding    = 100 // standing orders of a customer that have not ended
	maxWeeks       = 26
	keptOccurrence = 24
	// aheadDays is how long before its day an occurrence is told of: a partner has time to plan, and the customer to object.
	aheadDays = 7
	// dueHour is the hour of the local day at which that happens.
	dueHour = 6
)

// check reports all mistakes of a plan at once. today is a local time.
func (p Plan) check(today time.Time) error {
	var f faults
	if !sitePattern.MatchString(p.SiteID) {
		f.add("/site_id", "the id of one of your sites is needed")
	}
	waste, err := catalog.FindWaste(p.Waste)
	if err != nil {
		f.add("/waste_code", "%v", err)
	} else if err := waste.CheckSize(p.SizeM3); err != nil {
		f.add("/size_m3", "%v", err)
	}
	switch {
	case p.MonthDay != 0:
		if p.EveryWeeks != 0 || p.Weekday != 0 {
			f.add("/month_day", "a day of the month needs every_weeks and weekday to be 0")
		}
		if p.MonthDay < 1 || p.MonthDay > 31 {
			f.add("/month_day", "a day from 1 to 31 is needed")
		}
	default:
		if p.EveryWeeks < 1 || p.EveryWeeks > maxWeeks {
			f.add("/every_weeks", "1 to %d weeks are possible, or a day of the month instead", maxWeeks)
		}
		if p.Weekday < 1 || p.Weekday > 6 {
			f.add("/weekday", "a day from 1 (Monday) to 6 (Saturday) is needed")
		}
	}
	from, err := time.Parse(catalog.DateFormat, p.From)
	if err != nil {
		f.add("/from", "a date as YYYY-MM-DD is needed")
	} else if from.After(today.AddDate(1, 0, 0)) || from.Before(today.AddDate(-10, 0, 0)) {
		f.add("/from", "a day within a year is needed, or one of the last ten years")
	}
	if p.Until != "" {
		if _, err := time.Parse(catalog.DateFormat, p.Until); err != nil || p.Until < p.From {
			f.add("/until", "a date as YYYY-MM-DD that is not before the first is needed, or nothing for no end")
		}
	}
	if !slices.Contains([]string{running, paused, ended}, p.State) {
		f.add("/state", "active, paused or ended is possible")
	}
	return f.problem("standing order")
}

// following is the first day of the plan that is not before a day; false when none is.
func (p Plan) following(from time.Time) (time.Time, bool) {
	first, err := time.Parse(catalog.DateFormat, p.From)
	if err != nil {
		return time.Time{}, false
	}
	day := first
	if p.MonthDay != 0 {
		for month := 0; ; month++ {
			begin := time.Date(first.Year(), first.Month()+time.Month(month), 1, 0, 0, 0, 0, time.UTC)
			last := begin.AddDate(0, 1, -1).Day()
			day = begin.AddDate(0, 0, min(p.MonthDay, last)-1)
			if !day.Before(first) && !day.Before(from) {
				break
			}
		}
	} else {
		day = day.AddDate(0, 0, (p.Weekday-int(first.Weekday())+7)%7)
		if wait := int(from.Sub(day).Hours() / 24); wait > 0 {
			step := 7 * p.EveryWeeks
			day = day.AddDate(0, 0, (wait+step-1)/step*step)
		}
	}
	return day, p.Until == "" || day.Format(catalog.DateFormat) <= p.Until
}

// newStanding makes a standing order of a site.
func newStanding(by authz.Caller, name, key string, p Plan, site *Site, meta event.Meta, zone *time.Location) (Standing, error) {
	sum, err := hashOf(p)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{
		Root: aggregate.New(idFor("so", by.UserID, key)), Plan: p, UserID: by.UserID, CompanyID: by.CompanyID, RequestHash: sum, MadeAt: meta.At,
		Address: event.Address{Name: name},
	}
	s.stand(site.Street, site.Postcode, site.City)
	s.plan(meta.At, zone)
	return s, nil
}

// stand says where the containers are put.
func (s *Standing) stand(street, postcode, city string) {
	s.Postcode, s.Address.Street, s.Address.City = postcode, street, city
}

func (s *Standing) object() authz.Object {
	return authz.Object{UserID: s.UserID, CompanyID: s.CompanyID, SiteID: s.SiteID}
}

// plan looks for the next day of the plan that was not told of, and when to tell of it. Days before the first on which a container can come
// pass unused.
func (s *Standing) plan(now time.Time, zone *time.Location) {
	s.Next = ""
	s.Due(time.Time{})
	if s.State != running {
		return
	}
	local := now.In(zone)
	earliest, _ := catalog.Window(s.Postcode, local)
	if len(s.Occurrences) > 0 {
		if last, err := time.Parse(catalog.DateFormat, s.Occurrences[0].Day); err == nil && !last.Before(earliest) {
			earliest = last.AddDate(0, 0, 1)
		}
	}
	day, found := s.following(earliest)
	if !found {
		return
	}
	s.Next = day.Format(catalog.DateFormat)
	s.Due(time.Date(day.Year(), day.Month(), day.Day()-aheadDays, dueHour, 0, 0, 0, zone).UTC())
}

// change replaces the plan. seen is the version that the caller has read.
func (s *Standing) change(p Plan, site *Site, seen int64, meta event.Meta, zone *time.Location) error {
	if p == s.Plan {
		return nil
	}
	if err := stale("standing order", s.ID, s.Version, seen); err != nil {
		return err
	}
	if s.State == ended {
		return problem.New(problem.Conflict, "The standing order %s has ended; make a new one.", s.ID)
	}
	s.Plan = p
	s.stand(site.Street, site.Postcode, site.City)
	s.plan(meta.At, zone)
	return nil
}

// move follows its site: to another address, or to nowhere.
func (s *Standing) move(site event.SiteChanged, meta event.Meta, zone *time.Location) {
	s.stand(site.Street, site.Postcode, site.City)
	if !site.Active && s.State == running {
		s.State = paused
	}
	s.plan(meta.At, zone)
}

// tell is the timed work: it tells of the occurrence that is due and plans the next one. When nobody ran for so long that its day cannot be
// had any more, the next day that can be takes its place, unless the plan's next comes before.
func (s *Standing) tell(meta event.Meta, zone *time.Location) error {
	if s.Next == "" || s.State != running {
		s.Due(time.Time{})
		return nil
	}
	day, err := time.Parse(catalog.DateFormat, s.Next)
	if err != nil {
		return err
	}
	o := Occurrence{Day: s.Next, State: Due, At: meta.At}
	date := catalog.Open(s.Postcode, day, meta.At.In(zone))
	o.Date = date.Format(catalog.DateFormat)
	if after, found := s.following(day.AddDate(0, 0, 1)); found && !date.Before(after) {
		o.State, o.Reason = Refused, "the day had passed before it could be ordered for"
	}
	s.Occurrences = append([]Occurrence{o}, s.Occurrences...)
	s.Occurrences = s.Occurrences[:min(len(s.Occurrences), keptOccurrence)]
	s.plan(meta.At, zone)
	if o.State == Refused {
		return s.Emit(meta, event.StandingMissed{StandingID: s.ID, Occurrence: o.Day, UserID: s.UserID, Date: o.Day, Reason: o.Reason})
	}
	return s.Emit(meta, event.StandingDue{
		StandingID: s.ID, Occurrence: o.Day, UserID: s.UserID, CompanyID: s.CompanyID, SiteID: s.SiteID, Waste: s.Waste, SizeM3: s.SizeM3,
		Postcode: s.Postcode, Date: o.Date, Address: s.Address, PublicGround: s.PublicGround,
	})
}

// settle writes down what became of an occurrence. What is placed stays so.
func (s *Standing) settle(day string, became Occurrence) {
	i := slices.IndexFunc(s.Occurrences, func(o Occurrence) bool { return o.Day == day })
	if i < 0 || s.Occurrences[i].State == Placed {
		return
	}
	o := &s.Occurrences[i]
	o.State, o.OrderID, o.Reason = became.State, became.OrderID, became.Reason
	if became.Date != "" {
		o.Date = became.Date
	}
}
