package payment

import (
	"slices"

	"kreislauf/services/payment/paper"
)

// scrap says which number of annex 3 of the UStG (to §13b (2) no. 7; https://www.gesetze-im-internet.de/ustg_1980/anlage_3.html) a waste
// falls under, by its code of the European list (AVV). Codes that are not here bear the standard rate. Mixed metals (170407) are iron, copper
// and aluminium in any mixture, all of which the annex has, so the lowest number stands for them.
func scrap() map[string]int {
	return map[string]int{
		"170202": 5,  // glass: broken glass
		"170203": 3,  // plastic: waste, parings and scrap
		"170401": 8,  // copper, bronze, brass
		"170402": 10, // aluminium
		"170403": 11, // lead
		"170404": 12, // zinc
		"170405": 7,  // iron and steel
		"170406": 13, // tin
		"170407": 7,  // mixed metals
		"170411": 8,  // cables without oil or tar: copper
	}
}

// reverses says whether the buyer owes the tax on a waste: section 13b applies to the company, and it has the VAT id that its invoice must name.
func (c Client) reverses(waste string) bool {
	return c.ReverseCharge && c.VATID != "" && scrap()[waste] > 0
}

// taxed gives lines the category of those of the items, or of all without items.
func taxed(lines []paper.Line, category string, items ...string) []paper.Line {
	list := make([]paper.Line, len(lines))
	for i, l := range lines {
		if len(items) == 0 || slices.Contains(items, l.Item) {
			l.Category, l.Percent = category, paper.Percent(category)
		}
		list[i] = l
	}
	return list
}
