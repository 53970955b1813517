package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"kreislauf/internal/catalog/postcodes"
	"kreislauf/internal/client"
	"kreislauf/internal/local"
	"kreislauf/test/platform"
)

const (
	upLimit     = 3 * time.Minute
	settleLimit = 5 * time.Minute
	settleEvery = 250 * time.Millisecond
	warmUp      = 200 // orders before the first measurement

	ordersEach = 100 // of a customer, because that many are in one list
	signUps    = 4   // at once: a password hash is made to be slow
)

// measure is one figure of one round.
type measure struct {
	Scenario string  `json:"scenario"`
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Value    float64 `json:"value"`
}

// session is one round: a fresh platform of one build, and what was measured on it.
type session struct {
	o         options
	p         *platform.Platform
	info      local.Running
	probe     *probe
	transport *http.Transport
	day       string // that orders are for
	people    atomic.Uint32
	orders    int // placed so far
	list      []measure
}

// measureBuild starts the platform, runs the scenarios and stops it. What was measured before an error is given too.
func measureBuild(ctx context.Context, o options, bin string) (list []measure, err error) {
	dir, err := os.MkdirTemp(o.dir, "kreislauf-bench-")
	if err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	output, err := os.Create(filepath.Join(dir, "output.txt"))
	if err != nil {
		return nil, fmt.Errorf("make output file: %w", err)
	}
	defer output.Close()
	s := &session{o: o, transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 30 * time.Second}}
	defer s.transport.CloseIdleConnections()
	data := filepath.Join(dir, "data")
	s.p, err = platform.Start(context.WithoutCancel(ctx), platform.Options{
		Bin: bin, Web: o.web, Dir: data, Compact: o.compact, Real: o.real, Out: output,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, s.p.Stop()); err != nil {
			err = fmt.Errorf("%w (data and output are kept in %s)", err, dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	if s.probe, err = startProbe(dir, o.stall); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.probe.stop()) }()
	return s.run(ctx)
}

func (s *session) run(ctx context.Context) ([]measure, error) {
	up, cancel := context.WithTimeout(ctx, upLimit)
	defer cancel()
	var err error
	if s.info, err = s.p.AwaitUp(up); err != nil {
		return nil, err
	}
	s.add("start", "up after", "s", time.Since(s.p.Began).Seconds())
	catalog, err := s.person().Catalog(ctx, "")
	if err != nil {
		return s.list, err
	}
	s.day = catalog.EarliestDate
	if err := s.warm(ctx); err != nil {
		return s.list, fmt.Errorf("warm up: %w", err)
	}
	for _, name := range s.o.only {
		began := time.Now()
		if err := scenarios()[name](s, ctx); err != nil {
			return s.list, fmt.Errorf("scenario %s: %w", name, err)
		}
		fmt.Fprintf(os.Stderr, "  %s: %.0f s\n", name, time.Since(began).Seconds())
	}
	return s.list, s.memoryByRole()
}

// add notes a figure. A ratio of nothing, which is no number, is left out.
func (s *session) add(scenario, name, unit string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	s.list = append(s.list, measure{scenario, name, unit, value})
}

// person is a visitor with an address of her own, because the entry limits each address.
func (s *session) person() *client.Client {
	return client.New(client.Entry(s.info.Entry), s.transport).With("X-Forwarded-For", s.address())
}

// address is a public address that no other visitor of the session has.
func (s *session) address() string {
	n := s.people.Add(1)
	return fmt.Sprintf("91.%d.%d.%d", n>>16&0xff, n>>8&0xff, n&0xff)
}

// customers signs people up.
func (s *session) customers(ctx context.Context, n int) ([]*client.Client, error) {
	list := make([]*client.Client, n)
	errs := make([]error, n)
	err := closed(ctx, n, signUps, func(i int, _ time.Time) {
		list[i] = s.person()
		_, errs[i] = list[i].SignUp(ctx, client.Account{
			Email: "bench-" + client.NewKey() + "@example.org", Password: "correct horse battery", Name: "Bench Mark",
		})
	})
	return list, errors.Join(err, errors.Join(errs...))
}

func (s *session) warm(ctx context.Context) error {
	t, err := s.trial(ctx, warmUp)
	if err != nil {
		return err
	}
	if err := closed(ctx, warmUp, 2, t.visit); err != nil {
		return err
	}
	_, err = t.settle(ctx)
	return errors.Join(err, t.firstFailure)
}

// shipping is the part of logship's status that is used here.
type shipping struct {
	Targets []struct {
		Behind    int64 `json:"behind_bytes"`
		Delivered int64 `json:"delivered"` // documents since it began
	} `json:"targets"`
}

// shipped asks logship how many bytes of log lines are not stored yet, and how many documents are.
func (s *session) shipped(ctx context.Context) (behind, documents int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.info.Logship+"/status", nil)
	if err != nil {
		return 0, 0, fmt.Errorf("ask logship: %w", err)
	}
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return 0, 0, fmt.Errorf("ask logship: %w", err)
	}
	defer res.Body.Close()
	var v shipping
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil || res.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("ask logship: %s: %w", res.Status, errors.Join(err, errors.New("it gives no status")))
	}
	for _, t := range v.Targets {
		behind += t.Behind
		documents += t.Delivered
	}
	return behind, documents, nil
}

// moment is what had been used at a time.
type moment struct {
	at      time.Time
	usage   platform.Usage
	own     time.Duration // CPU of this client
	machine time.Duration // CPU of everything on the machine
}

func (s *session) now() (moment, error) {
	m := moment{at: time.Now()}
	var err error
	if m.usage, err = s.p.Usage(); err != nil {
		return m, err
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return m, fmt.Errorf("measure this process: %w", err)
	}
	m.own = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return m, fmt.Errorf("open /proc: %w", err)
	}
	stat, err := proc.Stat()
	if err != nil {
		return m, fmt.Errorf("measure the machine: %w", err)
	}
	c := stat.CPUTotal
	m.machine = time.Duration((c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ + c.Steal) * float64(time.Second))
	return m, nil
}

// trial is the visits of one measurement and what became of them.
type trial struct {
	s         *session
	customers []*client.Client
	token     string // of a quote that all orders share; empty: each asks for its own

	mu           sync.Mutex // guards what follows
	samples      []sample
	placed       map[string]bool // ids of orders; true when it is settled
	lags         []time.Duration // from placed to matched
	firstPlaced  time.Time
	lastMatched  time.Time
	failed       int
	firstFailure error
}

// trial signs up customers for n orders.
func (s *session) trial(ctx context.Context, n int) (*trial, error) {
	customers, err := s.customers(ctx, max(4, (n+ordersEach-1)/ordersEach))
	if err != nil {
		return nil, err
	}
	return &trial{s: s, customers: customers, placed: map[string]bool{}}, nil
}

func (t *trial) wish(i int) client.QuoteRequest {
	return client.QuoteRequest{Postcode: places()[i%len(places())], Waste: "170904", SizeM3: 7, Date: t.s.day}
}

// places are postcodes whose partners accept at once.
func places() []string {
	return []string{"50667", "20095", "60311", "70173", "80331", "04109", "30159", "90402"}
}

// visit is the i-th: quote, order, read.
func (t *trial) visit(i int, due time.Time) {
	ctx := context.Background() // a visit that began is brought to its end
	c := t.customers[i%len(t.customers)].With("X-Forwarded-For", t.s.address())
	token, city := t.token, postcodes.Towns(t.wish(0).Postcode)[0]
	if token == "" {
		city = postcodes.Towns(t.wish(i).Postcode)[0]
		var q client.Quote
		var err error
		if due, err = t.step(stepQuote, due, func() error { q, err = c.Quote(ctx, t.wish(i)); return err }); err != nil {
			return
		}
		token = q.Token
	}
	var o client.Order
	due, err := t.step(stepOrder, due, func() (err error) {
		o, err = c.Place(ctx, client.NewOrder{Quote: token, Address: client.Address{Name: "Bench Mark", Street: "Hauptstraße 1", City: city}})
		return err
	})
	if err != nil {
		return
	}
	t.mu.Lock()
	t.placed[o.ID] = false
	t.mu.Unlock()
	if t.token == "" {
		_, _ = t.step(stepRead, due, func() error { _, err := c.Order(ctx, o.ID); return err }) // noted by step
	}
}

// step does one request and notes it. It gives when the next one is due: at once.
func (t *trial) step(name string, due time.Time, request func() error) (time.Time, error) {
	s := sample{step: name, due: due, began: time.Now()}
	s.err = request()
	s.ended = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.samples = append(t.samples, s)
	if s.err != nil {
		t.failed++
		if t.firstFailure == nil {
			t.firstFailure = s.err
		}
	}
	return s.ended, s.err
}

// settle waits until every order is matched and every line of it stored. It gives the moment when that was found, before the orders
// were read to find it.
func (t *trial) settle(ctx context.Context) (moment, error) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	pending, calm := t.customers, 0
	for {
		m, err := t.s.now()
		if err != nil {
			return m, err
		}
		behind, _, err := t.s.shipped(ctx)
		if err != nil {
			return m, err
		}
		if calm++; behind > 0 {
			calm = 0
		}
		if calm >= 2 { // the customers share the orders evenly: while the first one has an open order, the others need not be asked
			for len(pending) > 0 {
				done, err := t.settled(ctx, pending[0])
				if err != nil {
					return m, err
				}
				if !done {
					calm = 0
					break
				}
				pending = pending[1:]
			}
			if len(pending) == 0 {
				t.s.orders += len(t.placed)
				return m, nil
			}
		}
		select {
		case <-time.After(settleEvery):
		case <-ctx.Done():
			return m, fmt.Errorf("orders were not all matched and indexed: %w", ctx.Err())
		}
	}
}

// settled reads a customer's orders and notes those that are matched now. It says whether all are.
func (t *trial) settled(ctx context.Context, c *client.Client) (bool, error) {
	orders, err := c.With("X-Forwarded-For", t.s.address()).Orders(ctx)
	if err != nil {
		return false, err
	}
	all := true
	for _, o := range orders {
		settled, ours := t.placed[o.ID]
		if !ours || settled {
			continue
		}
		if len(o.History) < 2 {
			all = false
			continue
		}
		placed, matched := o.History[0].At, o.History[len(o.History)-1].At
		t.placed[o.ID] = true
		t.lags = append(t.lags, matched.Sub(placed))
		if t.firstPlaced.IsZero() || placed.Before(t.firstPlaced) {
			t.firstPlaced = placed
		}
		if matched.After(t.lastMatched) {
			t.lastMatched = matched
		}
	}
	return all, nil
}
