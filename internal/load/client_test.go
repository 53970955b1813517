package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// try is what a server saw.
type try struct {
	Key, Body, From, Agent string
}

func TestRetries(t *testing.T) {
	const cut = -1 // the connection ends without an answer
	same := try{"key-12345", `{"a":1}`, "91.10.20.30", "Mozilla/5.0"}
	for _, c := range []struct {
		name    string
		answers []int // the last one is repeated
		want    answer
		tries   int
		kind    string
	}{
		{"at once", []int{201}, answer{status: 201}, 1, "HTTP 201"},
		{"after an instance died", []int{cut, 503, 201}, answer{status: 201, retries: 2, doubt: true}, 3, "HTTP 201"},
		{"too often", []int{429, 201}, answer{status: 201, retries: 1}, 2, "HTTP 201"},
		{"a refusal is final", []int{422, 201}, answer{status: 422}, 1, "HTTP 422"},
		{"a refusal after a doubtful try", []int{500, 401}, answer{status: 401, retries: 1, doubt: true}, 2, "HTTP 401"},
		{"never", []int{503}, answer{status: 503, retries: 5, doubt: true}, 6, "HTTP 503"},
		{"never an answer", []int{cut}, answer{retries: 5, doubt: true}, 6, "connection lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen []try // requests come one after the other
				m, stop := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					seen = append(seen, try{r.Header.Get("Idempotency-Key"), string(body), r.Header.Get("X-Forwarded-For"), r.Header.Get("User-Agent")})
					status := c.answers[min(len(seen), len(c.answers))-1]
					if status == cut {
						panic(http.ErrAbortHandler)
					}
					w.WriteHeader(status)
				}))
				defer stop()
				client, err := newClient(t.Context(), "http://entry", 1, m.dial)
				if err != nil {
					t.Fatal(err)
				}
				defer client.http.CloseIdleConnections()
				got := client.send(t.Context(), request{
					method: http.MethodPost, path: "/x", body: []byte(same.Body), key: same.Key, from: netip.MustParseAddr(same.From), agent: same.Agent,
				})
				if got.status != c.want.status || got.retries != c.want.retries || got.doubt != c.want.doubt {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if got.kind() != c.kind {
					t.Errorf("kind %q, want %q", got.kind(), c.kind)
				}
				want := make([]try, c.tries)
				for i := range want {
					want[i] = same
				}
				if d := cmp.Diff(want, seen); d != "" {
					t.Errorf("tries (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m, stop := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n++
			if n == 1 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		defer stop()
		client, err := newClient(t.Context(), "http://entry", 1, m.dial)
		if err != nil {
			t.Fatal(err)
		}
		defer client.http.CloseIdleConnections()
		began := time.Now()
		a := client.send(t.Context(), request{method: http.MethodGet, path: "/", from: netip.MustParseAddr("91.1.1.1")})
		if waited := time.Since(began); !a.ok() || waited != time.Second { // the bubble's clock is exact
			t.Errorf("status %d after %v, want 200 after 1 s", a.status, waited)
		}
	})
}

func TestSilentServerTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, stop := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer stop()
		client, err := newClient(t.Context(), "http://entry", 1, m.dial)
		if err != nil {
			t.Fatal(err)
		}
		defer client.http.CloseIdleConnections()
		a := client.send(t.Context(), request{method: http.MethodGet, path: "/", from: netip.MustParseAddr("91.1.1.1")})
		if a.kind() != "timeout" || !a.doubt || a.retries != maxRetries {
			t.Errorf("got %q, doubt %v, %d retries", a.kind(), a.doubt, a.retries)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if a = client.send(ctx, request{method: http.MethodGet, path: "/", from: netip.MustParseAddr("91.1.1.1")}); a.kind() != "cut off at the end" || a.retries != 0 {
			t.Errorf("got %q, %d retries", a.kind(), a.retries)
		}
	})
}

func TestNotSentIsNoDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, stop := serve(http.NotFoundHandler())
		client, err := newClient(t.Context(), "http://entry", 1, m.dial)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if a := client.send(t.Context(), request{method: http.MethodGet, path: "/", from: netip.MustParseAddr("91.1.1.1")}); a.err == nil || a.doubt {
			t.Errorf("err %v, doubt %v; want an error without doubt", a.err, a.doubt)
		}
		if _, err = newClient(t.Context(), "http://entry", 1, m.dial); !errors.Is(err, ErrUnreachable) {
			t.Errorf("err %v, want ErrUnreachable", err)
		}
	})
}

func TestEntryMustBeAnAddress(t *testing.T) {
	for _, entry := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1:1", "http://", "http://%zz"} {
		if _, err := newClient(t.Context(), entry, 1, nil); err == nil || errors.Is(err, ErrUnreachable) {
			t.Errorf("entry %q: err %v", entry, err)
		}
	}
}
