package dates

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	now := time.Date(2026, 3, 29, 3, 30, 15, 123_000_000, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		expr, format string
		zone         *time.Location
		up           bool
		want         string
	}{
		{"now", "", nil, false, "2026-03-29T03:30:15.123Z"},
		{"now-5m/m", "", nil, false, "2026-03-29T03:25:00.000Z"},
		{"now/d", "", nil, true, "2026-03-29T23:59:59.999Z"},
		{"now/d", "", berlin, false, "2026-03-28T23:00:00.000Z"},
		{"now/w", "", nil, false, "2026-03-23T00:00:00.000Z"},
		{"2026-01-31||+1M", "", nil, false, "2026-02-28T00:00:00.000Z"},
		{"2026-01-31||/M", "", nil, true, "2026-01-31T23:59:59.999Z"},
		{"2026-01-31||+1y-1d/h", "", nil, false, "2027-01-30T00:00:00.000Z"},
		{"2026", "", nil, false, "2026-01-01T00:00:00.000Z"},
		{"2026-03", "", nil, true, "2026-03-01T23:59:59.999Z"},
		{"2026-03-04T05", "", nil, true, "2026-03-04T05:59:59.999Z"},
		{"2026-03-04T05:06:07,5+02:00", "", nil, false, "2026-03-04T03:06:07.500Z"},
		{"2026-03-04T05:06:07", "", berlin, false, "2026-03-04T04:06:07.000Z"},
		{"1700000000123", "", nil, false, "2023-11-14T22:13:20.123Z"},
		{"1700000000", "epoch_second", nil, false, "2023-11-14T22:13:20.000Z"},
		{"04.03.2026", "dd.MM.yyyy", nil, true, "2026-03-04T23:59:59.999Z"},
		{"2026-02-30", "", nil, false, ""},
		{"2026-13-01", "", nil, false, ""},
		{"now-1x", "", nil, false, ""},
		{"now/2d", "", nil, false, ""},
		{"yesterday", "", nil, false, ""},
	} {
		f := MustDefault()
		if tc.format != "" {
			if f, err = ParseFormat(tc.format); err != nil {
				t.Fatal(err)
			}
		}
		got := ""
		if ms, err := f.Resolve(tc.expr, now, tc.zone, tc.up); err == nil {
			got = MustDefault().Print(ms, nil)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.expr, d)
		}
	}
}

// TestIntervals walks over a change of the clock: buckets must touch, and each contains its own start.
func TestIntervals(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"minute", "hour", "day", "week", "month", "quarter", "year"} {
		iv, err := ParseCalendar(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, zone := range []*time.Location{time.UTC, berlin} {
			k := iv.Floor(time.Date(2026, 3, 28, 22, 30, 0, 0, time.UTC).UnixMilli(), zone)
			for range 50 {
				next := iv.Next(k, zone)
				if next <= k || iv.Floor(next, zone) != next || iv.Floor(next-1, zone) != k {
					t.Fatalf("%s in %s: bucket %d is followed by %d", spec, zone, k, next)
				}
				k = next
			}
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"now-5m/m", "2026-01-01||+1M/d", "2026-01-01T00:00:00.000Z", "1700000000000", "now+99999999999y"} {
		f.Add(s, true)
	}
	format := MustDefault()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expr string, up bool) {
		lo, err := format.Resolve(expr, now, nil, false)
		hi, err2 := format.Resolve(expr, now, nil, true)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: %v and %v", expr, err, err2)
		}
		if err == nil && hi < lo {
			t.Fatalf("%q: rounded up to %d, down to %d", expr, hi, lo)
		}
	})
}
