package bulk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// Config is what a Client needs. URL is required.
type Config struct {
	URL                        string
	Username, Password, APIKey string
	// DeadLetter is the path of the dead-letter file.
	DeadLetter string
	// MaxBytes is the largest body, as a rule; a single document may be larger.
	MaxBytes int
	// Alarm is told what needs a person, with a short fixed text and the detail. It must limit itself: it is called
	// for every occurrence, from several goroutines. nil is allowed.
	Alarm func(what, detail string)
}

// requestTimeout ends an attempt that gets no answer.
const requestTimeout = 60 * time.Second

// Client sends batches to one target. It is safe for concurrent use; each batch belongs to one call.
type Client struct {
	es    *elastictransport.Client
	base  *http.Transport
	dead  *deadLetter
	alarm func(what, detail string)
	max   int64

	limit    atomic.Int64 // bytes a body may have at present; below max while the target refuses load
	degraded atomic.Bool  // the last attempt failed as a whole
	probe    chan struct{}

	totals
}

// totals are the counters behind Stats.
type totals struct {
	delivered, duplicates, rejected, retries, failureStore, requests, bytes atomic.Int64
}

// Stats are counters since the start, in documents unless said otherwise.
type Stats struct {
	// Delivered were stored by the request that was answered; Duplicates were there already (409).
	Delivered, Duplicates int64
	// Rejected are in the dead-letter file.
	Rejected int64
	// Retries are documents sent again.
	Retries int64
	// FailureStore are delivered ones that the server put into the failure store of the stream.
	FailureStore int64
	// Requests and Bytes count bulk requests and their bodies.
	Requests, Bytes int64
	// Degraded says that the last request failed as a whole.
	Degraded bool
}

// New returns a Client. It does not contact the target.
func New(c Config) (*Client, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 4
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("elasticsearch url: %w", err)
	}
	opts := []elastictransport.Option{elastictransport.WithURLs(u), elastictransport.WithTransport(base), elastictransport.WithDisableRetry()}
	switch {
	case c.APIKey != "":
		opts = append(opts, elastictransport.WithAPIKey(c.APIKey))
	case c.Username != "":
		opts = append(opts, elastictransport.WithBasicAuth(c.Username, c.Password))
	}
	es, err := elastictransport.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("make elasticsearch client: %w", err)
	}
	if c.Alarm == nil {
		c.Alarm = func(string, string) {}
	}
	out := &Client{
		es: es, base: base, dead: &deadLetter{path: c.DeadLetter}, alarm: c.Alarm, max: int64(c.MaxBytes),
		probe: make(chan struct{}, 1),
	}
	out.limit.Store(out.max)
	return out, nil
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	return Stats{
		Delivered: c.delivered.Load(), Duplicates: c.duplicates.Load(), Rejected: c.rejected.Load(),
		Retries: c.retries.Load(), FailureStore: c.failureStore.Load(), Requests: c.requests.Load(),
		Bytes: c.bytes.Load(), Degraded: c.degraded.Load(),
	}
}

// Close closes idle connections and the dead-letter file. No Deliver may be running.
func (c *Client) Close() error {
	c.base.CloseIdleConnections()
	return c.dead.close()
}

// answer is what came back for one request.
type answer struct {
	status int // 0 when there was none
	body   []byte
	err    error
}

// sentBody tells when the transport has let go of the bytes, which may be after the answer.
type sentBody struct {
	*bytes.Reader
	released chan struct{}
	closed   atomic.Bool
}

// Close implements io.Closer.
func (s *sentBody) Close() error {
	if s.closed.CompareAndSwap(false, true) {
		close(s.released)
	}
	return nil
}

// send makes one attempt. It returns only when nobody reads body any more.
func (c *Client) send(ctx context.Context, body []byte) answer {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	sent := &sentBody{Reader: bytes.NewReader(body), released: make(chan struct{})}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/_bulk", sent)
	if err != nil {
		return answer{err: fmt.Errorf("make bulk request: %w", err)}
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", "application/x-ndjson")
	c.requests.Add(1)
	c.bytes.Add(int64(len(body)))
	res, err := c.es.Perform(req)
	if err != nil {
		cancel()
		if res != nil { // the product check refuses after the answer came
			_ = res.Body.Close()
		}
		<-sent.released
		return answer{err: fmt.Errorf("send bulk: %w", err)}
	}
	out := answer{status: res.StatusCode}
	if out.body, err = io.ReadAll(res.Body); err != nil {
		out = answer{err: fmt.Errorf("read bulk answer: %w", err)}
	}
	_ = res.Body.Close()
	cancel()
	<-sent.released
	return out
}
