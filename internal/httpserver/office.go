package httpserver

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kreislauf/internal/audit"
	"kreislauf/internal/problem"
)

// What the routes of the back office have in common in all services: the typed search, lists of work, the audit trail, and the version
// that somebody has read.

// MaxFound is how many hits one search answers.
const MaxFound = 20

// Searched reads what was typed into the search, ?q. The error is Invalid.
func Searched(r *http.Request) (string, error) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if n := utf8.RuneCountInString(q); n < 3 || n > 100 || !utf8.ValidString(q) {
		return "", problem.InvalidField("?q", "3 to 100 characters are needed: a name, an address, a number or the beginning of a number")
	}
	return q, nil
}

// Work is one thing that somebody of the back office has to look after.
type Work struct {
	ID        string    `json:"id"` // of what it is about: an order, a partner, a statement line, a mail
	OrderID   string    `json:"order_id,omitempty"`
	PartnerID string    `json:"partner_id,omitempty"`
	Number    string    `json:"number,omitempty"`       // of an invoice or credit note
	About     string    `json:"about"`                  // what tells it from others, in no language: "50667 Köln, 170904, 7 m³"
	Cents     int64     `json:"amount_cents,omitempty"` // what it is about in money, gross
	Since     time.Time `json:"since"`                  // since when it waits; of what is still to come, when that is
}

// Worklist is a list of work.
type Worklist struct {
	Name string
	Find func(ctx context.Context, limit int64) ([]Work, error) // the longest waiting first
}

// maxWork is how far a list is counted, maxWorkPage how many of it come at once.
const (
	maxWork     = 500
	maxWorkPage = 50
)

// Worklists answers how long the lists are and what waits longest; with ?list the work of that one, page by page (?offset).
func Worklists(w http.ResponseWriter, r *http.Request, lists ...Worklist) error {
	type head struct {
		Name   string     `json:"name"`
		Count  int        `json:"count"`
		More   bool       `json:"more"` // there are more than are counted
		Oldest *time.Time `json:"oldest,omitempty"`
	}
	var answer struct {
		Lists []head `json:"worklists"`
		Items []Work `json:"items,omitempty"`
		Next  int    `json:"next_offset,omitempty"`
	}
	wanted, offset := r.URL.Query().Get("list"), 0
	if text := r.URL.Query().Get("offset"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxWork {
			return problem.InvalidField("?offset", "must be a number from 0 to %d", maxWork)
		}
		offset = n
	}
	var names []string
	for _, l := range lists {
		names = append(names, l.Name)
		if wanted != "" && wanted != l.Name {
			continue
		}
		found, err := l.Find(r.Context(), maxWork+1)
		if err != nil {
			return err
		}
		h := head{Name: l.Name, Count: min(len(found), maxWork), More: len(found) > maxWork}
		found = found[:h.Count]
		if h.Count > 0 {
			h.Oldest = &found[0].Since
		}
		answer.Lists = append(answer.Lists, h)
		if wanted != "" {
			from := min(offset, len(found))
			to := min(from+maxWorkPage, len(found))
			if answer.Items = found[from:to]; to < len(found) {
				answer.Next = to
			}
		}
	}
	if answer.Lists == nil {
		return problem.InvalidField("?list", "%.40q is no list; there are %s", wanted, strings.Join(names, ", "))
	}
	return JSON(w, http.StatusOK, answer)
}

// maxTrail is how many entries of a trail one answer lists.
const maxTrail = 100

// Trail answers the audit entries of ?subject, newest first. kinds are those of subjects that the service has.
func Trail(w http.ResponseWriter, r *http.Request, find func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error), kinds ...string) error {
	subject := r.URL.Query().Get("subject")
	kind, id, _ := strings.Cut(subject, "/")
	known := false
	for _, k := range kinds {
		known = known || k == kind
	}
	if !known || id == "" || len(subject) > 160 {
		return problem.InvalidField("?subject", "a kind and an id are needed, for example %s/…; kinds are %s", kinds[0], strings.Join(kinds, ", "))
	}
	list, err := find(r.Context(), subject, maxTrail)
	if err != nil {
		return err
	}
	return JSON(w, http.StatusOK, map[string]any{"entries": append([]audit.Entry{}, list...)})
}

// ETag says which version of a document an answer shows.
func ETag(w http.ResponseWriter, version int64) {
	w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(version, 10)))
}

// IfMatch reads the version that the caller has seen, 0 when it does not say. The error is Malformed.
func IfMatch(r *http.Request) (int64, error) {
	text := r.Header.Get("If-Match")
	if text == "" {
		return 0, nil
	}
	version, ok := VersionOf(text)
	if !ok {
		return 0, problem.New(problem.Malformed, `The header If-Match must name the version that you have read, for example If-Match: "3".`)
	}
	return version, nil
}

// RequireMatch reads the version that the caller has seen from If-Match, which must be there. The error is Malformed.
func RequireMatch(r *http.Request) (int64, error) {
	version, ok := VersionOf(r.Header.Get("If-Match"))
	if !ok || r.Header.Get("If-None-Match") != "" {
		return 0, problem.New(problem.Malformed, readFirst+".")
	}
	return version, nil
}

// MatchOrNew is RequireMatch where the caller may also want a new one (If-None-Match: *); then the version is 0. noun names it.
func MatchOrNew(r *http.Request, noun string) (int64, error) {
	if r.Header.Get("If-Match") == "" && r.Header.Get("If-None-Match") == "*" {
		return 0, nil
	}
	version, err := RequireMatch(r)
	if err != nil {
		return 0, problem.New(problem.Malformed, "%s; for a new %s send If-None-Match: * instead.", readFirst, noun)
	}
	return version, nil
}

const readFirst = `Send the version that you have read as If-Match, for example If-Match: "3"`

// VersionOf reads the version in an entity tag as ETag writes it; false for any other text.
func VersionOf(tag string) (version int64, ok bool) {
	version, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64) // nginx makes a tag weak when it compresses
	return version, err == nil && version > 0
}

// Stale refuses a change by somebody who has seen another version than the present one; seen is 0 when nobody says.
func Stale(noun, id string, seen, present int64) error {
	if seen == 0 || seen == present {
		return nil
	}
	return problem.New(problem.Conflict, "The %s %s has been changed since you read it: it has version %d now, and you have read %d. Read it again, and decide again.",
		noun, id, present, seen)
}
