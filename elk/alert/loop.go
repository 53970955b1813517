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

const (
	lookAgain = time.Second    // how long a due window waits between two looks whether its lines have arrived
	maxLate   = 24 * time.Hour // a window older than this is not evaluated any more
)

// loop drives one rule. It is used by one goroutine; the functions are its only ways out.
type loop struct {
	rule     kpi.Rule
	machine  Machine
	interval time.Duration
	behind   time.Duration // a window that waits longer than this is worth a word
	logger   zerolog.Logger

	restore    func(context.Context) (history, error)
	evaluate   func(ctx context.Context, at time.Time) (kpi.Result, error)
	delivered  func() time.Time // up to which @timestamp lines have arrived, zero when not known; nil: the loop waits for none
	transition func(at time.Time, m *Machine, values map[string]float64) Transition
	deliver    func(context.Context, *delivery) error
	report     func(Status)

	begun    time.Time
	next     time.Time // the planned time of the next evaluation, which is the end of its window
	anchored bool      // next was chosen by what has arrived
	last     time.Time // of the newest recorded transition

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
			l.outbox, l.last = past.unsent, past.at
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

// run evaluates at the planned times, which are multiples of the interval, and delivers in between.
func (l *loop) run(ctx context.Context) {
	l.begun = time.Now()
	l.next = l.begun.Truncate(l.interval)
	for {
		due := l.plan(time.Now())
		if due {
			l.step(ctx, l.next)
			l.next = l.next.Add(l.interval)
		}
		l.noteHeld(time.Now())
		l.flush(ctx)
		l.publish()
		wake := l.next
		if now := time.Now(); !due && !now.Before(wake) { // its lines have not arrived
			wake = now.Add(min(l.interval, lookAgain))
		}
		if len(l.outbox) > 0 && l.retryAt.Before(wake) {
			wake = l.retryAt
		}
		if !sleep(ctx, time.Until(wake)) {
			return
		}
	}
}

// plan chooses the next planned time and reports whether it has come. A rule's window is evaluated when its lines have arrived, each
// one once, in order. What waits for no lines has nothing to make up for: what it missed is left out.
func (l *loop) plan(now time.Time) (due bool) {
	if l.next.Sub(now) > l.interval { // the clock was set back
		l.next = now.Truncate(l.interval)
	}
	if l.delivered == nil {
		if now.Sub(l.next) >= l.interval {
			l.next = now.Truncate(l.interval)
		}
		return !now.Before(l.next)
	}
	until := l.delivered()
	if until.IsZero() {
		return false
	}
	if !l.anchored { // go on where an alerter before this one must have waited
		l.anchored = true
		if until.Before(l.next) {
			l.next = until.Truncate(l.interval)
		}
		if !l.last.Before(l.next) {
			l.next = l.last.Truncate(l.interval).Add(l.interval)
		}
	}
	if oldest := now.Add(-maxLate); l.next.Before(oldest) {
		l.logger.Warn().Str("event.action", "alert.left-out").Time("from", l.next).Time("to", oldest).Msg("windows that are too old are not evaluated")
		l.next = oldest.Truncate(l.interval).Add(l.interval)
	}
	return !now.Before(l.next) && !until.Before(l.next)
}

// noteHeld says once that the rule waits for its lines, and once that it goes on.
func (l *loop) noteHeld(now time.Time) {
	held := l.delivered != nil && now.Sub(l.next) > l.behind
	if held == l.status.Held {
		return
	}
	l.status.Held = held
	if held {
		l.logger.Warn().Str("event.action", "alert.held").Str("state", string(l.machine.State())).Time("window_end", l.next).
			Msg("the pipeline is behind: the rule keeps its state until its lines have arrived")
		return
	}
	l.logger.Info().Str("event.action", "alert.continued").Str("state", string(l.machine.State())).Msg("the rule is evaluated in time again")
}

// step evaluates the window that ends at the planned time at, and puts a transition into the outbox. Planned times are kept in whole
// milliseconds, as they are written, so that a restart continues with the same ones.
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
