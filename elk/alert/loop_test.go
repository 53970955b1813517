package alert

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/elk/kpi"
)

// scripted is a loop whose evaluations and deliveries are decided by the minute since its start.
func scripted(log *bytes.Buffer, holds func(minute int) (bool, error), deliver func(minute int) error) (l *loop, delivered *[]string) {
	start := time.Now()
	minute := func() int { return int(time.Since(start) / time.Minute) }
	delivered = &[]string{}
	l = &loop{
		rule: kpi.Rule{Name: "r"}, interval: time.Minute, logger: zerolog.New(log),
		restore: func(context.Context) (history, error) { return history{}, nil },
		evaluate: func(context.Context, time.Time) (kpi.Result, error) {
			firing, err := holds(minute())
			return kpi.Result{Firing: firing}, err
		},
		transition: func(at time.Time, m *Machine, _ map[string]float64) Transition {
			return Transition{ID: string(m.State()), State: m.State(), At: at}
		},
		deliver: func(_ context.Context, d *delivery) error {
			if err := deliver(minute()); err != nil {
				return err
			}
			*delivered = append(*delivered, d.At.Sub(start).String()+" "+d.ID+" at "+time.Since(start).String())
			return nil
		},
		report: func(Status) {},
	}
	return l, delivered
}

func runFor(t *testing.T, l *loop, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if l.awaitRestore(ctx) {
		l.run(ctx)
	}
}

func always(int) error { return nil }

func TestLoopEvaluatesOnItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var minutes []int
		l, delivered := scripted(&log, func(m int) (bool, error) {
			minutes = append(minutes, m)
			return m >= 2 && m <= 4, nil
		}, always)
		runFor(t, l, 6*time.Minute+time.Second)
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6}, minutes); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"2m0s firing at 2m0s", "5m0s resolved at 5m0s"}, *delivered); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLoopDeliversInOrderWhenTheReceiverComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		tries := 0
		l, delivered := scripted(&log, func(m int) (bool, error) { return m == 1, nil }, func(m int) error {
			tries++
			if m < 10 {
				return errors.New("refused")
			}
			return nil
		})
		runFor(t, l, 12*time.Minute)
		if len(*delivered) != 2 || !strings.HasPrefix((*delivered)[0], "1m0s firing") || !strings.HasPrefix((*delivered)[1], "2m0s resolved") {
			t.Errorf("delivered %q", *delivered)
		}
		if tries < 10 || tries > 25 {
			t.Errorf("%d tries in nine minutes: the back-off is 1 s doubling to 1 min", tries)
		}
	})
}

func TestLoopIsStaleAfterThreeMissesAndKeepsItsState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, delivered := scripted(&log, func(m int) (bool, error) {
			if m >= 1 && m <= 5 {
				return false, errors.New("connection refused")
			}
			return true, nil
		}, always)
		var stale []bool
		l.report = func(s Status) { stale = append(stale, s.Stale && s.State == Firing) }
		runFor(t, l, 7*time.Minute-time.Second)
		if diff := cmp.Diff([]bool{false, false, false, true, true, true, false}, stale); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"0s firing at 0s"}, *delivered); diff != "" {
			t.Error(diff)
		}
		if n := strings.Count(log.String(), `"stale":true`); n != 1 {
			t.Errorf("stale is logged %d times:\n%s", n, log.String())
		}
	})
}

func TestLoopOutlivesAServerThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, delivered := scripted(&log, func(int) (bool, error) { return true, nil }, always)
		answers := 0
		l.evaluate = func(ctx context.Context, _ time.Time) (kpi.Result, error) {
			if answers++; answers == 1 {
				<-ctx.Done()
				return kpi.Result{}, ctx.Err()
			}
			return kpi.Result{Firing: true}, nil
		}
		runFor(t, l, 90*time.Second)
		if diff := cmp.Diff([]string{"1m0s firing at 1m0s"}, *delivered); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLoopWaitsForTheRecordedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, delivered := scripted(&log, func(m int) (bool, error) { return true, nil }, always)
		tries := 0
		begun := time.Now()
		l.restore = func(context.Context) (history, error) {
			if tries++; tries < 4 {
				return history{}, errors.New("connection refused")
			}
			return history{state: Firing, started: begun.Add(-time.Hour)}, nil
		}
		runFor(t, l, 5*time.Minute)
		if tries != 4 || len(*delivered) != 0 {
			t.Errorf("%d tries, delivered %q", tries, *delivered)
		}
		if n := strings.Count(log.String(), "waiting for the recorded alert state"); n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}
