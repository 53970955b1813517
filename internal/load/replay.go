package load

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// maxLine is the longest line of a log that is read, in bytes; a longer one counts as unreadable.
const maxLine = 64 << 10

// ReplayOptions of Replay. A zero value stands for the default.
type ReplayOptions struct {
	Entry       string        // http://host:port of nginx
	File        string        // access log in combined format or as this platform's nginx writes it (JSON), also compressed with gzip
	Speed       float64       // 1 = at the recorded times, 10 = ten times as fast, 0 = evenly at Rate
	Rate        float64       // requests per second when Speed is 0, default 200
	Limit       int           // at most so many requests; 0 = all
	MaxInFlight int           // requests under way at once, default 256
	Out         io.Writer     // progress; nil = nowhere
	Progress    time.Duration // between progress lines on a terminal, default 1 s; elsewhere ten times as long

	dial dialer
}

func (o ReplayOptions) withDefaults() (ReplayOptions, error) {
	o.Rate, o.MaxInFlight = cmp.Or(o.Rate, 200), cmp.Or(o.MaxInFlight, 256)
	o.Progress, o.Out = cmp.Or(o.Progress, time.Second), cmp.Or(o.Out, io.Discard)
	switch {
	case !(o.Rate > 0) || math.IsInf(o.Rate, 0):
		return o, fmt.Errorf("rate %v: a number of requests per second above 0 is needed", o.Rate)
	case !(o.Speed >= 0) || math.IsInf(o.Speed, 0):
		return o, fmt.Errorf("speed %v: 0 or a factor above 0 is needed", o.Speed)
	case o.Limit < 0, o.MaxInFlight < 0, o.Progress < 0:
		return o, fmt.Errorf("limit %d, in flight %d, progress %v: none may be negative", o.Limit, o.MaxInFlight, o.Progress)
	}
	return o, nil
}

// replayer is one run.
type replayer struct {
	o       ReplayOptions
	entry   *entry
	flights *flights

	mu   sync.Mutex // guards what follows
	sum  ReplaySummary
	took histogram
}

func (p *replayer) add(f func(*ReplaySummary)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.sum)
}

// Replay sends the requests of an access log to o.Entry, each once and with the recorded client address, user agent and referer, so
// that real addresses reach the access log of the platform. Methods other than GET and HEAD become GET: bodies are not recorded.
// It ends with the log as long as it was at the start (the requests may be written to it), with o.Limit or with ctx, and waits for the
// requests under way. It writes progress to o.Out, not the summary.
//
// The summary is valid with an error too. The error is ErrUnreachable when nothing listens at the entry, or says why the log could not
// be read or that no line of it is a request; statuses, single unreadable lines and the end of ctx are not errors.
func Replay(ctx context.Context, o ReplayOptions) (ReplaySummary, error) {
	o, err := o.withDefaults()
	if err != nil {
		return ReplaySummary{}, err
	}
	f, err := os.Open(o.File)
	if err != nil {
		return ReplaySummary{}, fmt.Errorf("replay: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	var whole io.Reader = f
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		whole = io.LimitReader(f, info.Size())
	}
	lines, err := plain(whole)
	if err != nil {
		return ReplaySummary{}, fmt.Errorf("replay %s: %w", o.File, err)
	}
	progress := newProgress(o.Out, o.Progress)
	p := &replayer{o: o, flights: &flights{limit: o.MaxInFlight, progress: progress}, sum: ReplaySummary{Failures: map[string]int{}}}
	if p.entry, err = newEntry(ctx, o.Entry, o.MaxInFlight, o.dial); err != nil {
		return p.summary(), err
	}
	defer p.entry.http.CloseIdleConnections()
	began := time.Now()
	stop := progress.watch(func() string { return p.line(time.Since(began)) })
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	err = p.log(ctx, requests, lines, began)
	p.flights.drain(ctx, cut)
	p.add(func(s *ReplaySummary) { s.Elapsed = time.Since(began) })
	stop()
	if err != nil {
		return p.summary(), fmt.Errorf("replay %s: %w", o.File, err)
	}
	s := p.summary()
	if s.Lines > 0 && s.Unreadable == s.Lines {
		return s, fmt.Errorf("replay %s: none of its %d lines is a request in the combined format of nginx and Apache or in JSON as this platform's nginx writes it; line %d: %s",
			o.File, s.Lines, s.Examples[0].Number, s.Examples[0].Reason)
	}
	return s, nil
}

// plain undoes gzip, recognised by its first two bytes.
func plain(r io.Reader) (*bufio.Reader, error) {
	raw := bufio.NewReaderSize(r, maxLine)
	head, err := raw.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	if string(head) != "\x1f\x8b" {
		return raw, nil
	}
	z, err := gzip.NewReader(raw)
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return bufio.NewReaderSize(z, maxLine), nil
}

// readLine gives the next line without its newline; ok is false when it was longer than the buffer. At the end the error is io.EOF.
func readLine(r *bufio.Reader) (line string, ok bool, err error) {
	b, err := r.ReadSlice('\n')
	if len(b) == 0 && err != nil {
		return "", false, err
	}
	line = strings.TrimRight(string(b), "\r\n")
	ok = true
	for errors.Is(err, bufio.ErrBufferFull) {
		ok = false
		_, err = r.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) { // a last line without newline; the next call reports the end
		err = nil
	}
	return line, ok, err
}

// log reads the lines and starts their requests in time.
func (p *replayer) log(ctx, requests context.Context, lines *bufio.Reader, began time.Time) error {
	var first, due time.Time
	for number, sent := 1, 0; p.o.Limit == 0 || sent < p.o.Limit; number++ {
		text, whole, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read line %d: %w", number, err)
		}
		p.add(func(s *ReplaySummary) { s.Lines++ })
		r, err := parseLine(text)
		if !whole {
			err = fmt.Errorf("longer than %d bytes", maxLine)
		}
		if err != nil {
			p.unreadable(number, err)
			continue
		}
		switch {
		case sent == 0:
			first, due = r.at, began
		case p.o.Speed == 0:
			due = began.Add(time.Duration(float64(sent) / p.o.Rate * float64(time.Second)))
		default: // lines are written at the end of a request, so times may go back a little
			if at := began.Add(time.Duration(float64(r.at.Sub(first)) / p.o.Speed)); at.After(due) {
				due = at
			}
		}
		if !waitUntil(ctx, due) {
			return nil
		}
		sent++
		p.flights.start(due, func(due time.Time) { p.send(requests, r, due) })
	}
	return nil
}

func (p *replayer) send(ctx context.Context, r record, due time.Time) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := p.request(ctx, r)
	status := 0
	if err == nil {
		status, err = p.fetch(req)
	}
	took := time.Since(due)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took.observe(took)
	if err != nil {
		p.sum.Failures[errorKind(err)]++
		return
	}
	p.sum.Classes[min(status/100, 5)]++
}

func (p *replayer) fetch(req *http.Request) (status int, err error) {
	resp, err := p.entry.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // the body was read to its end or the answer failed
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, nil
}

// request makes the request of a record.
func (p *replayer) request(ctx context.Context, r record) (*http.Request, error) {
	method := r.method
	if method != http.MethodGet && method != http.MethodHead {
		method = http.MethodGet
		p.add(func(s *ReplaySummary) { s.Rewritten++ })
	}
	u, err := url.ParseRequestURI(cleanTarget(r.target))
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	u.Scheme, u.Host = p.entry.url.Scheme, p.entry.url.Host
	req, err := http.NewRequestWithContext(ctx, method, "http://entry", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	req.URL, req.Host = u, u.Host
	req.Header.Set("User-Agent", printable(r.agent)) // an empty one is not sent
	if r.referer != "" {
		req.Header.Set("Referer", printable(r.referer))
	}
	if !r.from.IsValid() {
		p.add(func(s *ReplaySummary) { s.NoAddress++ })
		return req, nil
	}
	req.Header.Set("X-Forwarded-For", r.from.String())
	return req, nil
}

// cleanTarget makes a path with query that may be sent: the host of a proxy request is dropped, anything that has no path becomes
// "/", and bytes that may not stand in a request line are percent-encoded.
func cleanTarget(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		i := strings.IndexAny(rest, "/?")
		if i < 0 {
			return "/"
		}
		target = rest[i:]
		if target[0] == '?' {
			target = "/" + target
		}
	}
	if target[0] != '/' {
		return "/"
	}
	var b strings.Builder
	for i := range len(target) {
		c := target[i]
		stray := c == '%' && (i+2 >= len(target) || !isHex(target[i+1]) || !isHex(target[i+2]))
		if stray || c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// printable drops the control characters, which no header may hold.
func printable(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= ' ' && s[i] != 0x7f {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
