package catalog

import (
	"fmt"
	"time"
)

// Booking window: placing is possible from LeadDays to HorizonDays after today, never on a Sunday or a public holiday.
const (
	LeadDays    = 2
	HorizonDays = 90
)

// DateFormat is a local date in Europe/Berlin.
const DateFormat = time.DateOnly

// sunday is why a Sunday is closed, in the language of the holidays' names.
const sunday = "Sonntag"

// calendar knows the booking window of a postcode and its closed days.
type calendar struct {
	first, last time.Time
	holidays    map[string]string // names by date
}

// newCalendar makes the calendar of a postcode as seen from today.
func newCalendar(postcode string, today time.Time) calendar {
	day := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	c := calendar{day.AddDate(0, 0, LeadDays), day.AddDate(0, 0, HorizonDays), holidaysOf(postcode, day.Year(), day.Year()+1)}
	for c.closed(c.first) != "" {
		c.first = c.first.AddDate(0, 0, 1)
	}
	for c.closed(c.last) != "" {
		c.last = c.last.AddDate(0, 0, -1)
	}
	return c
}

// closed says why no container is placed on a day; empty for an open day.
func (c calendar) closed(day time.Time) (reason string) {
	if name := c.holidays[day.Format(DateFormat)]; name != "" {
		return name
	}
	if day.Weekday() == time.Sunday {
		return sunday
	}
	return ""
}

// next is the first open day from a day on, or the last one when none follows.
func (c calendar) next(from time.Time) time.Time {
	d := from
	if d.Before(c.first) {
		d = c.first
	}
	for !d.After(c.last) && c.closed(d) != "" {
		d = d.AddDate(0, 0, 1)
	}
	if d.After(c.last) {
		return c.last
	}
	return d
}

// Window gives the first and the last day on which a container can be placed at a postcode, seen from today (a local date). Without a
// postcode only the holidays of the whole country count.
func Window(postcode string, today time.Time) (earliest, latest time.Time) {
	c := newCalendar(postcode, today)
	return c.first, c.last
}

// Open is the first day from a day on, at which a container can be placed at a postcode, seen from today (a local date). It is the last day of
// the window when none follows.
func Open(postcode string, from, today time.Time) time.Time {
	return newCalendar(postcode, today).next(from)
}

// ClosedDate is a day on which no container is placed.
type ClosedDate struct {
	Date   time.Time
	Reason string // the name of the holiday in German, or "Sonntag"
}

// ClosedDates lists the closed days between the first and the last day of the window, in order.
func ClosedDates(postcode string, today time.Time) []ClosedDate {
	var list []ClosedDate
	c := newCalendar(postcode, today)
	for d := c.first; !d.After(c.last); d = d.AddDate(0, 0, 1) {
		if reason := c.closed(d); reason != "" {
			list = append(list, ClosedDate{d, reason})
		}
	}
	return list
}

// CheckDate refuses a wished date that no truck can meet at a postcode. The error names the holiday and the next possible date.
func CheckDate(postcode, date string, today time.Time) error {
	d, err := time.Parse(DateFormat, date)
	if err != nil {
		return fmt.Errorf("%w: %q is no date; use YYYY-MM-DD", ErrDate, date)
	}
	c := newCalendar(postcode, today)
	if d.Before(c.first) || d.After(c.last) {
		return fmt.Errorf("%w: %s is outside %s to %s", ErrDate, date, c.first.Format(DateFormat), c.last.Format(DateFormat))
	}
	next := c.next(d).Format(DateFormat)
	switch reason := c.closed(d); reason {
	case "":
		return nil
	case sunday:
		return fmt.Errorf("%w: %s is a Sunday; containers are placed Monday to Saturday, for example on %s", ErrDate, date, next)
	default:
		return fmt.Errorf("%w: %s is a public holiday at %s (%s); the next possible date is %s", ErrDate, date, postcode, reason, next)
	}
}

// OpenDates lists the days from a date on, inside of the window, on which a container can be placed at a postcode, seen from today.
func OpenDates(postcode, from string, today time.Time) []string {
	var list []string
	c := newCalendar(postcode, today)
	for d := c.first; !d.After(c.last); d = d.AddDate(0, 0, 1) {
		if date := d.Format(DateFormat); date >= from && c.closed(d) == "" {
			list = append(list, date)
		}
	}
	return list
}

// Windows of a day in which a customer can wish the container. Without a wish it comes at any time.
const (
	Morning   = "morning"   // 7 to 12 o'clock
	Afternoon = "afternoon" // 12 to 17 o'clock
	AnyTime   = "any"       // is stored as no wish
)

// FindWindow gives a wished window as it is stored: Morning, Afternoon, or empty for any time.
func FindWindow(wish string) (string, error) {
	switch wish {
	case "", AnyTime:
		return "", nil
	case Morning, Afternoon:
		return wish, nil
	}
	return "", fmt.Errorf("%w %q: use %s (7 to 12), %s (12 to 17) or %s", ErrWindow, wish, Morning, Afternoon, AnyTime)
}
