package load

import (
	"bytes"
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
)

// Retries of one step of a visit: after 0.1, 0.2, 0.4, 0.8 and 1.6 s (±25 %), or later when the answer's Retry-After says so.
const (
	maxRetries    = 5
	firstPause    = 100 * time.Millisecond
	maxRetryAfter = 2 * time.Second
	tryTimeout    = 10 * time.Second
	maxAnswer     = 1 << 20 // bytes read of a body
)

// ErrUnreachable says that nothing listens at the entry.
var ErrUnreachable = errors.New("the platform is unreachable")

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// client sends requests to the entry. Redirects are answers, not followed.
type client struct {
	entry *url.URL
	http  *http.Client
}

// newClient checks the entry by connecting to it once.
func newClient(ctx context.Context, entry string, idle int, dial dialer) (*client, error) {
	u, err := url.Parse(entry)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("entry %q: use http://host:port", entry)
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
	return &client{entry: u, http: &http.Client{
		Transport:     &http.Transport{DialContext: dial, MaxIdleConnsPerHost: idle, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// request is one step of a visit.
type request struct {
	method, path string // with query
	body         []byte // JSON; nil without
	key          string // Idempotency-Key; empty without
	from         netip.Addr
	agent        string
	by           *customer // nil for a visitor who is not signed in
}

// answer is what became of a request after all its tries.
type answer struct {
	status  int // 0 without an answer
	header  http.Header
	body    []byte
	err     error // why there is no answer
	retries int
	doubt   bool // a try may have reached a service without a certain answer
}

func (a answer) ok() bool { return a.err == nil && a.status/100 == 2 }

// kind names a failure in few words, the same for the same cause.
func (a answer) kind() string {
	if a.err == nil {
		return "HTTP " + strconv.Itoa(a.status)
	}
	return errorKind(a.err)
}

func errorKind(err error) string {
	var timeout net.Error
	switch {
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

// send tries r until it gets an answer below 500 (other than 429), at most 1 + maxRetries times.
func (c *client) send(ctx context.Context, r request) answer {
	pause, doubt := firstPause, false
	for retries := 0; ; retries++ {
		a := c.try(ctx, r)
		doubt = doubt || a.doubt
		a.retries, a.doubt = retries, doubt
		again := a.err != nil || a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests
		if !again || retries == maxRetries {
			return a
		}
		wait := max(time.Duration(float64(pause)*(0.75+rand.Float64()/2)), retryAfter(a.header))
		if !waitUntil(ctx, time.Now().Add(wait)) {
			return a
		}
		pause *= 2
	}
}

func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s < 0 {
		return 0
	}
	return min(time.Duration(s)*time.Second, maxRetryAfter)
}

func (c *client) try(ctx context.Context, r request) answer {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.entry.Scheme+"://"+c.entry.Host+r.path, bytes.NewReader(r.body))
	if err != nil {
		return answer{err: fmt.Errorf("build request: %w", err)}
	}
	req.GetBody = nil // net/http would repeat a POST with an Idempotency-Key by itself, and nobody would count it
	req.Header.Set("User-Agent", r.agent)
	req.Header.Set("X-Forwarded-For", r.from.String())
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	h := c.http
	if r.by != nil {
		h = r.by.http
		req.Header.Set(csrfHeader, r.by.csrf)
	}
	resp, err := h.Do(req)
	if err != nil {
		var op *net.OpError
		sent := !errors.As(err, &op) || op.Op != "dial"
		return answer{err: err, doubt: sent}
	}
	defer func() { _ = resp.Body.Close() }() // the body was read to its end or the answer failed
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{err: fmt.Errorf("read answer: %w", err), doubt: true}
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body, doubt: resp.StatusCode >= http.StatusInternalServerError}
}
