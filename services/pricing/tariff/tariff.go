// Package tariff owns the price of a container: one flat price of transport, rental days and disposal. Pure.
//
// Invariants: the price depends on zone, waste and size only, and on the table's version; the same input gives the same price. A normally
// filled container costs the flat price alone: days and weight beyond what it includes cost extra.
// Amounts are net cents; VAT is money's.
package tariff

import (
	"kreislauf/internal/catalog"
	"kreislauf/internal/money"
)

// Version names the table below; it is part of every quote.
const Version = "2026-12"

// IncludedDays of rent are in the price; placing and pick-up day are not counted.
const IncludedDays = 10

// ExtraDayNet is the rent of each further day.
const ExtraDayNet money.Cents = 300

// IncludedKg is the weight that the price includes: what the waste weighs that fills the container, in whole 100 kg, and never more than a
// truck may lift.
func IncludedKg(waste catalog.Waste, sizeM3 int) int {
	return min(waste.MaxWeightKg(sizeM3), catalog.PayloadKg) / 100 * 100
}

// ExtraTonneNet is the price of each tonne above IncludedKg: the disposal of a tonne, in whole euros, rounded up.
func ExtraTonneNet(waste catalog.Waste) money.Cents {
	perTonne := disposalNetPerM3(waste.Code) * 1000 / money.Cents(waste.KgPerM3)
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

// Net is the price for a waste that exists in a size that fits; the caller has checked both.
func Net(zone catalog.Zone, waste catalog.Waste, sizeM3 int) money.Cents {
	return transportNet(sizeM3)*zonePercent(zone.Prefix)/100 + disposalNetPerM3(waste.Code)*money.Cents(sizeM3)
}
