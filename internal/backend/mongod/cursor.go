package mongod

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	maxCursors     = 1000
	maxCursorBytes = 256 << 20
	cursorTimeout  = 10 * time.Minute
)

// cursors keeps the queries that clients have not read to the end. Their number and memory are bounded: the cursor that was
// used least recently goes first, and its client is told CursorNotFound.
type cursors struct {
	mu    sync.Mutex
	open  map[int64]*openCursor
	bytes int
}

type openCursor struct {
	run      *queryRun
	bytes    int
	lastUsed time.Time
}

func newCursors() *cursors { return &cursors{open: map[int64]*openCursor{}} }

// add keeps a run and returns its id, which is never 0.
func (c *cursors) add(run *queryRun) int64 {
	id := rand.Int64N(1<<62) + 1
	c.put(id, &openCursor{run: run})
	return id
}

func (c *cursors) put(id int64, cur *openCursor) {
	cur.bytes, cur.lastUsed = cur.run.bytesKept(), time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[id] = cur
	c.bytes += cur.bytes
	for len(c.open) > 1 && (len(c.open) > maxCursors || c.bytes > maxCursorBytes) {
		c.removeOldest()
	}
}

func (c *cursors) removeOldest() {
	var oldest int64
	for id, cur := range c.open {
		if oldest == 0 || cur.lastUsed.Before(c.open[oldest].lastUsed) {
			oldest = id
		}
	}
	c.bytes -= c.open[oldest].bytes
	delete(c.open, oldest)
}

// take removes a cursor while it is in use or for good; nil when there is none of that id, or when it belongs to the other namespace
// that is returned then.
func (c *cursors) take(id int64, ns string) (cur *openCursor, other string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cur, ok := c.open[id]
	if !ok {
		return nil, ""
	}
	if cur.run.ns != ns {
		return nil, cur.run.ns
	}
	delete(c.open, id)
	c.bytes -= cur.bytes
	return cur, ""
}

// expire drops cursors that nobody has used for the timeout.
func (c *cursors) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, cur := range c.open {
		if now.Sub(cur.lastUsed) > cursorTimeout {
			c.bytes -= cur.bytes
			delete(c.open, id)
		}
	}
}
