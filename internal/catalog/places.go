package catalog

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"kreislauf/internal/catalog/postcodes"
)

// Place is where a postcode lies.
type Place struct {
	Postcode string
	Zone     Zone
	Towns    []string // that have the postcode; at least one
}

// FindPlace finds a German postcode. One that does not exist is refused (ErrPostcode), even in a zone that does.
func FindPlace(postcode string) (Place, error) {
	zone, err := FindZone(postcode)
	if err != nil {
		return Place{}, err
	}
	towns := postcodes.Towns(postcode)
	if towns == nil {
		return Place{}, fmt.Errorf("%w %q: no place in Germany has this postcode; check the digits", ErrPostcode, postcode)
	}
	return Place{postcode, zone, towns}, nil
}

// CheckTown refuses a town that does not have the postcode (ErrTown) and says which do. Parts of a town behind its name and the usual short
// forms are right: Köln-Ehrenfeld, Frankfurt a. M.
func (p Place) CheckTown(name string) error {
	given := nameWords(name)
	if slices.ContainsFunc(p.Towns, func(town string) bool { return sameTown(nameWords(town), given) }) {
		return nil
	}
	return fmt.Errorf("%w: %s is not the postcode of this town; it belongs to %s", ErrTown, p.Postcode, strings.Join(p.Towns, ", "))
}

// sameTown says whether somebody who writes given can mean town: the distinguishing beginning of its name, its last words, or its whole name
// somewhere.
func sameTown(town, given []string) bool {
	if len(given) == 0 {
		return false
	}
	if beginning := distinguishing(town); startsWith(given, beginning) {
		return true
	}
	if letters := len(strings.Join(given, "")); letters >= 5 && len(given) < len(town) && slices.Equal(town[len(town)-len(given):], given) {
		return true
	}
	for i := range given {
		if startsWith(given[i:], town) {
			return true
		}
	}
	return false
}

// distinguishing is the part of a town's name that nobody leaves out: Frankfurt of Frankfurt am Main, but Bad Homburg of Bad Homburg vor der Höhe.
func distinguishing(town []string) []string {
	if len(town) > 1 && slices.Contains([]string{"bad", "sankt", "gross", "klein", "alt", "neu", "hohen", "nieder", "ober", "unter", "markt", "insel", "lutherstadt", "hansestadt"}, town[0]) {
		return town[:2]
	}
	return town[:1]
}

func startsWith(list, beginning []string) bool {
	return len(list) >= len(beginning) && slices.Equal(list[:len(beginning)], beginning)
}

// nameWords are the words of a town's name in one spelling: small letters, without umlauts, ß and abbreviations of Sankt.
func nameWords(name string) []string {
	name = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(strings.ToLower(name))
	list := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range list {
		if word == "st" {
			list[i] = "sankt"
		}
	}
	return list
}
