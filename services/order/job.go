package order

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// What the order's partner does. Each step may be sent again: with the same content it changes nothing, in whatever state the order is by
// then; with other content it is a conflict that says what is recorded. A step that comes before the one in front of it is a conflict too: the
// job's state tells the two apart.

// late is how far the clock of a driver's phone may be ahead of the platform's, or behind what somebody else has reported.
const late = 5 * time.Minute

// once takes a step that a device sends under a key of its own, perhaps hours after it happened and perhaps again: what was taken with this key
// and this content is not taken again, whatever the order has become or was corrected to since. Without a key it is taken as it is.
func (o *Order) once(key string, content any, take func() error) error {
	if key == "" {
		return take()
	}
	b, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode step of order %s: %w", o.ID, err)
	}
	h := sha256.Sum256(append([]byte(key+"\x00"), b...))
	request := hex.EncodeToString(h[:])
	if slices.ContainsFunc(o.History, func(s Step) bool { return s.Request == request }) {
		return nil
	}
	before := len(o.History)
	if err := take(); err != nil {
		return err
	}
	if len(o.History) > before {
		o.History[len(o.History)-1].Request = request
	}
	return nil
}

// moment is when a step happened: as said, or now, if nothing was said. It is not before the step in front of it, and not in the future.
func moment(said *time.Time, earliest time.Time, meta event.Meta) (time.Time, error) {
	if said == nil {
		if meta.At.Before(earliest) { // that was said by a clock that is ahead
			return earliest, nil
		}
		return meta.At, nil
	}
	at := said.UTC().Truncate(time.Millisecond) // as MongoDB keeps it
	switch {
	case at.After(meta.At.Add(late)):
		return at, problem.InvalidField("/at", "%s is in the future; send when it happened, or leave it out for now", at.Format(time.RFC3339))
	case at.Before(earliest) && earliest.Sub(at) <= late: // two clocks: the dispatcher's, and the driver's that is behind
		return earliest, nil
	case at.Before(earliest):
		return at, problem.InvalidField("/at", "%s is too early: the step before was at %s", at.Format(time.RFC3339), earliest.Format(time.RFC3339))
	}
	return at, nil
}

// sameMoment says whether a repeated step means the recorded one.
func sameMoment(said *time.Time, recorded time.Time) bool {
	return said == nil || said.Truncate(time.Millisecond).Equal(recorded)
}

// putOnSite records that the container stands where it was ordered.
func (o *Order) putOnSite(container string, said *time.Time, meta event.Meta) error {
	container = strings.TrimSpace(container)
	if !oneLine(container, 2, 20) {
		return problem.InvalidField("/container", "the container's number is needed as it is painted on it, 2 to 20 characters")
	}
	if done, ok := o.reached(OnSite); ok {
		if o.Container == container && sameMoment(said, done.At) {
			return nil
		}
		return o.recorded("container %s on site at %s", o.Container, done.At.Format(time.RFC3339))
	}
	at, err := moment(said, o.PlacedAt, meta)
	if err != nil {
		return err
	}
	if err := o.take(stepOnSite, at, meta); err != nil {
		return err
	}
	o.Container, o.Plan = container, nil
	return o.emit(meta, event.OnSite{OrderID: o.ID, UserID: o.UserID, PartnerID: o.PartnerID, Container: container, At: at})
}

// collect records that the container was fetched.
func (o *Order) collect(said *time.Time, meta event.Meta) error {
	if done, ok := o.reached(Collected); ok {
		if sameMoment(said, done.At) {
			return nil
		}
		return o.recorded("collected at %s", done.At.Format(time.RFC3339))
	}
	onSite, _ := o.reached(OnSite) // take refuses without one
	at, err := moment(said, onSite.At, meta)
	if err != nil {
		return err
	}
	if err := o.take(stepCollected, at, meta); err != nil {
		return err
	}
	return o.emit(meta, event.Collected{OrderID: o.ID, UserID: o.UserID, PartnerID: o.PartnerID, Container: o.Container, At: at})
}

// Weighing is what the scale said, in kg.
type Weighing struct {
	GrossKg int    `bson:"gross_kg"`
	TareKg  int    `bson:"tare_kg"`
	Slip    string `bson:"slip"` // number of the weighing slip
	// Implausible marks a net weight outside of catalog.PlausibleKg that the partner has confirmed.
	Implausible bool `bson:"implausible,omitempty"`
}

// NetKg is what the waste weighs.
func (w Weighing) NetKg() int { return w.GrossKg - w.TareKg }

// maxGrossKg is what no truck on German roads may weigh more than.
const maxGrossKg = 44_000

// check refuses what no scale says.
func (w Weighing) check() error {
	var fields []problem.Field
	for _, f := range []struct {
		ptr string
		kg  int
	}{{"/gross_kg", w.GrossKg}, {"/tare_kg", w.TareKg}} {
		if f.kg < 1 || f.kg > maxGrossKg {
			fields = append(fields, problem.Field{Pointer: f.ptr, Detail: fmt.Sprintf("must be 1 to %d kg", maxGrossKg)})
		}
	}
	if fields == nil && w.NetKg() < 1 {
		fields = append(fields, problem.Field{Pointer: "/tare_kg", Detail: "must be less than gross_kg"})
	}
	if !oneLine(w.Slip, 1, 40) {
		fields = append(fields, problem.Field{Pointer: "/slip", Detail: "the number of the weighing slip is needed, 1 to 40 characters"})
	}
	if fields != nil {
		return &problem.Error{Kind: problem.Invalid, Detail: "The weighing cannot be right; see errors.", Fields: fields}
	}
	return nil
}

// weigh records the weighing and tells all that is needed to bill and to credit. A weight that is not plausible is refused until it is
// confirmed. zone is where days begin and end.
func (o *Order) weigh(w Weighing, confirmed bool, said *time.Time, zone *time.Location, meta event.Meta) error {
	w.Slip = strings.TrimSpace(w.Slip)
	if err := w.check(); err != nil {
		return err
	}
	if done, ok := o.reached(Weighed); ok && o.Weighing != nil {
		w.Implausible = o.Weighing.Implausible // follows from the rest
		if *o.Weighing == w && sameMoment(said, done.At) {
			return nil
		}
		return o.recorded("weighed at %s: gross %d kg, tare %d kg, slip %s", done.At.Format(time.RFC3339), o.Weighing.GrossKg, o.Weighing.TareKg,
			o.Weighing.Slip)
	}
	collected, _ := o.reached(Collected) // take refuses without it
	at, err := moment(said, collected.At, meta)
	if err != nil {
		return err
	}
	if err := o.take(stepWeighed, at, meta); err != nil {
		return err
	}
	waste, err := catalog.FindWaste(o.Waste)
	if err != nil {
		return fmt.Errorf("weigh order %s: %w", o.ID, err)
	}
	least, most := waste.PlausibleKg(o.SizeM3)
	w.Implausible = w.NetKg() < least || w.NetKg() > most
	if w.Implausible && !confirmed {
		return problem.InvalidField("/confirmed", "%d kg net are not plausible: %d m³ of %s weigh %d to %d kg; check both weights, "+
			"and send \"confirmed\": true if they are right", w.NetKg(), o.SizeM3, waste.NameEN, least, most)
	}
	o.Weighing = &w
	bill, _ := o.Bill(zone)
	return o.emit(meta, bill)
}

// Bill is what order.weighed tells of a weighed order: all that is needed to bill and to credit. It follows from the order alone, at any
// time after. ok is false before the order is weighed. zone is where days begin and end.
func (o *Order) Bill(zone *time.Location) (bill event.Weighed, ok bool) {
	w := o.Weighing
	if w == nil {
		return event.Weighed{}, false
	}
	onSite, _ := o.reached(OnSite)
	collected, _ := o.reached(Collected)
	day := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	return event.Weighed{
		OrderID: o.ID, UserID: o.UserID, CompanyID: o.CompanyID, SiteID: o.SiteID, PartnerID: o.PartnerID, Postcode: o.Postcode, Waste: o.Waste, SizeM3: o.SizeM3, Address: o.Address,
		GrossKg: w.GrossKg, TareKg: w.TareKg, NetKg: w.NetKg(), Slip: w.Slip, PlacedOn: day(onSite.At), FetchedOn: day(collected.At),
		FailedTrips: o.failedTrips(), Price: o.Price, IncludedDays: o.IncludedDays, ExtraDayNetCents: o.ExtraDayNet,
		IncludedKg:         cmp.Or(o.IncludedKg, catalog.PayloadKg), // of an earlier quote: whatever a truck lifts
		ExtraTonneNetCents: o.ExtraTonneNet, Pay: o.Pay, Tariff: o.Tariff, PermitNetCents: o.PermitNet, Lines: o.Lines,
	}, true
}

// FailedTrip is a truck that came in vain.
type FailedTrip struct {
	Reason string `json:"reason" bson:"reason"` // one of tripReasons
	Note   string `json:"note,omitempty" bson:"note,omitempty"`
	Key    string `json:"-" bson:"key"` // Idempotency-Key of the request that told of it
}

// tripReasons are why a truck can come in vain.
func tripReasons() []string {
	return []string{"blocked", "no-access", "wrong-filling", "overfilled", "other"}
}

// maxTrips bounds the history of an order.
const maxTrips = 20

// failTrip records that a truck came in vain; the customer pays for it. The same key with the same content changes nothing.
func (o *Order) failTrip(f FailedTrip, said *time.Time, meta event.Meta) error {
	f.Note = strings.TrimSpace(f.Note)
	switch {
	case !slices.Contains(tripReasons(), f.Reason):
		return problem.InvalidField("/reason", "must be one of %s", strings.Join(tripReasons(), ", "))
	case !oneLine(f.Note, 0, 500):
		return problem.InvalidField("/note", "must be one line of at most 500 characters")
	case f.Reason == "other" && f.Note == "":
		return problem.InvalidField("/note", "is needed with the reason other: say what was in the way")
	}
	for _, s := range o.History {
		if s.FailedTrip == nil || s.FailedTrip.Key != f.Key {
			continue
		}
		if *s.FailedTrip == f && sameMoment(said, s.At) {
			return nil
		}
		return problem.New(problem.Invalid, "This Idempotency-Key was used for another failed trip; make a new key for a new one.")
	}
	at, err := moment(said, o.PlacedAt, meta)
	if err != nil {
		return err
	}
	if err := o.take(stepFailedTrip, at, meta); err != nil {
		return err
	}
	if o.failedTrips() >= maxTrips {
		return problem.New(problem.Conflict, "The order %s has %d failed trips already; call the back office.", o.ID, maxTrips)
	}
	o.History = append(o.History, Step{State: o.State, At: at, RecordedAt: meta.At, FailedTrip: &f})
	return nil
}

// failedTrips counts the trucks that came in vain.
func (o *Order) failedTrips() int {
	n := 0
	for _, s := range o.History {
		if s.FailedTrip != nil {
			n++
		}
	}
	return n
}

// dueOn is the day of the next step, YYYY-MM-DD; known is false for a container on site that nobody wants fetched yet. What is on a truck has
// the day "", which is before all others: it is to be weighed at once.
func (o *Order) dueOn() (day string, known bool) {
	switch {
	case o.State != Matched && o.State != OnSite:
		return "", true
	case o.Plan != nil:
		return o.Plan.Day, true
	case o.State == Matched:
		return o.Date, true
	}
	return o.PickUpOn, o.PickUpOn != ""
}

// recorded refuses a step that contradicts what is recorded of it.
func (o *Order) recorded(format string, args ...any) error {
	return problem.New(problem.Conflict, "The order %s has another record of this step: %s. Ask the back office to correct it.", o.ID,
		fmt.Sprintf(format, args...))
}
