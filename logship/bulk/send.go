package bulk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// bulkPath asks for no more of the answer than is read.
const bulkPath = "/_bulk?filter_path=took,errors,items.*.status,items.*.error,items.*.failure_store"

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

// zip is a compressor with the memory for its output.
type zip struct {
	w   *gzip.Writer
	out bytes.Buffer
}

func newZip(level int) (*zip, error) {
	w, err := gzip.NewWriterLevel(nil, level)
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	return &zip{w: w}, nil
}

func (z *zip) compress(body []byte) ([]byte, error) {
	z.out.Reset()
	z.w.Reset(&z.out)
	if _, err := z.w.Write(body); err != nil {
		return nil, fmt.Errorf("compress bulk body: %w", err)
	}
	if err := z.w.Close(); err != nil {
		return nil, fmt.Errorf("compress bulk body: %w", err)
	}
	return z.out.Bytes(), nil
}

// send makes one attempt with a bulk body. It returns only when nobody reads body any more.
func (c *Client) send(ctx context.Context, body []byte) answer {
	wire, encoding := body, ""
	if c.zips != nil {
		z := <-c.zips
		defer func() { c.zips <- z }()
		var err error
		if wire, err = z.compress(body); err != nil {
			return answer{err: err}
		}
		encoding = "gzip"
	}
	c.requests.Add(1)
	c.bytes.Add(int64(len(body)))
	c.wireBytes.Add(int64(len(wire)))
	return c.request(ctx, http.MethodPost, bulkPath, wire, "application/x-ndjson", encoding)
}

// request makes one attempt at the address in use. A server that does not know filter_path is not asked for it again.
func (c *Client) request(ctx context.Context, method, path string, body []byte, contentType, encoding string) answer {
	whole, _, filtered := strings.Cut(path, "?filter_path=")
	if filtered && !c.unfiltered.Load() {
		res := c.attempt(ctx, method, path, body, contentType, encoding)
		if res.status != http.StatusBadRequest || !bytes.Contains(res.body, []byte("filter_path")) {
			return res
		}
		c.unfiltered.Store(true)
	}
	return c.attempt(ctx, method, whole, body, contentType, encoding)
}

// attempt sends one request. Without an answer the next one goes to another address.
func (c *Client) attempt(ctx context.Context, method, path string, body []byte, contentType, encoding string) answer {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	sent := &sentBody{Reader: bytes.NewReader(body), released: make(chan struct{})}
	var reader io.Reader
	if len(body) > 0 {
		reader = sent
	} else {
		_ = sent.Close() // nobody reads it
	}
	req, err := http.NewRequestWithContext(ctx, method, path, reader)
	if err != nil {
		return answer{err: fmt.Errorf("make request: %w", err)}
	}
	req.ContentLength = int64(len(body))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	at := c.node.Load()
	res, err := c.nodes[at].Perform(req)
	if err != nil {
		cancel()
		if res != nil { // the product check refuses after the answer came
			_ = res.Body.Close()
		}
		<-sent.released
		c.failOver(at)
		return answer{err: fmt.Errorf("send %s: %w", method, err)}
	}
	out := answer{status: res.StatusCode}
	var text bytes.Buffer
	text.Grow(int(min(max(res.ContentLength, 0), answerHint)) + bytes.MinRead)
	if _, err = text.ReadFrom(res.Body); err != nil {
		c.failOver(at)
		out = answer{err: fmt.Errorf("read answer: %w", err)}
	} else {
		out.body = text.Bytes()
	}
	_ = res.Body.Close()
	cancel()
	<-sent.released
	return out
}

// failOver moves on from an address that did not answer, unless somebody else did.
func (c *Client) failOver(from int32) {
	if len(c.nodes) > 1 && c.node.CompareAndSwap(from, (from+1)%int32(len(c.nodes))) {
		c.failovers.Add(1)
	}
}
