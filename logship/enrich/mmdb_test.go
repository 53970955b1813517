package enrich

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"kreislauf/logship/config"
)

// mmdbPlace is a network of a test database.
type mmdbPlace struct {
	network               string
	country, region, city string
	lat, lon              float32 // as DB-IP has them; NaN leaves them out
}

// writeMMDB writes a database in the flat schema of DB-IP for one family of addresses.
func writeMMDB(t testing.TB, path string, version int, places []mmdbPlace) {
	t.Helper()
	type node [2]int // > 0 is a node, < 0 is data number -n-1, 0 is nothing
	nodes := []node{{}}
	var data []byte
	var offsets []int
	for n, p := range places {
		prefix := netip.MustParsePrefix(p.network)
		bytes := prefix.Addr().AsSlice()
		at := 0
		for i := range prefix.Bits() {
			bit := int(bytes[i/8] >> (7 - i%8) & 1)
			if i == prefix.Bits()-1 {
				nodes[at][bit] = -n - 1
				break
			}
			if nodes[at][bit] == 0 {
				nodes = append(nodes, node{})
				nodes[at][bit] = len(nodes) - 1
			}
			at = nodes[at][bit]
		}
		offsets = append(offsets, len(data))
		data = appendPlaceData(data, p)
	}
	var out []byte
	for _, n := range nodes {
		for _, r := range n {
			value := len(nodes) // not found
			switch {
			case r > 0:
				value = r
			case r < 0:
				value = len(nodes) + 16 + offsets[-r-1]
			}
			out = append(out, byte(value>>16), byte(value>>8), byte(value))
		}
	}
	out = append(out, make([]byte, 16)...)
	out = append(out, data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	out = append(out, 7<<5|9)
	out = appendMMDBUint(appendMMDBString(out, "binary_format_major_version"), 5, 2)
	out = appendMMDBUint(appendMMDBString(out, "binary_format_minor_version"), 5, 0)
	out = appendMMDBUint(appendMMDBString(out, "build_epoch"), 9, 1760000000)
	out = appendMMDBString(appendMMDBString(out, "database_type"), "Test-City")
	out = append(appendMMDBString(out, "description"), 7<<5)
	out = appendMMDBUint(appendMMDBString(out, "ip_version"), 5, uint64(version))
	out = append(appendMMDBString(out, "languages"), 0, 11-7)
	out = appendMMDBUint(appendMMDBString(out, "node_count"), 6, uint64(len(nodes)))
	out = appendMMDBUint(appendMMDBString(out, "record_size"), 5, 24)
	if err := os.WriteFile(path+".new", out, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func appendPlaceData(dst []byte, p mmdbPlace) []byte {
	count := byte(3)
	located := !math.IsNaN(float64(p.lat))
	if located {
		count = 5
	}
	dst = append(dst, 7<<5|count)
	dst = appendMMDBString(appendMMDBString(dst, "country_code"), p.country)
	dst = appendMMDBString(appendMMDBString(dst, "state1"), p.region)
	dst = appendMMDBString(appendMMDBString(dst, "city"), p.city)
	if located {
		dst = append(appendMMDBString(dst, "latitude"), 4, 15-7)
		dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(p.lat))
		dst = append(appendMMDBString(dst, "longitude"), 4, 15-7)
		dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(p.lon))
	}
	return dst
}

func appendMMDBString(dst []byte, s string) []byte {
	if len(s) < 29 {
		return append(append(dst, 2<<5|byte(len(s))), s...)
	}
	return append(append(dst, 2<<5|29, byte(len(s)-29)), s...)
}

func appendMMDBUint(dst []byte, kind byte, n uint64) []byte {
	var b []byte
	for ; n > 0; n >>= 8 {
		b = append([]byte{byte(n)}, b...)
	}
	if kind > 7 {
		return append(append(dst, byte(len(b)), kind-7), b...)
	}
	return append(append(dst, kind<<5|byte(len(b))), b...)
}

// testGeo returns a Geo with a handful of places of both families.
func testGeo(t testing.TB) *Geo {
	t.Helper()
	dir := t.TempDir()
	writeMMDB(t, filepath.Join(dir, GeoFileIPv4), 4, []mmdbPlace{
		{"203.0.113.0/24", "DE", "Bavaria", "Munich", 48.1374, 11.5755},
		{"198.51.100.0/25", "FR", "Île-de-France", `Paris "13e"`, 48.83, 2.35},
		{"198.51.100.128/25", "AQ", "", "", float32(math.NaN()), 0},
	})
	writeMMDB(t, filepath.Join(dir, GeoFileIPv6), 6, []mmdbPlace{
		{"2001:db8::/32", "AT", "Vienna", "Vienna", 48.2082, 16.3738},
	})
	g := NewGeo(GeoOptions{CityDir: dir, Trusted: config.PrivateNetworks()})
	if opened, err := g.Reload(); err != nil || !opened || g.Loaded() != 2 {
		t.Fatalf("open test databases: %v, %v, %d open", opened, err, g.Loaded())
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}
