package load

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kreislauf/internal/catalog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// memory connects client and server within the process, so that a synctest bubble owns both ends.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case m.conns <- far:
		return near, nil
	case <-m.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: errors.New("nobody listens")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error { close(m.closed); return nil }

func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

// serve runs h in memory until the returned function is called, which waits for the handlers.
func serve(h http.Handler) (m *memory, stop func()) {
	m = &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	var wg sync.WaitGroup
	srv := &http.Server{Handler: h, ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew: // called by Serve, which is counted itself
			wg.Add(1)
		case http.StateClosed: // after the handler
			wg.Done()
		}
	}}
	wg.Go(func() { _ = srv.Serve(m) })
	return m, func() {
		_ = srv.Close()
		wg.Wait()
	}
}

// peer answers the few routes that the source uses, as the contract says.
type peer struct {
	delay      time.Duration                   // before every answer
	careless   bool                            // prices everything
	quoteFails bool                            // 503 for every quote
	orderFault func(w http.ResponseWriter) int // may break the n-th try of an order after it was stored; a status or 0

	mu         sync.Mutex // guards what follows
	began      time.Time  // the last sign-up's end
	firstSeen  map[string]time.Duration
	sessions   map[string]string // token -> csrf
	signUps    map[string]int    // per address
	emails     map[string]bool
	orders     map[string]string // user and key -> id
	tries      map[string]int    // the same
	attempts   map[string]bool   // visit ids
	visits     map[string]bool   // visit ids of orders
	catalogs   int
	quotes     int
	complaints []string
}

func newPeer() *peer {
	return &peer{
		firstSeen: map[string]time.Duration{}, sessions: map[string]string{}, signUps: map[string]int{}, emails: map[string]bool{},
		orders: map[string]string{}, tries: map[string]int{}, attempts: map[string]bool{}, visits: map[string]bool{},
	}
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	from := r.Header.Get("X-Forwarded-For")
	if _, ok := p.firstSeen[from]; !ok && !p.began.IsZero() {
		p.firstSeen[from] = time.Since(p.began)
	}
	if ua := r.Header.Get("User-Agent"); !strings.HasPrefix(ua, "Mozilla/5.0") {
		p.complaints = append(p.complaints, "user agent "+ua)
	}
	p.mu.Unlock()
	time.Sleep(p.delay)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch r.Method + " " + r.URL.Path {
	case "GET /api/pricing/v1/catalog":
		p.catalogs++
		first, last := catalog.Window("", time.Now())
		answerJSON(w, 200, map[string]any{"earliest_date": first.Format(catalog.DateFormat), "latest_date": last.Format(catalog.DateFormat)})
	case "GET /api/pricing/v1/quotes":
		p.quote(w, r)
	case "POST /api/statistics/v1/events":
		var in struct{ Type, ID, Visit string }
		in.Visit = decode(r, "visit_id", &in)
		p.attempts[in.Visit] = true
		answerJSON(w, 202, map[string]string{"id": in.ID})
	case "POST /api/identity/v1/users":
		p.signUp(w, r)
	case "POST /api/order/v1/orders":
		p.order(w, r)
	default:
		refuse(w, 404, "no such route")
	}
}

// decode reads the body into v and gives the member of that name.
func decode(r *http.Request, member string, v any) string {
	all := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&all)
	b, _ := json.Marshal(all)
	_ = json.Unmarshal(b, v)
	text, _ := all[member].(string)
	return text
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "detail": detail})
}

func (p *peer) quote(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("size"))
	waste, err := catalog.FindWaste(q.Get("waste"))
	_, errZone := catalog.FindPlace(q.Get("postcode"))
	err = errors.Join(err, errZone, catalog.CheckDate(q.Get("postcode"), q.Get("date"), time.Now()))
	if err == nil {
		err = waste.CheckSize(size)
	}
	switch {
	case p.quoteFails:
		refuse(w, 503, "away")
	case err != nil && !p.careless:
		refuse(w, 422, err.Error())
	default:
		p.quotes++
		answerJSON(w, 200, map[string]string{"quote": fmt.Sprintf("q-%d", p.quotes)})
	}
}

func (p *peer) signUp(w http.ResponseWriter, r *http.Request) {
	var in struct{ Email, Password string }
	decode(r, "", &in)
	key := r.Header.Get("Idempotency-Key")
	if len(key) < 8 || len(key) > 64 || len(in.Password) < 10 || p.emails[in.Email] {
		refuse(w, 422, "no account")
		return
	}
	p.emails[in.Email] = true
	p.signUps[r.Header.Get("X-Forwarded-For")]++
	token := fmt.Sprintf("t-%d", len(p.emails))
	p.sessions[token] = "csrf-of-" + token
	http.SetCookie(w, &http.Cookie{Name: "kreislauf_session", Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.SetCookie(w, &http.Cookie{Name: "kreislauf_csrf", Value: p.sessions[token], Path: "/", SameSite: http.SameSiteLaxMode})
	p.began = time.Now()
	clear(p.firstSeen)
	answerJSON(w, 201, map[string]string{"user_id": token})
}

func (p *peer) order(w http.ResponseWriter, r *http.Request) {
	var in struct{ Quote string }
	visit := decode(r, "visit_id", &in)
	c, err := r.Cookie("kreislauf_session")
	switch {
	case err != nil || p.sessions[c.Value] == "":
		refuse(w, 401, "sign in first")
		return
	case r.Header.Get("X-CSRF-Token") != p.sessions[c.Value]:
		refuse(w, 403, "the CSRF token is wrong")
		return
	case !strings.HasPrefix(in.Quote, "q-"):
		refuse(w, 422, "no quote")
		return
	case !p.attempts[visit]:
		p.complaints = append(p.complaints, "order before its attempt: "+visit)
	}
	key := c.Value + " " + r.Header.Get("Idempotency-Key")
	p.tries[key]++
	id, replayed := p.orders[key]
	if !replayed {
		id = fmt.Sprintf("o-%d", len(p.orders)+1)
		p.orders[key] = id
		p.visits[visit] = true
	}
	if p.orderFault != nil {
		if status := p.orderFault(w); status != 0 {
			refuse(w, status, "broken")
			return
		}
	}
	if replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	answerJSON(w, 201, map[string]string{"order_id": id})
}
