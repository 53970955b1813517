package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// maxAnswer bounds one answer in bytes: 1,000 hits of 64 KiB.
const maxAnswer = 64 << 20

// Error is an answer with an error status.
type Error struct {
	Type   string // for example "index_not_found_exception"; empty when the body was not the server's JSON
	Reason string // the server's sentence, or the start of the body
	Status int    // HTTP status
}

// Error implements error.
func (e *Error) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("status %d: %s", e.Status, e.Reason)
	}
	return fmt.Sprintf("%s: %s (status %d)", e.Type, e.Reason, e.Status)
}

// Status returns the HTTP status of the Error inside err, 0 when there is none (no answer at all).
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Transient tells whether the same request may succeed later: no answer, 429, or a 5xx other than 501.
func Transient(err error) bool {
	if err == nil {
		return false
	}
	s := Status(err)
	return s == 0 || s == http.StatusTooManyRequests || (s >= 500 && s != http.StatusNotImplemented)
}

// Decode ends one esapi call: it closes the body, turns an error status into *Error and decodes a good answer
// into out (nil = ignored). Numbers in an any become json.Number, so that 64-bit sort values survive.
func Decode(res *esapi.Response, err error, out any) error {
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body := io.LimitReader(res.Body, maxAnswer)
	if res.IsError() {
		return decodeError(res.StatusCode, body)
	}
	if out == nil {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	dec := json.NewDecoder(body)
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	return nil
}

func decodeError(status int, body io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(body, 64<<10))
	if err != nil {
		return fmt.Errorf("status %d, read the error: %w", status, err)
	}
	var envelope struct {
		Error json.RawMessage `json:"error"`
	}
	e := &Error{Status: status}
	if json.Unmarshal(text, &envelope) == nil && len(envelope.Error) > 0 {
		e.fill(envelope.Error)
	}
	if e.Reason == "" {
		e.Reason = strings.TrimSpace(string(text[:min(len(text), 200)]))
	}
	if e.Reason == "" {
		e.Reason = http.StatusText(status)
	}
	return e
}

// fill reads the error member, which is an object or, for some routes, a plain sentence. A search error names
// its cause only in root_cause or failed_shards; the first root cause is the useful one.
func (e *Error) fill(raw json.RawMessage) {
	type cause struct {
		Type   string  `json:"type"`
		Reason *string `json:"reason"`
	}
	var object struct {
		cause
		RootCause []cause `json:"root_cause"`
	}
	if json.Unmarshal(raw, &object) != nil {
		_ = json.Unmarshal(raw, &e.Reason)
		return
	}
	e.Type = object.Type
	if object.Reason != nil {
		e.Reason = *object.Reason
	}
	if len(object.RootCause) > 0 && object.RootCause[0].Reason != nil && *object.RootCause[0].Reason != e.Reason {
		e.Reason = strings.TrimPrefix(e.Reason+": "+*object.RootCause[0].Reason, ": ")
	}
}
