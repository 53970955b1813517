package order

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Trip is what a truck comes for.
type Trip string

// The trips.
const (
	TripPlace Trip = "place" // puts the container on site
	TripFetch Trip = "fetch" // takes it away and to the scale
	TripSwap  Trip = "swap"  // puts it on site and takes another order's away
)

// trip is what the truck comes for next, or has come for until it has been at the scale.
func (o *Order) trip() Trip {
	switch {
	case o.State != Matched:
		return TripFetch
	case o.swaps():
		return TripSwap
	}
	return TripPlace
}

// Plan is when the partner makes a trip. Who drives stands in Order.DriverID.
type Plan struct {
	Trip     Trip   `json:"trip" bson:"trip"`
	Day      string `json:"day" bson:"day"`                           // YYYY-MM-DD
	Window   string `json:"window,omitempty" bson:"window,omitempty"` // one of windows
	Vehicle  string `json:"vehicle,omitempty" bson:"vehicle,omitempty"`
	Position int    `json:"position,omitempty" bson:"position,omitempty"` // in the driver's day: 1 comes first; 0: not said
}

// Planned is a plan as it was made, in the history.
type Planned struct {
	Plan     `bson:",inline"`
	DriverID string `json:"driver_id,omitempty" bson:"driver_id,omitempty"`
	By       string `json:"by,omitempty" bson:"by,omitempty"` // user who planned
}

// windows are the parts of a day; empty is the whole day.
func windows() []string { return []string{"", "morning", "afternoon"} }

const (
	maxPosition = 200 // in a driver's day
	maxPlans    = 50  // bounds the history of an order
)

var driverPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// check refuses what no dispatcher can mean, all at once. today is a local time.
func (p Planned) check(today time.Time) error {
	var fields []problem.Field
	bad := func(pointer, format string, args ...any) {
		fields = append(fields, problem.Field{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	first, last := today.Format(catalog.DateFormat), today.AddDate(0, 0, catalog.HorizonDays).Format(catalog.DateFormat)
	switch _, err := time.Parse(catalog.DateFormat, p.Day); {
	case err != nil:
		bad("/day", "must be a date as YYYY-MM-DD")
	case p.Day < first || p.Day > last:
		bad("/day", "must be from %s to %s", first, last)
	}
	if !slices.Contains(windows(), p.Window) {
		bad("/window", "must be morning or afternoon, or left out for the whole day")
	}
	if p.DriverID != "" && !driverPattern.MatchString(p.DriverID) {
		bad("/driver_id", "must be up to 64 characters of A-Z, a-z, 0-9, _ and -")
	}
	if !oneLine(p.Vehicle, 0, 20) {
		bad("/vehicle", "must be one line of at most 20 characters, for example the number plate")
	}
	if p.Position < 0 || p.Position > maxPosition {
		bad("/position", "must be 1 to %d, or left out", maxPosition)
	}
	if fields != nil {
		return &problem.Error{Kind: problem.Invalid, Detail: "The trip cannot be planned like this; see errors.", Fields: fields}
	}
	return nil
}

// plan says when the partner comes next and gives the job to a driver, who may then read it and take its steps; another plan takes the place
// of the first. The history keeps every plan but for the position in the driver's day; the customer hears of another day or window.
func (o *Order) plan(p Planned, today time.Time, meta event.Meta) error {
	p.Vehicle = strings.TrimSpace(p.Vehicle)
	if err := p.check(today); err != nil {
		return err
	}
	if err := o.take(stepPlan, meta.At, meta); err != nil {
		return err
	}
	p.Trip = o.trip()
	var before Plan
	if o.Plan != nil && o.Plan.Trip == p.Trip {
		before = *o.Plan
	}
	now, same := p.Plan, before
	now.Position, same.Position = 0, 0
	if now != same || p.DriverID != o.DriverID {
		plans := 0
		for _, s := range o.History {
			if s.Planned != nil {
				plans++
			}
		}
		if plans >= maxPlans {
			return problem.New(problem.Conflict, "The order %s was planned %d times already; call the back office.", o.ID, maxPlans)
		}
		o.History = append(o.History, Step{State: o.State, At: meta.At, RecordedAt: meta.At, Planned: &p})
	}
	o.Plan, o.DriverID = &p.Plan, p.DriverID
	if before.Day == p.Day && before.Window == p.Window {
		return nil
	}
	return o.emit(meta, event.Scheduled{
		OrderID: o.ID, UserID: o.UserID, PartnerID: o.PartnerID, Trip: string(p.Trip), Day: p.Day, Window: p.Window, WasDay: before.Day, WasWindow: before.Window,
	})
}

// told is a plan as the customer sees it.
func (p *Plan) told() *Plan {
	if p == nil {
		return nil
	}
	return &Plan{Trip: p.Trip, Day: p.Day, Window: p.Window}
}

// toldHistory is the history as the customer sees it: of plans the days and windows, and not who drives what.
func (o *Order) toldHistory() []Step {
	list := make([]Step, 0, len(o.History))
	var last Plan
	for _, s := range o.History {
		if s.Planned != nil {
			p := *s.Planned.told()
			if p == last {
				continue
			}
			last, s.Planned = p, &Planned{Plan: p}
		}
		list = append(list, s)
	}
	return list
}

// position is the place in the driver's day; what has none comes last.
func (o *Order) position() int {
	if o.Plan == nil || o.Plan.Position == 0 {
		return maxPosition + 1
	}
	return o.Plan.Position
}
