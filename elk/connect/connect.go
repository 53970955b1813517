// Package connect owns how the project's readers reach Elasticsearch or OpenSearch: one client with bounded
// timeouts, one error type, one search function and one walk over many hits.
//
// Invariants: every call ends with the caller's context or the transport's limits, whichever comes first; an
// answer that is partial (a failed shard, a timeout inside the server) is an error, never a smaller result.
// Not promised: a consistent snapshot over the pages of Walk; documents that arrive while it runs may or may not
// be seen.
package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Limits of one request. A search that needs longer than answerTimeout to its first byte is given up.
const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second
	idleTimeout   = 90 * time.Second
	maxRetries    = 2
)

// Options say where the server is and who asks. URL is required; APIKey wins over Username and Password.
type Options struct {
	URL      string // http(s)://host:port, no path needed
	Username string // basic authentication; empty = none
	Password string
	APIKey   string // base64 "id:key" as Elasticsearch prints it
}

// New returns a client for one address: go-elasticsearch's API on its transport. The library's root package is left out: it adds a
// product check that refuses OpenSearch, and three minutes of compiling the typed API; Server says what the server is.
// New does not connect; Server does.
// Reads answered with 502, 503 or 504 are repeated twice with a short back-off; nothing else is.
func New(o Options) (*esapi.API, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("elasticsearch url: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("elasticsearch url %q: want http://host:port or https://host:port", u.Redacted())
	}
	opts := []elastictransport.Option{
		elastictransport.WithURLs(u),
		elastictransport.WithTransport(&http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: answerTimeout,
			IdleConnTimeout:       idleTimeout,
			MaxIdleConnsPerHost:   4,
		}),
		elastictransport.WithMaxRetries(maxRetries),
		elastictransport.WithRetryBackoff(func(attempt int) time.Duration { return time.Duration(attempt) * 200 * time.Millisecond }),
		elastictransport.WithRetryOnError(func(_ *http.Request, err error) bool {
			return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
		}),
	}
	switch {
	case o.APIKey != "":
		opts = append(opts, elastictransport.WithAPIKey(o.APIKey))
	case o.Username != "":
		opts = append(opts, elastictransport.WithBasicAuth(o.Username, o.Password))
	}
	transport, err := elastictransport.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("elasticsearch client: %w", err)
	}
	return esapi.New(transport), nil
}

// Distributions a server can be.
const (
	Elasticsearch = "elasticsearch"
	OpenSearch    = "opensearch"
)

// Info is what a server says it is.
type Info struct {
	Distribution string // Elasticsearch or OpenSearch
	Version      string // for example "8.19.0"
}

// Server asks GET / who is there.
func Server(ctx context.Context, client *esapi.API) (Info, error) {
	var root struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	res, err := client.Info(client.Info.WithContext(ctx))
	if err := Decode(res, err, &root); err != nil {
		return Info{}, fmt.Errorf("ask the server for its version: %w", err)
	}
	if root.Version.Number == "" {
		return Info{}, errors.New("ask the server for its version: the answer has no version.number, this is not Elasticsearch")
	}
	info := Info{Distribution: Elasticsearch, Version: root.Version.Number}
	if root.Version.Distribution == OpenSearch {
		info.Distribution = OpenSearch
	}
	return info, nil
}
