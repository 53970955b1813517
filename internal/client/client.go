// Package client speaks the platform's HTTP API as one person does: it keeps the session cookies, sends the CSRF token and the
// Idempotency-Key where the contract wants them, and turns every refusal into a Problem. Smoke test, journeys, OpenAPI tests, load
// and measurements use it, so that these rules stand in one place.
//
// Invariants:
//   - A call is one request. Nothing is repeated behind the caller's back, redirects are not followed.
//   - A call that creates something carries an Idempotency-Key: the caller's, so that it can try again, or else a fresh one.
//   - An answer other than 2xx becomes a *Problem, with the trace id that finds its log lines.
//
// Not guaranteed: that the cookies outlive the process, or that every route has a method; Do sends any request.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/problem"
)

const (
	csrfCookie = "kreislauf_csrf"
	csrfHeader = "X-CSRF-Token"

	timeout   = 20 * time.Second // of one call, unless its context ends earlier
	maxAnswer = 4 << 20          // bytes read of a body
)

// ErrUnreadable says that an answer of 2xx is not what the contract promises.
var ErrUnreadable = errors.New("unreadable answer")

// Target says where a service is reached, as "http://host:port".
type Target func(service string) string

// Entry is the target behind which all services are reached.
func Entry(base string) Target { return func(string) string { return strings.TrimSuffix(base, "/") } }

// Client is one person with a session. It may be used by several goroutines.
type Client struct {
	target  Target
	http    *http.Client
	jar     *cookiejar.Jar
	headers http.Header // sent with every request; replaced, never changed
}

// New makes a person without a session. The transport may be shared; nil stands for http.DefaultTransport.
func New(target Target, transport http.RoundTripper) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(fmt.Sprintf("client: make cookie jar: %v", err)) // cannot happen without options
	}
	return &Client{target: target, jar: jar, headers: http.Header{}, http: &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// With is the same person, whose requests from now on carry the header, instead of what the client would send itself. An empty
// value keeps the header from being sent.
func (c *Client) With(name, value string) *Client {
	same := *c
	same.headers = c.headers.Clone()
	same.headers.Set(name, value)
	return &same
}

// Raw is a body that is sent as it stands.
type Raw string

// Call is one request.
type Call struct {
	Method, Path string            // the path begins with /api/<service>/ and may have a query
	Body         any               // nil: none; Raw: as it stands; else encoded as JSON
	Key          string            // Idempotency-Key; empty: none
	Header       map[string]string // as With, for this request alone
}

// Request makes the request of a call, with cookies and headers, and does not send it.
func (c *Client) Request(ctx context.Context, call Call) (*http.Request, error) {
	var body io.Reader
	switch v := call.Body.(type) {
	case nil:
	case Raw:
		body = strings.NewReader(string(v))
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode body: %w", err)
		}
		body = bytes.NewReader(b)
	}
	service := ""
	if parts := strings.SplitN(call.Path, "/", 4); len(parts) > 2 {
		service = parts[2]
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, c.target(service)+call.Path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.GetBody = nil // net/http would repeat a POST with an Idempotency-Key by itself
	if call.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if call.Key != "" {
		req.Header.Set("Idempotency-Key", call.Key)
	}
	for _, k := range c.jar.Cookies(req.URL) {
		req.AddCookie(k)
		if k.Name == csrfCookie && call.Method != http.MethodGet && call.Method != http.MethodHead {
			req.Header.Set(csrfHeader, k.Value)
		}
	}
	for name := range c.headers {
		set(req.Header, name, c.headers.Get(name))
	}
	for name, value := range call.Header {
		set(req.Header, name, value)
	}
	return req, nil
}

func set(h http.Header, name, value string) {
	h.Set(name, value)
	if value == "" {
		h.Del(name)
	}
}

// Answer is what came back, of whatever status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends one request and reads the whole answer. The error says why there is none; a refusal is an answer, see Err.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	req, err := c.Request(ctx, call)
	if err != nil {
		return Answer{}, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }() // the body was read to its end or the answer failed
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	c.jar.SetCookies(req.URL, res.Cookies())
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// Err is nil for a status of 2xx and a *Problem for any other.
func (a Answer) Err() error {
	if a.Status/100 == 2 {
		return nil
	}
	p := &Problem{}
	mediaType, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	p.Foreign = mediaType != "application/problem+json" || json.Unmarshal(a.Body, &p.Body) != nil
	if p.Foreign {
		p.Body = problem.Body{Detail: fmt.Sprintf("%.80q", a.Body)}
	}
	p.Status = a.Status
	if s, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && s > 0 {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return p
}

// Problem is a refusal.
type Problem struct {
	problem.Body
	RetryAfter time.Duration // what the answer asks for; 0 when it does not
	Foreign    bool          // the answer was no problem document; Detail is its beginning
}

// Error implements error.
func (p *Problem) Error() string {
	text := fmt.Sprintf("HTTP %d: %s", p.Status, p.Detail)
	for _, f := range p.Errors {
		text += " [" + f.Pointer + ": " + f.Detail + "]"
	}
	if p.TraceID != "" {
		text += " (trace " + p.TraceID + ")"
	}
	return text
}

// call does what all methods of the API have in common: send, refuse, decode into out (nil: there is no body).
func (c *Client) call(ctx context.Context, r Call, out any) (http.Header, error) {
	a, err := c.Do(ctx, r)
	if err == nil {
		err = a.Err()
	}
	if err == nil && out != nil {
		if jerr := json.Unmarshal(a.Body, out); jerr != nil {
			err = fmt.Errorf("%w: %w", ErrUnreadable, jerr)
		}
	}
	if err != nil {
		path, _, _ := strings.Cut(r.Path, "?")
		return nil, fmt.Errorf("%s %s: %w", r.Method, path, err)
	}
	return a.Header, nil
}

// Cookies are the cookies for a service, as a header would carry them.
func (c *Client) Cookies(service string) string {
	u, err := url.Parse(c.target(service))
	if err != nil {
		return ""
	}
	var list []string
	for _, k := range c.jar.Cookies(u) {
		list = append(list, k.Name+"="+k.Value)
	}
	return strings.Join(list, "; ")
}
