package mongod

import (
	"errors"
	"slices"
	"strings"
	"time"
)

func timeUnits() []string {
	return []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"}
}

// unitOf evaluates the unit of a date operator; null says that it is null, and so is the result.
func unitOf(s *scope, name string, arg expression) (unit string, null bool, err error) {
	v, err := arg(s)
	if err != nil || isNull(v) {
		return "", true, err
	}
	if v.kind != kindString {
		return "", false, failure(5439013, "%s requires 'unit' to be a string, but got %s", name, kindName(v.kind))
	}
	if !slices.Contains(timeUnits(), v.text()) {
		return "", false, failure(codeFailedToParse, "%s parameter 'unit' value parsing failed :: caused by :: unknown time unit value: %s", name, v.text())
	}
	return v.text(), false, nil
}

func dateArguments(p exprParser, name string, arg value, allowed, required []string) (map[string]expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(5166400, "%s expects an object as its argument.found input type:%s", name, kindName(arg.kind))
	}
	return p.namedArguments(name, arg, 5166401, allowed, required)
}

func parseDateTrunc(p exprParser, name string, arg value) (expression, error) {
	if arg.kind == kindDocument && arg.document().get("date").missing() {
		return nil, failure(5439009, "Missing 'date' parameter to %s", name)
	}
	args, err := dateArguments(p, name, arg, []string{"date", "unit", "binSize", "timezone", "startOfWeek"}, []string{"date", "unit"})
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		t, null, err := inZone(s, args["date"], args["timezone"])
		var known *commandError
		if errors.As(err, &known) && known.code == 16006 {
			v, _ := args["date"](s)
			err = failure(5166307, "%s requires 'date' to be a date, but got %s", name, kindName(v.kind))
		}
		if err != nil || null {
			return nullValue(), err
		}
		unit, null, err := unitOf(s, name, args["unit"])
		if err != nil || null {
			return nullValue(), err
		}
		bin, err := optional(s, args["binSize"], int32Value(1))
		if err != nil || isNull(bin) {
			return nullValue(), err
		}
		n, whole := bin.wholeNumber()
		if !whole || n <= 0 {
			return value{}, failure(5439018, "%s requires 'binSize' to be greater than 0, but got value %s", name, bin)
		}
		weekday, null, err := weekdayOf(s, name, args["startOfWeek"])
		if err != nil || null {
			return nullValue(), err
		}
		return dateValue(truncated(t, unit, n, weekday)), nil
	}, nil
}

// weekdayOf evaluates the first day of the week, Sunday when none is named; null says that it is null, and so is the result.
func weekdayOf(s *scope, name string, arg expression) (day time.Weekday, null bool, err error) {
	v, err := optional(s, arg, stringValue("sunday"))
	if err != nil || isNull(v) {
		return 0, true, err
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if text := strings.ToLower(v.stringOr("")); text != "" && (text == strings.ToLower(d.String()) || text == strings.ToLower(d.String()[:3])) {
			return d, false, nil
		}
	}
	return 0, false, failure(5439016, "%s requires 'startOfWeek' to be a day of the week, but got %s", name, v)
}

// truncated cuts to a bin of n units, counted from the start of the year 2000.
func truncated(t time.Time, unit string, n int64, first time.Weekday) time.Time {
	floor := func(x, n int64) int64 { return x - ((x%n)+n)%n }
	switch unit {
	case "year", "quarter", "month":
		size := map[string]int64{"year": 12, "quarter": 3, "month": 1}[unit] * n
		months := int64(t.Year()-2000)*12 + int64(t.Month()) - 1
		return time.Date(2000, time.Month(1+floor(months, size)), 1, 0, 0, 0, 0, t.Location())
	case "week", "day":
		origin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		if unit == "week" {
			origin = origin.AddDate(0, 0, (int(first)-int(origin.Weekday())+7)%7)
			n *= 7
		}
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		start := origin.AddDate(0, 0, int(floor(int64(day.Sub(origin)/(24*time.Hour)), n)))
		return time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, t.Location())
	default:
		size := n * unitDuration(unit).Milliseconds()
		origin := time.Date(2000, 1, 1, 0, 0, 0, 0, t.Location())
		return origin.Add(time.Duration(floor(t.Sub(origin).Milliseconds(), size)) * time.Millisecond)
	}
}

func unitDuration(unit string) time.Duration {
	switch unit {
	case "hour":
		return time.Hour
	case "minute":
		return time.Minute
	case "second":
		return time.Second
	default:
		return time.Millisecond
	}
}

func parseDateAdd(p exprParser, name string, arg value) (expression, error) {
	args, err := dateArguments(p, name, arg, []string{"startDate", "unit", "amount", "timezone"}, []string{"startDate", "unit", "amount"})
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		t, null, err := inZone(s, args["startDate"], args["timezone"])
		if err != nil || null {
			return nullValue(), err
		}
		unit, null, err := unitOf(s, name, args["unit"])
		if err != nil || null {
			return nullValue(), err
		}
		amount, err := args["amount"](s)
		if err != nil || isNull(amount) {
			return nullValue(), err
		}
		n, whole := amount.wholeNumber()
		if !whole {
			return value{}, failure(5166405, "%s expects integer amount of time units", name)
		}
		if name == "$dateSubtract" {
			n = -n
		}
		return dateValue(later(t, unit, n)), nil
	}, nil
}

// later adds units; a month without the day ends at its last one.
func later(t time.Time, unit string, n int64) time.Time {
	switch unit {
	case "year", "quarter", "month":
		months := int(n) * map[string]int{"year": 12, "quarter": 3, "month": 1}[unit]
		first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
		last := first.AddDate(0, 1, -1).Day()
		return first.AddDate(0, 0, min(t.Day(), last)-1)
	case "week":
		return t.AddDate(0, 0, 7*int(n))
	case "day":
		return t.AddDate(0, 0, int(n))
	default:
		return t.Add(time.Duration(n) * unitDuration(unit))
	}
}

func parseDateDiff(p exprParser, name string, arg value) (expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(5166301, "%s only supports an object as its argument", name)
	}
	args, err := p.namedArguments(name, arg, 5166302, []string{"startDate", "endDate", "unit", "timezone", "startOfWeek"}, []string{"startDate", "endDate", "unit"})
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		from, null, err := inZone(s, args["startDate"], args["timezone"])
		if err != nil || null {
			return nullValue(), err
		}
		to, null, err := inZone(s, args["endDate"], args["timezone"])
		if err != nil || null {
			return nullValue(), err
		}
		unit, null, err := unitOf(s, name, args["unit"])
		if err != nil || null {
			return nullValue(), err
		}
		weekday, null, err := weekdayOf(s, name, args["startOfWeek"])
		if err != nil || null {
			return nullValue(), err
		}
		return int64Value(boundariesBetween(from, to, unit, weekday)), nil
	}, nil
}

// boundariesBetween counts the starts of a unit that lie between two times.
func boundariesBetween(from, to time.Time, unit string, first time.Weekday) int64 {
	a, b := truncated(from, unit, 1, first), truncated(to, unit, 1, first)
	months := int64(b.Year()-a.Year())*12 + int64(b.Month()) - int64(a.Month())
	days := func() int64 {
		midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
		return int64(midnight(b).Sub(midnight(a)) / (24 * time.Hour))
	}
	switch unit {
	case "year":
		return months / 12
	case "quarter":
		return months / 3
	case "month":
		return months
	case "week":
		return days() / 7
	case "day":
		return days()
	default:
		return int64(b.Sub(a) / unitDuration(unit))
	}
}
