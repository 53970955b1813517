package httpserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"kreislauf/internal/problem"
)

// Decode reads the JSON body into v, strictly: one value, known members only, within BodyLimit, and declared as application/json.
// The declaration matters: another site's page can make a browser send any other kind of body with the visitor's cookies.
func Decode(r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem.New(problem.Malformed, "The body is declared as %q; send Content-Type: application/json.", r.Header.Get("Content-Type"))
	}
	return DecodeUndeclared(r, v)
}

// DecodeUndeclared is Decode without regard to the Content-Type, for public routes that beacons use, which cannot declare it.
func DecodeUndeclared(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return problem.New(problem.Malformed, "The body holds more than one JSON value; send one object.")
	}
	return bodyProblem(err)
}

func bodyProblem(err error) error {
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.Wrap(problem.TooLarge, err, "The body is larger than %d bytes; send less.", big.Limit)
	}
	if syn, ok := errors.AsType[*json.SyntaxError](err); ok {
		return problem.Wrap(problem.Malformed, err, "The body is not valid JSON at byte %d: %v.", syn.Offset, syn)
	}
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		ptr := "/" + strings.ReplaceAll(typ.Field, ".", "/")
		e := problem.InvalidField(ptr, "expected %s, got %s", typ.Type, typ.Value)
		e.Kind = problem.Malformed
		return e
	}
	switch {
	case errors.Is(err, io.EOF):
		return problem.New(problem.Malformed, "The body is empty; send a JSON object.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem.New(problem.Malformed, "The JSON body ends too early; send it whole.")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		e := problem.InvalidField("/"+strings.Trim(name, `"`), "unknown member %s; leave it out", name)
		e.Kind = problem.Malformed
		return e
	}
	return problem.Wrap(problem.Malformed, err, "The body could not be read; send it again.")
}

// JSON answers with v. Answers are private by default: a session's data must not end up in a shared cache.
func JSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	// A failed write means that the caller is gone; nginx logs it as 499.
	_, _ = w.Write(append(b, '\n'))
	return nil
}

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// IdempotencyKey reads the required header Idempotency-Key.
func IdempotencyKey(r *http.Request) (string, error) {
	k := r.Header.Get("Idempotency-Key")
	if k == "" {
		return "", problem.New(problem.Malformed, "The header Idempotency-Key is missing; send a value made once for this intent, for example a UUID.")
	}
	if !keyPattern.MatchString(k) {
		return "", problem.New(problem.Malformed, "The header Idempotency-Key must be 8 to 64 characters of A-Z, a-z, 0-9, _ and -.")
	}
	return k, nil
}

// Replayed marks an answer as a repetition of the first one.
func Replayed(w http.ResponseWriter) { w.Header().Set("Idempotency-Replayed", "true") }

var visitPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// VisitID checks an optional id of a browser visit; it joins the steps of a funnel and identifies nobody.
func VisitID(pointer, id string) error {
	if id != "" && !visitPattern.MatchString(id) {
		return problem.InvalidField(pointer, "must be up to 64 characters of A-Z, a-z, 0-9, _ and -")
	}
	return nil
}
