package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// killOne kills an order instance with SIGKILL and shows that the same session orders on at once and the instance comes back.
func (p *running) killOne(ctx context.Context, c *customer) error {
	pid, err := p.kill("order-2")
	if err != nil {
		return err
	}
	began := time.Now()
	for range 6 { // every instance gets its turn
		if _, _, err := c.order(ctx); err != nil {
			return fmt.Errorf("order after the kill of order-2: %w", err)
		}
	}
	if err := p.awaitBack(ctx, "order-2", pid); err != nil {
		return err
	}
	fmt.Printf("smoke: killed order-2 (pid %d) with SIGKILL: the session went on, 6 of 6 orders placed, back after %.1f s\n", pid, time.Since(began).Seconds())
	return nil
}

// killEach kills every process of the platform in turn, orders again in the same session, and demands that each such order is matched.
func (p *running) killEach(ctx context.Context, c *customer) error {
	if err := p.readInfo(); err != nil {
		return err
	}
	var names []string
	for _, comp := range p.info.Components {
		names = append(names, comp.Name)
	}
	var orders []string
	for _, name := range names {
		pid, err := p.kill(name)
		if err != nil {
			return err
		}
		began, tries := time.Now(), 0
		for {
			tries++
			id, _, oerr := c.order(ctx)
			if oerr == nil {
				orders = append(orders, id)
				break
			}
			if time.Since(began) > 30*time.Second {
				return fmt.Errorf("order after the kill of %s: %w", name, oerr)
			}
			time.Sleep(50 * time.Millisecond)
		}
		ordered := time.Since(began)
		if err := p.awaitBack(ctx, name, pid); err != nil {
			return err
		}
		fmt.Printf("drill: killed %-14s next order after %5.2f s (try %d), process back after %4.1f s\n", name, ordered.Seconds(), tries, time.Since(began).Seconds())
	}
	for _, id := range orders {
		if err := c.awaitState(ctx, id, "matched"); err != nil {
			return err
		}
	}
	fmt.Printf("drill: %d passed, 0 failed; all %d orders matched\n", len(names), len(orders))
	return p.reconcile(ctx)
}

// reconcile demands that the databases of the services agree.
func (p *running) reconcile(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, p.Bin, "reconcile", "-data", p.Dir, "-wait", "60s").CombinedOutput()
	fmt.Printf("%s", out)
	if err != nil {
		return fmt.Errorf("kreislauf reconcile: %w", err)
	}
	return nil
}

// kill sends SIGKILL to a component and returns the pid it had.
func (p *running) kill(name string) (int, error) {
	if err := p.readInfo(); err != nil {
		return 0, err
	}
	for _, comp := range p.info.Components {
		if comp.Name == name {
			if err := syscall.Kill(comp.PID, syscall.SIGKILL); err != nil {
				return 0, fmt.Errorf("kill %s: %w", name, err)
			}
			return comp.PID, nil
		}
	}
	return 0, errors.New("there is no " + name + " in run.json")
}

// awaitBack waits until a component is ready as another process.
func (p *running) awaitBack(ctx context.Context, name string, old int) error {
	for {
		if err := p.readInfo(); err != nil {
			return err
		}
		for _, now := range p.info.Components {
			if now.Name == name && now.PID != old && now.State == "ready" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New(name + " did not come back in time")
		case <-time.After(100 * time.Millisecond):
		}
	}
}
