package matching

import "kreislauf/internal/event"

// Partner is what matching knows of a disposal partner: a copy of the newest state that disposer has told of.
type Partner struct {
	ID         string      `bson:"_id"`
	Version    int64       `bson:"version"` // of disposer's document
	Name       string      `bson:"name"`
	Postcode   string      `bson:"postcode"`  // of the yard
	RadiusKm   int         `bson:"radius_km"` // how far its trucks go
	Wastes     []string    `bson:"waste_codes"`
	AutoAccept bool        `bson:"auto_accept"` // has a standing order: accepts what it is offered, unseen
	Active     bool        `bson:"active"`
	Rates      event.Rates `bson:"rates"`
}

// PartnerOf is the copy that an event makes.
func PartnerOf(e event.PartnerChanged) Partner {
	return Partner{
		ID: e.PartnerID, Version: e.Version, Name: e.Name, Postcode: e.Postcode, RadiusKm: e.RadiusKm, Wastes: e.Wastes,
		AutoAccept: e.AutoAccept, Active: e.Active, Rates: e.Rates,
	}
}

// Job is what a partner is asked to do.
type Job struct {
	Postcode string `bson:"postcode"` // where the container stands
	Waste    string `bson:"waste_code"`
	SizeM3   int    `bson:"size_m3"`
	Date     string `bson:"date"`              // of placing, YYYY-MM-DD
	SwapOf   string `bson:"swap_of,omitempty"` // the order whose full container is to be taken away in the same trip
}
