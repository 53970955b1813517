// Package catalog owns what can be ordered: waste types with their codes of the European list (AVV), container sizes, postcode
// zones, days of placing, and the rules which of them fit together. It is pure: no clock, no network.
//
// Invariants: type × size is a rule, never a free choice: loose density × volume must stay within the payload of a chain-lift
// skip (7,000 kg, Absetzmulde); hazardous codes (asterisk in the list) are not offered.
// It does not know prices (services/pricing), and of a postcode only whether it exists and which towns have it (package postcodes): distances
// are those between zones, and a zone covers the postcodes that share their first two digits.
package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// PayloadKg is what a chain-lift truck may lift.
const PayloadKg = 7000

// Sizes of chain-lift skips in m³.
func Sizes() []int { return []int{3, 5, 7, 10} }

// Waste is one fraction.
type Waste struct {
	Code          string // AVV, six digits without spaces
	NameDE        string
	NameEN        string
	KgPerM3       int      // loose density used for the payload rule
	AllowedDE     []string // darf hinein
	ForbiddenDE   []string // darf nicht hinein
	AllowedEN     []string
	ForbiddenEN   []string
	ReverseCharge bool // §13b UStG: scrap; no VAT shown to companies
}

// Wastes lists all fractions in the order in which customers ask for them.
func Wastes() []Waste {
	return []Waste{
		{
			"170904", "Baumischabfall", "Mixed construction waste", 250,
			[]string{"Gipskarton", "Holz", "Kunststoff", "Metall", "Tapeten"},
			[]string{"Dämmwolle", "Asbest", "Dachpappe", "Farben und Lacke", "Elektrogeräte"},
			[]string{"plasterboard", "wood", "plastic", "metal", "wallpaper"},
			[]string{"mineral wool", "asbestos", "roofing felt", "paint", "electrical devices"},
			false,
		},
		{
			"170107", "Bauschutt", "Mixed rubble", 1100,
			[]string{"Beton", "Ziegel", "Fliesen", "Mörtel", "Sanitärkeramik"},
			[]string{"Gips", "Porenbeton", "Holz", "Asphalt", "Erde"},
			[]string{"concrete", "bricks", "tiles", "mortar", "ceramics"},
			[]string{"gypsum", "aerated concrete", "wood", "asphalt", "soil"},
			false,
		},
		{
			"170101", "Beton", "Concrete", 1700,
			[]string{"Beton ohne Anhaftungen", "Betonpflaster", "Randsteine"},
			[]string{"Stahlbeton über 60 cm", "Porenbeton", "Gips", "Erde"},
			[]string{"clean concrete", "paving", "kerbs"},
			[]string{"reinforced concrete over 60 cm", "aerated concrete", "gypsum", "soil"},
			false,
		},
		{
			"200307", "Sperrmüll", "Bulky waste", 250,
			[]string{"Möbel", "Matratzen", "Teppiche", "Spielzeug"},
			[]string{"Bauabfälle", "Elektrogeräte", "Reifen", "Restmüll"},
			[]string{"furniture", "mattresses", "carpets", "toys"},
			[]string{"construction waste", "electrical devices", "tyres", "household waste"},
			false,
		},
		{
			"170201", "Holz (A I–A III)", "Wood (A I–A III)", 500,
			[]string{"Bretter", "Paletten", "Innentüren", "Möbelholz"},
			[]string{"Fenster und Außentüren", "Bahnschwellen", "imprägniertes Holz"},
			[]string{"boards", "pallets", "inner doors", "furniture wood"},
			[]string{"windows and outer doors", "sleepers", "treated wood"},
			false,
		},
		{
			"200201", "Gartenabfall", "Garden waste", 250,
			[]string{"Rasenschnitt", "Laub", "Äste bis 15 cm", "Heckenschnitt"},
			[]string{"Erde", "Wurzelstöcke", "Steine", "Kunststoff"},
			[]string{"grass", "leaves", "branches up to 15 cm", "hedge cuttings"},
			[]string{"soil", "tree stumps", "stones", "plastic"},
			false,
		},
		{
			"170504", "Boden und Steine", "Soil and stones", 1400,
			[]string{"unbelasteter Erdaushub", "Sand", "Kies", "Steine bis 30 cm"},
			[]string{"Bauschutt", "Wurzeln", "Grasnarbe", "belasteter Boden"},
			[]string{"clean excavated soil", "sand", "gravel", "stones up to 30 cm"},
			[]string{"rubble", "roots", "turf", "contaminated soil"},
			false,
		},
		{
			"170802", "Gips", "Gypsum", 600,
			[]string{"Gipskarton", "Gipsdielen", "Stuck"},
			[]string{"Dämmung", "Fliesen", "Holz", "Porenbeton"},
			[]string{"plasterboard", "gypsum panels", "stucco"},
			[]string{"insulation", "tiles", "wood", "aerated concrete"},
			false,
		},
		{
			"200301", "Gemischter Siedlungsabfall", "Mixed municipal waste", 250,
			[]string{"Gewerbeabfall", "Haushaltsauflösung", "Verpackungsreste"},
			[]string{"Elektrogeräte", "Farben", "Batterien", "Bauschutt"},
			[]string{"commercial waste", "house clearance", "packaging remains"},
			[]string{"electrical devices", "paint", "batteries", "rubble"},
			false,
		},
		{
			"170407", "Gemischte Metalle", "Mixed metals", 600,
			[]string{"Eisen und Stahl", "Kupfer", "Aluminium", "Rohre"},
			[]string{"Kabel mit Öl", "Motoren mit Öl", "Elektrogeräte", "Gasflaschen"},
			[]string{"iron and steel", "copper", "aluminium", "pipes"},
			[]string{"oil-filled cable", "engines with oil", "electrical devices", "gas bottles"},
			true,
		},
	}
}

// Errors of the lookups; wrapped errors say what to do.
var (
	ErrWaste     = errors.New("unknown waste type")
	ErrHazardous = errors.New("hazardous waste")
	ErrSize      = errors.New("size does not fit")
	ErrPostcode  = errors.New("unknown postcode")
	ErrTown      = errors.New("the town does not fit the postcode")
	ErrDate      = errors.New("date not possible")
	ErrWindow    = errors.New("unknown window of the day")
)

// HazardousWaste is a waste that is not offered. It needs a partner with a permit after §54 KrWG and electronic consignment notes, and no partner
// of the network offers that.
type HazardousWaste struct{ Code, NameDE, NameEN string }

// HazardousWastes lists those that customers ask for. Hazard comes from the asterisk of the code alone, never from words: 170503* and 170504 are
// both soil and stones.
func HazardousWastes() []HazardousWaste {
	return []HazardousWaste{
		{"170106*", "Bauschutt mit gefährlichen Stoffen", "Rubble with hazardous substances"},
		{"170204*", "Holz A IV, behandelte Fenster, Glas und Kunststoff", "Treated wood (A IV), glass and plastic"},
		{"170301*", "Teerhaltige Dachpappe und Asphalt", "Tar-bearing roofing felt and asphalt"},
		{"170503*", "Boden und Steine mit gefährlichen Stoffen", "Soil and stones with hazardous substances"},
		{"170603*", "Alte Mineralwolle", "Old mineral wool"},
		{"170605*", "Asbesthaltige Baustoffe", "Asbestos-based materials"},
	}
}

// IsHazardous says whether a code of the list is that of a hazardous waste.
func IsHazardous(code string) bool { return strings.HasSuffix(code, "*") }

// FindWaste looks a code up. A hazardous one is refused (ErrHazardous), whether it is listed or not, written with spaces or without.
func FindWaste(code string) (Waste, error) {
	if IsHazardous(code) {
		return Waste{}, fmt.Errorf("%w %q: the asterisk says so. It needs a partner with a permit (§54 KrWG) and consignment notes, and no partner of the "+
			"network offers that; if your waste has no hazardous substances, choose its code from GET /api/pricing/v1/catalog", ErrHazardous, code)
	}
	for _, w := range Wastes() {
		if w.Code == code {
			return w, nil
		}
	}
	return Waste{}, fmt.Errorf("%w %q: use a code of GET /api/pricing/v1/catalog, for example 170904", ErrWaste, code)
}

// MaxWeightKg is the weight of a container filled to the brim.
func (w Waste) MaxWeightKg(sizeM3 int) int { return w.KgPerM3 * sizeM3 }

// PlausibleKg is what waste in a container can weigh: from a twentieth to twice of what the full one weighs when the waste lies loose, and
// never more than a truck may lift. Outside of it somebody has mistyped, or weighed another container.
func (w Waste) PlausibleKg(sizeM3 int) (least, most int) {
	full := w.MaxWeightKg(sizeM3)
	return full / 20, min(2*full, PayloadKg)
}

// Sizes lists the sizes in m³ that the payload allows for this waste, never empty.
func (w Waste) Sizes() []int {
	var fit []int
	for _, s := range Sizes() {
		if w.MaxWeightKg(s) <= PayloadKg {
			fit = append(fit, s)
		}
	}
	return fit
}

// CheckSize refuses an unknown size and one that could not be lifted when full.
func (w Waste) CheckSize(sizeM3 int) error {
	if !slices.Contains(Sizes(), sizeM3) {
		return fmt.Errorf("%w: there is no %d m³ container; sizes are %v", ErrSize, sizeM3, Sizes())
	}
	if kg := w.MaxWeightKg(sizeM3); kg > PayloadKg {
		return fmt.Errorf("%w: %d m³ of %s weigh about %d kg, but a truck lifts %d kg; take one of %v m³", ErrSize, sizeM3, w.NameEN, kg, PayloadKg, w.Sizes())
	}
	return nil
}
