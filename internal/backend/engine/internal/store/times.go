package store

import "time"

// timeLayout is the form of times that logship and most clients write.
const timeLayout = `"2006-01-02T15:04:05.000Z"`

// parseTime reads a JSON string of exactly that form, from year 1970 to 2199.
func parseTime(v []byte) (ms int64, ok bool) {
	if len(v) != len(timeLayout) || v[5] != '-' || v[8] != '-' || v[11] != 'T' || v[14] != ':' || v[17] != ':' || v[20] != '.' || v[24] != 'Z' || v[0] != '"' || v[25] != '"' {
		return 0, false
	}
	number := func(from, to int) int {
		n := 0
		for _, c := range v[from:to] {
			if c < '0' || c > '9' {
				return -1
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	year, month, day := number(1, 5), number(6, 8), number(9, 11)
	hour, minute, second, milli := number(12, 14), number(15, 17), number(18, 20), number(21, 24)
	if year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || milli < 0 {
		return 0, false
	}
	days := int64(daysBefore(year, month)) + int64(day) - 1
	if next := daysBefore(year+month/12, month%12+1); days >= int64(next) {
		return 0, false // such as 31 April
	}
	return ((days*24+int64(hour))*60+int64(minute))*60_000 + int64(second)*1000 + int64(milli), true
}

// daysBefore counts the days from 1970 to the first of a month.
func daysBefore(year, month int) int {
	y := year - 1
	leaps := y/4 - y/100 + y/400 - 477 // before 1970
	days := (year-1970)*365 + leaps + [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}[month-1]
	if month > 2 && (year%4 == 0 && year%100 != 0 || year%400 == 0) {
		days++
	}
	return days
}

// appendTime prints what parseTime has read.
func appendTime(b []byte, ms int64) []byte {
	return time.UnixMilli(ms).UTC().AppendFormat(b, timeLayout)
}
