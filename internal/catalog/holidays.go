package catalog

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
)

// states.csv says in which federal states postcodes lie: a row holds for its postcode and all that follow, up to the next row. It was
// made of GeoNames (places of 500 people or more with their states, CC BY 4.0) and OpenStreetMap (places of postcodes, ODbL), and
// compared with two published lists of ranges; where these three disagreed, the places decided. A postcode that crosses a border has
// both states; one that reaches across it with a hamlet alone may lack the second.
//
//go:embed states.csv
var statesCSV string

// stateRow is one row of states.csv.
type stateRow struct {
	first  string   // postcode
	states []string // ISO 3166-2:DE without "DE-"
}

var stateRows = sync.OnceValue(func() []stateRow {
	var rows []stateRow
	for line := range strings.Lines(statesCSV) {
		first, states, _ := strings.Cut(strings.TrimSpace(line), ",")
		rows = append(rows, stateRow{first, strings.Fields(states)})
	}
	return rows
})

// States gives the federal states of a postcode by their codes in ISO 3166-2:DE without the country ("NW"): one, or two at some
// borders; none for what is no postcode.
func States(postcode string) []string {
	if _, err := FindZone(postcode); err != nil {
		return nil
	}
	rows := stateRows()
	i, exact := slices.BinarySearchFunc(rows, postcode, func(r stateRow, p string) int { return strings.Compare(r.first, p) })
	if !exact {
		i = max(i-1, 0) // the row that began before; the smallest postcodes are those of the first row
	}
	return rows[i].states
}

// Holiday gives the name in German of the public holiday that a day is at a postcode, empty when it is none. At a postcode in two states
// the holidays of both count, for nobody knows on which side the container will stand: better a day lost than a truck that must not
// drive. Without a postcode only the holidays of the whole country count.
//
// Holidays of parts of a state count where most of its people have them: Mariä Himmelfahrt in all of Bavaria (a holiday in five of six
// municipalities), but neither Fronleichnam in the few municipalities of Saxony and Thuringia nor the Friedensfest of Augsburg.
func Holiday(postcode string, day time.Time) (name string) {
	return holidaysOf(postcode, day.Year())[day.Format(DateFormat)]
}

// holidaysOf gives the names of the holidays of some years by their dates.
func holidaysOf(postcode string, years ...int) map[string]string {
	lists := [][]*cal.Holiday{de.Holidays}
	for _, state := range States(postcode) {
		lists = append(lists, holidays(state))
	}
	names := map[string]string{}
	for _, h := range slices.Concat(lists...) {
		for _, year := range years {
			if at, _ := h.Calc(year); !at.IsZero() {
				names[at.Format(DateFormat)] = h.Name
			}
		}
	}
	return names
}

// holidays are those of a state. The library lacks what is added here. It also lacks the Easter and Whit Sunday of Brandenburg, but a
// Sunday is closed anyway.
func holidays(state string) []*cal.Holiday {
	list, ok := map[string][]*cal.Holiday{
		"BW": de.HolidaysBW, "BY": de.HolidaysBY, "BE": de.HolidaysBE, "BB": de.HolidaysBB, "HB": de.HolidaysHB, "HH": de.HolidaysHH,
		"HE": de.HolidaysHE, "MV": de.HolidaysMV, "NI": de.HolidaysNI, "NW": de.HolidaysNW, "RP": de.HolidaysRP, "SL": de.HolidaysSL,
		"SN": de.HolidaysSN, "ST": de.HolidaysST, "SH": de.HolidaysSH, "TH": de.HolidaysTH,
	}[state]
	if !ok {
		panic("catalog: no federal state has the code " + state) // states.csv is part of the program; a test reads all of it
	}
	switch state {
	case "BY":
		return append(slices.Clone(list), de.MariaHimmelfahrt)
	case "MV":
		return append(slices.Clone(list), de.Frauentag.Clone(&cal.Holiday{StartYear: 2023}))
	case "BE":
		return append(slices.Clone(list), &cal.Holiday{
			Name: "75. Jahrestag des Volksaufstandes", Month: time.June, Day: 17, StartYear: 2028, EndYear: 2028, Func: cal.CalcDayOfMonth,
		})
	}
	return list
}
