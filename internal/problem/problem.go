// Package problem owns the errors that a caller of the platform may see: ten kinds beside Internal, one table to HTTP status,
// and the RFC 9457 body (application/problem+json).
//
// Invariants: an error that is not a *Error is shown as "internal" without its text, so nothing leaks by accident;
// every body carries the trace id. It does not log: the HTTP edge logs each failed request once.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Kind says what the caller can do about an error. The zero value is Internal.
type Kind uint8

// The kinds, with the caller's next step.
const (
	Internal        Kind = iota // nothing; quote the trace id to support
	Malformed                   // the request is not readable: send valid JSON
	Invalid                     // readable but against a rule: change the named field
	Unauthenticated             // sign in
	Forbidden                   // signed in, but not allowed
	NotFound                    // no such resource for this caller
	Conflict                    // the resource's state forbids it
	TooLarge                    // send less
	TooMany                     // wait, then try again
	BadMethod                   // the resource has other methods; the header Allow names them
	Unavailable                 // a dependency is away: try again
)

var table = [...]struct {
	status int
	slug   string
	title  string
}{
	Internal:        {http.StatusInternalServerError, "internal", "Something went wrong on our side"},
	Malformed:       {http.StatusBadRequest, "malformed", "The request cannot be read"},
	Invalid:         {http.StatusUnprocessableEntity, "invalid", "The request breaks a rule"},
	Unauthenticated: {http.StatusUnauthorized, "unauthenticated", "Sign in first"},
	Forbidden:       {http.StatusForbidden, "forbidden", "Not allowed"},
	NotFound:        {http.StatusNotFound, "not-found", "Not found"},
	Conflict:        {http.StatusConflict, "conflict", "Conflict with the present state"},
	TooLarge:        {http.StatusRequestEntityTooLarge, "too-large", "The request is too large"},
	TooMany:         {http.StatusTooManyRequests, "too-many", "Too many requests"},
	BadMethod:       {http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed"},
	Unavailable:     {http.StatusServiceUnavailable, "unavailable", "Temporarily unavailable"},
}

// Status is the HTTP status of the kind.
func (k Kind) Status() int { return table[k].status }

// Field is one complaint about one member of the request.
type Field struct {
	Pointer string `json:"pointer"` // JSON pointer into the body, or "?name" for a query parameter
	Detail  string `json:"detail"`  // what to do about it
}

// Error is a problem meant for the caller. Detail says what to do; Cause is for the log only.
type Error struct {
	Kind   Kind
	Detail string
	Fields []Field
	Cause  error
	After  time.Duration // when to try again, of TooMany and Unavailable; less than a second is a second
}

// Error implements error; it includes the cause, so it is for logs, never for bodies.
func (e *Error) Error() string {
	s := table[e.Kind].slug + ": " + e.Detail
	for _, f := range e.Fields {
		s += " [" + f.Pointer + ": " + f.Detail + "]"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes a problem with a detail for the caller.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}

// Wrap makes a problem whose cause is logged and not shown.
func Wrap(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Detail: fmt.Sprintf(format, args...), Cause: cause}
}

// InvalidField makes an Invalid problem about one field.
func InvalidField(pointer, format string, args ...any) *Error {
	d := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Detail: d, Fields: []Field{{Pointer: pointer, Detail: d}}}
}

// KindOf is the kind of the first *Error in the chain, Internal without one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Body is the RFC 9457 document.
type Body struct {
	Type     string  `json:"type"`     // "/problems/<kind>"
	Title    string  `json:"title"`    // the kind in words
	Status   int     `json:"status"`   // HTTP status
	Detail   string  `json:"detail"`   // what happened and what to do
	Instance string  `json:"instance"` // path of the request
	TraceID  string  `json:"trace_id"` // finds every line that the request caused
	Errors   []Field `json:"errors,omitempty"`
}

// BodyOf renders err for the caller of path.
func BodyOf(err error, path, traceID string) Body {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = New(Internal, "The request failed and nothing was changed that was not confirmed. Try again; if it persists, quote the trace id.")
	}
	t := table[e.Kind]
	return Body{Type: "/problems/" + t.slug, Title: t.title, Status: t.status, Detail: e.Detail, Instance: path, TraceID: traceID, Errors: e.Fields}
}

// Write answers with the problem. TooMany and Unavailable carry Retry-After.
func Write(w http.ResponseWriter, err error, path, traceID string) {
	b := BodyOf(err, path, traceID)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if b.Status == http.StatusServiceUnavailable || b.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter(err)))
	}
	w.WriteHeader(b.Status)
	// The status line is out: a failed write means the caller is gone, and there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(b)
}

// retryAfter is in whole seconds, never too few.
func retryAfter(err error) int {
	e, _ := errors.AsType[*Error](err)
	if e == nil {
		return 1
	}
	return max(1, int(math.Ceil(e.After.Seconds())))
}
