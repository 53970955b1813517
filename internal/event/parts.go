package event

import "kreislauf/internal/money"

// Rates are what a partner is paid, net.
type Rates struct {
	TripCents    money.Cents            `json:"trip_cents" bson:"trip_cents"`                     // placing and collecting one container
	PerM3Cents   map[string]money.Cents `json:"per_m3_cents" bson:"per_m3_cents"`                 // disposal by AVV code, each m³ of the container
	PerTonneOver money.Cents            `json:"per_tonne_over_cents" bson:"per_tonne_over_cents"` // each tonne above the weight that the price includes
}

// Address is where a container stands, and who is billed for it. It is personal, so no line shows it.
type Address struct {
	Name   string `json:"name" bson:"name"`
	Street string `json:"street" bson:"street"` // with house number
	City   string `json:"city" bson:"city"`
}

// Pay is what the partner was promised when it took the order, net.
type Pay struct {
	NetCents          money.Cents `json:"net_cents" bson:"net_cents"`
	PerTonneOverCents money.Cents `json:"per_tonne_over_cents" bson:"per_tonne_over_cents"`
}
