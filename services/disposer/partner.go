package disposer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/words"
)

// Kinds of certificates.
const (
	expert = "efb" // Entsorgungsfachbetrieb; always has an end
	notice = "53"  // notice after §53 KrWG: may carry waste
	permit = "54"  // permit after §54 KrWG: may carry hazardous waste, and needs no notice
)

// Certificate is what an authority or an expert has certified.
type Certificate struct {
	Kind       string `json:"kind" bson:"kind"`
	Number     string `json:"number" bson:"number"`
	ValidUntil string `json:"valid_until,omitempty" bson:"valid_until,omitempty"` // last day, YYYY-MM-DD; empty: without end
}

// Driver is somebody who drives for the partner.
type Driver struct {
	ID   string `json:"id" bson:"id"` // "d-1", the partner's own
	Name string `json:"name" bson:"name"`
	// Phone is where the dispatcher reaches the driver; empty when it did not say.
	Phone string `json:"phone,omitempty" bson:"phone,omitempty"`
}

// Vehicle is a truck.
type Vehicle struct {
	Plate string `json:"plate" bson:"plate"` // "K-EK 117"
	Kind  string `json:"kind" bson:"kind"`   // "skip" or "roll-off"
}

// Profile is what a partner says of itself.
type Profile struct {
	Email      string    `json:"email"`
	RadiusKm   int       `json:"radius_km"`
	AutoAccept bool      `json:"auto_accept"`
	Drivers    []Driver  `json:"drivers"`
	Vehicles   []Vehicle `json:"vehicles"`

	Capacity []event.Capacity `json:"capacity,omitempty"`
}

// Master is all that is known of a partner, in the words of the file and the back office.
type Master struct {
	Name         string        `json:"name" bson:"name"`
	Street       string        `json:"street" bson:"street"`     // with house number
	Postcode     string        `json:"postcode" bson:"postcode"` // of the yard
	City         string        `json:"city" bson:"city"`
	Email        string        `json:"email" bson:"email"`         // where credit notes go
	TaxID        string        `json:"tax_id" bson:"tax_id"`       // VAT id; of a small trader also its tax number
	RadiusKm     int           `json:"radius_km" bson:"radius_km"` // how far its trucks go
	Wastes       []string      `json:"waste_codes" bson:"waste_codes"`
	AutoAccept   bool          `json:"auto_accept" bson:"auto_accept"` // standing order: takes what it is offered at once, unseen
	Active       bool          `json:"active" bson:"active"`           // is offered orders
	Rates        event.Rates   `json:"rates" bson:"rates"`
	Certificates []Certificate `json:"certificates" bson:"certificates"`
	Drivers      []Driver      `json:"drivers" bson:"drivers"`
	Vehicles     []Vehicle     `json:"vehicles" bson:"vehicles"`
	// Capacity is how many containers of each size the partner places a day. A size that is not listed is not limited.
	Capacity []event.Capacity `json:"capacity,omitempty" bson:"capacity,omitempty"`
	// SmallBusiness means that section 19 UStG applies: the partner's credit notes have no VAT.
	SmallBusiness bool `json:"small_business,omitempty" bson:"small_business,omitempty"`
	// IBAN is where the partner is paid. Only the back office changes it, so that a stolen session of the partner cannot.
	IBAN string `json:"iban,omitempty" bson:"iban,omitempty"`
}

func (m Master) profile() Profile {
	return Profile{m.Email, m.RadiusKm, m.AutoAccept, m.Drivers, m.Vehicles, m.Capacity}
}

func (m Master) with(p Profile) Master {
	m.Email, m.RadiusKm, m.AutoAccept, m.Drivers, m.Vehicles, m.Capacity = p.Email, p.RadiusKm, p.AutoAccept, p.Drivers, p.Vehicles, p.Capacity
	return m
}

// digest tells two states apart.
func (m Master) digest() (string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode partner: %w", err)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// always is behind every day.
const always = "9999-12-31"

// mayCarryUntil is the last day, YYYY-MM-DD, on which the partner may carry waste: the end of its notice or permit that ends last. It is
// empty without one.
func (m Master) mayCarryUntil() string {
	last := ""
	for _, c := range m.Certificates {
		switch {
		case c.Kind == expert: // about quality; it permits nothing
		case c.ValidUntil == "":
			return always
		default:
			last = max(last, c.ValidUntil)
		}
	}
	return last
}

// Partner is the aggregate and its document. Days are those of a time zone.
type Partner struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	Master         `bson:",inline"`
	Imported       string   `bson:"imported,omitempty"` // digest of the entry of the file that was imported last
	Words          []string `bson:"words,omitempty"`    // what the back office finds it by; they follow from the rest
}

// newPartner makes a partner and tells of it.
func newPartner(id string, m Master, meta event.Meta, zone *time.Location) (Partner, error) {
	p := Partner{Root: aggregate.Root{ID: id}}
	_, err := p.become(m, meta, zone)
	p.Version = 1
	return p, err
}

// become changes the master data, plans the day on which the partner may not carry waste any more, and tells of the change. A partner that
// may not carry waste is not active, whatever m says. changed is false, and nothing is told, when nothing differs.
func (p *Partner) become(m Master, meta event.Meta, zone *time.Location) (changed bool, err error) {
	until := m.mayCarryUntil()
	m.Active = m.Active && until >= meta.At.In(zone).Format(time.DateOnly)
	p.Words = p.findable(m)
	p.Due(time.Time{})
	if m.Active && until != always {
		last, err := time.ParseInLocation(time.DateOnly, until, zone)
		if err != nil {
			return false, fmt.Errorf("read end of the permits of %s: %w", p.ID, err)
		}
		p.Due(last.AddDate(0, 0, 1).UTC())
	}
	before, err := p.digest()
	if err != nil {
		return false, err
	}
	after, err := m.digest()
	if err != nil || before == after {
		return false, err
	}
	p.Master = m
	return true, p.Emit(meta, p.State(p.Version+1)) // the version that this write makes
}

// State is what disposer.partner-changed tells of the partner as it is.
func (p *Partner) State(version int64) event.PartnerChanged {
	m := p.Master
	return event.PartnerChanged{
		PartnerID: p.ID, Version: version,
		Name: m.Name, Street: m.Street, Postcode: m.Postcode, City: m.City, Email: m.Email, TaxID: m.TaxID, RadiusKm: m.RadiusKm,
		Wastes: m.Wastes, AutoAccept: m.AutoAccept, Active: m.Active, Rates: m.Rates, Capacity: m.Capacity,
		SmallBusiness: m.SmallBusiness, IBAN: m.IBAN,
	}
}

// Listed is an entry of the file of master data.
type Listed struct {
	ID string `json:"id"`
	Master
}

// imported makes the partner of an entry of the file.
func imported(l Listed, meta event.Meta, zone *time.Location) (Partner, error) {
	p, err := newPartner(l.ID, l.Master, meta, zone)
	if err != nil {
		return p, err
	}
	p.Imported, err = l.digest()
	return p, err
}

// take imports an entry of the file, unless it is the one that was imported last.
func (p *Partner) take(m Master, meta event.Meta, zone *time.Location) error {
	sum, err := m.digest()
	if err != nil || sum == p.Imported {
		return err
	}
	p.Imported = sum
	_, err = p.become(m, meta, zone)
	return err
}

// created makes the partner that the back office wants.
func created(id string, m Master, entry audit.Entry, meta event.Meta, zone *time.Location) (Partner, error) {
	p, err := newPartner(id, m, meta, zone)
	if err != nil {
		return p, err
	}
	if entry.Change, err = audit.Diff(nil, p.Master); err != nil {
		return p, err
	}
	entry.Operation = "partner.create"
	return p, p.Add(entry)
}

// end is the timed work: the partner's last notice or permit has ended.
func (p *Partner) end(meta event.Meta, zone *time.Location) error {
	_, err := p.become(p.Master, meta, zone)
	return err
}

// change is what a person does: it must have seen the partner as it is. What makes no difference is always right, so that a request can be
// repeated. seen is the version that the person has read, 0 for a partner that it wanted to make.
func (p *Partner) change(m Master, seen int64, entry audit.Entry, meta event.Meta, zone *time.Location) error {
	before, version := p.Master, p.Version
	changed, err := p.become(m, meta, zone)
	if err != nil || !changed {
		return err
	}
	switch {
	case seen == 0:
		return problem.New(problem.Conflict, "There is a partner %s already; take another id, or read it and send your change with If-Match: \"%d\".",
			p.ID, version)
	case seen != version:
		return problem.New(problem.Conflict, "The partner %s has been changed since: it has version %d now, and you have read %d. Read it again, "+
			"and send your change with If-Match: \"%d\".", p.ID, version, seen, version)
	}
	if entry.Change, err = audit.Diff(before, p.Master); err != nil {
		return err
	}
	return p.Add(entry)
}

// driver finds one of the partner's drivers.
func (m Master) driver(id string) (Driver, bool) {
	i := slices.IndexFunc(m.Drivers, func(d Driver) bool { return d.ID == id })
	if i < 0 {
		return Driver{}, false
	}
	return m.Drivers[i], true
}

// findable lists the words by which the back office finds the partner.
func (p *Partner) findable(m Master) []string {
	return words.Of(p.ID, m.Name, m.Street, m.Postcode, m.City, m.Email, m.TaxID)
}
