package embedded

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/broker"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/session"
	"kreislauf/internal/telemetry"
	"kreislauf/services/matching"
)

// customer is the tenant of all instances under test.
const customer = "kreislauf"

// tracer is for clients whose spans nobody reads.
func tracer(t testing.TB) *telemetry.Tracer {
	t.Helper()
	tel, err := telemetry.New(t.Context(), config.Process{}, logging.NewSink(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, tel.Stop) })
	return tel.Tracer
}

// Publish sends events as another service would, so that a consumer can be tested without it. An instance that reads the topic must have
// been started before, because instances make the topics.
func (b *Backends) Publish(t testing.TB, topic, subject string, payloads ...event.Payload) {
	t.Helper()
	for _, payload := range payloads {
		e, err := event.New(event.Meta{Source: "test", Subject: subject, Customer: customer, At: time.Now().UTC()}, payload)
		if err != nil {
			t.Fatal(err)
		}
		b.Send(t, topic, e)
	}
}

// Send publishes an event as it is; a second time it is a second delivery.
func (b *Backends) Send(t testing.TB, topic string, e event.Event) {
	t.Helper()
	p, err := broker.NewProducer([]string{b.Kafka}, "test", zerolog.Nop(), tracer(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Publish(t.Context(), topic, e); err != nil {
		t.Fatal(err)
	}
}

// AwaitPartners waits until matching knows so many partners: an order that comes while it knows some of them is offered to these alone.
func (b *Backends) AwaitPartners(t testing.TB, n int) {
	t.Helper()
	network := mongodb.OpenCollection[matching.Partner](b.Database(t, "matching"), "network", "partner")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		list, err := network.Find(t.Context(), nil, nil, 0)
		if err == nil && len(list) >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("matching knows %d partners, not %d: %v", len(list), n, err)
		}
	}
}

// Read reads all that a service is told, as an instance of it would, until the test ends; the function gives what came so far.
func (b *Backends) Read(t testing.TB, service string) func() []event.Event {
	t.Helper()
	var mu sync.Mutex
	var events []event.Event
	c, err := broker.NewConsumer([]string{b.Kafka}, service, "test", zerolog.Nop(), tracer(t), func(_ context.Context, e event.Event) error {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		c.Close()
	})
	return func() []event.Event {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(events)
	}
}

// DatabaseURI is the address of a service's database with its credentials.
func (b *Backends) DatabaseURI(service string) string { return b.serviceURIs[service] }

// Database opens the database of a service as the service does.
func (b *Backends) Database(t testing.TB, service string) *mongodb.Database {
	t.Helper()
	db, err := mongodb.Open(b.serviceURIs[service], service, "test", tracer(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, db.Close) })
	return db
}

// Session makes a session of somebody without an account, and gives the values of its cookie and of its CSRF token.
func (b *Backends) Session(t testing.TB, who session.Session) (token, csrf string) {
	t.Helper()
	store := session.Open(b.Redis, redisPassword, customer, tracer(t))
	defer store.Close()
	token, err := store.Create(t.Context(), &who)
	if err != nil {
		t.Fatal(err)
	}
	return token, who.CSRF
}

// SignedIn gives a client whose requests have the session of somebody, without an account.
func (b *Backends) SignedIn(t testing.TB, who session.Session) *http.Client {
	t.Helper()
	token, csrf := b.Session(t, who)
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return &http.Client{Transport: signedIn{base, token, csrf}}
}

// signedIn adds the cookie and the CSRF token to each request.
type signedIn struct {
	base        http.RoundTripper
	token, csrf string
}

func (s signedIn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.AddCookie(&http.Cookie{Name: session.Cookie, Value: s.token})
	r.Header.Set(session.CSRFHeader, s.csrf)
	return s.base.RoundTrip(r)
}
