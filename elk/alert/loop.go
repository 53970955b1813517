package alert

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/elk/kpi"
)

// Back-off of deliveries and of the first restore, and the bound of one evaluation, delivery or restore.
const (
	callTimeout = 30 * time.Second
	firstRetry  = time.Second
	lastRetry   = time.Minute
)

// loop drives one rule. It is used by one goroutine; the functions are its only ways out.
type loop struct {
	rule     kpi.Rule
	machine  Machine
	interval time.Duration
	logger   zerolog.Logger

	restore    func(context.Context) (history, error)
	evaluate   func(ctx context.Context, at time.Time) (kpi.Result, error)
	transition func(at time.Time, m *Machine, values map[string]float64) Transition
	deliver    func(context.Context, *delivery) error
	report     func(Status)

	outbox  []*delivery // oldest first
	retryAt time.Time   // when the outbox is tried again; zero = at once
	backoff time.Duration
	status  Status
}

// delivery is a transition on its way, with the steps already done.
type delivery struct {
	Transition
	written, posted bool
}

// awaitRestore reads the recorded state, as often as needed. It returns false when ctx ended first.
func (l *loop) awaitRestore(ctx context.Context) bool {
	for attempt := 1; ; attempt++ {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		past, err := l.restore(call)
		cancel()
		if err == nil {
			if past.state != "" {
				l.machine.Restore(past.state, past.started)
			}
			l.outbox = past.unsent
			return true
		}
		if attempt == 1 && ctx.Err() == nil {
			l.logger.Warn().Err(err).Str("event.action", "alert.restore").Msg("waiting for the recorded alert state")
		}
		if !sleep(ctx, min(firstRetry<<min(attempt-1, 6), lastRetry)) {
			return false
		}
	}
}

// run evaluates at once and then on every interval, and delivers in between.
func (l *loop) run(ctx context.Context) {
	next := time.Now()
	for {
		if now := time.Now(); !now.Before(next) {
			l.step(ctx, now)
			next = next.Add(l.interval)
			if next.Before(now) { // the machine slept or an evaluation was slow: no catching up
				next = now.Add(l.interval)
			}
		}
		l.flush(ctx)
		l.publish()
		wake := next
		if len(l.outbox) > 0 && l.retryAt.Before(wake) {
			wake = l.retryAt
		}
		if !sleep(ctx, time.Until(wake)) {
			return
		}
	}
}

// step evaluates once and puts a transition into the outbox. Times are kept in whole milliseconds, as they are
// written, so that a restart continues with the same ones.
func (l *loop) step(ctx context.Context, at time.Time) {
	at = at.UTC().Truncate(time.Millisecond)
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	result, err := l.evaluate(call, at)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		event := l.logger.Warn()
		if l.machine.Miss() {
			event = l.logger.Error().Bool("stale", true)
		}
		event.Err(err).Str("event.action", "alert.evaluate").Str("state", string(l.machine.State())).Msg("no answer to the rule's queries")
		return
	}
	l.status.Evaluated, l.status.Values = at, result.Values
	if !l.machine.Step(at, result.Firing) {
		return
	}
	t := l.transition(at, &l.machine, result.Values)
	l.outbox = append(l.outbox, &delivery{Transition: t})
	l.retryAt, l.backoff = time.Time{}, 0
	l.logger.Warn().Str("event.action", "alert."+string(t.State)).Interface("values", result.Values).Msg(t.Text)
}

// flush delivers the outbox in order until one delivery does not get through.
func (l *loop) flush(ctx context.Context) {
	for len(l.outbox) > 0 && !time.Now().Before(l.retryAt) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		err := l.deliver(call, l.outbox[0])
		cancel()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			l.backoff = min(max(2*l.backoff, firstRetry), lastRetry)
			l.retryAt = time.Now().Add(l.backoff)
			l.logger.Warn().Err(err).Str("event.action", "alert.deliver").Dur("retry_in", l.backoff).Msg("the alert is not delivered yet")
			return
		}
		l.outbox = l.outbox[1:]
		l.backoff = 0
	}
}

func (l *loop) publish() {
	l.status.Rule, l.status.State, l.status.Started = l.rule.Name, l.machine.State(), l.machine.Started()
	l.status.Stale, l.status.Undelivered = l.machine.Stale(), len(l.outbox)
	l.report(l.status)
}

// sleep waits for d and returns false when ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
