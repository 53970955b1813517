package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"kreislauf/internal/client"
)

// Retries of one step of a visit: after 0.1, 0.2, 0.4, 0.8 and 1.6 s (±25 %), or later when the answer's Retry-After says so.
const (
	maxRetries    = 5
	firstPause    = 100 * time.Millisecond
	maxRetryAfter = 2 * time.Second
	tryTimeout    = 10 * time.Second
)

// ErrUnreachable says that nothing listens at the entry.
var ErrUnreachable = errors.New("the platform is unreachable")

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// entry is where all requests go: nginx of the platform. Redirects are answers, not followed.
type entry struct {
	url  *url.URL
	http *http.Client
}

// newEntry checks the entry by connecting to it once.
func newEntry(ctx context.Context, address string, idle int, dial dialer) (*entry, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("entry %q: use http://host:port", address)
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), u.Scheme)
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to %s: %w; is it up, and is the address right?", ErrUnreachable, addr, err)
	}
	_ = conn.Close() // nothing was sent
	return &entry{url: u, http: &http.Client{
		Transport:     &http.Transport{DialContext: dial, MaxIdleConnsPerHost: idle, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// visitor is somebody without a session.
func (e *entry) visitor(from netip.Addr, agent string) *client.Client {
	return comingFrom(client.New(client.Entry(e.url.Scheme+"://"+e.url.Host), e.http.Transport), from, agent)
}

// comingFrom is the same person at another address with another browser.
func comingFrom(c *client.Client, from netip.Addr, agent string) *client.Client {
	return c.With("X-Forwarded-For", from.String()).With("User-Agent", agent)
}

// outcome is what became of a step of a visit after all its tries.
type outcome struct {
	err     error // of the last try; nil when it was answered as wanted
	retries int
	doubt   bool // a try may have reached a service without a certain answer
}

// retry tries until there is an answer below 500 (other than 429), at most 1 + maxRetries times.
func retry(ctx context.Context, try func(context.Context) error) outcome {
	pause, o := firstPause, outcome{}
	for ; ; o.retries++ {
		o.err = tryOnce(ctx, try)
		o.doubt = o.doubt || doubtful(o.err)
		if !worthAnotherTry(o.err) || o.retries == maxRetries {
			return o
		}
		wait := max(time.Duration(float64(pause)*(0.75+rand.Float64()/2)), retryAfter(o.err))
		if !waitUntil(ctx, time.Now().Add(wait)) {
			return o
		}
		pause *= 2
	}
}

func tryOnce(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	return try(ctx)
}

// doubtful says that a service may have done what was asked for.
func doubtful(err error) bool {
	if p, refused := errors.AsType[*client.Problem](err); refused {
		return p.Status >= http.StatusInternalServerError
	}
	op, network := errors.AsType[*net.OpError](err)
	return err != nil && !(network && op.Op == "dial")
}

func worthAnotherTry(err error) bool {
	if p, refused := errors.AsType[*client.Problem](err); refused {
		return p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests
	}
	return err != nil && !errors.Is(err, client.ErrUnreadable)
}

func retryAfter(err error) time.Duration {
	p, refused := errors.AsType[*client.Problem](err)
	if !refused {
		return 0
	}
	return min(p.RetryAfter, maxRetryAfter)
}

// errorKind names a failure in few words, the same for the same cause.
func errorKind(err error) string {
	var timeout net.Error
	if p, refused := errors.AsType[*client.Problem](err); refused {
		return "HTTP " + strconv.Itoa(p.Status)
	}
	switch {
	case errors.Is(err, client.ErrUnreadable):
		return "unreadable answer"
	case errors.Is(err, context.Canceled):
		return "cut off at the end"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection lost"
	}
	return "no answer"
}
