package alert

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/elk/kpi"
)

// TestLoopFiresAtThePlannedTime: what counts is when an evaluation was planned, not when its turn came.
func TestLoopFiresAtThePlannedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		begun := time.Now()
		l, delivered := scripted(&log, nil, always)
		l.interval, l.machine.For = 30*time.Second, time.Minute
		evaluations := 0
		l.evaluate = func(context.Context, time.Time) (kpi.Result, error) {
			if evaluations++; evaluations == 1 {
				time.Sleep(30*time.Second + 10*time.Millisecond) // the next one begins late
			}
			return kpi.Result{Firing: evaluations > 1}, nil
		}
		runFor(t, l, 5*time.Minute)
		if diff := cmp.Diff([]string{"1m30s firing at 1m30s"}, *delivered); diff != "" {
			t.Errorf("the condition holds from %s:\n%s", begun.Add(30*time.Second), diff)
		}
	})
}

// TestLoopHoldsItsStateWhileNothingArrives: a pipeline that stands still neither ends an alert nor makes one of absence. The windows are
// evaluated when their lines have arrived, each one once, and with their own times.
func TestLoopHoldsItsStateWhileNothingArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, delivered := scripted(&log, nil, always)
		begun := time.Now()
		l.interval, l.behind, l.machine.ResolveAfter = 30*time.Second, 2*time.Minute, time.Minute
		minutes := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
		l.delivered = func() time.Time { // nothing arrives between minutes 2 and 8
			now := time.Since(begun)
			if now >= minutes(2) && now < minutes(8) {
				return begun.Add(minutes(2))
			}
			return time.Now()
		}
		var windows []string
		l.evaluate = func(_ context.Context, at time.Time) (kpi.Result, error) { // it holds from minute 1 to 4, and from 6 to 7
			windows = append(windows, at.Sub(begun).String())
			end := at.Sub(begun)
			return kpi.Result{Firing: end >= minutes(1) && end < minutes(4) || end >= minutes(6) && end < minutes(7)}, nil
		}
		var held []string
		l.report = func(s Status) {
			held = append(held, time.Since(begun).Truncate(30*time.Second).String()+map[bool]string{true: " held"}[s.Held]+" "+string(s.State))
		}
		runFor(t, l, 9*time.Minute-time.Second)
		want := []string{"1m0s firing at 1m0s", "5m0s resolved at 8m0s", "6m0s firing at 8m0s", "8m0s resolved at 8m0s"}
		if diff := cmp.Diff(want, *delivered); diff != "" {
			t.Error(diff)
		}
		var once []string
		for at := time.Duration(0); at < minutes(9); at += l.interval {
			once = append(once, at.String())
		}
		if diff := cmp.Diff(once, windows); diff != "" {
			t.Errorf("not each window once:\n%s", diff)
		}
		if s := strings.Join(held, ","); !strings.Contains(s, "6m0s held firing") || strings.Contains(s, "3m0s held") || !strings.HasSuffix(s, "8m30s inactive") {
			t.Errorf("statuses %q", slices.Compact(held))
		}
		if n, m := strings.Count(log.String(), "alert.held"), strings.Count(log.String(), "alert.continued"); n != 1 || m != 1 {
			t.Errorf("that it is held is logged %d times, that it goes on %d times:\n%s", n, m, log.String())
		}
	})
}

// TestLoopGoesOnWhereTheLinesEndAtARestart: an alerter that starts while the pipeline is behind evaluates what its predecessor waited for.
func TestLoopGoesOnWhereTheLinesEndAtARestart(t *testing.T) {
	for name, c := range map[string]struct {
		behind, last time.Duration // before the start
		first        time.Duration // window of the first evaluation, before the start
	}{
		"in time":                    {0, time.Hour, 0},
		"some seconds behind":        {20 * time.Second, time.Hour, time.Minute},
		"an hour":                    {time.Hour, 2 * time.Hour, time.Hour},
		"the last one is not new":    {time.Hour, time.Hour, 59 * time.Minute},
		"older than it is worth it":  {72 * time.Hour, 80 * time.Hour, 24*time.Hour - time.Minute},
		"there was no alerter ever":  {time.Hour, 0, time.Hour},
		"nothing is known of it yet": {-time.Hour, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				l, _ := scripted(&log, nil, always)
				begun := time.Now()
				l.restore = func(context.Context) (history, error) {
					if c.last == 0 {
						return history{}, nil
					}
					return history{state: Resolved, at: begun.Add(-c.last)}, nil
				}
				l.delivered = func() time.Time {
					switch {
					case c.behind < 0 && time.Since(begun) < time.Hour:
						return time.Time{}
					case time.Since(begun) < time.Second:
						return begun.Add(-c.behind)
					}
					return time.Now()
				}
				var windows []time.Duration
				l.evaluate = func(_ context.Context, at time.Time) (kpi.Result, error) {
					windows = append(windows, begun.Sub(at))
					return kpi.Result{}, nil
				}
				runFor(t, l, 2*time.Hour-time.Second)
				if len(windows) == 0 || windows[0] != c.first || windows[len(windows)-1] != -119*time.Minute {
					t.Fatalf("windows %v", windows)
				}
				for i := range windows[1:] {
					if windows[i]-windows[i+1] != l.interval {
						t.Errorf("after the window %s before the start comes %s", windows[i], windows[i+1])
					}
				}
			})
		})
	}
}

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
