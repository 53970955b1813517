package nginx

import (
	"strings"
	"testing"
)

// TestFilesMayBeLarger: a job's documents come through up to 8 MiB, with time to be stored; everything else stays at 64 KiB.
func TestFilesMayBeLarger(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"order": {u.addr}})
	const document, step = "/api/order/v1/jobs/o-1/documents/abc?kind=photo", "/api/order/v1/jobs/o-1/on-site"
	if a := e.do(t, "PUT", document, strings.Repeat("x", 8<<20), nil); a.status != 201 {
		t.Fatalf("a file of 8 MiB: %d %s", a.status, a.body)
	}
	if r := <-u.seen; r.ContentLength != 8<<20 || r.Header.Get("X-Request-Budget") != "1.6" {
		t.Errorf("the service is sent %d bytes with %s s", r.ContentLength, r.Header.Get("X-Request-Budget"))
	}
	for target, size := range map[string]int{document: 8<<20 + 1, step: 64<<10 + 1} {
		if a := e.do(t, "PUT", target, strings.Repeat("x", size), nil); a.status != 413 {
			t.Errorf("%s of %d bytes: %d %s", target, size, a.status, a.body)
		}
	}
}
