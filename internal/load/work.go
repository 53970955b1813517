package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/internal/money"
)

// Steps of those who work on orders, as named in failures and latencies.
const (
	stepOffers  = "offers"
	stepAnswer  = "answer-offer"
	stepJobs    = "jobs"
	stepTrip    = "failed-trip"
	stepOnSite  = "on-site"
	stepCollect = "collected"
	stepWeigh   = "weighed"
	stepCancel  = "cancel"
	stepLook    = "order-state"
	stepBills   = "invoices"
	stepMoney   = "statement-line"
	stepAssign  = "assign-line"
)

// workSteps lists them in the order of an order's life.
func workSteps() []string {
	return []string{
		stepOffers, stepAnswer, stepLook, stepCancel, stepJobs, stepTrip, stepOnSite, stepCollect, stepWeigh, stepBills, stepMoney, stepAssign,
	}
}

// Stages of an order, in the words of the platform.
const (
	stagePlaced    = "placed"
	stageUnmatched = "unmatched"
	stageMatched   = "matched"
	stageOnSite    = "on_site"
	stageCollected = "collected"
	stageWeighed   = "weighed"
	stageInvoiced  = "invoiced"
	stagePaid      = "paid"
	stageCancelled = "cancelled"
)

// stages lists them in the order in which people read them.
func stages() []string {
	return []string{
		stagePlaced, stageUnmatched, stageMatched, stageOnSite, stageCollected, stageWeighed, stageInvoiced, stagePaid, stageCancelled,
	}
}

// tracked is what is known of one order. The mutex of works guards it.
type tracked struct {
	key      string
	life     life
	customer *customer // who ordered it; nil for an order of somebody else
	stage    string    // where it is
	reached  map[string]bool
	due      time.Time // of the next step of the work
	trips    int       // that were told of
	cancelAt time.Time // when its customer cancels; zero: not, or not any more
	amounts  []money.Cents
	payments int // that were told of
}

// works is the work on orders: what partners, the back office and customers do after an order was placed.
type works struct {
	*source
	backOffice *customer
	partners   map[string]*customer // partner id -> dispatcher
	zone       *time.Location
	stop       chan struct{} // closed when the work ends
	cut        func()        // ends steps under way; of start
	wg         sync.WaitGroup

	mu     sync.Mutex // guards what follows, and what it points to
	orders map[string]*tracked
}

// hire makes the accounts of the back office and of a dispatcher of each active partner.
func (s *source) hire(ctx context.Context) (*works, error) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	w := &works{source: s, partners: map[string]*customer{}, zone: berlin, stop: make(chan struct{}), orders: map[string]*tracked{}}
	r := rand.New(rand.NewPCG(s.o.Seed, streamStaff))
	if w.backOffice, err = s.hireOne(ctx, r, authz.BackOffice, ""); err != nil {
		return nil, err
	}
	list, err := w.backOffice.Partners(ctx)
	if err != nil {
		return nil, fmt.Errorf("list partners: %w", err)
	}
	for _, p := range list {
		if !p.Active {
			continue
		}
		if w.partners[p.ID], err = s.hireOne(ctx, r, authz.Dispatcher, p.ID); err != nil {
			return nil, err
		}
	}
	s.tally.add(func(t *Summary) { t.Partners = len(w.partners) })
	return w, nil
}

func (s *source) hireOne(ctx context.Context, r *rand.Rand, role authz.Role, partnerID string) (*customer, error) {
	name := firstNames()[r.IntN(len(firstNames()))] + " " + lastNames()[r.IntN(len(lastNames()))]
	c := &customer{name, s.entry.visitor(s.mix.address(r), s.mix.agents[r.IntN(len(s.mix.agents))])}
	code, err := s.o.Invite(role, partnerID)
	if err == nil {
		err = s.signUp(ctx, fmt.Sprintf("staff-%x", r.Uint32()), code, c)
	}
	if err != nil {
		return nil, fmt.Errorf("sign up %s %s: %w", role, partnerID, err)
	}
	return c, nil
}

// start begins the work. end ends it when all orders are at their end, or after o.Finish, or at once when ctx has ended.
func (w *works) start(ctx context.Context) {
	steps, cut := context.WithCancel(context.WithoutCancel(ctx)) // a step that has begun is brought to its end
	w.cut = cut
	for id, p := range w.partners {
		w.loop(func() { w.dispatch(steps, id, p) })
	}
	w.loop(func() { w.bank(steps) })
	w.loop(func() { w.customersLook(steps) })
}

// loop does something twice a pace until the work ends.
func (w *works) loop(do func()) {
	w.wg.Go(func() {
		tick := time.NewTicker(w.o.Pace / 2)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
				do()
			}
		}
	})
}

func (w *works) end(ctx context.Context) {
	if open := w.open(); open > 0 && ctx.Err() == nil {
		w.progress.note("no more visits; up to %v for the work on %d orders", w.o.Finish, open)
	}
	for until := time.Now().Add(w.o.Finish); w.open() > 0 && time.Now().Before(until); {
		if !waitUntil(ctx, time.Now().Add(w.o.Pace/4)) {
			break
		}
	}
	close(w.stop)
	late := time.AfterFunc(drainTimeout, w.cut)
	w.wg.Wait()
	late.Stop()
	w.cut()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.add(func(s *Summary) {
		s.Stages = map[string]int{}
		for _, t := range w.orders {
			for stage := range t.reached {
				if t.customer != nil {
					s.Stages[stage]++
				}
			}
			if t.customer != nil && !t.ended() {
				s.Unfinished++
			}
		}
	})
}

// open counts orders of this run with something left to do.
func (w *works) open() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.orders {
		if t.customer != nil && !t.ended() {
			n++
		}
	}
	return n
}

func (t *tracked) ended() bool {
	switch t.stage {
	case stageUnmatched, stageCancelled, stagePaid:
		return true
	case stageInvoiced:
		return t.life.pays == notAtAll
	}
	return false
}

// order finds what is known of an order, or makes it. The caller holds the mutex.
func (w *works) order(id string) *tracked {
	t := w.orders[id]
	if t == nil {
		t = &tracked{key: id, life: drawLife(w.o.Seed, id), reached: map[string]bool{}}
		w.orders[id] = t
	}
	return t
}

// placed tells of a new order of this run; nil works play customers alone.
func (w *works) placed(id string, number int, by *customer) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.order(id) // its partner may have been faster than the answer
	t.key, t.customer = visitKey(number), by
	t.life = drawLife(w.o.Seed, t.key)
	t.reached[stagePlaced] = true
	if t.stage == "" {
		t.stage, t.due = stagePlaced, w.in(3)
	}
	if t.life.cancels {
		t.cancelAt = w.in(t.life.paces[0])
	}
}

// in is so many paces from now.
func (w *works) in(paces float64) time.Time {
	return time.Now().Add(time.Duration(paces * float64(w.o.Pace)))
}

// came notes that an order came to a stage; the next step is due so many paces later. What was read before something newer changes
// nothing. The caller holds the mutex.
func (w *works) came(t *tracked, stage string, paces float64) {
	if slices.Index(stages(), stage) <= slices.Index(stages(), t.stage) {
		return
	}
	t.stage, t.due = stage, w.in(paces)
	t.reached[stage] = true
}

// do takes one step of the work, and counts what became of it. Its latency runs from the moment of sending.
func (w *works) do(ctx context.Context, name string, try func(context.Context) error) error {
	began := time.Now()
	o := retry(ctx, try)
	w.tally.worked(name, time.Since(began), o)
	switch {
	case overtaken(o.err):
		w.tally.add(func(s *Summary) { s.Overtaken++ })
	case o.err != nil:
		w.tally.fail(name, errorKind(o.err))
	}
	return o.err
}

// overtaken says that somebody was faster: the customer has cancelled, the offer has ended. That is no failure.
func overtaken(err error) bool {
	p, refused := errors.AsType[*client.Problem](err)
	return refused && !p.Foreign && (p.Status == http.StatusConflict || p.Status == http.StatusNotFound)
}

// dispatch is one look of a dispatcher at its offers and jobs.
func (w *works) dispatch(ctx context.Context, partnerID string, by *customer) {
	var offers []client.Offer
	if w.do(ctx, stepOffers, func(ctx context.Context) (err error) { offers, err = by.Offers(ctx); return err }) == nil {
		for _, o := range offers {
			w.answer(ctx, partnerID, by, o)
		}
	}
	var jobs []client.Job
	if w.do(ctx, stepJobs, func(ctx context.Context) (err error) { jobs, err = by.Jobs(ctx, "", 200); return err }) != nil {
		return
	}
	for _, j := range jobs {
		w.job(ctx, by, j)
	}
}

func (w *works) answer(ctx context.Context, partnerID string, by *customer, o client.Offer) {
	w.mu.Lock()
	key := w.order(o.OrderID).key
	w.mu.Unlock()
	if reason, yes := declines(w.o.Seed, key, partnerID); yes {
		if w.do(ctx, stepAnswer, func(ctx context.Context) error { return by.Decline(ctx, o.ID, reason) }) == nil {
			w.tally.add(func(s *Summary) { s.Declined++ })
		}
		return
	}
	if w.do(ctx, stepAnswer, func(ctx context.Context) error { _, err := by.Accept(ctx, o.ID); return err }) == nil {
		w.tally.add(func(s *Summary) { s.Accepted++ })
	}
}

// job takes the next step of a job when it is due. A step that failed is taken again at the next look; with the same content it counts once.
func (w *works) job(ctx context.Context, by *customer, j client.Job) {
	w.mu.Lock()
	t := w.order(j.OrderID)
	w.came(t, j.State, t.life.paces[1])
	l, trips, due := t.life, t.trips, !time.Now().Before(t.due)
	w.mu.Unlock()
	if !due {
		return
	}
	next := ""
	switch {
	case j.State == stageMatched && trips < l.trips:
		f := client.FailedTrip{Key: "t-" + w.run + "-" + j.OrderID + "-" + strconv.Itoa(trips), Reason: l.tripReason}
		if w.do(ctx, stepTrip, func(ctx context.Context) error { _, err := by.FailTrip(ctx, j.OrderID, f); return err }) == nil {
			w.tally.add(func(s *Summary) { s.FailedTrips++ })
			w.mu.Lock()
			t.trips++
			t.due = w.in(l.paces[1])
			w.mu.Unlock()
		}
	case j.State == stageMatched:
		p := client.Placing{Container: l.container}
		if w.do(ctx, stepOnSite, func(ctx context.Context) error { _, err := by.PutOnSite(ctx, j.OrderID, p); return err }) == nil {
			next = stageOnSite
		}
	case j.State == stageOnSite:
		if w.do(ctx, stepCollect, func(ctx context.Context) error { _, err := by.Collect(ctx, j.OrderID, time.Time{}); return err }) == nil {
			next = stageCollected
		}
	case j.State == stageCollected:
		weighing, err := l.weighing(j)
		if err != nil {
			w.tally.fail(stepWeigh, err.Error())
			return
		}
		if w.do(ctx, stepWeigh, func(ctx context.Context) error { _, err := by.Weigh(ctx, j.OrderID, weighing); return err }) == nil {
			next = stageWeighed
		}
	}
	if next != "" {
		w.mu.Lock()
		w.came(t, next, l.paces[2])
		w.mu.Unlock()
	}
}

// bank is one look of the back office at the invoices that are open: what customers pay comes in.
func (w *works) bank(ctx context.Context) {
	var list []client.Invoice
	if w.do(ctx, stepBills, func(ctx context.Context) (err error) { list, err = w.backOffice.Invoices(ctx, "issued"); return err }) != nil {
		return
	}
	for _, i := range list {
		w.mu.Lock()
		t := w.order(i.OrderID)
		w.came(t, stageInvoiced, t.life.paces[3])
		if t.amounts == nil {
			t.amounts = t.life.amounts(i.Open)
		}
		due := !time.Now().Before(t.due) && t.payments < len(t.amounts)
		w.mu.Unlock()
		if due {
			w.pay(ctx, t, i)
		}
	}
}

// pay tells of the next payment of an invoice. The line's id makes a repetition harmless.
func (w *works) pay(ctx context.Context, t *tracked, i client.Invoice) {
	w.mu.Lock()
	l, n, name := t.life, t.payments, "Konto Privat"
	if t.customer != nil {
		name = t.customer.name
	}
	r := client.Receipt{
		ID: "load-" + w.run + "-" + i.Number + "-" + strconv.Itoa(n), BookedOn: time.Now().In(w.zone).Format(time.DateOnly), Cents: t.amounts[n],
		Remitter: name, Reference: l.referenceTo(i.Number),
	}
	w.mu.Unlock()
	pays := ""
	if w.do(ctx, stepMoney, func(ctx context.Context) (err error) { pays, err = w.backOffice.Receive(ctx, r); return err }) != nil {
		return
	}
	if pays != i.Number && (pays != "" || l.pays != withoutNumber) {
		w.tally.fail(stepMoney, "not taken for what its reference names")
	}
	if pays == "" && w.do(ctx, stepAssign, func(ctx context.Context) error { return w.backOffice.AssignReceipt(ctx, r.ID, i.Number) }) != nil {
		return
	}
	w.tally.add(func(s *Summary) { s.Receipts++ })
	var now client.Invoice
	err := w.do(ctx, stepBills, func(ctx context.Context) (err error) { now, err = w.backOffice.Invoice(ctx, i.Number); return err })
	w.mu.Lock()
	defer w.mu.Unlock()
	t.payments++
	t.due = w.in(l.paces[3])
	switch whole := t.payments == len(t.amounts); {
	case err == nil && now.State == stagePaid:
		w.came(t, stagePaid, 0)
	case err == nil && whole:
		w.tally.fail(stepMoney, "paid whole and the invoice is "+now.State)
	}
}

// customersLook is one look of the customers: who wants to cancels, and who has no partner yet reads whether one will come.
func (w *works) customersLook(ctx context.Context) {
	type wish struct {
		id      string
		t       *tracked
		by      *customer
		cancels bool
	}
	var wishes []wish
	w.mu.Lock()
	for id, t := range w.orders {
		if t.customer == nil {
			continue
		}
		cancels := !t.cancelAt.IsZero() && !time.Now().Before(t.cancelAt)
		if cancels || t.stage == stagePlaced && time.Now().After(t.due) {
			wishes = append(wishes, wish{id, t, t.customer, cancels})
			t.due = w.in(2)
		}
	}
	w.mu.Unlock()
	for _, x := range wishes {
		var o client.Order
		var err error
		if x.cancels {
			err = w.do(ctx, stepCancel, func(ctx context.Context) (err error) {
				o, err = x.by.Cancel(ctx, x.id, "wird nicht mehr gebraucht")
				return err
			})
		} else {
			err = w.do(ctx, stepLook, func(ctx context.Context) (err error) { o, err = x.by.Order(ctx, x.id); return err })
		}
		w.mu.Lock()
		if x.cancels && (err == nil || overtaken(err)) { // else it is tried again: it may be cancelled already
			x.t.cancelAt = time.Time{}
		}
		if o.State == stageUnmatched || o.State == stageCancelled {
			w.came(x.t, o.State, 0)
		}
		w.mu.Unlock()
	}
}
