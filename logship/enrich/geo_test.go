package enrich

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestClientAndPlace(t *testing.T) {
	g := testGeo(t)
	const munich = `,"source.geo.country_iso_code":"DE","source.geo.region_name":"Bavaria","source.geo.city_name":"Munich","source.geo.location":{"lat":48.1374,"lon":11.5755}`
	for _, c := range []struct{ name, remote, forwarded, want string }{
		{"public", "203.0.113.9", "", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"public does not believe the header", "203.0.113.9", "198.51.100.1", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"what stands before the first untrusted address can be forged", "10.0.0.1", "198.51.100.1, 203.0.113.9, 192.168.1.1", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"loopback, one address", "127.0.0.1", "203.0.113.9", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"only private ones", "127.0.0.1", "10.1.2.3,fd00::1", `,"source.ip":"10.1.2.3","source.network":"10.1.2.0/24"`},
		{"garbage in the header", "127.0.0.1", "unknown, ,203.0.113.9 ", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"garbage next to the proxy", "127.0.0.1", "203.0.113.9, unknown", `,"source.ip":"127.0.0.1","source.network":"127.0.0.0/24"`},
		{"with ports", "127.0.0.1", "203.0.113.9:4711, [fd00::1]:80", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"no header", "192.168.7.7", "", `,"source.ip":"192.168.7.7","source.network":"192.168.7.0/24"`},
		{"mapped", "::ffff:203.0.113.9", "", `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` + munich},
		{"no place", "192.0.2.1", "", `,"source.ip":"192.0.2.1","source.network":"192.0.2.0/24"`},
		{"country only", "198.51.100.200", "", `,"source.ip":"198.51.100.200","source.network":"198.51.100.0/24","source.geo.country_iso_code":"AQ"`},
		{"quotes", "198.51.100.1", "", `,"source.ip":"198.51.100.1","source.network":"198.51.100.0/24","source.geo.country_iso_code":"FR","source.geo.region_name":"Île-de-France","source.geo.city_name":"Paris \"13e\"","source.geo.location":{"lat":48.8300,"lon":2.3500}`},
		{"version 6", "2001:db8::1", "", `,"source.ip":"2001:db8::1","source.network":"2001:db8::/48","source.geo.country_iso_code":"AT","source.geo.region_name":"Vienna","source.geo.city_name":"Vienna","source.geo.location":{"lat":48.2082,"lon":16.3738}`},
		{"link local", "fe80::1", "", `,"source.ip":"fe80::1","source.network":"fe80::/48"`},
		{"zone", "fe80::1%eth0", "", ``},
		{"unix socket", "unix:", "203.0.113.9", ``},
		{"nothing", "", "", ``},
		{"far too long", strings.Repeat("1", 500), "", ``},
	} {
		for range 2 { // the second time from the cache
			if got := string(g.appendSource(nil, []byte(c.remote), []byte(c.forwarded))); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	}
	if g.Misses() != 1 {
		t.Errorf("%d misses, want 1", g.Misses())
	}
}

func TestGeoReload(t *testing.T) {
	dir := t.TempDir()
	g := NewGeo(GeoOptions{CityDir: dir})
	defer g.Close()
	if opened, err := g.Reload(); opened || err != nil {
		t.Fatalf("empty folder: %v, %v", opened, err)
	}
	place := func() string { return string(g.appendSource(nil, []byte("203.0.113.9"), nil)) }
	if place() != `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24"` || g.Misses() != 0 {
		t.Errorf("without databases: %s, %d misses", place(), g.Misses())
	}
	path := filepath.Join(dir, GeoFileIPv4)
	for i, city := range []string{"Munich", "Nuremberg"} {
		writeMMDB(t, path, 4, []mmdbPlace{{"203.0.113.0/24", "DE", "Bavaria", city, 1, 2}})
		stamp := time.Unix(1700000000+int64(i), 0)
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		if opened, err := g.Reload(); !opened || err != nil {
			t.Fatalf("new file: %v, %v", opened, err)
		}
		if !strings.Contains(place(), city) {
			t.Errorf("place %s, want %s", place(), city)
		}
		if opened, err := g.Reload(); opened || err != nil {
			t.Errorf("unchanged file: %v, %v", opened, err)
		}
	}
	if err := os.WriteFile(path+".new", []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Reload(); err == nil {
		t.Error("a broken file is no error")
	}
	if _, err := g.Reload(); err != nil {
		t.Error("a broken file is an error again and again")
	}
	if g.Loaded() != 1 || !strings.Contains(place(), "Nuremberg") {
		t.Error("the old database is not in use any more")
	}
}

func TestTrustedProxiesAreTheConfiguredOnes(t *testing.T) {
	g := NewGeo(GeoOptions{Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")}})
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1", "203.0.113.9", "203.0.113.9"},
		{"192.0.2.1", "203.0.113.9, 10.0.0.1", "10.0.0.1"},
		{"192.0.2.1", "203.0.113.9, 192.0.2.7", "203.0.113.9"},
		{"192.0.2.16", "203.0.113.9", "192.0.2.16"},
		{"10.0.0.1", "203.0.113.9", "10.0.0.1"},
	} {
		if got := string(g.appendSource(nil, []byte(c.remote), []byte(c.forwarded))); got != source(c.want) {
			t.Errorf("%s behind %s: %s, want %s", c.forwarded, c.remote, got, c.want)
		}
	}
}

// source is what an IPv4 address becomes.
func source(ip string) string {
	return `,"source.ip":"` + ip + `","source.network":"` + ip[:strings.LastIndexByte(ip, '.')] + `.0/24"`
}

// TestNetworksOfAddresses: neighbours that one customer can have at will are one network, and nobody else is in it.
func TestNetworksOfAddresses(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.1": "203.0.113.0/24", "203.0.113.254": "203.0.113.0/24", "203.0.112.1": "203.0.112.0/24",
		"2001:db8:1::1": "2001:db8:1::/48", "2001:db8:1:ffff:1:2:3:4": "2001:db8:1::/48", "2001:db8:2::1": "2001:db8:2::/48",
	} {
		if got := networkOf(netip.MustParseAddr(ip)).String(); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

func TestCountryFallback(t *testing.T) {
	dir := t.TempDir()
	city, country := filepath.Join(dir, GeoFileIPv4), filepath.Join(dir, "country.mmdb")
	g := NewGeo(GeoOptions{CityDir: dir, CountryFile: country})
	defer g.Close()
	nan := float32(math.NaN())
	writeMMDB(t, country, 4, []mmdbPlace{{"203.0.113.0/24", "AT", "", "", nan, nan}, {"198.51.100.0/24", "FR", "", "", nan, nan}})
	place := func(address string) string { return string(g.appendSource(nil, []byte(address), nil)) }
	if opened, err := g.Reload(); !opened || err != nil || g.Loaded() != 1 {
		t.Fatalf("%v, %v, %d open", opened, err, g.Loaded())
	}
	if got := place("203.0.113.9"); got != `,"source.ip":"203.0.113.9","source.network":"203.0.113.0/24","source.geo.country_iso_code":"AT"` {
		t.Errorf("country only: %s", got)
	}
	writeMMDB(t, city, 4, []mmdbPlace{{"203.0.113.0/24", "DE", "Bavaria", "Munich", nan, nan}})
	if opened, err := g.Reload(); !opened || err != nil || g.Loaded() != 2 {
		t.Fatalf("%v, %v, %d open", opened, err, g.Loaded())
	}
	for address, want := range map[string]string{
		"203.0.113.9":  `,"source.geo.country_iso_code":"DE","source.geo.region_name":"Bavaria","source.geo.city_name":"Munich"`,
		"198.51.100.1": `,"source.geo.country_iso_code":"FR"`,
		"192.0.2.1":    ``,
	} {
		if got := place(address); got != source(address)+want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

func TestGeoCacheIsBounded(t *testing.T) {
	g := testGeo(t)
	for i := range 3 * geoCacheHalf {
		g.appendSource(nil, fmt.Appendf(nil, "203.%d.%d.%d", i>>16, i>>8&255, i&255), nil)
	}
	if n := len(g.clients.recent) + len(g.clients.older); n > 2*geoCacheHalf {
		t.Errorf("%d clients in the cache", n)
	}
}
