// Package services is the one table of the platform's services. What runs where, nginx's upstreams, the values of the charts, ports,
// users of the database, tests and docs follow from it.
//
// Invariants: names are unique; every service has an availability class; everything that a service needs beyond the settings of each
// process (internal/process) stands in its row.
package services

import (
	"context"

	"kreislauf/internal/process"
	"kreislauf/services/identity"
	"kreislauf/services/matching"
	"kreislauf/services/order"
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
	HTTP    bool     // whether it has routes; one without gets no upstream in nginx and no public port
	Secrets []string // variables with keys of 64 hexadecimal digits; who lists the same one gets the same key
	Files   []string // variables with paths of files of master data: KREISLAUF_PARTNERS_FILE names partners.json
	Work    []string // timed work that it registers, see process.Work
	Open    func(context.Context, process.Lookup) (*process.Process, error)
}

// All lists the services in the order in which they start.
func All() []Service {
	const (
		quoteKey  = "KREISLAUF_QUOTE_KEY"
		inviteKey = "KREISLAUF_INVITE_KEY"
		partners  = "KREISLAUF_PARTNERS_FILE"
	)
	return []Service{
		{"identity", Normal, true, []string{inviteKey}, nil, nil, identity.New},
		{"pricing", Normal, true, []string{quoteKey}, nil, nil, pricing.New},
		{"order", Critical, true, []string{quoteKey}, nil, nil, order.New},
		{"matching", Normal, true, nil, []string{partners}, nil, matching.New},
		{"statistics", Uncritical, true, nil, nil, nil, statistics.New},
	}
}

// Run opens and runs one instance until ctx ends.
func (s Service) Run(ctx context.Context, lookup process.Lookup) error {
	p, err := s.Open(ctx, lookup)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}
