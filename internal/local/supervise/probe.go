package supervise

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// HTTPReady probes a URL for status 200.
func HTTPReady(url string) func(context.Context) error { return httpProbe(url, false) }

// FreshHTTPReady probes a URL for status 200, each time over a new connection, which any worker of the server may take.
func FreshHTTPReady(url string) func(context.Context) error { return httpProbe(url, true) }

func httpProbe(url string, fresh bool) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Close = fresh
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			why, _ := io.ReadAll(io.LimitReader(res.Body, 512)) // the status alone is reason enough
			return fmt.Errorf("GET %s: %s: %s", url, res.Status, bytes.TrimSpace(why))
		}
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // or the connection could not be used again
		return err
	}
}

// TCPReady probes whether something accepts connections.
func TCPReady(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// Answers probes a server that speaks another protocol: over a new connection it sends a request and waits for the answer, whatever it
// says. rest tells from the first head bytes how many follow; nil means none. The answer is read to its end, so that the server sees an
// orderly end.
func Answers(addr string, request []byte, head int, rest func(head []byte) int) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		if deadline, ok := ctx.Deadline(); ok {
			if err := c.SetDeadline(deadline); err != nil {
				return err
			}
		}
		if _, err := c.Write(request); err != nil {
			return err
		}
		b := make([]byte, head)
		if _, err := io.ReadFull(c, b); err != nil || rest == nil {
			return err
		}
		_, err = io.CopyN(io.Discard, c, int64(rest(b)))
		return err
	}
}
