// Package embedded starts the embedded MongoDB, Kafka, Redis and mailbox for tests that talk to them over the wire, each on a free port with
// its data in the test's temporary folder.
package embedded

import (
	"cmp"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/backend/redisd"
	"kreislauf/internal/blob"
	"kreislauf/internal/config"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/process"
	"kreislauf/services"
	"kreislauf/test/asked"
)

// Key is every key of the services under test.
const Key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// Company is the master data of the company that issues invoices in tests.
const Company = `{"name": "Test Kreislauf GmbH", "street": "Prüfweg 7", "postcode": "50667", "city": "Köln", "vat_id": "DE123456788",
"tax_number": "215/123/45678", "register": "Amtsgericht Köln, HRB 12345", "iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX",
"email": "rechnung@kreislauf.example", "phone": "+49 221 123456"}`

const redisPassword, mongoPassword = "embedded", "embedded"

// Backends are running servers; they stop with the test. MongoURI is that of a user who may do everything; each service gets its own.
type Backends struct {
	MongoURI, Kafka, Redis string
	SMTP, Mails            string // address of the mailbox; its folder, for mailbox.List
	logs                   string
	company                string // file
	serviceURIs            map[string]string
	stops                  map[string]func() // by name: "kafka", "order-1"
}

// Start starts all four.
func Start(t testing.TB) *Backends {
	t.Helper()
	dir := t.TempDir()
	users := []mongod.User{{Name: "root", DB: "admin", Password: mongoPassword, Roles: []mongod.Role{{Name: "root", DB: "admin"}}}}
	for _, s := range services.All() {
		db := mongodb.Name(s.Name)
		users = append(users, mongod.User{Name: s.Name, DB: db, Password: mongoPassword, Roles: []mongod.Role{{Name: "readWrite", DB: db}}})
	}
	m, err := mongod.New(mongod.Options{
		Dir: filepath.Join(dir, "mongodb"), Addr: "127.0.0.1:0", Logger: zerolog.Nop(), Users: users, Asked: asked.Recorder(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	b := &Backends{serviceURIs: map[string]string{}, stops: map[string]func(){}}
	b.stopWith(t, "mongodb", func() { stop(t, m.Stop) })
	k, err := kafkad.New(kafkad.Options{Dir: filepath.Join(dir, "kafka"), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	b.stopWith(t, "kafka", func() { stop(t, k.Stop) })
	mails := filepath.Join(dir, "mailbox")
	post, err := mailbox.New(mailbox.Options{Dir: mails, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := post.Start(); err != nil {
		t.Fatal(err)
	}
	b.stopWith(t, "mailbox", func() { stop(t, post.Stop) })
	b.Kafka, b.Redis, b.SMTP, b.Mails = k.Addr(), freeAddr(t), post.Addr(), mails
	b.logs, b.company = filepath.Join(dir, "logs"), filepath.Join(dir, "company.json")
	if err := os.WriteFile(b.company, []byte(Company), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		b.serviceURIs[u.Name] = "mongodb://" + u.Name + ":" + u.Password + "@" + m.Addr() + "/" + u.DB
	}
	b.MongoURI = b.serviceURIs["root"]
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- redisd.RunMini(ctx, b.Redis, redisPassword) }()
	b.stopWith(t, "redis", func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("miniredis: %v", err)
		}
	})
	if dir := os.Getenv(RecordSetting); dir != "" {
		t.Cleanup(func() { b.record(t, dir) })
	}
	return b
}

// stopWith has something stopped once: by Stop, or with the test.
func (b *Backends) stopWith(t testing.TB, name string, stop func()) {
	b.stops[name] = sync.OnceFunc(stop)
	t.Cleanup(b.stops[name])
}

// Stop takes a backend (mongodb, kafka, redis, mailbox) or an instance away before the test ends.
func (b *Backends) Stop(name string) { b.stops[name]() }

func stop(t testing.TB, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // long enough for a busy machine
	defer cancel()
	if err := f(ctx); err != nil {
		t.Errorf("stop backend: %v", err)
	}
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Lookup gives the settings of an instance; extra overrides.
func (b *Backends) Lookup(instance string, extra map[string]string) process.Lookup {
	service, _, _ := strings.Cut(instance, "-")
	m := map[string]string{
		"KREISLAUF_ENV": "test", "KREISLAUF_INSTANCE": instance, "KREISLAUF_LOG_DIR": b.logs, "KREISLAUF_MONGODB_URI": cmp.Or(b.serviceURIs[service], b.MongoURI),
		"KREISLAUF_KAFKA_BROKERS": b.Kafka, "KREISLAUF_REDIS_ADDR": b.Redis, "KREISLAUF_REDIS_PASSWORD": redisPassword,
		"KREISLAUF_DRAIN": "1ms", "KREISLAUF_SMTP_ADDR": b.SMTP, "KREISLAUF_SMTP_TLS": "none",
		blob.Documents: "file://" + filepath.ToSlash(filepath.Join(b.logs, "..", "blobs", "documents")),
		blob.Setting:   "file://" + filepath.ToSlash(filepath.Join(b.logs, "..", "blobs", service)),
	}
	if s, known := services.Named(service); known {
		for _, variable := range s.Secrets {
			m[variable] = Key
		}
		if slices.Contains(s.Files, "KREISLAUF_COMPANY_FILE") {
			m["KREISLAUF_COMPANY_FILE"] = b.company
		}
	}
	for k, v := range extra {
		m[k] = v
	}
	return config.FromMap(m)
}

// LogFile is where an instance writes its lines.
func (b *Backends) LogFile(service, instance string) string {
	return filepath.Join(b.logs, "test", "kreislauf", service, instance+".log")
}

// Run starts an instance of a service, "order-1", and stops it with the test; the address is its public one.
func (b *Backends) Run(t testing.TB, instance string, extra map[string]string) (addr string) {
	t.Helper()
	name, _, _ := strings.Cut(instance, "-")
	service, known := services.Named(name)
	if !known {
		t.Fatalf("there is no service %q", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p, err := service.Open(ctx, b.Lookup(instance, extra))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	b.stopWith(t, instance, func() { stop(t, p.Stop) })
	return p.Addr()
}
