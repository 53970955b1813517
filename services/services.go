// Package services is the one table of the platform's services. What runs where, nginx's upstreams, the values of the charts, ports,
// users of the database, tests and docs follow from it.
//
// Invariants: names are unique; every service has an availability class; everything that a service needs beyond the settings of each
// process (internal/process) stands in its row.
package services

import (
	"context"
	"errors"
	"fmt"

	"kreislauf/internal/process"
	"kreislauf/services/customer"
	"kreislauf/services/disposer"
	"kreislauf/services/identity"
	"kreislauf/services/mailing"
	"kreislauf/services/matching"
	"kreislauf/services/order"
	"kreislauf/services/payment"
	"kreislauf/services/pricing"
	"kreislauf/services/statistics"
)

// Class is an availability class: what happens to the business while no instance of the service answers.
type Class string

// The classes.
const (
	Uncritical Class = "uncritical" // nobody notices for a while
	Normal     Class = "normal"     // somebody is hindered
	Critical   Class = "critical"   // customers cannot order
)

// Instances is how many instances of the class run; 0 for what is no class.
func (c Class) Instances() int {
	return map[Class]int{Uncritical: 1, Normal: 2, Critical: 3}[c]
}

// Service is one row of the table. Rows are written without field names, so that a row with a column left out does not compile.
type Service struct {
	Name    string // one word; names the process, its database, its consumer group and its routes below /api/<name>/
	Class   Class
	HTTP    bool          // whether it has routes; one without gets no upstream in nginx and no public port
	Needs   process.Needs // backends
	Secrets []string      // variables with keys of 64 hexadecimal digits; who lists the same one gets the same key
	Files   []string      // variables with paths of files of master data: KREISLAUF_PARTNERS_FILE names partners.json
	Work    []string      // timed work, see process.Work
	Wire    func(*process.Process) error
}

// All lists the services in the order in which they start.
func All() []Service {
	const (
		quoteKey  = "KREISLAUF_QUOTE_KEY"
		inviteKey = "KREISLAUF_INVITE_KEY"
		mailKey   = "KREISLAUF_MAIL_KEY"
		linkKey   = "KREISLAUF_LINK_KEY"
		partners  = "KREISLAUF_PARTNERS_FILE"
		company   = "KREISLAUF_COMPANY_FILE"
	)
	events, sessions := process.Needs{MongoDB: true, Kafka: true}, process.Needs{MongoDB: true, Kafka: true, Sessions: true}
	files := process.Needs{MongoDB: true, Kafka: true, Sessions: true, Blobs: true}
	documents := process.Needs{MongoDB: true, Kafka: true, Sessions: true, Documents: true}
	return []Service{
		{"identity", Normal, true, sessions, []string{inviteKey, mailKey}, nil, []string{"account follow-up", "account notice"}, identity.Wire},
		{"disposer", Uncritical, true, sessions, nil, []string{partners}, []string{"end of permits"}, disposer.Wire},
		{"customer", Normal, true, sessions, []string{linkKey}, nil, []string{"standing order"}, customer.Wire},
		{"pricing", Normal, true, events, []string{quoteKey}, nil, nil, pricing.Wire},
		{"order", Critical, true, files, []string{quoteKey}, nil, nil, order.Wire},
		{"matching", Normal, true, sessions, nil, nil, []string{"offer time-out"}, matching.Wire},
		{"payment", Normal, true, documents, nil, []string{company}, []string{"payment reminder"}, payment.Wire},
		{"mailing", Uncritical, true, documents, []string{mailKey}, nil, []string{"mail delivery"}, mailing.Wire},
		{"statistics", Uncritical, true, events, nil, nil, nil, statistics.Wire},
	}
}

// Named finds a service of the table.
func Named(name string) (s Service, found bool) {
	for _, s := range All() {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}

// Open makes an instance from the settings that lookup gives. Start or Run it; on an error nothing is left open.
func (s Service) Open(ctx context.Context, lookup process.Lookup) (*process.Process, error) {
	p, err := process.Open(ctx, s.Name, lookup, s.Needs)
	if err != nil {
		return nil, err
	}
	if err := s.Wire(p); err != nil {
		return nil, errors.Join(fmt.Errorf("wire %s: %w", s.Name, err), p.Stop(ctx))
	}
	return p, nil
}

// Run opens and runs one instance until ctx ends.
func (s Service) Run(ctx context.Context, lookup process.Lookup) error {
	p, err := s.Open(ctx, lookup)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}
