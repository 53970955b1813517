package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"kreislauf/internal/authz"
)

// Random streams of a seed: what one of them draws does not move the others.
const (
	streamArrivals = iota + 1
	streamVisits
	streamSignUps
	streamStaff
)

// ErrOrdersFailed says that at least one customer wanted to order and got no confirmation.
var ErrOrdersFailed = errors.New("orders failed")

// Options of Run. A zero value stands for the default.
type Options struct {
	Entry       string        // http://host:port of nginx
	Rate        float64       // visits per second, default 2
	Duration    time.Duration // of arrivals; 0 = until ctx ends
	Customers   int           // accounts signed up before the first visit, default 20
	Seed        uint64        // the same seed gives the same visits; 0 is a seed like any other
	MaxInFlight int           // visits under way at once, default 256
	// Invite makes an invitation code for a dispatcher of a partner, or for the back office (partnerID is empty). nil: customers alone are
	// played, and nobody works on what they order.
	Invite func(role authz.Role, partnerID string) (code string, err error)
	Pace   time.Duration // usual time between two steps of the work on an order, default 2 s
	Finish time.Duration // how long the work goes on after the last visit at most, default 45 s

	Out      io.Writer     // progress; nil = nowhere
	Progress time.Duration // between progress lines on a terminal, default 1 s; elsewhere ten times as long

	dial dialer // nil = TCP; tests connect through memory
}

func (o Options) withDefaults() (Options, error) {
	o.Rate, o.Customers = cmp.Or(o.Rate, 2), cmp.Or(o.Customers, 20)
	o.MaxInFlight, o.Progress, o.Out = cmp.Or(o.MaxInFlight, 256), cmp.Or(o.Progress, time.Second), cmp.Or(o.Out, io.Discard)
	o.Pace, o.Finish = cmp.Or(o.Pace, 2*time.Second), cmp.Or(o.Finish, 45*time.Second)
	switch {
	case !(o.Rate > 0) || math.IsInf(o.Rate, 0):
		return o, fmt.Errorf("rate %v: a number of visits per second above 0 is needed", o.Rate)
	case o.Duration < 0:
		return o, fmt.Errorf("duration %v: 0 or more is needed", o.Duration)
	case o.Customers < 0, o.MaxInFlight < 0, o.Progress < 0:
		return o, fmt.Errorf("customers %d, in flight %d, progress %v: none may be negative", o.Customers, o.MaxInFlight, o.Progress)
	case o.Pace < 100*time.Millisecond, o.Finish < 0:
		return o, fmt.Errorf("pace %v, finish %v: the pace must be 100ms or more, and none may be negative", o.Pace, o.Finish)
	}
	return o, nil
}

// source is one run.
type source struct {
	o         Options
	run       string // part of every id, distinct for each run
	mix       *mix
	entry     *entry
	tally     *tally
	flights   *flights
	progress  *progress
	catalog   catalogCache
	customers []*customer
	works     *works // nil: customers alone
}

// Run makes visits until o.Duration or ctx ends, waits for those under way, and counts. It writes progress to o.Out, not the summary.
//
// The summary is valid with an error too. The error is ErrUnreachable when nothing listens at the entry, ErrOrdersFailed when an
// intended order got no id, or the reason why no customers could be signed up; the end of ctx is not an error.
func Run(ctx context.Context, o Options) (Summary, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Summary{}, err
	}
	s := &source{
		o: o, run: strconv.FormatInt(time.Now().UnixMilli(), 36) + "-" + strconv.FormatUint(o.Seed, 36),
		mix: newMix(), progress: newProgress(o.Out, o.Progress),
	}
	s.flights = &flights{limit: o.MaxInFlight, progress: s.progress}
	s.tally = newTally(o.Rate, s.flights)
	if s.entry, err = newEntry(ctx, o.Entry, o.MaxInFlight, o.dial); err != nil {
		return s.tally.summary(), err
	}
	defer s.entry.http.CloseIdleConnections()
	if err := s.open(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return s.tally.summary(), err
	}
	began := time.Now()
	stop := s.progress.watch(func() string { return s.tally.line(time.Since(began)) })
	if s.works != nil {
		s.works.start(ctx)
	}
	s.arrivals(ctx, began)
	s.tally.add(func(t *Summary) { t.Elapsed = time.Since(began) })
	if s.works != nil {
		s.works.end(ctx)
	}
	stop()
	sum := s.tally.summary()
	if sum.OrdersFailed > 0 {
		return sum, fmt.Errorf("%w: %d of %d", ErrOrdersFailed, sum.OrdersFailed, sum.OrdersFailed+len(sum.OrderIDs))
	}
	return sum, nil
}

// open reads the catalogue and signs the customers up.
func (s *source) open(ctx context.Context) error {
	if err := s.firstCatalog(ctx); err != nil {
		return err
	}
	s.progress.note("signing up %d customers at %s", s.o.Customers, s.o.Entry)
	var err error
	if s.customers, err = s.signUpAll(ctx, s.o.Customers); err != nil {
		return err
	}
	s.tally.add(func(t *Summary) { t.Customers = len(s.customers) })
	if s.o.Invite != nil {
		s.works, err = s.hire(ctx)
	}
	return err
}

// arrivals starts visits at the moments of a Poisson process that begins at began, then waits for the last of them.
func (s *source) arrivals(ctx context.Context, began time.Time) {
	times := rand.New(rand.NewPCG(s.o.Seed, streamArrivals))
	plans := rand.New(rand.NewPCG(s.o.Seed, streamVisits))
	// A visit that has begun is brought to its end: cutting an order off would leave it in doubt.
	visits, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	end := began.Add(s.o.Duration)
	due := began
	for number := 0; ; number++ {
		due = due.Add(time.Duration(times.ExpFloat64() / s.o.Rate * float64(time.Second)))
		if s.o.Duration > 0 && due.After(end) {
			waitUntil(ctx, end)
			break
		}
		p := s.mix.visit(plans, number, len(s.customers))
		if !waitUntil(ctx, due) {
			break
		}
		s.flights.start(due, func(due time.Time) { s.visit(visits, p, due) })
	}
	s.flights.drain(ctx, cut)
}

// id makes an id or key that no other run uses.
func (s *source) id(prefix string, number int) string {
	return prefix + "-" + s.run + "-" + strconv.Itoa(number)
}
