// Package tariff owns the price of a container. Pure. There are two models: a flat price of transport, rental days and disposal of what fits into
// the container; and, for wastes of which a container may weigh much or little, a price of the service and one for each tonne that is weighed,
// at least for a minimum. What the customer pays at once is the flat price, or the service and the minimum.
//
// Invariants: the price depends on zone, waste and size only, on whether we get the permit, and on the table's version; the same input gives the
// same price, and its lines add up to it. Days and weight beyond what the price includes cost extra.
// Amounts are net cents; VAT is money's.
package tariff

import (
	"slices"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
)

// Version names the table below; it is part of every quote.
const Version = "2027-01"

// IncludedDays of rent are in the price; placing and pick-up day are not counted.
const IncludedDays = 10

// ExtraDayNet is the rent of each further day.
const ExtraDayNet money.Cents = 300

// PermitNet is what we take for getting the municipality's permit for public ground, its fee included.
const PermitNet money.Cents = 57_14

// weighingNet is a part of the service where each container is billed by its own weight.
const weighingNet money.Cents = 20_00

// Model says how a waste is billed. By weight are those that come loose or pressed, dry or wet.
func Model(waste catalog.Waste) string {
	if slices.Contains([]string{"200307", "200301"}, waste.Code) {
		return quote.Weight
	}
	return quote.Flat
}

// IncludedKg is the weight that the price includes, in whole 100 kg: what the waste weighs that fills the container, and never more than a
// truck may lift. By weight it is the minimum that is billed, four fifths of that: the partner is paid for the container's volume.
func IncludedKg(waste catalog.Waste, sizeM3 int) int {
	kg := min(waste.MaxWeightKg(sizeM3), catalog.PayloadKg)
	if Model(waste) == quote.Weight {
		kg = kg * 4 / 5
	}
	return kg / 100 * 100
}

// ExtraTonneNet is the price of each tonne above IncludedKg, and by weight of all that is billed: the disposal of a tonne, in whole euros,
// rounded up. By weight it is a tenth more: what a flat price earns with light containers is missing.
func ExtraTonneNet(waste catalog.Waste) money.Cents {
	perTonne := disposalNetPerM3(waste.Code) * 1000 / money.Cents(waste.KgPerM3)
	if Model(waste) == quote.Weight {
		perTonne = perTonne * 11 / 10
	}
	return (perTonne + 99) / 100 * 100
}

// transportNet is placing and collecting by size in m³.
func transportNet(sizeM3 int) money.Cents {
	switch {
	case sizeM3 <= 3:
		return 95_00
	case sizeM3 <= 5:
		return 109_00
	case sizeM3 <= 7:
		return 119_00
	default:
		return 135_00
	}
}

// disposalNetPerM3 by AVV code: what the partner pays at the plant plus margin. Metals are worth more than their transport.
func disposalNetPerM3(code string) money.Cents {
	switch code {
	case "170107":
		return 19_00
	case "170101":
		return 21_00
	case "170504":
		return 24_00
	case "200201":
		return 31_00
	case "170201":
		return 29_00
	case "200307":
		return 43_00
	case "170904":
		return 52_00
	case "170802":
		return 46_00
	case "200301":
		return 58_00
	case "170407":
		return 4_00
	}
	return 60_00
}

// zonePercent scales transport: dense cities are slow, thin regions far.
func zonePercent(prefix string) money.Cents {
	switch prefix {
	case "10", "12", "13", "20", "22", "60", "80", "81", "70":
		return 115
	case "17", "19", "29", "39", "03", "15", "16", "54", "98":
		return 110
	}
	return 100
}

// Lines are what the price consists of for a waste that exists in a size that fits; the caller has checked both. permit says that we get one.
func Lines(zone catalog.Zone, waste catalog.Waste, sizeM3 int, permit bool) []event.PriceLine {
	service, disposal := transportNet(sizeM3)*zonePercent(zone.Prefix)/100, disposalNetPerM3(waste.Code)*money.Cents(sizeM3)
	if Model(waste) == quote.Weight {
		service += weighingNet
		disposal = ExtraTonneNet(waste) * money.Cents(IncludedKg(waste, sizeM3)) / 1000
	}
	lines := []event.PriceLine{{Kind: "service", NetCents: service}, {Kind: "disposal", NetCents: disposal}}
	if permit {
		lines = append(lines, event.PriceLine{Kind: "permit", NetCents: PermitNet})
	}
	return lines
}

// Net is the price that the lines add up to.
func Net(lines []event.PriceLine) (sum money.Cents) {
	for _, l := range lines {
		sum += l.NetCents
	}
	return sum
}
