package bulk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// The waiting times between attempts. A target without an answer is probed at most five times a second, and as
// often all the time, so that it is found back soon: a probe costs it nothing. One that answers is left alone for
// longer.
const (
	deadPause    = 200 * time.Millisecond
	deadPauseMax = 230 * time.Millisecond
	firstPause   = 50 * time.Millisecond
	busyPause    = time.Second
	holdPause    = 5 * time.Second
	// smallestLimit is the least number of bytes that refused load reduces a body to.
	smallestLimit = 128 << 10
)

// Deliver sends the batch until every document is final and then returns nil. It returns the error of ctx when
// that ends first; then nothing may be assumed about any document.
func (c *Client) Deliver(ctx context.Context, b *Batch) error {
	if len(b.Items) == 0 {
		return nil
	}
	d := delivery{client: c, batch: b, work: [][]int{b.all()}}
	defer d.leave()
	if err := d.awaitTemplates(ctx); err != nil {
		return err
	}
	for len(d.work) > 0 {
		if err := d.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// delivery is one batch on its way.
type delivery struct {
	client *Client
	batch  *Batch
	// work are the groups of items that are not final, each in order. A group is sent in one request when it fits.
	work     [][]int
	attempts int  // failed ones in a row, for the pause
	silent   int  // attempts without an answer since the last pause
	probing  bool // this delivery holds the right to probe a degraded target
}

// step sends the first group and replaces it by what is left of it.
func (d *delivery) step(ctx context.Context) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	group := d.work[0]
	d.work = d.work[1:]
	if n := d.batch.prefix(group, int(d.client.limit.Load())); n < len(group) {
		d.work = append([][]int{group[:n], group[n:]}, d.work...)
		group, d.work = d.work[0], d.work[1:]
	}
	if d.attempts > 0 {
		d.client.retries.Add(int64(len(group)))
	}
	body := d.batch.body(group)
	res := d.client.send(ctx, body)
	if ctx.Err() != nil && res.err != nil {
		return fmt.Errorf("deliver bulk: %w", ctx.Err())
	}
	switch {
	case res.err != nil:
		d.unclear(group)
		d.client.alarm("bulk request without answer", res.err.Error())
		return d.retryDead(ctx, group)
	case res.status >= 200 && res.status < 300:
		return d.answered(ctx, group, res.body)
	case res.status == http.StatusTooManyRequests:
		d.unclear(group)
		d.shrink()
		return d.retry(ctx, group, busyPause)
	case res.status == http.StatusRequestEntityTooLarge:
		return d.tooLarge(ctx, group, len(body), res)
	case res.status == http.StatusBadRequest:
		return d.split(ctx, group, res)
	case res.status == http.StatusBadGateway || res.status == http.StatusServiceUnavailable || res.status == http.StatusGatewayTimeout:
		d.unclear(group)
		d.client.alarm("bulk request failed", fmt.Sprintf("status %d: %s", res.status, brief(res.body)))
		return d.retryDead(ctx, group)
	case res.status >= 500 || res.status == http.StatusRequestTimeout:
		d.unclear(group)
		d.client.alarm("bulk request failed", fmt.Sprintf("status %d: %s", res.status, brief(res.body)))
		return d.retry(ctx, group, busyPause)
	}
	d.client.alarm("bulk request refused, waiting for a repaired setup", fmt.Sprintf("status %d: %s", res.status, brief(res.body)))
	return d.retry(ctx, group, holdPause)
}

// unclear notes that nobody knows what the server did with the group.
func (d *delivery) unclear(group []int) {
	for _, i := range group {
		d.batch.Items[i].unclear = true
	}
}

// answered reads a 2xx answer to the group.
func (d *delivery) answered(ctx context.Context, group []int, body []byte) error {
	c := d.client
	if allStored(body, len(group)) {
		c.delivered.Add(int64(len(group)))
		for _, i := range group {
			d.batch.settle(i, stored)
		}
		d.healthy()
		return nil
	}
	answers, err := items(body, len(group))
	if err != nil {
		d.unclear(group)
		c.alarm("bulk answer unusable", err.Error())
		return d.retry(ctx, group, busyPause)
	}
	var left, dead []int
	var reasons []string
	held := false
	for k, i := range group {
		a := &answers[k]
		verdict := itemVerdict(a.Status)
		switch verdict {
		case stored:
			c.delivered.Add(1)
			if a.FailureStore == "used" {
				c.failureStore.Add(1)
				c.alarm("document went to the failure store", a.reason())
				continue // it is not in its data stream
			}
		case duplicate:
			c.duplicates.Add(1)
		case hold:
			held = true
			c.alarm("document refused, waiting for a repaired setup", a.reason())
			left = append(left, i)
		case again:
			d.batch.Items[i].unclear = true
			left = append(left, i)
		case reject:
			dead, reasons = append(dead, i), append(reasons, a.reason())
		}
		d.batch.settle(i, verdict)
	}
	if err := d.bury(ctx, dead, reasons); err != nil {
		return err
	}
	if len(left) == 0 {
		d.healthy()
		return nil
	}
	if len(left) < len(group) { // there is progress: the pause starts from the beginning
		d.attempts = 0
	}
	d.work = append([][]int{left}, d.work...)
	limit := busyPause
	if held {
		limit = holdPause
	}
	return d.pause(ctx, limit)
}

// split halves a group that the server refused as a whole; a single document goes to the dead-letter store.
func (d *delivery) split(ctx context.Context, group []int, res answer) error {
	if len(group) > 1 {
		half := len(group) / 2
		d.work = append([][]int{group[:half], group[half:]}, d.work...)
		d.client.retries.Add(int64(len(group)))
		return nil
	}
	return d.bury(ctx, group, []string{fmt.Sprintf("request status %d: %s", res.status, brief(res.body))})
}

// tooLarge deals with a body that the server finds too large: two smaller ones, or a shorter document.
func (d *delivery) tooLarge(ctx context.Context, group []int, size int, res answer) error {
	if len(group) > 1 {
		d.lower(int64(size))
		return d.split(ctx, group, res)
	}
	i := group[0]
	item := d.batch.Items[i]
	action := d.batch.original(i)[:item.Doc-item.Start]
	doc := d.batch.bytes(i)[len(action):]
	short, ok := shorten(doc, len(doc)/2)
	if !ok {
		return d.split(ctx, group, res)
	}
	if d.batch.shorter == nil {
		d.batch.shorter = make(map[int][]byte)
		d.client.alarm("document too large for the target, shortened", fmt.Sprintf("%d bytes: %s", len(doc), brief(res.body)))
	}
	d.batch.shorter[i] = append(append(append([]byte(nil), action...), short...), '\n')
	d.client.shortened.Add(1)
	d.work = append([][]int{group}, d.work...)
	return nil
}

// lower remembers that a body of size bytes was too large.
func (d *delivery) lower(size int64) {
	c := d.client
	if ceiling := c.ceiling.Load(); size/2 < ceiling {
		next := max(size/2, min(smallestLimit, c.max))
		c.ceiling.CompareAndSwap(ceiling, next)
		if limit := c.limit.Load(); limit > next {
			c.limit.CompareAndSwap(limit, next)
		}
	}
}

// bury keeps documents that will never be taken, as often as it takes: they are final only when they are kept.
func (d *delivery) bury(ctx context.Context, dead []int, reasons []string) error {
	if len(dead) == 0 {
		return nil
	}
	now := time.Now().UTC()
	letters := make([]DeadLetter, len(dead))
	for k, i := range dead {
		letter, err := describe(d.batch, i)
		if err != nil {
			return err
		}
		letter.Time, letter.Reason = now, reasons[k]
		letters[k] = letter
	}
	for {
		err := d.client.reject(letters)
		if err == nil {
			d.client.rejected.Add(int64(len(dead)))
			d.client.alarm("document rejected, see the dead-letter store", reasons[0])
			return nil
		}
		d.client.alarm("dead-letter store not writable, waiting", err.Error())
		if err := d.pause(ctx, holdPause); err != nil {
			return err
		}
	}
}

// retryDead puts the group back because nobody is there. Every other address is tried before the pause.
func (d *delivery) retryDead(ctx context.Context, group []int) error {
	d.work = append([][]int{group}, d.work...)
	d.client.degraded.Store(true)
	d.attempts++
	if d.silent++; d.silent < len(d.client.nodes) {
		return nil
	}
	d.silent = 0
	return sleep(ctx, deadPause+time.Duration(rand.Int64N(int64(deadPauseMax-deadPause))))
}

// retry puts the whole group back and waits.
func (d *delivery) retry(ctx context.Context, group []int, limit time.Duration) error {
	d.work = append([][]int{group}, d.work...)
	d.client.degraded.Store(true)
	return d.pause(ctx, limit)
}

// pause waits before the next attempt: doubling from firstPause up to limit, less up to a third at random.
func (d *delivery) pause(ctx context.Context, limit time.Duration) error {
	wait := limit
	if d.attempts < 8 {
		wait = min(limit, firstPause<<d.attempts)
	}
	d.attempts++
	return sleep(ctx, wait-time.Duration(rand.Int64N(int64(wait)/3+1)))
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("deliver bulk: %w", ctx.Err())
	}
}

// enter waits, while the target is degraded, until this delivery is the one that probes.
func (d *delivery) enter(ctx context.Context) error {
	if d.probing || !d.client.degraded.Load() {
		return nil
	}
	select {
	case d.client.probe <- struct{}{}:
		d.probing = true
	case <-ctx.Done():
		return fmt.Errorf("deliver bulk: %w", ctx.Err())
	}
	if !d.client.degraded.Load() { // somebody else found the target well meanwhile
		d.leave()
	}
	return nil
}

func (d *delivery) leave() {
	if d.probing {
		d.probing = false
		<-d.client.probe
	}
}

// healthy notes a good answer: bodies may grow again and nobody needs to wait for a probe.
func (d *delivery) healthy() {
	c := d.client
	d.attempts, d.silent = 0, 0
	if limit, ceiling := c.limit.Load(), c.ceiling.Load(); limit < ceiling {
		c.limit.CompareAndSwap(limit, min(limit*2, ceiling))
	}
	c.degraded.Store(false)
	d.leave()
}

// shrink halves the size of bodies because the target asked for less.
func (d *delivery) shrink() {
	c := d.client
	limit := c.limit.Load()
	c.limit.CompareAndSwap(limit, max(limit/2, min(smallestLimit, c.max)))
}
