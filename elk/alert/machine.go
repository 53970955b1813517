package alert

import "time"

// State of one rule.
type State string

// The states. Resolved lasts until the next step: it behaves as inactive and marks how the last episode ended.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

// The states under which people are told that the pipeline fires: nothing comes any more, or it comes late.
const (
	NoData State = "no_data"
	Behind State = "behind"
)

// staleAfter is the number of missed evaluations in a row after which a state is no longer to be trusted.
const staleAfter = 3

// Machine is the state of one rule. It knows no clock and no server: each evaluation is one Step.
// The zero Machine is inactive and fires and resolves at once.
//
//	inactive --holds--> pending --holds for For--> firing --does not hold for ResolveAfter--> resolved
//	   ^                   |                          ^                  |
//	   +--does not hold----+                          +--holds again-----+ (stays firing, no transition)
type Machine struct {
	For          time.Duration // how long the condition must hold
	ResolveAfter time.Duration // how long it must not hold

	state   State
	started time.Time // when the condition of this episode first held
	quiet   time.Time // when it stopped to hold, zero while it holds
	misses  int
}

// Restore puts a machine back to a recorded transition: Firing (of the pipeline NoData or Behind) with the start of its episode, or
// Resolved.
func (m *Machine) Restore(state State, started time.Time) {
	if state == NoData || state == Behind {
		state = Firing
	}
	m.state, m.started, m.quiet, m.misses = state, started, time.Time{}, 0
}

// Step takes one evaluation and reports whether it made the rule fire or resolve.
func (m *Machine) Step(at time.Time, holds bool) (changed bool) {
	m.misses = 0
	switch m.State() {
	case Inactive, Resolved:
		if !holds {
			m.state = Inactive
			return false
		}
		m.state, m.started = Pending, at
		return m.fire(at)
	case Pending:
		if !holds {
			m.state = Inactive
			return false
		}
		return m.fire(at)
	default:
		return m.resolve(at, holds)
	}
}

func (m *Machine) fire(at time.Time) bool {
	if at.Sub(m.started) < m.For {
		return false
	}
	m.state, m.quiet = Firing, time.Time{}
	return true
}

func (m *Machine) resolve(at time.Time, holds bool) bool {
	if holds {
		m.quiet = time.Time{}
		return false
	}
	if m.quiet.IsZero() {
		m.quiet = at
	}
	if at.Sub(m.quiet) < m.ResolveAfter {
		return false
	}
	m.state = Resolved
	return true
}

// Miss notes an evaluation that gave no answer. The state stays. It reports whether the machine became stale now.
func (m *Machine) Miss() (becameStale bool) {
	m.misses++
	return m.misses == staleAfter
}

// Stale tells whether the state is older than three missed evaluations.
func (m *Machine) Stale() bool { return m.misses >= staleAfter }

// State returns the current state.
func (m *Machine) State() State {
	if m.state == "" {
		return Inactive
	}
	return m.state
}

// Stopped returns when the condition stopped to hold, that is the first evaluation at which it did not; zero while it holds and
// when inactive or pending.
func (m *Machine) Stopped() time.Time {
	if s := m.State(); s != Firing && s != Resolved {
		return time.Time{}
	}
	return m.quiet
}

// Started returns when the condition of the current episode first held; zero when inactive.
func (m *Machine) Started() time.Time {
	if m.State() == Inactive {
		return time.Time{}
	}
	return m.started
}
