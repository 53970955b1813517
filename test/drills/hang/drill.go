package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"kreislauf/internal/client"
)

const shoppers = 4

// result is what a drill measured. Times count from the SIGSTOP.
type result struct {
	orders                  []string
	requests, failed        int
	longest                 request
	out, replaced, document time.Duration
	note                    string
}

func (r result) String() string {
	if r.requests == 0 {
		return r.note
	}
	s := fmt.Sprintf("orders %3d, requests %4d, failed %2d, longest %.2f s", len(r.orders), r.requests, r.failed, r.longest.took.Seconds())
	if r.replaced > 0 {
		s += fmt.Sprintf(", without requests after %.1f s, replaced after %.1f s, document after %.1f s",
			r.out.Seconds(), r.replaced.Seconds(), r.document.Seconds())
	}
	return s + r.note
}

// crowd are customers who order all the time.
type crowd struct {
	customers []*customer
	leave     context.CancelFunc
	wg        sync.WaitGroup
	mu        sync.Mutex // guards errs
	errs      []error
}

// gather signs customers up, lets them begin, and returns when each has ordered.
func gather(ctx context.Context, entry string) (*crowd, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{leave: cancel}
	for n := range shoppers {
		one := newCustomer(entry, n)
		if err := errors.Join(one.signUp(ctx), one.visit(ctx)); err != nil {
			cancel()
			return nil, fmt.Errorf("before the drill: %w", err)
		}
		c.customers = append(c.customers, one)
	}
	for _, one := range c.customers {
		c.wg.Go(func() {
			if err := one.shop(ctx); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.errs = append(c.errs, err)
			}
		})
	}
	return c, nil
}

// end lets the customers finish, and sums up what they saw since the given time.
func (c *crowd) end(ctx context.Context, since time.Time, allowed failures, r *result) error {
	c.leave()
	c.wg.Wait()
	errs := c.errs
	for _, one := range c.customers {
		for _, q := range one.requests {
			if q.began.Add(q.took).Before(since) {
				continue
			}
			r.requests++
			if q.took > r.longest.took {
				r.longest = q
			}
			if q.failed() {
				r.failed++
				errs = append(errs, allowed.check(q))
			}
		}
		r.orders = append(r.orders, one.orders...)
		errs = append(errs, one.settled(ctx))
	}
	if r.longest.took > longestRequest {
		errs = append(errs, fmt.Errorf("a request took longer than %v: %v", longestRequest, r.longest))
	}
	return errors.Join(errs...)
}

// check refuses a failed request that the drill does not allow.
func (f failures) check(q request) error {
	p, refused := errors.AsType[*client.Problem](q.err)
	switch {
	case f == unavailable && refused && p.Status == http.StatusServiceUnavailable && p.RetryAfter > 0:
		return nil
	case f == connections && !refused:
		return nil
	}
	return fmt.Errorf("a request failed: %v", q)
}

// drill stops a process and watches what becomes of it.
func (p *platform) drill(ctx context.Context, t target) (r result, err error) {
	people, err := gather(ctx, p.info.Entry)
	if err != nil {
		return r, err
	}
	component, pid, addr, err := p.find(t.name)
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return r, fmt.Errorf("stop %s: %w", t.name, err)
	}
	errs := []error{
		until(ctx, outWithin, t.name+" gets no requests", func() (bool, error) {
			if gone(pid) || addr == "" {
				return gone(pid), nil
			}
			in, err := p.balanced(addr)
			return !in && err == nil, err
		}),
	}
	r.out = time.Since(began)
	errs = append(errs, until(ctx, t.replaced-r.out, t.name+" is replaced", func() (bool, error) { return p.replaced(component, pid) }))
	r.replaced = time.Since(began)
	time.Sleep(time.Second) // what goes wrong when it comes back shows now
	errs = append(errs, people.end(ctx, began, t.fails, &r))
	errs = append(errs, until(ctx, time.Minute, "the document of process.hung", func() (bool, error) {
		event := map[string]any{"event.action": "process.hung", "process.name": t.name, "process.pid": pid}
		n, err := p.count(ctx, "logs-kreislauf.supervisor-"+p.info.Env, event)
		return n == 1, err
	}))
	r.document = time.Since(began)
	return r, errors.Join(errs...)
}

// find gives the process that a target is, its component, and where it gets requests from nginx.
func (p *platform) find(name string) (component string, pid int, addr string, err error) {
	if name == "nginx-worker" {
		list, err := p.workers()
		if err != nil || len(list) == 0 {
			return "", 0, "", fmt.Errorf("nginx has %d workers: %w", len(list), err)
		}
		busiest := slices.MaxFunc(list, func(a, b int) int { return cmp.Compare(sockets(a), sockets(b)) })
		return "nginx", busiest, "", nil
	}
	c, err := p.component(name)
	if in, _ := p.balanced(c.Addr); in {
		addr = c.Addr
	}
	return name, c.PID, addr, err
}

// replaced says whether another process is at work in place of pid.
func (p *platform) replaced(component string, pid int) (bool, error) {
	c, err := p.component(component)
	if err != nil || c.State != "ready" || !gone(pid) {
		return false, err
	}
	if component != "nginx" {
		return c.PID != pid, nil
	}
	list, err := p.workers()
	return len(list) == 2, err
}

// drillContinued stops the supervisor and then an instance, so that nobody replaces it, and continues both: the instance finds in its
// sockets what nginx has given up on, and must not do it.
func (p *platform) drillContinued(ctx context.Context) (r result, err error) {
	people, err := gather(ctx, p.info.Entry)
	if err != nil {
		return r, err
	}
	c, err := p.component("order-2")
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := errors.Join(syscall.Kill(p.info.PID, syscall.SIGSTOP), syscall.Kill(c.PID, syscall.SIGSTOP)); err != nil {
		return r, fmt.Errorf("stop order-2 and its supervisor: %w", err)
	}
	time.Sleep(6 * time.Second)
	errs := []error{syscall.Kill(c.PID, syscall.SIGCONT)}
	dropped := 0
	errs = append(errs, until(ctx, 30*time.Second, "order-2 drops what nginx has given up on", func() (bool, error) {
		b, err := os.ReadFile(fmt.Sprintf("%s/logs/%s/%s/order/order-2.log", p.Dir, p.info.Env, p.info.Customer))
		dropped = strings.Count(string(b), `"event.action":"http.dropped"`)
		return dropped > 0, err
	}))
	errs = append(errs, syscall.Kill(p.info.PID, syscall.SIGCONT))
	time.Sleep(2 * time.Second)
	errs = append(errs, people.end(ctx, began, nothing, &r))
	if now, err := p.component("order-2"); err != nil || now.PID != c.PID {
		errs = append(errs, fmt.Errorf("order-2 was replaced: %+v, %w", now, err))
	}
	r.note = fmt.Sprintf(", %d requests dropped by the continued instance", dropped)
	return r, errors.Join(errs...)
}

// awaitEvents demands that the event of each order is one document.
func (p *platform) awaitEvents(ctx context.Context, orders []string) error {
	stream := "events-kreislauf-" + p.info.Env
	err := until(ctx, time.Minute, fmt.Sprintf("there are %d documents order.placed", len(orders)), func() (bool, error) {
		n, err := p.count(ctx, stream, map[string]any{"event.action": "order.placed"})
		return n == len(orders), errors.Join(err, fmt.Errorf("there are %d", n))
	})
	for _, id := range orders {
		if n, cerr := p.count(ctx, stream, map[string]any{"event.action": "order.placed", "order.id": id}); cerr != nil || n != 1 {
			err = errors.Join(err, fmt.Errorf("order %s has %d documents order.placed: %w", id, n, cerr))
		}
	}
	return err
}

// count counts documents whose fields have the values.
func (p *platform) count(ctx context.Context, index string, fields map[string]any) (int, error) {
	filters := []any{}
	for k, v := range fields {
		filters = append(filters, map[string]any{"term": map[string]any{k: v}})
	}
	body, err := json.Marshal(map[string]any{"query": map[string]any{"bool": map[string]any{"filter": filters}}})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", p.info.Elastic+"/"+index+"/_count?ignore_unavailable=true", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("count %s: %s: %s: %w", index, res.Status, answer, err)
	}
	var n struct{ Count int }
	return n.Count, json.Unmarshal(answer, &n)
}
