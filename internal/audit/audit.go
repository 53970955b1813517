// Package audit owns what is written down when somebody changes what belongs to others: who, on whose behalf, what, why, and when. It is
// pure; package auditlog stores it.
//
// An aggregate embeds a Trail (`bson:",inline"`) beside its aggregate.Root. The function that decides a change (repository.Change) adds
// the Entry to the Trail, so both are in one document write: there is no change without its entry and no entry without its change,
// whatever process dies when. The collector of auditlog then moves entries into the append-only collection.
//
// Invariants: an entry of the back office or of operations has a reason; an entry holds ids, names of fields and digests, never a value
// of the document. Not guaranteed: that nobody types a person's data into a reason; forms must say so.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Limits of a reason, in characters, and of the entries that may wait in one document.
const (
	minReason  = 5
	maxReason  = 500
	maxWaiting = 100
)

// Actor is who acted.
type Actor struct {
	UserID string     `json:"user_id" bson:"user_id"`
	Role   authz.Role `json:"role" bson:"role"`
	Tenant string     `json:"tenant" bson:"tenant"`
	Behalf string     `json:"on_behalf_of,omitempty" bson:"behalf,omitempty"` // user or partner id for whom it was done; empty: for itself
}

// Entry is one change that somebody made, or one look at what is protected. It is never changed.
type Entry struct {
	ID        string    `json:"id" bson:"_id"` // filled in by Add and Append
	At        time.Time `json:"at" bson:"at"`  // UTC, milliseconds
	Actor     Actor     `json:"actor" bson:"actor"`
	Operation string    `json:"operation" bson:"operation"` // "order.reassign"
	Subject   string    `json:"subject" bson:"subject"`     // "order/o-4tq3…": kind and id
	Reason    string    `json:"reason,omitempty" bson:"reason,omitempty"`
	Change    Change    `json:"change,omitzero" bson:"change"`
	TraceID   string    `json:"trace_id,omitempty" bson:"trace_id,omitempty"`
}

var (
	operationPattern = regexp.MustCompile(`^[a-z-]+\.[a-z-]+$`)
	subjectPattern   = regexp.MustCompile(`^[a-z-]+/[A-Za-z0-9_.-]{1,128}$`)
)

// Complete checks an entry and gives it its id. A missing or unreadable reason is the caller's to mend (Invalid, pointer /reason), and a
// subject whose id, mostly from the request's path, nothing can have, does not exist (NotFound); every other error is a mistake in the program.
func (e Entry) Complete() (Entry, error) {
	e.Reason = strings.TrimSpace(e.Reason)
	n := utf8.RuneCountInString(e.Reason)
	needed := e.Actor.Role == authz.BackOffice || e.Actor.Role == authz.Ops
	_, known := authz.ParseRole(string(e.Actor.Role))
	switch {
	case (needed || n > 0) && (n < minReason || n > maxReason):
		return e, problem.InvalidField("/reason", "%d to %d characters are needed that say why; no names or addresses of persons",
			minReason, maxReason)
	case !utf8.ValidString(e.Reason) || strings.ContainsFunc(e.Reason, unicode.IsControl):
		return e, problem.InvalidField("/reason", "must be one line of text")
	case e.Actor.UserID == "" || e.Actor.Tenant == "" || !known:
		return e, fmt.Errorf("audit %s: actor %+v is not complete", e.Operation, e.Actor)
	case !operationPattern.MatchString(e.Operation) || e.At.IsZero():
		return e, fmt.Errorf("audit: operation %q of %q, time %v are not complete", e.Operation, e.Subject, e.At)
	case !subjectPattern.MatchString(e.Subject):
		return e, problem.New(problem.NotFound, "There is no %q.", e.Subject)
	}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	if e.ID == "" {
		e.ID = event.NewID("a")
	}
	return e, nil
}

// String is the entry as one line for people.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", e.At.Format("2006-01-02T15:04:05.000Z"), e.Actor.Role, e.Actor.UserID)
	if e.Actor.Behalf != "" {
		fmt.Fprintf(&b, " for %s", e.Actor.Behalf)
	}
	fmt.Fprintf(&b, ": %s %s", e.Operation, e.Subject)
	if len(e.Change.Fields) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(e.Change.Fields, ", "))
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, ", because: %s", e.Reason)
	}
	if e.TraceID != "" {
		fmt.Fprintf(&b, " [trace %s]", e.TraceID)
	}
	return b.String()
}

// Trail is embedded in an aggregate's document: the entries that the collector has not moved yet.
type Trail struct {
	Audit   []Entry    `bson:"audit,omitempty"`
	AuditAt *time.Time `bson:"audit_at,omitempty"` // of the oldest entry; absent when there is none
}

// Add adds the entry of a change to the document that is about to be written with that change. It refuses (Unavailable) when so many
// entries wait that the collector must have stopped: rather no change than one without its entry.
func (t *Trail) Add(e Entry) error {
	e, err := e.Complete()
	if err != nil {
		return err
	}
	if len(t.Audit) >= maxWaiting {
		return problem.New(problem.Unavailable, "This cannot be changed right now, because its audit trail is not being stored; try again later.")
	}
	t.Audit = append(t.Audit, e)
	if t.AuditAt == nil {
		t.AuditAt = &e.At
	}
	return nil
}

// Look is the entry of somebody who reads what is personal: what was read, and what for. The same person reading the same thing again within
// the hour makes the same entry, so a page that is read anew adds nothing.
func Look(actor Actor, operation, subject, what string, at time.Time, traceID string) Entry {
	sum := sha256.Sum256([]byte(actor.UserID + "\x00" + operation + "\x00" + subject + "\x00" + at.UTC().Format("2006-01-02T15")))
	return Entry{
		ID: "a-" + hex.EncodeToString(sum[:12]), At: at, Actor: actor, Operation: operation, Subject: subject, Reason: what, TraceID: traceID,
	}
}

// Searched is the Look of somebody who searches. The trail keeps no personal data, so the subject is a digest of what was typed, which proves
// it to whoever knows it.
func Searched(actor Actor, operation, typed string, found int, at time.Time, traceID string) Entry {
	sum := sha256.Sum256([]byte(typed))
	return Look(actor, operation, "search/"+hex.EncodeToString(sum[:12]), fmt.Sprintf("search, %d found", found), at, traceID)
}
