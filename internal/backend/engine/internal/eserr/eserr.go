// Package eserr holds the one error type of the engine: an error in the shape of Elasticsearch.
//
// Every part of the engine that refuses something returns an *Error with the type and the words of the
// real server, so that the HTTP edge only has to print it. An error that is no *Error is an internal
// failure and becomes a 500.
package eserr

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is an Elasticsearch error. Status is the HTTP status (also the status of a bulk item), Type the
// exception name in snake case, Reason its text. Extra holds further members of the error object, such as
// line and col of a parsing error. Cause becomes caused_by.
type Error struct {
	Status int
	Type   string
	Reason string
	Extra  map[string]any
	Cause  *Error
	// Shards lists search phase failures; a non-nil list makes the error a search_phase_execution_exception.
	Shards []ShardFailure
	// At is line and column where the parser stood when it met the error, for the errors around it; zero is unknown.
	At [2]int
}

// ShardFailure is one entry of failed_shards.
type ShardFailure struct {
	Index string
	Err   *Error
}

func (e *Error) Error() string { return e.Type + ": " + e.Reason }

// New returns an error with a formatted reason.
func New(status int, typ, format string, args ...any) *Error {
	return &Error{Status: status, Type: typ, Reason: sprintf(format, args)}
}

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// IllegalArgument is the 400 for a value that is understood but not allowed.
func IllegalArgument(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "illegal_argument_exception", Reason: sprintf(format, args)}
}

// Parsing is the 400 for a request body that is JSON but not the expected request. Line and col start at 1.
func Parsing(line, col int, format string, args ...any) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "parsing_exception", Reason: sprintf(format, args),
		Extra: map[string]any{"line": line, "col": col},
	}
}

// Content is the 400 for a body that is not JSON at all, or whose tokens do not fit.
func Content(line, col int, format string, args ...any) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "x_content_parse_exception",
		Reason: fmt.Sprintf("[%d:%d] %s", line, col, sprintf(format, args)),
	}
}

// IndexNotFound is the 404 for a concrete index or stream that does not exist.
func IndexNotFound(name string) *Error {
	return &Error{
		Status: http.StatusNotFound, Type: "index_not_found_exception", Reason: "no such index [" + name + "]",
		Extra: map[string]any{"resource.type": "index_or_alias", "resource.id": name, "index_uuid": "_na_", "index": name},
	}
}

// Within says in which member of which object an error was found, as the real server's parser does.
func Within(line, col int, object, field string, cause error) *Error {
	e := From(cause)
	if l, ok := e.Extra["line"].(int); ok {
		line, col = l, e.Extra["col"].(int)
	}
	if e.At != [2]int{} {
		line, col = e.At[0], e.At[1]
	}
	out := Content(line, col, "[%s] failed to parse field [%s]", object, field).Wrap(e)
	out.At = [2]int{line, col}
	return out
}

// Validation is the 400 of a request that misses something before it is looked at.
func Validation(problems ...string) *Error {
	var b strings.Builder
	b.WriteString("Validation Failed: ")
	for i, p := range problems {
		fmt.Fprintf(&b, "%d: %s;", i+1, p)
	}
	return &Error{Status: http.StatusBadRequest, Type: "action_request_validation_exception", Reason: b.String()}
}

// SearchPhase wraps an error found while a shard of index was searched, as the real server does.
func SearchPhase(index string, err *Error) *Error {
	cause := err
	if err.Type == "illegal_argument_exception" {
		// The real server wraps what is none of its own exceptions in itself.
		outer := *err
		cause = outer.Wrap(err)
	}
	return &Error{
		Status: err.Status, Type: "search_phase_execution_exception", Reason: "all shards failed",
		Extra:  map[string]any{"phase": "query", "grouped": true},
		Shards: []ShardFailure{{Index: index, Err: err}},
		Cause:  cause,
	}
}

// Wrap sets the cause and returns e.
func (e *Error) Wrap(cause *Error) *Error {
	e.Cause = cause
	return e
}

// From turns any error into an *Error; what is none becomes a 500 `exception` with the error's text.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: http.StatusInternalServerError, Type: "exception", Reason: err.Error()}
}

// Object is the error as a JSON object without status: {type, reason, ...}.
func (e *Error) Object() map[string]any {
	o := map[string]any{"type": e.Type, "reason": e.Reason}
	for k, v := range e.Extra {
		o[k] = v
	}
	if e.Shards != nil {
		list := make([]any, len(e.Shards))
		for i, s := range e.Shards {
			list[i] = map[string]any{"shard": 0, "index": s.Index, "node": "kreislauf", "reason": s.Err.Object()}
		}
		o["failed_shards"] = list
	}
	if e.Cause != nil {
		o["caused_by"] = e.Cause.Object()
	}
	return o
}

// foreign says whether the exception is one of Java and none of the server's own.
func (e *Error) foreign() bool {
	return e.Type == "illegal_argument_exception" || e.Type == "illegal_state_exception" || e.Type == "number_format_exception"
}

// Body is the whole error answer: {error: {root_cause, type, reason, ...}, status}.
func (e *Error) Body() map[string]any {
	root := e
	if e.Shards != nil {
		root = e.Shards[0].Err
	}
	for root.Cause != nil && (root.Type == "x_content_parse_exception" || root.Type == "mapper_parsing_exception") && !root.Cause.foreign() {
		root = root.Cause // these only say where the real cause was met
	}
	cause := map[string]any{"type": root.Type, "reason": root.Reason}
	for k, v := range root.Extra {
		cause[k] = v
	}
	o := e.Object()
	o["root_cause"] = []any{cause}
	return map[string]any{"error": o, "status": e.Status}
}
