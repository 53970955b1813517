// Package aggregate owns what all aggregates have in common: an id, a version, and the events that tell of their changes until these
// are published. It is pure: no clock, no I/O. Package repository stores aggregates.
//
// Invariants: events of one aggregate are in the order in which they were emitted, and the aggregate's id is their subject.
package aggregate

import (
	"time"

	"kreislauf/internal/event"
)

// Root is embedded (`bson:",inline"`) in an aggregate's document.
type Root struct {
	ID       string        `bson:"_id"`
	Version  int64         `bson:"version"`             // goes up by one with each write of the repository
	Outbox   []event.Event `bson:"outbox,omitempty"`    // not published yet
	OutboxAt *time.Time    `bson:"outbox_at,omitempty"` // when the oldest of them was stored; absent when there is none. The repository fills it in
	DueAt    *time.Time    `bson:"due_at,omitempty"`    // when the aggregate's timed work is due; absent when there is none
}

// New is the root of a new aggregate.
func New(id string) Root { return Root{ID: id, Version: 1} }

// Aggregate gives the root of the document in which it is embedded.
func (r *Root) Aggregate() *Root { return r }

// Emit adds an event that tells what has just changed. The aggregate's id becomes its subject.
func (r *Root) Emit(m event.Meta, p event.Payload) error {
	m.Subject = r.ID
	e, err := event.New(m, p)
	if err != nil {
		return err
	}
	r.Outbox = append(r.Outbox, e)
	return nil
}

// Due plans the aggregate's timed work; a second call moves it. The zero time takes it off the plan.
func (r *Root) Due(at time.Time) {
	if at.IsZero() {
		r.DueAt = nil
		return
	}
	r.DueAt = &at
}
