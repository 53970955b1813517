package services

import "kreislauf/internal/event"

// Projection is what a service keeps of another's events, so that it follows from them: `kreislauf rebuild` makes it anew. Aggregates, which a service
// decides about, are none.
type Projection struct {
	Service string
	Name    string // of the collection, or what else it is
	From    event.Payload
	// Lines says that it is no collection: the service writes lines, and From is nil, for all that it consumes.
	Lines bool
}

// Projections lists all. The id of a document is the subject of the events that it follows from; one event suffices to make it.
func Projections() []Projection {
	return []Projection{
		{"matching", "network", event.PartnerChanged{}, false},
		{"order", "network", event.PartnerChanged{}, false},
		{"payment", "partners", event.PartnerChanged{}, false},
		{"payment", "customers", event.SignedUp{}, false},
		{"payment", "clients", event.CompanyChanged{}, false},
		{"pricing", "sales", event.Placed{}, false},
		{"pricing", "network", event.PartnerChanged{}, false},
		{"pricing", "full_days", event.CapacityChanged{}, false},
		{"mailing", "recipients", event.SignedUp{}, false},
		{"mailing", "orders", event.Placed{}, false},
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
	for _, payload := range t.Payloads {
		if p.Lines || payload.Type() == p.From.Type() {
			return true
		}
	}
	return false
}
