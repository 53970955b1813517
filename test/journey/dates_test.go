package journey_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/catalog"
)

// TestDatesOfThePlace: pricing sells exactly the days that its catalogue shows for the postcode.
func TestDatesOfThePlace(t *testing.T) {
	p := startPlatform(t)
	c := p.browser()
	for _, postcode := range []string{"50667", "80331", "01067", "10117"} {
		shown := c.must("GET", "/api/pricing/v1/catalog?postcode="+postcode, nil, 200)
		closed := map[string]string{}
		for _, day := range shown["closed_dates"].([]any) {
			d := answer(day.(map[string]any))
			closed[d.str("date")] = d.str("reason")
		}
		if len(closed) < 12 { // the Sundays of 88 days
			t.Errorf("%s: closed on %v only", postcode, closed)
		}
		day, err := time.Parse(catalog.DateFormat, shown.str("earliest_date"))
		if err != nil {
			t.Fatal(err)
		}
		for ; day.Format(catalog.DateFormat) <= shown.str("latest_date"); day = day.AddDate(0, 0, 1) {
			date := day.Format(catalog.DateFormat)
			reason, status := closed[date], 200
			if reason != "" {
				status = 422
			}
			got := c.must("GET", "/api/pricing/v1/quotes?postcode="+postcode+"&waste=170904&size=7&date="+date, nil, status)
			says := fmt.Sprint(got)
			if reason != "" && (!strings.Contains(says, "?date") || reason != "Sonntag" && !strings.Contains(says, reason)) {
				t.Errorf("%s is closed at %s (%s), but the answer is %s", date, postcode, reason, says)
			}
		}
	}
}
