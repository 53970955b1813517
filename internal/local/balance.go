package local

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"kreislauf/internal/local/supervise"
	"kreislauf/nginx"
)

// reloadGap is the least pause between two reloads of nginx: each one starts its workers anew and closes idle connections of clients.
const reloadGap = 3 * time.Second

// balance keeps instances that do not answer out of nginx's lists. One that has ended stays in them: it refuses, and nginx asks the next.
// No list becomes empty: when no instance of a service answers, all are asked.
type balance struct {
	p      *Platform
	events *eventLog
	wake   chan struct{} // holds one token after a change; never closed

	mu     sync.Mutex        // guards silent and master
	silent map[string]string // address -> component that does not answer
	master int               // process of nginx while it can be told something, else 0
}

func newBalance(p *Platform, events *eventLog) *balance {
	return &balance{p: p, events: events, wake: make(chan struct{}, 1), silent: map[string]string{}}
}

// change takes note of a component's new state.
func (b *balance) change(s supervise.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case s.Name == entryName:
		b.master = 0
		if s.State == supervise.Ready || s.State == supervise.Suspect {
			b.master = s.PID
		}
	case s.State == supervise.Suspect || s.State == supervise.Hung:
		b.silent[s.Addr] = s.Name
	case s.State == supervise.Ready:
		delete(b.silent, s.Addr)
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// lists are the upstreams as they should be, and who is left out.
func (b *balance) lists() (upstreams map[string][]string, out []string, master int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	upstreams = map[string][]string{}
	for service, addrs := range b.p.upstreams {
		var in, names []string
		for _, a := range addrs {
			if name, ok := b.silent[a]; ok {
				names = append(names, name)
			} else {
				in = append(in, a)
			}
		}
		if len(in) == 0 {
			in, names = addrs, nil
		}
		upstreams[service], out = in, append(out, names...)
	}
	slices.Sort(out)
	return upstreams, out, b.master
}

// run keeps nginx's lists true until ctx ends.
func (b *balance) run(ctx context.Context) {
	now, told := b.p.upstreams, true // what nginx has been given, and whether it knows
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
		want, out, master := b.lists()
		if reflect.DeepEqual(want, now) && (told || master == 0) {
			continue
		}
		began := time.Now()
		err := nginx.Reload(nginx.Find(programFolder(b.p.Cache)), b.p.entry(want), master)
		b.events.balanced(out, time.Since(began), err)
		if now, told = want, err == nil && master != 0; !told && master != 0 {
			b.again() // it ended just now, or the disk is full
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reloadGap):
		}
	}
}

func (b *balance) again() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
