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

	"kreislauf/internal/client"
)

// try is what a server saw.
type try struct {
	Key, Body, From, Agent string
}

// send makes a try of one call.
func send(by *client.Client, c client.Call) func(context.Context) error {
	return func(ctx context.Context) error {
		a, err := by.Do(ctx, c)
		if err != nil {
			return err
		}
		return a.Err()
	}
}

func get(e *entry) func(context.Context) error {
	return send(e.visitor(netip.MustParseAddr("91.1.1.1"), ""), client.Call{Method: http.MethodGet, Path: "/"})
}

func kindOf(o outcome) string {
	if o.err == nil {
		return ""
	}
	return errorKind(o.err)
}

func TestRetries(t *testing.T) {
	const cut = -1 // the connection ends without an answer
	same := try{"key-12345", `{"a":1}`, "91.10.20.30", "Mozilla/5.0"}
	for _, c := range []struct {
		name    string
		answers []int   // the last one is repeated
		want    outcome // without the error
		tries   int
		kind    string
	}{
		{"at once", []int{201}, outcome{}, 1, ""},
		{"after an instance died", []int{cut, 503, 201}, outcome{retries: 2, doubt: true}, 3, ""},
		{"too often", []int{429, 201}, outcome{retries: 1}, 2, ""},
		{"a refusal is final", []int{422, 201}, outcome{}, 1, "HTTP 422"},
		{"a refusal after a doubtful try", []int{500, 401}, outcome{retries: 1, doubt: true}, 2, "HTTP 401"},
		{"never", []int{503}, outcome{retries: 5, doubt: true}, 6, "HTTP 503"},
		{"never an answer", []int{cut}, outcome{retries: 5, doubt: true}, 6, "connection lost"},
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
				entry, err := newEntry(t.Context(), "http://entry", 1, m.dial)
				if err != nil {
					t.Fatal(err)
				}
				defer entry.http.CloseIdleConnections()
				by := entry.visitor(netip.MustParseAddr(same.From), same.Agent)
				got := retry(t.Context(), send(by, client.Call{Method: http.MethodPost, Path: "/x", Body: client.Raw(same.Body), Key: same.Key}))
				if got.retries != c.want.retries || got.doubt != c.want.doubt {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if kind := kindOf(got); kind != c.kind {
					t.Errorf("kind %q, want %q", kind, c.kind)
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
		entry, err := newEntry(t.Context(), "http://entry", 1, m.dial)
		if err != nil {
			t.Fatal(err)
		}
		defer entry.http.CloseIdleConnections()
		began := time.Now()
		a := retry(t.Context(), get(entry))
		if waited := time.Since(began); a.err != nil || waited != time.Second { // the bubble's clock is exact
			t.Errorf("err %v after %v, want an answer after 1 s", a.err, waited)
		}
	})
}

func TestSilentServerTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, stop := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer stop()
		entry, err := newEntry(t.Context(), "http://entry", 1, m.dial)
		if err != nil {
			t.Fatal(err)
		}
		defer entry.http.CloseIdleConnections()
		a := retry(t.Context(), get(entry))
		if kindOf(a) != "timeout" || !a.doubt || a.retries != maxRetries {
			t.Errorf("got %q, doubt %v, %d retries", kindOf(a), a.doubt, a.retries)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if a = retry(ctx, get(entry)); kindOf(a) != "cut off at the end" || a.retries != 0 {
			t.Errorf("got %q, %d retries", kindOf(a), a.retries)
		}
	})
}

func TestNotSentIsNoDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, stop := serve(http.NotFoundHandler())
		entry, err := newEntry(t.Context(), "http://entry", 1, m.dial)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if a := retry(t.Context(), get(entry)); a.err == nil || a.doubt {
			t.Errorf("err %v, doubt %v; want an error without doubt", a.err, a.doubt)
		}
		if _, err = newEntry(t.Context(), "http://entry", 1, m.dial); !errors.Is(err, ErrUnreachable) {
			t.Errorf("err %v, want ErrUnreachable", err)
		}
	})
}

func TestEntryMustBeAnAddress(t *testing.T) {
	for _, entry := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1:1", "http://", "http://%zz"} {
		if _, err := newEntry(t.Context(), entry, 1, nil); err == nil || errors.Is(err, ErrUnreachable) {
			t.Errorf("entry %q: err %v", entry, err)
		}
	}
}
