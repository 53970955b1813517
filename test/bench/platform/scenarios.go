package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"kreislauf/test/platform"
)

// scenarios by the name of flag -only.
func scenarios() map[string]func(*session, context.Context) error {
	return map[string]func(*session, context.Context) error{
		"idle": (*session).idle, "open": (*session).open, "closed": (*session).closed, "burst": (*session).burst, "grow": (*session).grow,
	}
}

func (s *session) idle(ctx context.Context) error {
	before, err := s.now()
	if err != nil {
		return err
	}
	select {
	case <-time.After(s.o.idle):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	after, err := s.now()
	if err != nil {
		return err
	}
	used, err := after.usage.Since(before.usage)
	if err != nil {
		return err
	}
	s.add("idle", "CPU", "ms/s", milli(used.Sum().CPU)/after.at.Sub(before.at).Seconds())
	s.memory("idle", after.usage)
	return nil
}

// outcome is a trial that was carried out and has settled.
type outcome struct {
	*trial
	before, answered, settled moment
	documents                 int64
}

// carryOut drives a trial and waits until it has settled.
func (t *trial) carryOut(ctx context.Context, drive func(visit func(i int, due time.Time)) error) (o outcome, err error) {
	o.trial = t
	_, documents, err := t.s.shipped(ctx)
	if err != nil {
		return o, err
	}
	if o.before, err = t.s.now(); err != nil {
		return o, err
	}
	if err := drive(t.visit); err != nil {
		return o, err
	}
	if o.answered, err = t.s.now(); err != nil {
		return o, err
	}
	if o.settled, err = t.settle(ctx); err != nil {
		return o, errors.Join(err, t.firstFailure)
	}
	if _, o.documents, err = t.s.shipped(ctx); err != nil {
		return o, err
	}
	o.documents -= documents
	if len(t.placed) == 0 {
		return o, fmt.Errorf("no order was placed: %w", t.firstFailure)
	}
	return o, nil
}

func (s *session) open(ctx context.Context) error {
	for _, rate := range s.o.rates {
		at := arrivals(rate, s.o.duration, s.o.poisson, s.o.seed)
		t, err := s.trial(ctx, len(at))
		if err != nil {
			return err
		}
		o, err := t.carryOut(ctx, func(visit func(int, time.Time)) error { return open(ctx, at, visit) })
		if err != nil {
			return err
		}
		name := fmt.Sprintf("open, %g/s for %s", rate, s.o.duration)
		o.latencies(name)
		o.tail(name)
		if err := o.costs(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) closed(ctx context.Context) error {
	for _, customers := range s.o.concurrency {
		t, err := s.trial(ctx, s.o.closed)
		if err != nil {
			return err
		}
		o, err := t.carryOut(ctx, func(visit func(int, time.Time)) error { return closed(ctx, s.o.closed, customers, visit) })
		if err != nil {
			return err
		}
		name := fmt.Sprintf("closed, %d orders by %d customers", s.o.closed, customers)
		o.latencies(name)
		o.throughput(name)
		if err := o.costs(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) burst(ctx context.Context) error {
	t, err := s.trial(ctx, s.o.burst)
	if err != nil {
		return err
	}
	q, err := s.person().Quote(ctx, t.wish(0))
	if err != nil {
		return err
	}
	t.token = q.Token
	o, err := t.carryOut(ctx, func(visit func(int, time.Time)) error { return closed(ctx, s.o.burst, s.o.burstConcurrency, visit) })
	if err != nil {
		return err
	}
	name := fmt.Sprintf("burst, %d orders by %d customers", s.o.burst, s.o.burstConcurrency)
	o.latencies(name)
	o.throughput(name)
	return o.costs(name)
}

// checkpoints are 1, 2 and 5 times the powers of ten from 1000 on, and the end.
func checkpoints(end int) []int {
	var list []int
	for power := 1000; power < end; power *= 10 {
		for _, f := range []int{1, 2, 5} {
			if n := f * power; n < end {
				list = append(list, n)
			}
		}
	}
	return append(list, end)
}

// grow places orders from one checkpoint to the next. Costs are those of the orders in between.
func (s *session) grow(ctx context.Context) error {
	var sizes, perOrder, engine []float64
	done := 0
	for _, n := range checkpoints(s.o.grow) {
		t, err := s.trial(ctx, n-done)
		if err != nil {
			return err
		}
		o, err := t.carryOut(ctx, func(visit func(int, time.Time)) error { return closed(ctx, n-done, s.o.concurrency[0], visit) })
		if err != nil {
			return err
		}
		used, err := o.settled.usage.Since(o.before.usage)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("grow to %d orders", n)
		cpu := milli(used.Sum().CPU) / float64(len(o.placed))
		s.add(name, "CPU per order, whole", "ms", cpu)
		document := micro(used.ByRole()["elasticsearch"].CPU) / float64(o.documents)
		s.add(name, "CPU of elasticsearch per document", "µs", document)
		s.add(name, "written to disk per order", "kB", kilo(used.Sum().Written)/float64(len(o.placed)))
		s.memory(name, o.settled.usage)
		s.surroundings(name, o.before, o.settled)
		sizes, perOrder, engine = append(sizes, float64(n)), append(perOrder, cpu), append(engine, document)
		done = n
	}
	if len(sizes) > 1 {
		name := fmt.Sprintf("grow from %.0f to %.0f orders", sizes[0], sizes[len(sizes)-1])
		s.add(name, "exponent of CPU per order", "", exponent(sizes, perOrder))
		s.add(name, "exponent of elasticsearch per document", "", exponent(sizes, engine))
		s.add(name, "elasticsearch per document, last/first", "", engine[len(engine)-1]/engine[0])
	}
	return nil
}

// latencies adds the percentiles of each step, and of matching, which nobody waits for.
func (o outcome) latencies(name string) {
	for _, step := range []string{stepQuote, stepOrder, stepRead} {
		took := tookOf(o.samples, step)
		if len(took) == 0 {
			continue
		}
		for _, q := range []float64{0.50, 0.95, 0.99} {
			o.s.add(name, fmt.Sprintf("%s p%.0f", step, q*100), "ms", milli(quantile(took, q)))
		}
	}
	o.s.add(name, "matched after p50", "ms", milli(quantile(o.lags, 0.5)))
	o.s.add(name, "matched after p99", "ms", milli(quantile(o.lags, 0.99)))
	o.s.add(name, "matched after, longest", "ms", milli(quantile(o.lags, 1)))
}

func tookOf(samples []sample, step string) []time.Duration {
	var took []time.Duration
	for _, s := range samples {
		if s.step == step && s.err == nil {
			took = append(took, s.took())
		}
	}
	return took
}

// tail adds how much longer the slow orders take than the usual ones, with and without the seconds in which the disk stalled.
func (o outcome) tail(name string) {
	ratio := func(samples []sample) float64 {
		took := tookOf(samples, stepOrder)
		return float64(quantile(took, 0.99)) / float64(quantile(took, 0.5))
	}
	o.s.add(name, "order p99/p50", "", ratio(o.samples))
	o.s.add(name, "order p99/p50, disk well", "", ratio(o.s.probe.between(o.before.at, o.settled.at).well(o.samples)))
	var late []time.Duration
	for _, s := range o.samples {
		if s.step == stepQuote {
			late = append(late, s.began.Sub(s.due))
		}
	}
	o.s.add(name, "this client late, p99", "ms", milli(quantile(late, 0.99)))
}

// throughput adds how many orders a second were accepted and matched.
func (o outcome) throughput(name string) {
	accepted := float64(len(o.placed)) / o.answered.at.Sub(o.before.at).Seconds()
	matched := float64(len(o.placed)) / o.lastMatched.Sub(o.firstPlaced).Seconds()
	o.s.add(name, "accepted a second", "1/s", accepted)
	o.s.add(name, "matched a second", "1/s", matched)
	o.s.add(name, "matched/accepted", "", matched/accepted)
}

// costs adds what the orders used up.
func (o outcome) costs(name string) error {
	n := float64(len(o.placed))
	accepting, err := o.answered.usage.Since(o.before.usage)
	if err != nil {
		return err
	}
	used, err := o.settled.usage.Since(o.before.usage)
	if err != nil {
		return err
	}
	sum := used.Sum()
	o.s.add(name, "CPU per order, accepting", "ms", milli(accepting.Sum().CPU)/n)
	o.s.add(name, "CPU per order, whole", "ms", milli(sum.CPU)/n)
	for _, p := range bySize(used, func(p platform.Process) float64 { return float64(p.CPU) }) {
		o.s.add(name, "  "+p.Role, "ms", milli(p.CPU)/n)
	}
	o.s.add(name, "settled after", "s", o.settled.at.Sub(o.answered.at).Seconds())
	o.s.add(name, "written to disk per order", "kB", kilo(sum.Written)/n)
	o.s.add(name, "write calls per order", "", float64(sum.Writes)/n)
	o.s.add(name, "documents per order", "", float64(o.documents)/n)
	o.s.add(name, "failed requests", "", float64(o.failed))
	o.s.memory(name, o.settled.usage)
	o.s.surroundings(name, o.before, o.settled)
	return nil
}

// otherCPU is what the rest of the machine did.
const otherCPU = "other CPU"

// surroundings adds what else happened on the machine.
func (s *session) surroundings(name string, before, after moment) {
	used, _ := after.usage.Since(before.usage) // an ended process was reported where it matters
	took := after.at.Sub(before.at)
	other := after.machine - before.machine - (after.own - before.own) - used.Sum().CPU
	s.add(name, otherCPU, "cores", max(0, other.Seconds()/took.Seconds()))
	syncs := s.probe.between(before.at, after.at)
	s.add(name, "sync of 4 KiB p50", "ms", milli(quantile(syncs.durations(), 0.5)))
	s.add(name, "sync of 4 KiB p99", "ms", milli(quantile(syncs.durations(), 0.99)))
	s.add(name, "seconds in which the disk stalled", "%", 100*float64(len(syncs.stalled()))/math.Ceil(took.Seconds()))
}

func (s *session) memory(name string, u platform.Usage) {
	s.add(name, "resident", "MB", mega(u.Sum().Resident))
	s.add(name, "resident, shared once (PSS)", "MB", mega(u.Sum().Share))
}

// memoryByRole adds who has the memory at the end.
func (s *session) memoryByRole() error {
	u, err := s.p.Usage()
	if err != nil {
		return err
	}
	name := "memory at the end"
	s.add(name, "orders so far", "", float64(s.orders))
	s.memory(name, u)
	for _, p := range bySize(u, func(p platform.Process) float64 { return float64(p.Resident) }) {
		s.add(name, "  "+p.Role, "MB", mega(p.Resident))
	}
	return nil
}

// bySize gives the roles, the largest first.
func bySize(u platform.Usage, size func(platform.Process) float64) []platform.Process {
	return slices.SortedFunc(maps.Values(u.ByRole()), func(a, b platform.Process) int {
		if d := size(b) - size(a); d != 0 {
			return int(math.Copysign(1, d))
		}
		return strings.Compare(a.Role, b.Role)
	})
}

func milli(d time.Duration) float64 { return float64(d) / 1e6 }
func micro(d time.Duration) float64 { return float64(d) / 1e3 }
func kilo(bytes int64) float64      { return float64(bytes) / 1e3 }
func mega(bytes int64) float64      { return float64(bytes) / 1e6 }
