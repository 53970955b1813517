package disposer

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/input"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

// Limits of a partner.
const (
	maxRadiusKm     = 500
	maxCertificates = 20
	maxDrivers      = 200
	maxVehicles     = 200
	maxPerDay       = 1000 // containers of a size
	maxTrip         = money.Cents(2_000_00)
	maxPerM3        = money.Cents(1_000_00)
	maxPerTonne     = money.Cents(2_000_00)
)

var (
	idPattern     = regexp.MustCompile(`^p-[a-z0-9]+(-[a-z0-9]+)*$`)
	driverPattern = regexp.MustCompile(`^d-[a-z0-9]+(-[a-z0-9]+)*$`)
	phonePattern  = regexp.MustCompile(`^\+?[0-9][0-9 /()-]{3,28}[0-9]$`)
	vatPattern    = regexp.MustCompile(`^DE[0-9]{9}$`)
	taxPattern    = regexp.MustCompile(`^[0-9]{2,5}/[0-9]{3,4}/[0-9]{4,5}$`)
	platePattern  = regexp.MustCompile(`^[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} [1-9][0-9]{0,3}[EH]?$`)
)

// checkID says what is wrong with the id of a new partner.
func checkID(id string) error {
	if len(id) > 40 || !idPattern.MatchString(id) {
		return problem.New(problem.Invalid, "The id %q is none for a partner; take p- and a short name of a to z, 0 to 9 and -, for example p-koeln.", id)
	}
	return nil
}

// faults are what is wrong with a request, all at once.
type faults []problem.Field

func (f *faults) add(pointer, format string, args ...any) {
	*f = append(*f, problem.Field{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// note adds a fault unless it is empty.
func (f *faults) note(pointer, fault string) {
	if fault != "" {
		f.add(pointer, "%s", fault)
	}
}

// within demands a number of a range.
func (f *faults) within(pointer string, n, least, most int64) {
	if n < least || n > most {
		f.add(pointer, "%d to %d is possible", least, most)
	}
}

// problem is nil without faults.
func (f faults) problem() error {
	if len(f) == 0 {
		return nil
	}
	return &problem.Error{Kind: problem.Invalid, Detail: "The partner cannot be stored; see errors.", Fields: f}
}

// normal brings a profile into the form that is stored, and says what is wrong with it; at is where it stands in the body.
func (p Profile) normal(at string) (Profile, faults) {
	var f faults
	fault := ""
	p.Email, fault = input.Email(p.Email)
	f.note(at+"/email", fault)
	f.within(at+"/radius_km", int64(p.RadiusKm), 1, maxRadiusKm)
	p.Drivers = append([]Driver{}, p.Drivers...) // never nil, and not the caller's
	if len(p.Drivers) > maxDrivers {
		f.add(at+"/drivers", "at most %d drivers are possible", maxDrivers)
		p.Drivers = p.Drivers[:maxDrivers]
	}
	for i, d := range p.Drivers {
		here := fmt.Sprintf("%s/drivers/%d", at, i)
		d.Name, fault = input.Line(d.Name, 2, 100)
		f.note(here+"/name", fault)
		if d.Phone = strings.Join(strings.Fields(d.Phone), " "); d.Phone != "" && !phonePattern.MatchString(d.Phone) {
			f.add(here+"/phone", "a telephone number is needed: 5 to 30 of the digits, +, -, / and space, for example +49 171 1234567")
		}
		if len(d.ID) > 40 || !driverPattern.MatchString(d.ID) {
			f.add(here+"/id", "d- and up to 38 of a to z, 0 to 9 and - are needed, for example d-1")
		}
		if slices.ContainsFunc(p.Drivers[:i], func(o Driver) bool { return o.ID == d.ID }) {
			f.add(here+"/id", "another driver has the id %.40s", d.ID)
		}
		p.Drivers[i] = d
	}
	p.Vehicles = append([]Vehicle{}, p.Vehicles...)
	if len(p.Vehicles) > maxVehicles {
		f.add(at+"/vehicles", "at most %d vehicles are possible", maxVehicles)
		p.Vehicles = p.Vehicles[:maxVehicles]
	}
	for i, v := range p.Vehicles {
		here := fmt.Sprintf("%s/vehicles/%d", at, i)
		v.Plate = strings.ToUpper(strings.Join(strings.Fields(v.Plate), " "))
		if !platePattern.MatchString(v.Plate) {
			f.add(here+"/plate", "a German plate is needed, for example K-EK 117")
		}
		if v.Kind != "skip" && v.Kind != "roll-off" {
			f.add(here+"/kind", "skip or roll-off is possible")
		}
		if slices.ContainsFunc(p.Vehicles[:i], func(o Vehicle) bool { return o.Plate == v.Plate }) {
			f.add(here+"/plate", "another vehicle has this plate")
		}
		p.Vehicles[i] = v
	}
	p.capacity(at, &f)
	return p, f
}

// capacity brings the capacity into normal form: by size, nil without any.
func (p *Profile) capacity(at string, f *faults) {
	if len(p.Capacity) > len(catalog.Sizes()) {
		f.add(at+"/capacity", "at most %d sizes are possible", len(catalog.Sizes()))
		return
	}
	p.Capacity = append([]event.Capacity(nil), p.Capacity...)
	for i, c := range p.Capacity {
		here := fmt.Sprintf("%s/capacity/%d", at, i)
		if !slices.Contains(catalog.Sizes(), c.SizeM3) {
			f.add(here+"/size_m3", "there is no container of this size; sizes are %v", catalog.Sizes())
		}
		f.within(here+"/per_day", int64(c.PerDay), 0, maxPerDay)
		if slices.ContainsFunc(p.Capacity[:i], func(o event.Capacity) bool { return o.SizeM3 == c.SizeM3 }) {
			f.add(here+"/size_m3", "%d m³ stands here twice", c.SizeM3)
		}
	}
	slices.SortFunc(p.Capacity, func(a, b event.Capacity) int { return cmp.Compare(a.SizeM3, b.SizeM3) })
}

// normal brings master data into the form that is stored, and says what is wrong with them; at is where they stand in the body.
func (m Master) normal(at string) (Master, faults) {
	p, f := m.profile().normal(at)
	m = m.with(p)
	for _, line := range []struct {
		name string
		text *string
	}{{"/name", &m.Name}, {"/street", &m.Street}, {"/city", &m.City}} {
		fault := ""
		*line.text, fault = input.Line(*line.text, 2, 100)
		f.note(at+line.name, fault)
	}
	if _, err := catalog.FindZone(m.Postcode); err != nil {
		f.add(at+"/postcode", "%v", err)
	}
	m.TaxID = strings.ToUpper(strings.ReplaceAll(m.TaxID, " ", ""))
	if m.IBAN != "" {
		fault := ""
		m.IBAN, fault = input.IBAN(m.IBAN)
		f.note(at+"/iban", fault)
	}
	taxNumber := m.SmallBusiness && taxPattern.MatchString(m.TaxID) // who may have no VAT id
	if !taxNumber && (!vatPattern.MatchString(m.TaxID) || !checkDigitFits(m.TaxID[2:])) {
		f.add(at+"/tax_id", "a German VAT id is needed, DE and nine digits of which the last fits the others; compare it with the partner's letter")
	}
	m.wastes(at, &f)
	m.certificates(at, &f)
	return m, f
}

// wastes brings wastes and their rates into normal form.
func (m *Master) wastes(at string, f *faults) {
	f.within(at+"/rates/trip_cents", int64(m.Rates.TripCents), 1, int64(maxTrip))
	f.within(at+"/rates/per_tonne_over_cents", int64(m.Rates.PerTonneOver), 0, int64(maxPerTonne))
	m.Wastes = append([]string{}, m.Wastes...)
	if len(m.Wastes) == 0 || len(m.Wastes) > len(catalog.Wastes()) {
		f.add(at+"/waste_codes", "1 to %d codes of wastes that the partner takes are needed", len(catalog.Wastes()))
		return
	}
	for i, code := range m.Wastes {
		here := fmt.Sprintf("%s/waste_codes/%d", at, i)
		if _, err := catalog.FindWaste(code); err != nil {
			f.add(here, "%v", err)
			continue
		}
		if slices.Contains(m.Wastes[:i], code) {
			f.add(here, "%s stands here twice", code)
		}
		rate, known := m.Rates.PerM3Cents[code]
		if !known {
			f.add(at+"/rates/per_m3_cents", "a rate for %s is missing, which the partner takes", code)
			continue
		}
		f.within(at+"/rates/per_m3_cents/"+code, int64(rate), 0, int64(maxPerM3))
	}
	if len(m.Rates.PerM3Cents) > len(catalog.Wastes()) {
		f.add(at+"/rates/per_m3_cents", "there are more rates than wastes; leave the others out")
		return
	}
	for _, code := range slices.Sorted(maps.Keys(m.Rates.PerM3Cents)) {
		if !slices.Contains(m.Wastes, code) {
			f.add(at+"/rates/per_m3_cents", "there is a rate for %.20q, which the partner does not take; add it to waste_codes or leave the rate out", code)
		}
	}
}

// certificates brings certificates into normal form.
func (m *Master) certificates(at string, f *faults) {
	m.Certificates = append([]Certificate{}, m.Certificates...)
	if len(m.Certificates) > maxCertificates {
		f.add(at+"/certificates", "at most %d certificates are possible", maxCertificates)
		m.Certificates = m.Certificates[:maxCertificates]
	}
	for i, c := range m.Certificates {
		here, fault := fmt.Sprintf("%s/certificates/%d", at, i), ""
		if !slices.Contains([]string{expert, notice, permit}, c.Kind) {
			f.add(here+"/kind", "efb (Entsorgungsfachbetrieb), 53 (notice after §53 KrWG) or 54 (permit after §54 KrWG) is possible")
		}
		c.Number, fault = input.Line(c.Number, 1, 50)
		f.note(here+"/number", fault)
		if _, err := time.Parse(time.DateOnly, c.ValidUntil); err != nil && (c.ValidUntil != "" || c.Kind == expert) {
			f.add(here+"/valid_until", "the last day is needed as YYYY-MM-DD; only a notice or permit may be without end")
		}
		if slices.ContainsFunc(m.Certificates[:i], func(o Certificate) bool { return o.Kind == c.Kind && o.Number == c.Number }) {
			f.add(here+"/number", "this certificate stands here twice")
		}
		m.Certificates[i] = c
	}
}

// checkActive says that an active partner may not carry waste on a day.
func (m Master) checkActive(at, today string, f *faults) {
	if m.Active && m.mayCarryUntil() < today {
		f.add(at+"/active", "the partner has no notice after §53 KrWG and no permit after §54 that is valid today; add it, or store the partner as not active")
	}
}

// checkDigitFits says whether the last of the nine digits of a German VAT id follows from the others (ISO 7064, MOD 11,10).
func checkDigitFits(digits string) bool {
	product := 10
	for _, d := range digits[:8] {
		sum := (int(d-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return (11-product)%10 == int(digits[8]-'0')
}
