package catalog

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
)

func TestEveryWasteCanBeOrdered(t *testing.T) {
	code, seen := regexp.MustCompile(`^[0-9]{6}$`), map[string]bool{}
	for _, w := range Wastes() {
		if !code.MatchString(w.Code) || seen[w.Code] {
			t.Errorf("code %q is malformed or twice in the list", w.Code)
		}
		seen[w.Code] = true
		if w.NameDE == "" || w.NameEN == "" || w.KgPerM3 <= 0 {
			t.Errorf("%s is not complete: %+v", w.Code, w)
		}
		if len(w.AllowedDE) != len(w.AllowedEN) || len(w.ForbiddenDE) != len(w.ForbiddenEN) || len(w.AllowedDE) == 0 || len(w.ForbiddenDE) == 0 {
			t.Errorf("%s: the two languages do not list the same", w.Code)
		}
		if len(w.Sizes()) == 0 {
			t.Errorf("%s fits no container", w.Code)
		}
		for _, s := range Sizes() {
			err := w.CheckSize(s)
			if fits := slices.Contains(w.Sizes(), s); fits != (err == nil) || fits != (w.MaxWeightKg(s) <= PayloadKg) {
				t.Errorf("%s: %d m³ of %d kg: fits %v, error %v", w.Code, s, w.MaxWeightKg(s), fits, err)
			}
		}
		found, err := FindWaste(w.Code)
		if err != nil || found.Code != w.Code {
			t.Errorf("FindWaste(%s) = %s, %v", w.Code, found.Code, err)
		}
	}
	for _, bad := range []string{"", "170903", "17 09 04"} {
		if _, err := FindWaste(bad); !errors.Is(err, ErrWaste) {
			t.Errorf("FindWaste(%q) gives %v", bad, err)
		}
	}
}

// TestHazardIsTheAsterisk: whatever a waste is called, it is hazardous with an asterisk and not without; nothing of the catalogue is.
func TestHazardIsTheAsterisk(t *testing.T) {
	for _, h := range HazardousWastes() {
		if _, err := FindWaste(h.Code); !IsHazardous(h.Code) || !errors.Is(err, ErrHazardous) || !strings.Contains(err.Error(), "permit") {
			t.Errorf("%s %s: %v", h.Code, h.NameEN, err)
		}
		if w, err := FindWaste(strings.TrimSuffix(h.Code, "*")); err == nil {
			t.Errorf("without its asterisk %s is %s", h.Code, w.NameEN)
		}
	}
	for _, code := range []string{"170503*", "17 05 03*", "170904*", "*"} {
		if _, err := FindWaste(code); !errors.Is(err, ErrHazardous) {
			t.Errorf("%s is no hazardous waste: %v", code, err)
		}
	}
	if soil, err := FindWaste("170504"); err != nil || IsHazardous(soil.Code) {
		t.Errorf("170504: %v", err)
	}
}

func TestHeavyWasteNeedsASmallContainer(t *testing.T) {
	soil, err := FindWaste("170504")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{3, 5}, soil.Sizes()); diff != "" {
		t.Errorf("sizes of soil (-want +got):\n%s", diff)
	}
	err = soil.CheckSize(10)
	if !errors.Is(err, ErrSize) || !strings.Contains(err.Error(), "14000 kg") || !strings.Contains(err.Error(), "[3 5]") {
		t.Errorf("10 m³ of soil: %v", err)
	}
	for _, size := range []int{-1, 0, 4, 11} {
		if err := soil.CheckSize(size); !errors.Is(err, ErrSize) {
			t.Errorf("%d m³: %v", size, err)
		}
	}
}

func TestEveryZoneLine(t *testing.T) {
	lines := 0
	for line := range strings.Lines(zonesCSV) {
		lines++
		f := strings.Split(strings.TrimSpace(line), ",")
		if len(f) != 4 {
			t.Fatalf("line %d has %d fields: %q", lines, len(f), line)
		}
		z, err := FindZone(f[0] + "137")
		if err != nil {
			t.Fatalf("line %d: %v", lines, err)
		}
		if z.Prefix != f[0] || z.Region != f[1] || z.Region == "" || z.Lat < 47 || z.Lat > 55.1 || z.Lon < 5.8 || z.Lon > 15.1 {
			t.Errorf("line %d is outside Germany or not complete: %+v", lines, z)
		}
	}
	if got := len(Prefixes()); got != lines || lines != 95 {
		t.Errorf("%d zones from %d lines, want 95: a prefix is missing or twice in the file", got, lines)
	}
}

func TestFindZoneRefuses(t *testing.T) {
	for _, bad := range []string{"", "4413", "441370", "4413a", "D4413", "٤٤137", "00137", "05137", "43137", "62137"} {
		if _, err := FindZone(bad); !errors.Is(err, ErrPostcode) {
			t.Errorf("FindZone(%q) gives %v", bad, err)
		}
	}
}

func FuzzFindZone(f *testing.F) {
	f.Add("44137")
	f.Add("0513a")
	f.Fuzz(func(t *testing.T, s string) {
		z, err := FindZone(s)
		if err == nil && (len(s) != 5 || z.Prefix != s[:2]) {
			t.Errorf("%q gives %+v", s, z)
		}
		if err != nil && !errors.Is(err, ErrPostcode) {
			t.Errorf("%q gives %v", s, err)
		}
	})
}

func TestDistance(t *testing.T) {
	zone := func(p string) Zone {
		z, err := FindZone(p)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	hamburg, munich := zone("20095"), zone("80331")
	if d := hamburg.DistanceKm(munich); d < 600 || d > 620 {
		t.Errorf("Hamburg to Munich is %f km, want about 612", d)
	}
	if hamburg.DistanceKm(munich) != munich.DistanceKm(hamburg) || hamburg.DistanceKm(hamburg) != 0 {
		t.Error("the distance is not symmetric or not zero at home")
	}
}

func TestWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name        string
		today       time.Time
		first, last string
	}{
		{"Monday: the 90th day is a Sunday", time.Date(2026, 11, 2, 10, 0, 0, 0, berlin), "2026-11-04", "2027-01-30"},
		{"Friday: the second day is a Sunday", time.Date(2026, 11, 6, 10, 0, 0, 0, berlin), "2026-11-09", "2027-02-04"},
		{"last minute of the day", time.Date(2026, 11, 2, 23, 59, 59, 0, berlin), "2026-11-04", "2027-01-30"},
		{"already tomorrow in Berlin", time.Date(2026, 11, 2, 23, 30, 0, 0, time.UTC).In(berlin), "2026-11-05", "2027-02-01"},
		{"before the clocks go forward", time.Date(2026, 3, 28, 23, 30, 0, 0, berlin), "2026-03-30", "2026-06-26"},
		{"on the day the clocks go forward", time.Date(2026, 3, 29, 1, 59, 0, 0, berlin), "2026-03-31", "2026-06-27"},
		{"on the day the clocks go back", time.Date(2026, 10, 25, 23, 59, 0, 0, berlin), "2026-10-27", "2027-01-23"},
		{"leap day", time.Date(2028, 2, 26, 10, 0, 0, 0, berlin), "2028-02-28", "2028-05-26"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first, last := Window("", tc.today)
			if diff := cmp.Diff([]string{tc.first, tc.last}, []string{first.Format(DateFormat), last.Format(DateFormat)}); diff != "" {
				t.Errorf("window (-want +got):\n%s", diff)
			}
			for _, d := range []time.Time{first, last} {
				if err := CheckDate("", d.Format(DateFormat), tc.today); err != nil {
					t.Errorf("the edge of the window is refused: %v", err)
				}
			}
			for _, d := range []time.Time{first.AddDate(0, 0, -1), last.AddDate(0, 0, 1)} {
				if err := CheckDate("", d.Format(DateFormat), tc.today); !errors.Is(err, ErrDate) {
					t.Errorf("%s is outside: %v", d.Format(DateFormat), err)
				}
			}
		})
	}
}

func TestCheckDateRefuses(t *testing.T) {
	today := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	for date, want := range map[string]string{
		"": "YYYY-MM-DD", "09.11.2026": "YYYY-MM-DD", "2026-11-31": "YYYY-MM-DD", "2026-11-9": "YYYY-MM-DD",
		"2026-11-08": "a Sunday", "2026-11-02": "outside 2026-11-04 to 2027-01-30", "2036-11-04": "outside",
	} {
		if err := CheckDate("50667", date, today); !errors.Is(err, ErrDate) || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckDate(%q) = %v, want one with %q", date, err, want)
		}
	}
}
