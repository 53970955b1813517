// Package supervise owns the processes of a running platform on one machine: it starts them, waits until each is ready, restarts
// what dies, kills and restarts what hangs, and stops all in bounded time.
//
//	Start(group) -> one goroutine a component: run -> ready? -> watch, wait for death -> back-off -> run …
//	Stop         -> groups in reverse order, all components of a group at once
//
//	Starting -> Ready -> Suspect (three probes missed) -> Hung (five, over Patience) -> killed -> Restarting -> Starting -> …
//	              ^---------' (two answered)     Ready -> Hung at once when the kernel says that it is stopped
//
// Invariants: a component that dies is started again, at once the first time, then with a back-off that doubles from
// 250 ms to 10 s and is forgotten after a minute of health; a component that dies MaxEarly times before it was ever ready makes
// Start fail with the end of its console output. Nothing that a dead process had started (its process group) lives on. A process that
// hangs is killed, never continued: it would carry out what others have done meanwhile. A slow machine alone makes nobody hung: while this
// process gets no CPU in time itself, missed probes do not count.
// On Linux children die with their supervisor, even when that gets SIGKILL. Parts of this process (Run) are not watched.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits.
const (
	MaxEarly     = 3
	ReadyTimeout = 30 * time.Second
	minBackoff   = 250 * time.Millisecond
	maxBackoff   = 10 * time.Second
	healthyAfter = time.Minute
)

// Component is one process, or one part of this process when Run is set.
type Component struct {
	Name    string                          // "order-2", unique
	Addr    string                          // for people, may be empty
	Exec    []string                        // command and arguments
	Env     []string                        // added to the environment of this process
	Run     func(ctx context.Context) error // instead of Exec
	Ready   func(ctx context.Context) error // nil error when it can work
	Console string                          // file that gets standard output and error
	Signal  syscall.Signal                  // asks it to stop; SIGTERM when zero
	Grace   time.Duration                   // before SIGKILL; 10 s when zero
	Within  time.Duration                   // how long Start waits for its readiness; ReadyTimeout when zero

	// How its process is watched once it is ready.
	Alive    func(ctx context.Context) error      // nil error when it works; without it only its end is noticed
	Patience time.Duration                        // how long it may be silent while it is not stopped; the constant Patience when zero
	Workers  func(pid int, stopped time.Duration) // set: its child processes are workers; told of each that was stopped and is killed
}

// State of a component.
type State string

// The states.
const (
	Starting   State = "starting"
	Ready      State = "ready"
	Suspect    State = "suspect" // does not answer; it should get no work
	Hung       State = "hung"    // is being killed
	Restarting State = "restarting"
	Stopped    State = "stopped"
)

// Status is what is known of a component now.
type Status struct {
	Name     string        `json:"name"`
	Addr     string        `json:"addr,omitempty"`
	State    State         `json:"state"`
	PID      int           `json:"pid"`      // of this process for a part of it
	Took     time.Duration `json:"took_ns"`  // from its last start to ready
	Restarts int           `json:"restarts"` // since Start
	LastExit string        `json:"last_exit,omitempty"`
	Hangs    int           `json:"hangs"`               // since Start
	Why      string        `json:"why,omitempty"`       // of Suspect and Hung
	Silent   time.Duration `json:"silent_ns,omitempty"` // of Suspect and Hung: since something good was seen of it
}

type member struct {
	Component
	status Status
	early  int // deaths before it was ever ready
	cancel context.CancelFunc
	done   chan struct{} // closed by its goroutine at the very end
	ready  chan struct{} // closed at the first readiness
	failed chan error    // gets one error when it died MaxEarly times; never closed
}

// Supervisor runs components in groups. Make one with New.
type Supervisor struct {
	changed func(Status)

	mu     sync.Mutex // guards groups and every member's status and early
	groups [][]*member
}

// New makes a supervisor; changed is told every change of state, from several goroutines.
func New(changed func(Status)) *Supervisor { return &Supervisor{changed: changed} }

// Start starts a group and waits until all of it is ready. On an error the group keeps running until Stop.
func (s *Supervisor) Start(ctx context.Context, group ...Component) error {
	members := make([]*member, len(group))
	for i, c := range group {
		mctx, cancel := context.WithCancel(context.Background())
		m := &member{
			Component: c, cancel: cancel, done: make(chan struct{}), ready: make(chan struct{}), failed: make(chan error, 1),
			status: Status{Name: c.Name, Addr: c.Addr, State: Starting},
		}
		members[i] = m
		go s.keep(mctx, m)
	}
	s.mu.Lock()
	s.groups = append(s.groups, members)
	s.mu.Unlock()
	for _, m := range members {
		select {
		case <-m.ready:
		case err := <-m.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("start %s: %w", m.Name, ctx.Err())
		case <-time.After(m.within()):
			return fmt.Errorf("start %s: not ready after %v; its output: %s", m.Name, m.within(), tail(m.Console))
		}
	}
	return nil
}

// Status lists all components in the order of their start.
func (s *Supervisor) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Status
	for _, g := range s.groups {
		for _, m := range g {
			list = append(list, m.status)
		}
	}
	return list
}

// Stop stops the groups, last first. Each component gets its signal and its grace, then SIGKILL.
func (s *Supervisor) Stop() error {
	s.mu.Lock()
	groups := s.groups
	s.groups = nil
	s.mu.Unlock()
	var errs []error
	for i := len(groups) - 1; i >= 0; i-- {
		for _, m := range groups[i] {
			m.cancel()
		}
		for _, m := range groups[i] {
			select {
			case <-m.done:
			case <-time.After(m.grace() + 5*time.Second):
				errs = append(errs, fmt.Errorf("stop %s: still there", m.Name))
			}
		}
	}
	return errors.Join(errs...)
}

func (m *member) grace() time.Duration {
	if m.Grace > 0 {
		return m.Grace
	}
	return 10 * time.Second
}

func (m *member) within() time.Duration {
	if m.Within > 0 {
		return m.Within
	}
	return ReadyTimeout
}

func (s *Supervisor) set(m *member, change func(*Status)) {
	s.mu.Lock()
	change(&m.status)
	st := m.status
	s.mu.Unlock()
	s.changed(st)
}

// keep runs a component again and again until ctx ends.
func (s *Supervisor) keep(ctx context.Context, m *member) {
	defer close(m.done)
	backoff := time.Duration(0)
	for {
		began := time.Now()
		everReady, err := s.once(ctx, m)
		if ctx.Err() != nil {
			s.set(m, func(st *Status) { st.State = Stopped })
			return
		}
		if !everReady {
			m.early++
			select {
			case <-m.ready:
			default:
				if m.early == MaxEarly { // told once: nobody reads the channel later
					m.failed <- fmt.Errorf("start %s: it stopped %d times: %w; its output: %s", m.Name, m.early, err, tail(m.Console))
				}
			}
		}
		if time.Since(began) > healthyAfter {
			backoff = 0
		}
		s.set(m, func(st *Status) {
			st.State, st.LastExit = Restarting, fmt.Sprint(err)
			st.Restarts++
		})
		select {
		case <-ctx.Done():
			s.set(m, func(st *Status) { st.State = Stopped })
			return
		case <-time.After(backoff):
		}
		backoff = min(max(2*backoff, minBackoff), maxBackoff)
	}
}

// once runs a component until it ends.
func (s *Supervisor) once(ctx context.Context, m *member) (everReady bool, err error) {
	began := time.Now()
	exited := make(chan error, 1) // gets the end of this run
	pid := os.Getpid()
	if m.Run != nil {
		go func() { exited <- m.Run(ctx) }()
	} else {
		if pid, err = startProcess(ctx, m, exited); err != nil {
			return false, err
		}
	}
	s.set(m, func(st *Status) { st.State, st.PID, st.Why, st.Silent = Starting, pid, "", 0 })
	var isReady atomic.Bool
	found := make(chan string, 1) // gets why the process was found hung, before it is killed
	stopWatch := func() {}
	if m.Run == nil && m.Alive != nil {
		wctx, cancel := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { s.watch(wctx, m, pid, isReady.Load, found) })
		stopWatch = func() { cancel(); watching.Wait() }
	}
	defer func() { stopWatch() }()
	probe := time.NewTicker(50 * time.Millisecond)
	defer probe.Stop()
	for {
		select {
		case err := <-exited:
			if err == nil {
				err = errors.New("ended")
			}
			stopWatch()
			select {
			case why := <-found:
				err = fmt.Errorf("hung: %s; %w", why, err)
			default:
			}
			return everReady, err
		case <-probe.C:
			if everReady {
				continue
			}
			pctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			ready := m.Ready(pctx) == nil
			cancel()
			if ready {
				everReady = true
				probe.Stop()
				s.set(m, func(st *Status) { st.State, st.Took = Ready, time.Since(began) })
				isReady.Store(true)
				select {
				case <-m.ready:
				default:
					close(m.ready)
				}
			}
		}
	}
}
