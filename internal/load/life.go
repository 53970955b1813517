package load

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"

	"kreislauf/internal/catalog"
	"kreislauf/internal/client"
	"kreislauf/internal/money"
)

// Shares of what becomes of an order.
const (
	cancelShare   = 0.03 // of the customers cancel
	declineShare  = 0.06 // of the offers that a dispatcher reads
	tripShare     = 0.05 // of the orders have a truck that comes in vain
	overfullShare = 0.08 // of the containers are heavier than full ones
	oddShare      = 0.01 // of the weights are right although they are not plausible
)

// payingShares is how customers pay, in percent; the figures are assumptions.
func payingShares() []share[paying] {
	return []share[paying]{{exactly, 75}, {inTwoParts, 9}, {tooMuch, 6}, {withoutNumber, 5}, {notAtAll, 5}}
}

// paying is how a customer pays an invoice.
type paying uint8

const (
	exactly paying = iota
	inTwoParts
	tooMuch
	withoutNumber // somebody of the back office finds out what the money is for
	notAtAll
)

// life is all that is random about an order after it was placed. The same seed and the same visit give the same life.
type life struct {
	cancels    bool
	paces      [4]float64 // before the customer cancels, and the container is placed, collected and weighed, and of each payment; 1 is usual
	trips      int        // that the truck makes for nothing
	tripReason string
	container  string
	fill       float64 // weight of the waste, of that of a full container
	odd        bool    // the weight is not plausible, and right
	tareKg     int     // of truck and container
	pays       paying
	firstPart  int         // percent, of two parts
	extra      money.Cents // that is paid too much
	reference  int         // how the customer writes the number of the invoice
}

// visitKey names an order to its life. That of an order of somebody else is named by its id.
func visitKey(number int) string { return "visit " + strconv.Itoa(number) }

// drawFor is a source that depends on the seed and on what it is for, not on what was drawn before.
func drawFor(seed uint64, what string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what)) // never fails
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func drawLife(seed uint64, key string) life {
	r := drawFor(seed, "life of "+key)
	l := life{cancels: r.Float64() < cancelShare}
	for i := range l.paces {
		l.paces[i] = 0.5 + r.Float64()
	}
	if l.cancels {
		l.paces[1] += l.paces[0] // in time
	}
	reasons := []string{"blocked", "no-access", "wrong-filling", "overfilled"}
	for l.tripReason = reasons[r.IntN(len(reasons))]; r.Float64() < tripShare && l.trips < 3; l.trips++ {
	}
	l.container = "K " + strconv.Itoa(100+r.IntN(900))
	l.fill = 0.35 + 0.6*r.Float64()
	if over := 1 + 0.9*r.Float64(); r.Float64() < overfullShare {
		l.fill = over
	}
	l.odd = r.Float64() < oddShare
	l.tareKg = 11_000 + 10*r.IntN(300)
	l.pays = pick(r, payingShares())
	l.firstPart, l.extra, l.reference = 20+r.IntN(60), money.Cents(1+r.IntN(5000)), r.IntN(len(references("")))
	return l
}

// declines says whether a dispatcher declines the offer of an order, and why.
func declines(seed uint64, key, partnerID string) (reason string, yes bool) {
	r := drawFor(seed, "offer of "+key+" to "+partnerID)
	reasons := []string{"no-container", "no-vehicle", "too-far", "price"}
	return reasons[r.IntN(len(reasons))], r.Float64() < declineShare
}

// weighing is what the scale says of an order's container.
func (l life) weighing(j client.Job) (client.Weighing, error) {
	waste, err := catalog.FindWaste(j.Waste)
	if err != nil {
		return client.Weighing{}, err
	}
	least, most := waste.PlausibleKg(j.SizeM3)
	kg := min(max(int(l.fill*float64(waste.MaxWeightKg(j.SizeM3)))/10*10, least), most)
	if l.odd {
		kg = max(10, least/20*10)
	}
	return client.Weighing{GrossKg: l.tareKg + kg, TareKg: l.tareKg, Slip: "W-" + strings.TrimPrefix(j.OrderID, "o-"), Confirmed: l.odd}, nil
}

// amounts is how an open amount is paid: one payment after the other.
func (l life) amounts(open money.Cents) []money.Cents {
	switch l.pays {
	case notAtAll:
		return nil
	case tooMuch:
		return []money.Cents{open + l.extra}
	case inTwoParts:
		if first := open * money.Cents(l.firstPart) / 100; first > 0 {
			return []money.Cents{first, open - first}
		}
	}
	return []money.Cents{open}
}

// references are the ways in which people write the number of an invoice, R-2026-000001.
func references(number string) []string {
	return []string{
		"Rechnung " + number, number, strings.ToLower(number) + " Container", "Rg. " + strings.ReplaceAll(number, "-", " ") + " vielen Dank",
		"RE-NR " + strings.ReplaceAll(number, "-", ""),
	}
}

// referenceTo is what the customer writes.
func (l life) referenceTo(number string) string {
	if l.pays == withoutNumber {
		return "Container, danke"
	}
	return references(number)[l.reference]
}
