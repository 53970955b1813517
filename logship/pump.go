package logship

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"

	"kreislauf/logship/alarm"
	"kreislauf/logship/batch"
	"kreislauf/logship/enrich"
	"kreislauf/logship/follow"
	"kreislauf/logship/tail"
)

const (
	// notifyPause is how long notifications are left to pile up after some were acted upon.
	notifyPause = 10 * time.Millisecond
	// expirePause is how often events that wait for more lines are looked at.
	expirePause = 100 * time.Millisecond
	// sweepPause is the least time between two sweeps that notifications ask for.
	sweepPause = 50 * time.Millisecond
	// savePause is how often the checkpoint is synced to disk.
	savePause = time.Second
	// geoPause is how often the geo databases are checked for new versions.
	geoPause = time.Minute
	// drainTime bounds the delivery at the end, drainTimeDown that to a target that is in trouble anyway.
	drainTime     = 5 * time.Second
	drainTimeDown = time.Second
	// readsPerTurn bounds the reading between two looks at everything else.
	readsPerTurn = 16
	// notificationsAtOnce bounds the notifications that are acted upon in a row.
	notificationsAtOnce = 4096
)

// pump decides when what is done for one target: look for files, read, fill batches, acknowledge. It is the one goroutine that
// calls the follower and the batcher; anybody else who does holds mu.
//
// When nothing else is to be done, it reads late: the first line of a batch waits for the flush interval anyway, so the files
// that are written meanwhile are read once at the end of that time. That saves one look at a file for each line, and no line
// arrives later for it.
type pump struct {
	follower *follow.Follower
	batcher  *batch.Batcher
	geo      *enrich.Geo
	alarms   *alarm.Log
	log      zerolog.Logger
	poll     time.Duration // between two sweeps
	flush    time.Duration // how long a batch waits for more lines

	mu     sync.Mutex
	due    schedule
	events <-chan fsnotify.Event // nil when there are no notifications
	errs   <-chan error
	// lateSince is when the first write was noticed of those that are read late; zero when reading is not put off.
	lateSince time.Time
}

// schedule is when each thing is done next.
type schedule struct {
	sweep, save, geo, finish, notify, expire, read time.Time
}

// run works until ctx ends.
func (p *pump) run(ctx context.Context) {
	p.events, p.errs = p.follower.Watch()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(p.turn())
		events := p.events
		if time.Now().Before(p.due.notify) {
			events = nil
		}
		select {
		case <-ctx.Done():
		case b := <-p.batcher.Sent():
			p.locked(func() { p.acknowledge(b) })
		case e := <-events:
			p.locked(func() { p.notified(e) })
		case err := <-p.errs: // the queue of the system overflowed: look everywhere
			p.alarms.Check("file notifications lost, looking through the folders", err)
			p.due.sweep = time.Now()
		case <-timer.C:
		}
	}
}

func (p *pump) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// turn does what is due and reads for a while. It returns how long the pump may sleep.
func (p *pump) turn() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !now.Before(p.due.geo) {
		p.reloadGeo()
		p.due.geo = now.Add(geoPause)
	}
	if !now.Before(p.due.sweep) {
		p.follower.Sweep(now)
		p.due.sweep = now.Add(p.poll)
	}
	if !now.Before(p.due.finish) {
		p.finish(now)
		p.due.finish = now.Add(follow.EndingPause)
	}
	if !now.Before(p.due.save) {
		p.follower.Save()
		p.due.save = now.Add(savePause)
	}
	more := false
	if !now.Before(p.due.read) {
		more = p.readDue(now)
	}
	if !now.Before(p.due.expire) && p.batcher.Waiting() {
		p.expire(now)
		p.due.expire = now.Add(expirePause)
	}
	p.batcher.Dispatch(now)
	if more {
		return 0
	}
	return max(0, time.Until(p.next(now)))
}

// next returns when something is due again.
func (p *pump) next(now time.Time) time.Time {
	next := earlier(earlier(p.due.sweep, p.due.save), p.due.geo)
	if p.due.read.After(now) {
		next = earlier(next, p.due.read)
	}
	if p.batcher.Waiting() {
		next = earlier(next, p.due.expire)
	}
	if p.follower.Ending() {
		next = earlier(next, p.due.finish)
	}
	if p.due.notify.After(now) {
		next = earlier(next, p.due.notify)
	}
	if at, ok := p.batcher.Due(); ok {
		next = earlier(next, at)
	}
	return next
}

// reloadGeo opens geo databases that are new.
func (p *pump) reloadGeo() {
	opened, err := p.geo.Reload()
	p.alarms.Check("geo database not usable", err)
	if opened {
		p.log.Info().Int64("open", p.geo.Loaded()).Msg("geo database opened")
	}
}

// finish reads on in files that have no input name any more.
func (p *pump) finish(now time.Time) {
	p.batcher.Begin(p.lateSince)
	p.follower.Finish(now, func(file *follow.File, last tail.Chunk) bool { return p.batcher.TakeLast(file, last, now) })
}

// expire ends the events to which no line came for too long. That they end there is on disk before they go into a batch.
func (p *pump) expire(now time.Time) {
	files := p.follower.SaveEnds(p.batcher.Expired(now), now)
	if len(files) == 0 {
		return
	}
	p.batcher.Begin(p.lateSince)
	p.batcher.TakeExpired(files, now)
}

// acknowledge takes a batch back from a sender.
func (p *pump) acknowledge(b *batch.Batch) { p.follower.Acknowledged(p.batcher.Acknowledge(b)) }

// read fills batches for a while and reports whether it could go on at once.
func (p *pump) read(now time.Time) (more bool) {
	p.batcher.Begin(p.lateSince)
	for range readsPerTurn {
		if !p.follower.Ready() {
			p.lateSince = time.Time{}
			return false
		}
		if !p.batcher.Room(now) {
			return false
		}
		file, piece := p.follower.Next(now)
		if file == nil {
			continue
		}
		all := p.batcher.Take(file, piece, now)
		p.follower.Took(file, piece, all, now)
		if !all {
			return p.batcher.Room(now)
		}
	}
	return true
}

// readDue reads at the time when reading is due. When that was put off, everything that was written meanwhile is read, and if
// there was something, reading is put off again: files that are being written are then read once for each batch, and their
// notifications do not wake the pump in between.
func (p *pump) readDue(now time.Time) (more bool) {
	if !p.late() {
		return p.read(now)
	}
	p.takeNotifications(now)
	busy := p.follower.Ready()
	more = p.read(now)
	if busy && !p.late() {
		p.putOff(now)
	}
	return more
}

// late reports whether reading is put off.
func (p *pump) late() bool { return !p.lateSince.IsZero() }

// putOff puts off reading, and looking at notifications, until a batch that begins now is due.
func (p *pump) putOff(now time.Time) {
	p.lateSince = now
	p.due.read = now.Add(p.flush)
	p.due.notify = p.due.read
}

// notified acts upon a notification and all that wait behind it, and leaves the next ones for a moment. When the pump had
// nothing to do before, reading what was written is put off.
func (p *pump) notified(e fsnotify.Event) {
	now := time.Now()
	idle := !p.follower.Ready() && p.batcher.Empty()
	p.takeNotification(e, now)
	p.takeNotifications(now)
	p.due.notify = now.Add(notifyPause)
	if idle && p.follower.Ready() {
		p.putOff(now)
	}
}

// takeNotification acts upon one notification.
func (p *pump) takeNotification(e fsnotify.Event, now time.Time) {
	if p.follower.Notified(e, now) {
		p.due.sweep = earlier(p.due.sweep, later(now, p.follower.SweptAt().Add(sweepPause)))
	}
}

// takeNotifications acts upon the notifications that wait. The watcher hands them over one by one, so its goroutine must get
// its turn between two of them.
func (p *pump) takeNotifications(now time.Time) {
	for range notificationsAtOnce {
		select {
		case e := <-p.events:
			p.takeNotification(e, now)
			continue
		default:
		}
		runtime.Gosched()
		select {
		case e := <-p.events:
			p.takeNotification(e, now)
		default:
			return
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// drain delivers what was read, and what can still be read in a quarter of the time. degraded says that the target is in
// trouble. stopSending is called when the time is over; batches that are on their way then are given up.
func (p *pump) drain(degraded bool, stopSending func()) {
	limit := drainTime
	if degraded {
		limit = drainTimeDown
	}
	end, readEnd := time.Now().Add(limit), time.Now().Add(limit/4)
	timer := time.NewTimer(0)
	defer timer.Stop()
	p.locked(func() { p.follower.Sweep(time.Now()) })
	for {
		now := time.Now()
		more := false
		p.locked(func() {
			if now.Before(readEnd) {
				more = p.read(now)
			}
			p.batcher.DoNotWait()
			p.batcher.Dispatch(now)
		})
		if !now.Before(end) {
			stopSending()
		}
		if p.batcher.Busy() == 0 && !more {
			return
		}
		if more && !p.batcher.Blocked() {
			continue
		}
		timer.Reset(max(time.Millisecond, time.Until(end)))
		select {
		case b := <-p.batcher.Sent():
			p.locked(func() { p.acknowledge(b) })
		case <-timer.C:
		}
	}
}
