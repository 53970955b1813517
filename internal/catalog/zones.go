package catalog

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Zone covers the German postcodes that share their first two digits.
type Zone struct {
	Prefix   string // two digits
	Region   string // main town
	Lat, Lon float64
}

//go:embed zones.csv
var zonesCSV string

var zones = sync.OnceValue(func() map[string]Zone {
	m := map[string]Zone{}
	for line := range strings.Lines(zonesCSV) {
		f := strings.Split(strings.TrimSpace(line), ",")
		lat, errLat := strconv.ParseFloat(f[2], 64)
		lon, errLon := strconv.ParseFloat(f[3], 64)
		if errLat != nil || errLon != nil {
			panic("catalog: zones.csv: " + line) // the file is part of the program; a test reads all of it
		}
		m[f[0]] = Zone{f[0], f[1], lat, lon}
	}
	return m
})

// FindZone gives the zone of a five-digit German postcode.
func FindZone(postcode string) (Zone, error) {
	if len(postcode) != 5 || strings.Trim(postcode, "0123456789") != "" {
		return Zone{}, fmt.Errorf("%w %q: a German postcode has five digits", ErrPostcode, postcode)
	}
	z, ok := zones()[postcode[:2]]
	if !ok {
		return Zone{}, fmt.Errorf("%w %q: no German postcode begins with %s; check the digits", ErrPostcode, postcode, postcode[:2])
	}
	return z, nil
}

// Prefixes lists all zones' prefixes in no particular order.
func Prefixes() []string {
	var list []string
	for p := range zones() {
		list = append(list, p)
	}
	return list
}

// DistanceKm is the great-circle distance between the main towns of two zones.
func (z Zone) DistanceKm(o Zone) float64 {
	const radius, rad = 6371, math.Pi / 180
	dLat, dLon := (o.Lat-z.Lat)*rad, (o.Lon-z.Lon)*rad
	a := math.Sin(dLat/2)*math.Sin(dLat/2) + math.Cos(z.Lat*rad)*math.Cos(o.Lat*rad)*math.Sin(dLon/2)*math.Sin(dLon/2)
	return 2 * radius * math.Asin(math.Sqrt(a))
}
