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

// PriceLine is a part of a price, net. The lines of a price add up to it.
type PriceLine struct {
	// Kind is "service" (placing, rent and collecting), "disposal" (of what the price includes) or "permit" (getting the municipality's permit).
	Kind     string      `json:"kind" bson:"kind"`
	NetCents money.Cents `json:"net_cents" bson:"net_cents"`
}

// Capacity is how many containers of a size a partner places on one day.
type Capacity struct {
	SizeM3 int `json:"size_m3" bson:"size_m3"`
	PerDay int `json:"per_day" bson:"per_day"` // 0: none of this size
}

// File is a document that one service hands to another: it lies in the store of documents (internal/blob) and is never changed, as its hash
// shows. It may be gone after some weeks.
type File struct {
	Name   string `json:"name" bson:"name"` // for people: "R-2026-000001.pdf"
	Key    string `json:"key" bson:"key"`   // in the store
	Type   string `json:"type" bson:"type"` // media type
	Size   int64  `json:"size" bson:"size"` // bytes
	SHA256 string `json:"sha256" bson:"sha256"`
}
