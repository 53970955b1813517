package order

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Correction is what somebody has put right in what was recorded, in the history. The order holds the right values, the correction the wrong ones.
type Correction struct {
	By      authz.Role `json:"by" bson:"by"`
	UserID  string     `json:"-" bson:"user_id"`
	Reason  string     `json:"reason" bson:"reason"`
	Changes []Change   `json:"changes" bson:"changes"`
}

// Change is one value that was wrong.
type Change struct {
	Field string `json:"field" bson:"field"` // as in Corrections
	Was   string `json:"was" bson:"was"`
	Now   string `json:"now" bson:"now"`
}

// Corrections is the body of a correction: the right values of what is wrong. What is left out stays.
type Corrections struct {
	Container   *string    `json:"container"`
	OnSiteAt    *time.Time `json:"on_site_at"`
	CollectedAt *time.Time `json:"collected_at"`
	WeighedAt   *time.Time `json:"weighed_at"`
	GrossKg     *int       `json:"gross_kg"`
	TareKg      *int       `json:"tare_kg"`
	Slip        *string    `json:"slip"`
	Confirmed   bool       `json:"confirmed"` // the weight is right although it is not plausible
	Reason      string     `json:"reason"`
}

// maxCorrections bounds the history of an order.
const maxCorrections = 50

// correct puts right what was recorded: the partner until the order is invoiced, the back office at any time, which is audited. When it
// changes the bill of a weighed order, that is told, for payment to correct what it has written. Correcting to what is there changes nothing.
func (o *Order) correct(by authz.Caller, c Corrections, zone *time.Location, meta event.Meta) error {
	c.Reason = strings.TrimSpace(c.Reason)
	if !oneLine(c.Reason, 5, 500) {
		return problem.InvalidField("/reason", "one line of 5 to 500 characters is needed that says why; the customer sees it")
	}
	before := *o
	if err := o.take(stepCorrect, meta.At, meta); err != nil {
		return err
	}
	if by.Role != authz.BackOffice && o.Invoice != nil {
		return problem.New(problem.Conflict, "The order %s is %s, so only the back office can correct it; call it.", o.ID, o.State)
	}
	billed, weighed := o.Bill(zone)
	changes, err := o.putRight(c, meta)
	if err != nil || len(changes) == 0 {
		return err
	}
	n := 0
	for _, s := range o.History {
		if s.Corrected != nil {
			n++
		}
	}
	if n >= maxCorrections {
		return problem.New(problem.Conflict, "The order %s was corrected %d times already; agree on what is right first.", o.ID, maxCorrections)
	}
	o.History = append(o.History, Step{
		State: o.State, At: meta.At, RecordedAt: meta.At, Corrected: &Correction{By: by.Role, UserID: by.UserID, Reason: c.Reason, Changes: changes},
	})
	if by.Role == authz.BackOffice {
		if err := o.audit(by, before, "order.correct", c.Reason, meta); err != nil {
			return err
		}
	}
	told := event.Corrected{OrderID: o.ID, UserID: o.UserID, PartnerID: o.PartnerID, By: string(by.Role), Reason: c.Reason, Container: o.Container}
	if o.SwappedBy != nil {
		told.SwappedBy = o.SwappedBy.OrderID
	}
	if bill, _ := o.Bill(zone); weighed && !reflect.DeepEqual(bill, billed) {
		told.Bill = &bill
	}
	return o.emit(meta, told)
}

// putRight changes the values and says which were wrong.
func (o *Order) putRight(c Corrections, meta event.Meta) (changes []Change, err error) {
	var fields []problem.Field
	bad := func(pointer, detail string) { fields = append(fields, problem.Field{Pointer: pointer, Detail: detail}) }
	put := func(field, was, now string) {
		if was != now {
			changes = append(changes, Change{field, was, now})
		}
	}
	o.History = slices.Clone(o.History)

	if c.Container != nil {
		now := strings.TrimSpace(*c.Container)
		if checkContainer(now) != nil {
			bad("/container", "the container's number is needed as it is painted on it, 2 to 20 characters")
		}
		put("container", o.Container, now)
		o.Container = now
	}
	earliest := o.PlacedAt
	for _, moment := range []struct {
		field string
		state State
		now   *time.Time
	}{{"on_site_at", OnSite, c.OnSiteAt}, {"collected_at", Collected, c.CollectedAt}, {"weighed_at", Weighed, c.WeighedAt}} {
		i := slices.IndexFunc(o.History, func(s Step) bool { return s.State == moment.state && s.Enters() })
		if i < 0 {
			if moment.now != nil {
				bad("/"+moment.field, "nothing is recorded of it yet")
			}
			continue
		}
		s := &o.History[i]
		if moment.now != nil {
			now := moment.now.UTC().Truncate(time.Millisecond)
			if now.After(meta.At.Add(late)) {
				bad("/"+moment.field, "is in the future")
			}
			put(moment.field, s.At.UTC().Format(time.RFC3339), now.Format(time.RFC3339))
			s.At = now
		}
		if s.At.Before(earliest) {
			bad("/"+moment.field, "must not be before the step in front of it, which was at "+earliest.UTC().Format(time.RFC3339))
		}
		earliest = s.At
	}
	if c.GrossKg != nil || c.TareKg != nil || c.Slip != nil {
		fields = append(fields, o.putWeighingRight(c, put)...)
	}
	if fields != nil {
		return nil, &problem.Error{Kind: problem.Invalid, Detail: "This cannot be right; see errors.", Fields: fields}
	}
	return changes, nil
}

func (o *Order) putWeighingRight(c Corrections, put func(field, was, now string)) []problem.Field {
	if o.Weighing == nil {
		var fields []problem.Field
		for pointer, given := range map[string]bool{"/gross_kg": c.GrossKg != nil, "/tare_kg": c.TareKg != nil, "/slip": c.Slip != nil} {
			if given {
				fields = append(fields, problem.Field{Pointer: pointer, Detail: "nothing is weighed yet"})
			}
		}
		slices.SortFunc(fields, func(a, b problem.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
		return fields
	}
	was, w := *o.Weighing, *o.Weighing
	if c.GrossKg != nil {
		w.GrossKg = *c.GrossKg
	}
	if c.TareKg != nil {
		w.TareKg = *c.TareKg
	}
	if c.Slip != nil {
		w.Slip = strings.TrimSpace(*c.Slip)
	}
	put("gross_kg", strconv.Itoa(was.GrossKg), strconv.Itoa(w.GrossKg))
	put("tare_kg", strconv.Itoa(was.TareKg), strconv.Itoa(w.TareKg))
	put("slip", was.Slip, w.Slip)
	fields := w.faults()
	if fields == nil && w.NetKg() != was.NetKg() {
		if f := o.doubt(&w, c.Confirmed); f != nil {
			fields = append(fields, *f)
		}
	}
	o.Weighing = &w
	return fields
}
