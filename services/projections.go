package services

import (
	"slices"

	"kreislauf/internal/event"
)

// Projection is what a service keeps of another's events, so that it follows from them: `kreislauf rebuild` makes it anew. Aggregates, which a service
// decides about, are none.
type Projection struct {
	Service string
	Name    string          // of the collection, or what else it is
	From    []event.Payload // the types of event of which each makes documents
	// Lines says that it is no collection: the service writes lines, and From is nil, for all that it consumes.
	Lines bool
}

// Projections lists all. The id of a document is the subject of the events that it follows from; one event suffices to make it.
func Projections() []Projection {
	return []Projection{
		{"matching", "network", []event.Payload{event.PartnerChanged{}}, false},
		{"order", "network", []event.Payload{event.PartnerChanged{}}, false},
		{"order", "takers", []event.Payload{event.PartnerChanged{}}, false},
		{"order", "sites", []event.Payload{event.SiteChanged{}}, false},
		{"payment", "partners", []event.Payload{event.PartnerChanged{}}, false},
		{"payment", "customers", []event.Payload{event.SignedUp{}}, false},
		{"payment", "clients", []event.Payload{event.CompanyChanged{}}, false},
		{"pricing", "sales", []event.Payload{event.Placed{}}, false},
		{"pricing", "network", []event.Payload{event.PartnerChanged{}}, false},
		{"pricing", "full_days", []event.Payload{event.CapacityChanged{}}, false},
		{"mailing", "recipients", []event.Payload{event.SignedUp{}, event.CompanyChanged{}, event.PartnerChanged{}}, false},
		{"mailing", "orders", []event.Payload{event.Placed{}}, false},
		{"statistics", "lines", nil, true},
	}
}

// Topics are those whose events the projection follows from.
func (p Projection) Topics() []event.Topic {
	var list []event.Topic
	for _, t := range event.Topics() {
		for _, c := range t.Consumers {
			if c == p.Service && p.takes(t) {
				list = append(list, t)
			}
		}
	}
	return list
}

func (p Projection) takes(t event.Topic) bool {
	return slices.ContainsFunc(t.Payloads, func(payload event.Payload) bool { return p.Takes(payload.Type()) })
}

// Takes says whether the projection follows from events of a type.
func (p Projection) Takes(typ string) bool {
	return p.Lines || slices.ContainsFunc(p.From, func(from event.Payload) bool { return from.Type() == typ })
}
