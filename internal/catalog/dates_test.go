package catalog

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func date(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(DateFormat, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestHolidaysOfAllStates compares a year with the holiday laws of the states. In 2027 Easter is on 28 March.
func TestHolidaysOfAllStates(t *testing.T) {
	everywhere := "01-01 03-26 03-29 05-01 05-06 05-17 10-03 12-25 12-26"
	for _, tc := range []struct{ state, postcode, more string }{
		{"BW", "70173", "01-06 05-27 11-01"},
		{"BY", "80331", "01-06 05-27 08-15 11-01"},
		{"BE", "10117", "03-08"},
		{"BB", "14467", "10-31"},
		{"HB", "28195", "10-31"},
		{"HH", "20095", "10-31"},
		{"HE", "60311", "05-27"},
		{"MV", "19053", "03-08 10-31"},
		{"NI", "30159", "10-31"},
		{"NW", "50667", "05-27 11-01"},
		{"RP", "55116", "05-27 11-01"},
		{"SL", "66111", "05-27 08-15 11-01"},
		{"SN", "01067", "10-31 11-17"},
		{"ST", "39104", "01-06 10-31"},
		{"SH", "24103", "10-31"},
		{"TH", "99084", "09-20 10-31"},
	} {
		if diff := cmp.Diff([]string{tc.state}, States(tc.postcode)); diff != "" {
			t.Errorf("state of %s (-want +got):\n%s", tc.postcode, diff)
		}
		want := slices.Sorted(slices.Values(strings.Fields(everywhere + " " + tc.more)))
		var got []string
		for d := date(t, "2027-01-01"); d.Year() == 2027; d = d.AddDate(0, 0, 1) {
			if Holiday(tc.postcode, d) != "" {
				got = append(got, d.Format("01-02"))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("holidays of %s (-want +got):\n%s", tc.state, diff)
		}
	}
}

func TestHolidaysBegin(t *testing.T) {
	for _, tc := range []struct{ postcode, date, want string }{
		{"19053", "2022-03-08", ""},
		{"19053", "2023-03-08", "Frauentag"},
		{"99084", "2018-09-20", ""},
		{"10117", "2028-06-17", "75. Jahrestag des Volksaufstandes"},
		{"10117", "2029-06-17", ""},
		{"01067", "2026-11-18", "Buß- und Bettag"},
		{"12345", "2026-11-18", ""},
		{"", "2026-10-03", "Tag der Deutschen Einheit"},
		{"", "2026-10-31", ""},
		{"no postcode", "2026-12-25", "Weihnachtstag"},
	} {
		if got := Holiday(tc.postcode, date(t, tc.date)); got != tc.want {
			t.Errorf("%s at %q is %q, want %q", tc.date, tc.postcode, got, tc.want)
		}
	}
}

// TestStatesAtBorders: the first digits of a postcode do not tell the state.
func TestStatesAtBorders(t *testing.T) {
	for postcode, want := range map[string]string{
		"01067": "SN", "01945": "BB", "07907": "TH", "07919": "SN TH", "07952": "SN", "12527": "BE", "12529": "BB", "14193": "BE",
		"14467": "BB", "14715": "BB ST", "17291": "BB", "17309": "MV", "19258": "MV", "19273": "MV NI", "19322": "BB", "21039": "HH SH",
		"21109": "HH", "21218": "NI", "21465": "SH", "22767": "HH", "22846": "SH", "27472": "NI", "27498": "SH", "27568": "HB",
		"27607": "NI", "28195": "HB", "29410": "ST", "34117": "HE", "34346": "NI", "36433": "TH", "37194": "HE NI", "37213": "HE",
		"37308": "TH", "38486": "ST", "38518": "NI", "48455": "NI", "48477": "NW", "51598": "RP", "55246": "HE", "55116": "RP",
		"59969": "HE NW", "63739": "BY", "63450": "HE", "65582": "RP", "65391": "HE RP", "66482": "RP", "68159": "BW", "68519": "HE",
		"68623": "HE", "69239": "HE", "76726": "RP", "76131": "BW", "87435": "BY", "88131": "BY", "88045": "BW", "89073": "BW",
		"89231": "BY", "89312": "BY", "89518": "BW", "96515": "TH", "97892": "BY", "97877": "BW", "97922": "BW", "98527": "TH",
		"01000": "SN", "99999": "TH",
	} {
		if got := strings.Join(States(postcode), " "); got != want {
			t.Errorf("%s lies in %s, want %s", postcode, got, want)
		}
	}
	for _, none := range []string{"", "5066", "00999", "506670", "abcde"} {
		if got := States(none); got != nil {
			t.Errorf("%q lies in %v", none, got)
		}
	}
}

// TestStatesFile: rows are in order, name known states, and all sixteen states are there.
func TestStatesFile(t *testing.T) {
	seen, last := map[string]bool{}, ""
	for _, r := range stateRows() {
		if len(r.first) != 5 || r.first <= last || len(r.states) == 0 || len(r.states) > 2 {
			t.Errorf("row %v after %s", r, last)
		}
		last = r.first
		for _, s := range r.states {
			seen[s] = true
			if len(holidays(s)) < 10 {
				t.Errorf("%s has %d holidays", s, len(holidays(s)))
			}
		}
	}
	if len(seen) != 16 {
		t.Errorf("states %v", slices.Sorted(maps.Keys(seen)))
	}
}

func TestHolidaysAreRefused(t *testing.T) {
	today := date(t, "2026-12-01")
	for _, tc := range []struct{ postcode, date, want string }{ // want: parts of the error, separated by |; empty: possible
		{"50667", "2026-12-25", "Weihnachtstag|next possible date is 2026-12-28"},
		{"50667", "2026-12-26", "Zweiter Weihnachtsfeiertag|2026-12-28"},
		{"50667", "2026-12-27", "Sunday|2026-12-28"},
		{"50667", "2027-01-01", "Neujahrstag|2027-01-02"},
		{"70173", "2027-01-06", "public holiday at 70173 (Heilige Drei Könige)|2027-01-07"},
		{"50667", "2027-01-06", ""},
		{"50667", "2026-12-24", ""},
		{"97896", "2027-01-06", "Heilige Drei Könige"}, // in both of its states
		{"59969", "2026-12-25", "Weihnachtstag"},
	} {
		err := CheckDate(tc.postcode, tc.date, today)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s at %s: %v", tc.date, tc.postcode, err)
			}
			continue
		}
		for part := range strings.SplitSeq(tc.want, "|") {
			if !errors.Is(err, ErrDate) || !strings.Contains(err.Error(), part) {
				t.Errorf("%s at %s: %v, want one with %q", tc.date, tc.postcode, err, part)
			}
		}
	}
	if err := CheckDate("59969", "2026-11-02", date(t, "2026-10-20")); err != nil {
		t.Error(err)
	}
	// All Saints' Day is one in North Rhine-Westphalia alone, the postcode lies in Hesse too.
	if err := CheckDate("59969", "2027-11-01", date(t, "2027-10-20")); err == nil || !strings.Contains(err.Error(), "Allerheiligen") {
		t.Errorf("a holiday of one of two states: %v", err)
	}
}

// TestDatesAgree: whatever day is today, the window, the closed days, the next date and the check say the same, in every state.
func TestDatesAgree(t *testing.T) {
	for _, postcode := range []string{"", "50667", "80331", "01067", "10117", "19273", "99084", "66111"} {
		for today := date(t, "2026-11-01"); today.Year() < 2028; today = today.AddDate(0, 0, 17) {
			first, last := Window(postcode, today)
			if first.Before(today.AddDate(0, 0, LeadDays)) || last.After(today.AddDate(0, 0, HorizonDays)) {
				t.Fatalf("%s, %s: window %s to %s", postcode, today, first, last)
			}
			calendar, closed := newCalendar(postcode, today), map[time.Time]string{}
			for _, c := range ClosedDates(postcode, today) {
				closed[c.Date] = c.Reason
			}
			for d := first.AddDate(0, 0, -3); !d.After(last.AddDate(0, 0, 3)); d = d.AddDate(0, 0, 1) {
				possible := !d.Before(first) && !d.After(last) && closed[d] == ""
				if err := CheckDate(postcode, d.Format(DateFormat), today); (err == nil) != possible {
					t.Fatalf("%s at %q, today %s: possible %v, but %v", d, postcode, today, possible, err)
				}
				if next := calendar.next(d); CheckDate(postcode, next.Format(DateFormat), today) != nil {
					t.Fatalf("%s at %q: the next date %s is refused", d, postcode, next)
				}
			}
		}
	}
}

// TestOpen: a wished day becomes the next one on which trucks drive, within the window.
func TestOpen(t *testing.T) {
	today := date(t, "2026-12-01")
	for wished, want := range map[string]string{
		"2026-12-04": "2026-12-04", "2026-12-06": "2026-12-07", "2026-12-25": "2026-12-28", "2026-11-01": "2026-12-03", "2027-12-01": "2027-03-01",
	} {
		if got := Open("50667", date(t, wished), today).Format(DateFormat); got != want {
			t.Errorf("%s becomes %s, want %s", wished, got, want)
		}
	}
}
