package logging

import (
	"testing"
	"time"
)

func FuzzAppendTime(f *testing.F) {
	f.Add(int64(0), uint8(3))
	f.Add(time.Date(2026, 11, 2, 9, 5, 7, 999_999_999, time.UTC).UnixNano(), uint8(6))
	f.Add(time.Date(2000, 2, 29, 23, 59, 59, 1, time.UTC).UnixNano(), uint8(9))
	f.Add(int64(-1), uint8(1))
	f.Fuzz(func(t *testing.T, nanos int64, digits uint8) {
		n := int(digits%9) + 1
		at := time.Unix(0, nanos).In(time.FixedZone("x", 5400)) // years 1677 to 2262
		want := at.UTC().Format("2006-01-02T15:04:05." + "000000000"[:n] + "Z")
		if got := string(AppendTime([]byte("="), at, n)); got != "="+want {
			t.Errorf("%v with %d digits: %s, want %s", at, n, got, want)
		}
	})
}
