package bulk

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// Config is what a Client needs. URLs, MaxBytes and Reject are required.
type Config struct {
	// URLs are addresses of one cluster. One is used until it does not answer, then the next.
	URLs []string
	// APIKey goes before Username and Password.
	Username, Password, APIKey string
	// TLS is for https addresses; nil trusts what the system trusts.
	TLS *tls.Config
	// Gzip is the level of compression of bodies, 0 for none.
	Gzip int
	// MaxBytes is the largest body, as a rule; a single document may be larger.
	MaxBytes int
	// Reject keeps documents that the server will never take; they are final when it returns nil.
	Reject func([]DeadLetter) error
	// CheckTemplates holds documents of data streams that no index template of the server is for.
	CheckTemplates bool
	// Alarm is told what needs a person, with a short fixed text and the detail. It must limit itself: it is called
	// for every occurrence, from several goroutines. nil is allowed.
	Alarm func(what, detail string)
}

const (
	// requestTimeout ends an attempt that gets no answer, dialTimeout one that gets no connection.
	requestTimeout = 60 * time.Second
	dialTimeout    = 3 * time.Second
	// parallel is how many deliveries run at the same time without waiting for each other's compressor.
	parallel = 2
	// readBuffer is what is read of an answer at a time, answerHint the most memory that its announced length gets
	// before it comes; in bytes.
	readBuffer = 32 << 10
	answerHint = 4 << 20
)

// Client sends batches to one target. It is safe for concurrent use; each batch belongs to one call.
type Client struct {
	nodes  []*elastictransport.Client // one for each address
	node   atomic.Int32               // the one in use
	base   *http.Transport
	reject func([]DeadLetter) error
	alarm  func(what, detail string)
	max    int64
	zips   chan *zip // idle compressors; nil when bodies go as they are

	limit      atomic.Int64 // bytes a body may have at present; below ceiling while the target refuses load
	ceiling    atomic.Int64 // bytes a body may have at most; below max when the target refused larger ones (413)
	unfiltered atomic.Bool  // the server does not know filter_path
	degraded   atomic.Bool  // the last attempt failed as a whole
	probe      chan struct{}

	checkTemplates bool
	checking       sync.Mutex
	checked        atomic.Int32 // number of data streams that are known to have a template

	totals
}

// totals are the counters behind Stats.
type totals struct {
	delivered, duplicates, rejected, retries, failureStore, requests, bytes, wireBytes, shortened, failovers atomic.Int64
}

// Stats are counters since the start, in documents unless said otherwise.
type Stats struct {
	// Delivered were stored by the request that was answered; Duplicates were there already (409).
	Delivered, Duplicates int64
	// Rejected are in the dead-letter store.
	Rejected int64
	// Retries are documents sent again.
	Retries int64
	// FailureStore are delivered ones that the server put into the failure store of the stream.
	FailureStore int64
	// Shortened were too large for the target and lost a part, which is marked in them.
	Shortened int64
	// Requests and Bytes count bulk requests and their bodies, WireBytes the bodies as compressed.
	Requests, Bytes, WireBytes int64
	// Failovers counts changes to another address.
	Failovers int64
	// Degraded says that the last request failed as a whole.
	Degraded bool
}

// New returns a Client. It does not contact the target.
func New(c Config) (*Client, error) {
	if len(c.URLs) == 0 || c.Reject == nil || c.MaxBytes <= 0 {
		return nil, errors.New("make bulk client: URLs, Reject and MaxBytes are required")
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 2 * parallel
	base.TLSClientConfig = c.TLS
	base.DialContext = dial
	base.ReadBufferSize = readBuffer
	if c.Alarm == nil {
		c.Alarm = func(string, string) {}
	}
	out := &Client{
		base: base, reject: c.Reject, alarm: c.Alarm, max: int64(c.MaxBytes),
		probe: make(chan struct{}, 1), checkTemplates: c.CheckTemplates,
	}
	out.limit.Store(out.max)
	out.ceiling.Store(out.max)
	if c.Gzip > 0 {
		out.zips = make(chan *zip, parallel)
		for range parallel {
			z, err := newZip(c.Gzip)
			if err != nil {
				return nil, err
			}
			out.zips <- z
		}
	}
	for _, text := range c.URLs {
		u, err := url.Parse(text)
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
		node, err := elastictransport.NewClient(opts...)
		if err != nil {
			return nil, fmt.Errorf("make elasticsearch client: %w", err)
		}
		out.nodes = append(out.nodes, node)
	}
	return out, nil
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	return Stats{
		Delivered: c.delivered.Load(), Duplicates: c.duplicates.Load(), Rejected: c.rejected.Load(),
		Retries: c.retries.Load(), FailureStore: c.failureStore.Load(), Shortened: c.shortened.Load(), Requests: c.requests.Load(),
		Bytes: c.bytes.Load(), WireBytes: c.wireBytes.Load(), Failovers: c.failovers.Load(), Degraded: c.degraded.Load(),
	}
}

// Close closes idle connections. No Deliver may be running.
func (c *Client) Close() { c.base.CloseIdleConnections() }
