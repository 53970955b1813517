package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// killBacklog kills twice while a backlog is shipped. The sink stores and then takes its time to answer, which is the worst moment.
func killBacklog(d *drill) error {
	d.target.delay = 30 * time.Millisecond
	n := d.many()
	if err := d.write(d.file("order.log"), n); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	for i := 1; i <= 2; i++ {
		if err := d.arrived(n * i / 4); err != nil {
			return err
		}
		d.kill()
		before := d.target.repeats()
		if err := d.start(); err != nil {
			return err
		}
		if err := d.arrived(n*i/4 + n/5); err != nil {
			return err
		}
		largest := d.target.largestBatch()
		if resent := d.target.repeats() - before; resent > 2*largest {
			return fmt.Errorf("after kill %d %d documents came again, more than two batches of %d", i, resent, largest)
		} else {
			d.say("kill %d: %d again, a batch is %d", i, resent, largest)
		}
	}
	return d.all()
}

// terminate ends logship in a backlog with SIGTERM: nothing comes twice, not even on the wire.
func terminate(d *drill) error {
	d.target.delay = 30 * time.Millisecond
	n := d.many()
	if err := d.write(d.file("order.log"), n); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.arrived(n / 4); err != nil {
		return err
	}
	if err := d.interrupt(d.stop); err != nil {
		return err
	}
	d.say("%d of %d before the restart", d.target.stored(), n)
	if err := d.write(d.file("order.log"), 1000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	if n := d.target.repeats(); n > 0 {
		return fmt.Errorf("%d documents came again after a clean stop", n)
	}
	return nil
}

// interrupt ends logship while the sink is so slow that it cannot finish the backlog in the time that it takes to end.
func (d *drill) interrupt(end func() error) error {
	before := time.Duration(0)
	d.target.set(func(s *sink) { before, s.delay = s.delay, 900*time.Millisecond })
	err := end()
	d.target.set(func(s *sink) { s.delay = before })
	if n := d.target.stored(); err == nil && n >= d.events {
		err = fmt.Errorf("nothing was left to do when logship ended: the drill shows nothing")
	}
	return err
}

// limits of an outage.
const (
	firstAnswer = 300 * time.Millisecond
	probeRate   = 5.0
)

// outage lets the sink go away: half of the time connections are refused, half of it they are accepted and reset, and counted.
func outage(d *drill) error { return away(d, nil) }

// outageKill kills logship while the sink is away.
func outageKill(d *drill) error {
	return away(d, func() error {
		d.kill()
		if err := d.write(d.file("order.log"), 5000/d.opt.scale); err != nil {
			return err
		}
		return d.start()
	})
}

func away(d *drill, meanwhile func() error) error {
	if err := d.write(d.file("order.log"), 1000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.arrived(1000); err != nil {
		return err
	}
	d.target.leave()
	stop := d.every(10*time.Millisecond, func() error { return d.write(d.file("order.log"), 10) })
	time.Sleep(d.opt.outage / 2)
	if meanwhile != nil {
		if err := stop(); err != nil {
			return err
		}
		if err := meanwhile(); err != nil {
			return err
		}
		stop = d.every(10*time.Millisecond, func() error { return d.write(d.file("order.log"), 10) })
		time.Sleep(200 * time.Millisecond)
	}
	if err := d.target.drop(); err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(d.opt.outage / 2)
	window := time.Since(began)
	since, err := d.target.back()
	if err != nil {
		return err
	}
	if err := stop(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	d.target.mu.Lock()
	defer d.target.mu.Unlock()
	first, probes := d.target.first.Sub(since), float64(d.target.dropped)/window.Seconds()
	d.say("first ack %d ms after the return, %.1f probes/s", first.Milliseconds(), probes)
	switch {
	case d.target.dropped == 0:
		return fmt.Errorf("nobody probed in %v", window)
	case probes > probeRate:
		return fmt.Errorf("%.1f probes a second, at most %v are allowed", probes, probeRate)
	case first > firstAnswer:
		return fmt.Errorf("the first acknowledgement came after %v, %v is allowed", first, firstAnswer)
	}
	return nil
}

// every does something again and again until the returned function is called.
func (d *drill) every(pause time.Duration, do func() error) (stop func() error) {
	quit, done := make(chan struct{}), make(chan error, 1)
	go func() {
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for {
			select {
			case <-quit:
				done <- nil
				return
			case <-ticker.C:
				if err := do(); err != nil {
					done <- err
					<-quit
					return
				}
			}
		}
	}()
	return func() error {
		close(quit)
		return <-done
	}
}

// shipped starts logship on a backlog and waits for all of it.
func (d *drill) shipped(n int) error {
	if err := d.write(d.file("order.log"), n); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	return d.all()
}

// bursts answers 429 to whole requests, four times for 1.5 s.
func bursts(d *drill) error {
	began, refused := time.Now(), 0
	d.target.fault = func(int, []byte) (int, string) {
		if t := time.Since(began); t < 12*time.Second && t%(3*time.Second) < 1500*time.Millisecond {
			refused++
			return http.StatusTooManyRequests, `{"error":"busy"}`
		}
		return 0, ""
	}
	if err := d.start(); err != nil {
		return err
	}
	for time.Since(began) < 12*time.Second/time.Duration(d.opt.scale) {
		if err := d.write(d.file("order.log"), 500); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.target.set(func(s *sink) { s.fault = nil })
	d.say("%d requests refused", refused)
	if refused == 0 {
		return fmt.Errorf("no request was refused")
	}
	return d.all()
}

func itemBusy(d *drill) error {
	d.target.item = func(n, try int) int {
		if n%10 == 3 && try == 1 {
			return 429
		}
		return 0
	}
	if err := d.shipped(d.many()); err != nil {
		return err
	}
	if n := d.target.repeats(); n > 0 {
		return fmt.Errorf("%d documents came again that were stored", n)
	}
	return nil
}

func itemRejected(d *drill) error {
	d.target.item = func(n, _ int) int {
		if n%100 == 7 {
			return 400
		}
		return 0
	}
	n := d.many()
	if err := d.shipped(n); err != nil {
		return err
	}
	dead, err := d.dead()
	if err != nil {
		return err
	}
	for i := 7; i < n; i += 100 {
		if !dead[i] {
			return fmt.Errorf("event %d was rejected and is not in the dead-letter store", i)
		}
	}
	if len(dead) != n/100 {
		return fmt.Errorf("%d dead letters, want %d", len(dead), n/100)
	}
	return nil
}

func cutAnswers(d *drill) error {
	cuts := 0
	d.target.cut = func(n int) bool {
		if n%7 == 0 {
			cuts++
			return true
		}
		return false
	}
	if err := d.write(d.file("order.log"), d.many()); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	for i := range 200 / d.opt.scale { // many small requests
		if err := d.write(d.file(fmt.Sprintf("order-%d.log", i%4)), 50); err != nil {
			return err
		}
		time.Sleep(25 * time.Millisecond)
	}
	if err := d.all(); err != nil {
		return err
	}
	d.say("%d connections cut", cuts)
	if cuts == 0 {
		return fmt.Errorf("no connection was cut")
	}
	return nil
}

// poisoned refuses every request that holds one of two events as a whole.
func poisoned(d *drill) error {
	d.target.fault = func(_ int, body []byte) (int, string) {
		if bytes.Contains(body, []byte("seq=777;")) || bytes.Contains(body, []byte("seq=4242;")) {
			return http.StatusBadRequest, `{"error":{"type":"illegal_argument_exception","reason":"malformed action/metadata line"},"status":400}`
		}
		return 0, ""
	}
	if err := d.shipped(10_000); err != nil {
		return err
	}
	dead, err := d.dead()
	if err != nil {
		return err
	}
	if len(dead) != 2 || !dead[777] || !dead[4242] {
		return fmt.Errorf("dead letters %v, want the two culprits", dead)
	}
	return nil
}

// tooLarge refuses bodies above 300 kB.
func tooLarge(d *drill) error {
	refused := 0
	d.target.fault = func(_ int, body []byte) (int, string) {
		if len(body) > 300_000 {
			refused++
			return http.StatusRequestEntityTooLarge, "too large"
		}
		return 0, ""
	}
	if err := d.shipped(20_000); err != nil {
		return err
	}
	d.say("%d requests refused", refused)
	dead, err := d.dead()
	if err == nil && (len(dead) > 0 || refused == 0) {
		return fmt.Errorf("%d dead letters, %d refused", len(dead), refused)
	}
	return err
}

// unauthorized refuses the credentials for a while.
func unauthorized(d *drill) error {
	d.target.fault = func(int, []byte) (int, string) {
		return http.StatusUnauthorized, `{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}`
	}
	return d.repaired(func(s *sink) { s.fault = nil })
}

// noTemplate answers as a server without the index template that may not make indices by itself.
func noTemplate(d *drill) error {
	d.target.item = func(int, int) int { return 404 }
	return d.repaired(func(s *sink) { s.item = nil })
}

// repaired checks that nothing moves while the setup is wrong, and everything afterwards.
func (d *drill) repaired(repair func(*sink)) error {
	if err := d.write(d.file("order.log"), 5000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	if n := d.target.stored(); n != 0 {
		return fmt.Errorf("%d events are visible", n)
	}
	d.say("%d attempts in 3 s", d.target.requests())
	d.kill() // what was held must not be on record as done
	d.target.set(repair)
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	dead, err := d.dead()
	if err == nil && len(dead) > 0 {
		return fmt.Errorf("%d dead letters", len(dead))
	}
	return err
}

// twoTargets lets the second target be away: the first one gets everything meanwhile.
func twoTargets(d *drill) (err error) {
	if d.second, err = newSink(); err != nil {
		return err
	}
	d.second.leave()
	if err := d.shipped(d.many()); err != nil {
		return err
	}
	if n := d.second.stored(); n != 0 {
		return fmt.Errorf("%d events are visible in the dead target", n)
	}
	d.kill()
	if err := d.write(d.file("order.log"), 1000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	if _, err := d.second.back(); err != nil {
		return err
	}
	return d.until("everything in the second target", func() bool { return d.second.stored() >= d.events })
}

// brokenCheckpoint damages the journal while logship is stopped.
func brokenCheckpoint(d *drill) error {
	if err := d.shipped(20_000); err != nil {
		return err
	}
	d.kill()
	journals, err := filepath.Glob(filepath.Join(d.state, "*", "checkpoint.journal"))
	if err != nil || len(journals) == 0 {
		journals = []string{filepath.Join(d.state, "checkpoint.journal")}
	}
	data, err := os.ReadFile(journals[0])
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	data[len(data)/2] ^= 0xff
	if err := os.WriteFile(journals[0], data, 0o600); err != nil {
		return fmt.Errorf("damage journal: %w", err)
	}
	if err := d.write(d.file("order.log"), 1000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	aside, err := filepath.Glob(journals[0] + ".damaged-*")
	if err != nil || len(aside) != 1 {
		return fmt.Errorf("the damaged journal was not set aside: %v", aside)
	}
	return nil
}
