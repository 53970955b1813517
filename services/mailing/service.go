// Package mailing is being built.
package mailing

import (
	"context"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
)

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	p.Consume(func(context.Context, event.Event, event.Payload) error { return nil })
	return nil
}
