package httpserver

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"kreislauf/internal/problem"
)

// MaxAge is how old a request that came through the entry may be when an instance begins with it. An older one has been given up and
// perhaps been carried out elsewhere: it waited in the socket of a stopped process. Clocks of entry and instance must agree to about a
// second.
const MaxAge = 2 * time.Second

// answerBy is the age at which an instance answers at the latest, whatever tries there were before: within MaxAge with the way back.
const answerBy = MaxAge - 200*time.Millisecond

// The headers in which the entry says when it began with a request, in seconds since 1970, and for how many seconds an instance may work on
// it; then the request's context ends, and the caller gets a 503 of the instance's own before the entry gives up on the instance.
// nginx/nginx.conf.tmpl sets both.
const (
	RequestStart  = "X-Request-Start"
	RequestBudget = "X-Request-Budget"
)

// within puts the entry's limits on a request: its context ends with the budget, and its answer must be written within MaxAge, as the
// entry limits the gaps in a body but not the whole. The error says that it is too old to begin with. A request that came another way has
// no limits.
func within(ctx context.Context, w http.ResponseWriter, r *http.Request, start time.Time) (context.Context, context.CancelFunc, error) {
	at, err := seconds(r, RequestStart)
	budget, berr := seconds(r, RequestBudget)
	if err != nil || berr != nil {
		return ctx, func() {}, nil
	}
	began := time.Unix(0, 0).Add(at)
	// Only a writer without a connection, as in tests, has no deadline to set.
	_ = http.NewResponseController(w).SetWriteDeadline(start.Add(MaxAge))
	ctx, cancel := context.WithTimeout(ctx, min(budget, began.Add(answerBy).Sub(start)))
	if age := start.Sub(began); age > MaxAge {
		return ctx, cancel, problem.New(problem.Unavailable,
			"The request waited %.1f s for this instance, and nothing was done; send it again with the same Idempotency-Key.", age.Seconds())
	}
	return ctx, cancel, nil
}

func seconds(r *http.Request, header string) (time.Duration, error) {
	v, err := strconv.ParseFloat(r.Header.Get(header), 64)
	return time.Duration(v * float64(time.Second)), err
}
