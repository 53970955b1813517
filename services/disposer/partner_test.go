package disposer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

var (
	berlin = time.FixedZone("CET", 3600)
	noon   = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

func at(t time.Time) event.Meta { return event.Meta{Source: "disposer", Customer: "kreislauf", At: t} }

// good is a partner in normal form.
func good() Master {
	return Master{
		Name: "Rheinland Mulden KG", Street: "Geestemünder Straße 23", Postcode: "50735", City: "Köln", Email: "office@rheinland.example",
		TaxID: "DE136695976", RadiusKm: 150, Wastes: []string{"170904", "170107"}, AutoAccept: true, Active: true,
		Rates:        event.Rates{TripCents: 78_00, PerM3Cents: map[string]money.Cents{"170904": 42_00, "170107": 15_00}, PerTonneOver: 6_00},
		Certificates: []Certificate{{"efb", "E-1", "2027-06-30"}, {"53", "A-1", "2026-12-31"}},
		Drivers:      []Driver{{"d-1", "Jonas Petersen", ""}}, Vehicles: []Vehicle{{"K-RM 117", "skip"}},
	}
}

// changed reads the newest event of a partner.
func changed(t *testing.T, p Partner) event.PartnerChanged {
	t.Helper()
	if len(p.Outbox) == 0 {
		t.Fatal("no event")
	}
	e, err := event.Decode[event.PartnerChanged](p.Outbox[len(p.Outbox)-1])
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNewPartnerTellsAll(t *testing.T) {
	p, err := newPartner("p-koeln", good(), at(noon), berlin)
	if err != nil {
		t.Fatal(err)
	}
	m := good()
	want := event.PartnerChanged{
		PartnerID: "p-koeln", Version: 1, Name: m.Name, Street: m.Street, Postcode: m.Postcode, City: m.City, Email: m.Email, TaxID: m.TaxID,
		RadiusKm: 150, Wastes: m.Wastes, AutoAccept: true, Active: true, Rates: m.Rates,
	}
	if diff := cmp.Diff(want, changed(t, p)); diff != "" || p.Version != 1 || len(p.Outbox) != 1 {
		t.Errorf("version %d, %d events (-want +got):\n%s", p.Version, len(p.Outbox), diff)
	}
}

// TestPermits holds who is active on which day, and when that is looked at again.
func TestPermits(t *testing.T) {
	endOf2026 := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC) // midnight in Germany
	for _, tc := range []struct {
		name   string
		given  []Certificate
		at     time.Time
		active bool
		due    *time.Time
	}{
		{"notice that ends", []Certificate{{"53", "1", "2026-12-31"}}, noon, true, &endOf2026},
		{"on its last day", []Certificate{{"53", "1", "2026-12-31"}}, endOf2026.Add(-time.Second), true, &endOf2026},
		{"on the day after", []Certificate{{"53", "1", "2026-12-31"}}, endOf2026, false, nil},
		{"two: the later counts", []Certificate{{"53", "1", "2026-12-31"}, {"53", "2", "2026-06-30"}}, noon, true, &endOf2026},
		{"notice without end", []Certificate{{"53", "1", "2026-01-31"}, {"53", "2", ""}}, noon, true, nil},
		{"permit in its place", []Certificate{{"54", "1", "2026-12-31"}}, noon, true, &endOf2026},
		{"an expert's certificate alone", []Certificate{{"efb", "1", "2027-12-31"}}, noon, false, nil},
		{"none", nil, noon, false, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := good()
			m.Certificates = tc.given
			p, err := newPartner("p-1", m, at(tc.at), berlin)
			if err != nil {
				t.Fatal(err)
			}
			if p.Active != tc.active || changed(t, p).Active != tc.active {
				t.Errorf("active %v, told %v; want %v", p.Active, changed(t, p).Active, tc.active)
			}
			if diff := cmp.Diff(tc.due, p.DueAt); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnd(t *testing.T) {
	p, err := newPartner("p-1", good(), at(noon), berlin)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.end(at(noon.AddDate(0, 0, 7)), berlin); err != nil || len(p.Outbox) != 1 || !p.Active {
		t.Fatalf("too early: %v, %d events, active %v", err, len(p.Outbox), p.Active)
	}
	if err := p.end(at(*p.DueAt), berlin); err != nil {
		t.Fatal(err)
	}
	if e := changed(t, p); e.Active || e.Version != 2 || p.DueAt != nil || len(p.Outbox) != 2 {
		t.Errorf("after the end: %+v, due %v, %d events", e, p.DueAt, len(p.Outbox))
	}
}

func TestTake(t *testing.T) {
	list := Listed{"p-1", good()}
	p, err := imported(list, at(noon), berlin)
	if err != nil {
		t.Fatal(err)
	}
	take := func(m Master, events int, name string) {
		t.Helper()
		p.Outbox = nil
		if err := p.take(m, at(noon), berlin); err != nil || len(p.Outbox) != events {
			t.Fatalf("%s: %v, %d events, want %d", name, err, len(p.Outbox), events)
		}
	}
	take(list.Master, 0, "the same entry")
	byHand := p.with(Profile{Email: "new@rheinland.example", RadiusKm: 20, Drivers: []Driver{}, Vehicles: []Vehicle{}})
	if _, err := p.become(byHand, at(noon), berlin); err != nil {
		t.Fatal(err)
	}
	take(list.Master, 0, "the same entry after a person's change")
	if p.RadiusKm != 20 {
		t.Errorf("the file has undone a person's change: %+v", p.Master)
	}
	other := good()
	other.RadiusKm = 90
	take(other, 1, "another entry")
	take(other, 0, "the other entry again")
	if diff := cmp.Diff(other, p.Master); diff != "" {
		t.Errorf("(-entry +partner):\n%s", diff)
	}
}

func TestChange(t *testing.T) {
	entry := audit.Entry{
		At: noon, Actor: audit.Actor{UserID: "u-1", Role: authz.BackOffice, Tenant: "kreislauf"}, Operation: "partner.change", Subject: "partner/p-1",
		Reason: "new contract",
	}
	wider := good()
	wider.RadiusKm = 200
	for _, tc := range []struct {
		name    string
		to      Master
		seen    int64
		events  int
		refused string
	}{
		{"what was read", wider, 3, 1, ""},
		{"an older version", wider, 2, 0, "it has version 3 now, and you have read 2"},
		{"a version that is not there yet", wider, 4, 0, "it has version 3 now"},
		{"a new one that is there", wider, 0, 0, "There is a partner p-1 already"},
		{"no difference", good(), 3, 0, ""},
		{"no difference to what was sent before", good(), 2, 0, ""},
		{"no difference to a new one", good(), 0, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := newPartner("p-1", good(), at(noon), berlin)
			if err != nil {
				t.Fatal(err)
			}
			p.Version, p.Outbox = 3, nil
			err = p.change(tc.to, tc.seen, entry, at(noon), berlin)
			if tc.refused != "" {
				if problem.KindOf(err) != problem.Conflict || !strings.Contains(err.Error(), tc.refused) {
					t.Fatalf("%v, want %q", err, tc.refused)
				}
				return
			}
			if err != nil || len(p.Outbox) != tc.events || len(p.Audit) != tc.events {
				t.Fatalf("%v, %d events, %d entries; want %d", err, len(p.Outbox), len(p.Audit), tc.events)
			}
			if tc.events == 1 && (changed(t, p).Version != 4 || !slices.Equal(p.Audit[0].Change.Fields, []string{"/radius_km"}) || p.Audit[0].Reason != "new contract") {
				t.Errorf("event %+v, entry %+v", changed(t, p), p.Audit[0])
			}
		})
	}
}

func TestNormal(t *testing.T) {
	m := good()
	m.Name, m.Email, m.TaxID, m.Vehicles[0].Plate = "  Rheinland Mulden KG ", "Office@Rheinland.example", "de 136 695 976", "k-rm  117"
	m, f := m.normal("")
	if err := f.problem(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(good(), m); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	empty := good()
	empty.Certificates, empty.Drivers, empty.Vehicles = nil, nil, nil
	if empty, _ = empty.normal(""); empty.Certificates == nil || empty.Drivers == nil || empty.Vehicles == nil {
		t.Error("an empty list becomes null")
	}
}

func TestFaults(t *testing.T) {
	many := func(n int) (d []Driver) {
		for i := range n {
			d = append(d, Driver{fmt.Sprintf("d-%d", i), "Somebody", ""})
		}
		return d
	}
	for _, tc := range []struct {
		name     string
		change   func(*Master)
		pointers []string
	}{
		{"nothing", func(*Master) {}, nil},
		{"short name", func(m *Master) { m.Name = "R" }, []string{"/name"}},
		{"invisible sign", func(m *Master) { m.City = "Kö\u200bln" }, []string{"/city"}},
		{"long street", func(m *Master) { m.Street = strings.Repeat("ä", 101) }, []string{"/street"}},
		{"postcode of nowhere", func(m *Master) { m.Postcode = "00000" }, []string{"/postcode"}},
		{"e-mail", func(m *Master) { m.Email = "office" }, []string{"/email"}},
		{"VAT id of eight digits", func(m *Master) { m.TaxID = "DE13669597" }, []string{"/tax_id"}},
		{"VAT id with two digits changed over", func(m *Master) { m.TaxID = "DE136659976" }, []string{"/tax_id"}},
		{"no VAT id", func(m *Master) { m.TaxID = "" }, []string{"/tax_id"}},
		{"tax number", func(m *Master) { m.TaxID = "217/5678/1234" }, []string{"/tax_id"}},
		{"tax number of a small trader", func(m *Master) { m.TaxID, m.SmallBusiness = "217/5678/1234", true }, nil},
		{"IBAN", func(m *Master) { m.IBAN = "de89 3704 0044 0532 0130 00" }, nil},
		{"IBAN with digits changed over", func(m *Master) { m.IBAN = "DE98370400440532013000" }, []string{"/iban"}},
		{"no radius", func(m *Master) { m.RadiusKm = 0 }, []string{"/radius_km"}},
		{"wide radius", func(m *Master) { m.RadiusKm = 501 }, []string{"/radius_km"}},
		{"no waste", func(m *Master) { m.Wastes = nil }, []string{"/waste_codes"}},
		{"unknown waste", func(m *Master) { m.Wastes = []string{"170904", "170107", "999999"} }, []string{"/waste_codes/2"}},
		{"waste twice", func(m *Master) { m.Wastes = []string{"170904", "170107", "170904"} }, []string{"/waste_codes/2"}},
		{"no rate of a waste", func(m *Master) { m.Wastes = []string{"170904", "170107", "170504"} }, []string{"/rates/per_m3_cents"}},
		{"rate of another waste", func(m *Master) { m.Wastes = []string{"170904"} }, []string{"/rates/per_m3_cents"}},
		{"no rates", func(m *Master) { m.Rates = event.Rates{} }, []string{"/rates/trip_cents", "/rates/per_m3_cents", "/rates/per_m3_cents"}},
		{"negative rate", func(m *Master) { m.Rates.PerM3Cents["170904"] = -1 }, []string{"/rates/per_m3_cents/170904"}},
		{"dear trip", func(m *Master) { m.Rates.TripCents = maxTrip + 1 }, []string{"/rates/trip_cents"}},
		{"dear tonne", func(m *Master) { m.Rates.PerTonneOver = maxPerTonne + 1 }, []string{"/rates/per_tonne_over_cents"}},
		{"other certificate", func(m *Master) { m.Certificates[0].Kind = "iso" }, []string{"/certificates/0/kind"}},
		{"expert's without end", func(m *Master) { m.Certificates[0].ValidUntil = "" }, []string{"/certificates/0/valid_until"}},
		{"day that is none", func(m *Master) { m.Certificates[1].ValidUntil = "2026-02-30" }, []string{"/certificates/1/valid_until"}},
		{"no number", func(m *Master) { m.Certificates[1].Number = " " }, []string{"/certificates/1/number"}},
		{"certificate twice", func(m *Master) { m.Certificates[0] = m.Certificates[1] }, []string{"/certificates/1/number"}},
		{"21 certificates", func(m *Master) { m.Certificates = slices.Repeat(m.Certificates[1:], 21) }, append([]string{"/certificates"}, pointers(1, 20)...)},
		{"driver's id", func(m *Master) { m.Drivers[0].ID = "1" }, []string{"/drivers/0/id"}},
		{"driver twice", func(m *Master) { m.Drivers = append(m.Drivers, m.Drivers[0]) }, []string{"/drivers/1/id"}},
		{"driver's phone", func(m *Master) { m.Drivers[0].Phone = "call me" }, []string{"/drivers/0/phone"}},
		{"driver without a name", func(m *Master) { m.Drivers[0].Name = "" }, []string{"/drivers/0/name"}},
		{"201 drivers", func(m *Master) { m.Drivers = many(201) }, []string{"/drivers"}},
		{"plate", func(m *Master) { m.Vehicles[0].Plate = "KRM117" }, []string{"/vehicles/0/plate"}},
		{"plate twice", func(m *Master) { m.Vehicles = append(m.Vehicles, m.Vehicles[0]) }, []string{"/vehicles/1/plate"}},
		{"kind of vehicle", func(m *Master) { m.Vehicles[0].Kind = "van" }, []string{"/vehicles/0/kind"}},
		{"several at once", func(m *Master) { m.Name, m.TaxID, m.RadiusKm = "", "", -1 }, []string{"/radius_km", "/name", "/tax_id"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := good()
			tc.change(&m)
			m, f := m.normal("")
			if again, _ := m.normal(""); cmp.Diff(m, again) != "" { // digests rely on it
				t.Errorf("the normal form is not normal:\n%s", cmp.Diff(m, again))
			}
			var got []string
			for _, field := range f {
				got = append(got, field.Pointer)
			}
			if diff := cmp.Diff(tc.pointers, got); diff != "" {
				t.Errorf("pointers (-want +got):\n%s\n%v", diff, f.problem())
			}
		})
	}
}

// pointers are those of repeated certificates.
func pointers(from, until int) (list []string) {
	for i := from; i < until; i++ {
		list = append(list, fmt.Sprintf("/certificates/%d/number", i))
	}
	return list
}

func TestCheckActive(t *testing.T) {
	for name, tc := range map[string]struct {
		active bool
		today  string
		faults int
	}{
		"on the last day": {true, "2026-12-31", 0}, "on the day after": {true, "2027-01-01", 1}, "not active": {false, "2027-01-01", 0},
	} {
		m, f := good(), faults(nil)
		m.Active = tc.active
		if m.checkActive("/partner", tc.today, &f); len(f) != tc.faults {
			t.Errorf("%s: %v", name, f.problem())
		}
	}
}

func TestCheckID(t *testing.T) {
	for id, good := range map[string]bool{
		"p-koeln": true, "p-koeln-2": true, "p-" + strings.Repeat("x", 38): true,
		"": false, "koeln": false, "p-": false, "p-Köln": false, "p-a--b": false, "p-a.b": false, "p-" + strings.Repeat("x", 39): false,
	} {
		if err := checkID(id); (err == nil) != good {
			t.Errorf("%q: %v", id, err)
		}
	}
}
