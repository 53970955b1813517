package logship

import (
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// alarmInterval is how often the same alarm is logged. Lines of logship are shipped too, so an alarm that came
// with every batch would feed itself.
const alarmInterval = 30 * time.Second

// alarms logs what needs a person, each kind at most once per interval with the number of the ones left out.
type alarms struct {
	log zerolog.Logger
	mu  sync.Mutex
	out map[string]*alarmState
}

type alarmState struct {
	last    time.Time
	skipped int
}

func newAlarms(log zerolog.Logger) *alarms {
	return &alarms{log: log, out: make(map[string]*alarmState)}
}

// raise logs what with detail, unless it did so recently. what is a fixed text.
func (a *alarms) raise(what, detail string) {
	a.mu.Lock()
	state := a.out[what]
	if state == nil {
		state = &alarmState{}
		a.out[what] = state
	}
	now := time.Now()
	if !state.last.IsZero() && now.Sub(state.last) < alarmInterval {
		state.skipped++
		a.mu.Unlock()
		return
	}
	skipped := state.skipped
	state.last, state.skipped = now, 0
	a.mu.Unlock()
	a.log.Error().Str("error.message", detail).Int("repeated", skipped).Msg(what)
}

// check raises an alarm for an error that does not stop the work.
func (a *alarms) check(what string, err error) {
	if err != nil {
		a.raise(what, err.Error())
	}
}

// byteText renders a number of bytes for people.
func byteText(n int64) string {
	const units = "KMGT"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}
