package httpserver

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"kreislauf/internal/problem"
)

// What the entry waits for an answer, seen from an instance. nginx/nginx.conf.tmpl has the other side; a test there compares them.
const (
	// Budget is how long an instance works on a request that came through the entry. Then the request's context ends, and the caller gets
	// a 503 of the instance's own before the entry gives up on the instance.
	Budget = 700 * time.Millisecond
	// MaxAge is how old such a request may be when an instance begins with it. An older one has been given up and perhaps been carried out
	// elsewhere: it waited in the socket of a stopped process. Clocks of entry and instance must agree to about a second.
	MaxAge = 2 * time.Second
)

// RequestStart is the header in which the entry says when it began with a request: seconds since 1970 with a fraction.
const RequestStart = "X-Request-Start"

// entered says when the entry began with the request; false for one that came another way, which has no limits.
func entered(r *http.Request) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(r.Header.Get(RequestStart), 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(seconds * 1e6)), true
}

// within puts the entry's limits on a request: its context ends after Budget, and its answer must be written within MaxAge, as the entry
// limits the gaps in a body but not the whole. The error says that it is too old to begin with.
func within(ctx context.Context, w http.ResponseWriter, r *http.Request, start time.Time) (context.Context, context.CancelFunc, error) {
	began, ok := entered(r)
	if !ok {
		return ctx, func() {}, nil
	}
	// Only a writer without a connection, as in tests, has no deadline to set.
	_ = http.NewResponseController(w).SetWriteDeadline(start.Add(MaxAge))
	ctx, cancel := context.WithDeadline(ctx, start.Add(Budget))
	if age := start.Sub(began); age > MaxAge {
		return ctx, cancel, problem.New(problem.Unavailable,
			"The request waited %.1f s for this instance, and nothing was done; send it again with the same Idempotency-Key.", age.Seconds())
	}
	return ctx, cancel, nil
}
