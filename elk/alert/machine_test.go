package alert

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestMachine reads like a shift: every letter is one evaluation a minute, H the condition holds, - it does not,
// x no answer. The states below are what the machine says after it; a capital letter is a transition.
func TestMachine(t *testing.T) {
	for name, c := range map[string]struct {
		pending, quiet time.Duration
		seen, want     string // i inactive, p pending, f firing, r resolved
	}{
		"never":                  {time.Minute, time.Minute, "-----", "iiiii"},
		"at once":                {0, 0, "-H-", "iFR"},
		"pending first":          {2 * time.Minute, 0, "HHHH--", "ppFfRi"},
		"a blip does not fire":   {2 * time.Minute, 0, "HH-HH-", "ppippi"},
		"a pause does not end":   {0, 2 * time.Minute, "H-H--H---", "FfffffffR"},
		"resolved then quiet":    {0, time.Minute, "H---", "FfRi"},
		"resolved then again":    {0, time.Minute, "H--H--", "FfRFfR"},
		"misses change nothing":  {2 * time.Minute, 0, "HxxH-", "pppFR"},
		"misses do not resolve":  {0, 2 * time.Minute, "HxxxxxH", "Fffffff"},
		"pending after resolved": {time.Minute, 0, "HH-HH", "pFRpF"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := Machine{For: c.pending, ResolveAfter: c.quiet}
				var have strings.Builder
				for _, e := range c.seen {
					changed := false
					if e == 'x' {
						m.Miss()
					} else {
						changed = m.Step(time.Now(), e == 'H')
					}
					letter := string(m.State())[:1]
					if changed {
						letter = strings.ToUpper(letter)
					}
					have.WriteString(letter)
					time.Sleep(time.Minute)
				}
				if have.String() != c.want {
					t.Errorf("saw %s: have %s, want %s", c.seen, have.String(), c.want)
				}
			})
		})
	}
}

func TestMachineKeepsTheStartOfTheEpisode(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	m := Machine{For: 2 * time.Minute, ResolveAfter: time.Minute}
	for i, holds := range []bool{true, true, true, false, true, false, false} {
		m.Step(start.Add(time.Duration(i)*time.Minute), holds)
		if !m.Started().Equal(start) {
			t.Errorf("step %d (%s): started %s", i, m.State(), m.Started())
		}
	}
	if m.State() != Resolved {
		t.Errorf("state %s", m.State())
	}
	if m.Step(start.Add(time.Hour), false); !m.Started().IsZero() || m.State() != Inactive {
		t.Errorf("state %s since %s", m.State(), m.Started())
	}
}

func TestMachineStale(t *testing.T) {
	var m Machine
	m.Step(time.Now(), true)
	for i, want := range []bool{false, false, true, false} {
		if have := m.Miss(); have != want {
			t.Errorf("miss %d: becomes stale %v", i+1, have)
		}
	}
	if !m.Stale() || m.State() != Firing {
		t.Errorf("stale %v, state %s", m.Stale(), m.State())
	}
	if m.Step(time.Now(), true); m.Stale() {
		t.Error("stale after an answer")
	}
}

func TestMachineRestore(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	m := Machine{For: time.Minute, ResolveAfter: time.Minute}
	m.Restore(Firing, start)
	if m.Step(start.Add(time.Hour), true) {
		t.Error("fired again")
	}
	m.Step(start.Add(61*time.Minute), false)
	if !m.Step(start.Add(62*time.Minute), false) || m.State() != Resolved || !m.Started().Equal(start) {
		t.Errorf("state %s since %s", m.State(), m.Started())
	}
}
