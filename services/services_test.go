package services_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/services"
	"kreislauf/test/embedded"
)

// TestTable holds what a row must say, and that the folders and the event table know the same services.
func TestTable(t *testing.T) {
	name, variable := regexp.MustCompile(`^[a-z]{3,20}$`), regexp.MustCompile(`^KREISLAUF_[A-Z_]+_(KEY|FILE)$`)
	rows := map[string]services.Service{}
	for _, s := range services.All() {
		if _, twice := rows[s.Name]; twice || !name.MatchString(s.Name) {
			t.Errorf("service %q: the name must be one word of a to z, once", s.Name)
		}
		rows[s.Name] = s
		if s.Class.Instances() == 0 {
			t.Errorf("%s has the class %q; there are uncritical, normal and critical", s.Name, s.Class)
		}
		if s.Wire == nil {
			t.Errorf("%s cannot be opened: it has no Wire", s.Name)
		}
		for _, v := range append(s.Secrets, s.Files...) {
			if !variable.MatchString(v) {
				t.Errorf("%s: %q is no variable of a key or a file", s.Name, v)
			}
		}
	}
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range folders {
		if f.IsDir() {
			found = append(found, f.Name())
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(rows)), found); diff != "" {
		t.Errorf("rows and folders (-table +folders):\n%s", diff)
	}
	for _, topic := range event.Topics() {
		for _, user := range append([]string{topic.Producer}, topic.Consumers...) {
			if s, known := rows[user]; user != "" && (!known || !s.Needs.Kafka) {
				t.Errorf("topic %s is used by %q, which is no service that needs Kafka", topic.Name, user)
			}
		}
	}
}

// TestServiceWithoutRoutes runs a service that only consumes: it is ready and has no public address.
func TestServiceWithoutRoutes(t *testing.T) {
	b := embedded.Start(t)
	consumer := services.Service{
		Name: "reader", Class: services.Normal, Needs: process.Needs{MongoDB: true, Kafka: true},
		Wire: func(p *process.Process) error {
			p.Consume(func(context.Context, event.Event, event.Payload) error { return nil })
			return nil
		},
	}
	p, err := consumer.Open(t.Context(), b.Lookup("reader-1", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ready := httptest.NewRecorder()
	p.Health.Handler(prometheus.NewRegistry()).ServeHTTP(ready, httptest.NewRequest("GET", "/readyz", nil))
	if p.HasRoutes() || p.Addr() != "" || ready.Code != http.StatusOK {
		t.Errorf("routes %v, address %q, ready: %d %s", p.HasRoutes(), p.Addr(), ready.Code, ready.Body)
	}
}

// TestRowsAreTrue opens an instance of each service and compares it with its row.
func TestRowsAreTrue(t *testing.T) {
	b := embedded.Start(t)
	for _, s := range services.All() {
		t.Run(s.Name, func(t *testing.T) {
			p, err := s.Open(t.Context(), b.Lookup(s.Name+"-1", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			if err := p.Config.Err(); err != nil {
				t.Errorf("with what its row says it lacks settings: %v", err)
			}
			if p.HasRoutes() != s.HTTP {
				t.Errorf("the row says HTTP %v, and it has routes: %v", s.HTTP, p.HasRoutes())
			}
			if diff := cmp.Diff(s.Work, p.WorkNames()); diff != "" {
				t.Errorf("timed work (-row +registered):\n%s", diff)
			}
		})
	}
}
