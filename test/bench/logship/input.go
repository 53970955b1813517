package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// sampleLines is the number of different lines; larger inputs repeat them. They are several MB long, far more than the
// 32 KiB in which gzip finds repetitions.
const sampleLines = 10_000

// request is what the access log knows of one request.
type request struct {
	addr, method, uri, version, referrer, agent string
	status, bytes                               int
}

var combined = regexp.MustCompile(`^(\S+) \S+ \S+ \[[^\]]+\] "(\S+) (\S+) (\S+)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"`)

// requests reads the requests of an access log in combined format, or makes them when path is empty.
func requests(path string, seed uint64) ([]request, error) {
	if path == "" {
		return madeRequests(seed), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open access log: %w", err)
	}
	defer f.Close()
	var out []request
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() && len(out) < sampleLines {
		m := combined.FindStringSubmatch(scanner.Text())
		if m == nil {
			continue
		}
		r := request{addr: m[1], method: m[2], uri: m[3], version: m[4], referrer: m[7], agent: m[8]}
		r.status, _ = strconv.Atoi(m[5]) // digits
		r.bytes, _ = strconv.Atoi(m[6])  // "-" is 0
		out = append(out, r)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read access log: %w", err)
	}
	if len(out) == 0 {
		return nil, errors.New("the access log has no line in combined format")
	}
	return out, nil
}

// madeRequests has the shape of a real log: few addresses make most requests, a long tail of paths, some dozens of agents.
func madeRequests(seed uint64) []request {
	rng := rand.New(rand.NewPCG(seed, 1))
	addrs := make([]string, 1_800)
	for i := range addrs {
		addrs[i] = publicAddress(rng)
	}
	agents := make([]string, 150)
	for i := range agents {
		agents[i] = fmt.Sprintf("Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.%d Safari/537.36",
			[]string{"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64", "Linux; Android 14; Pixel 8"}[i%4],
			90+i, 4000+rng.IntN(2000), rng.IntN(200))
	}
	skew := func(n int) int { return int(float64(n) * rng.Float64() * rng.Float64() * rng.Float64()) }
	out := make([]request, sampleLines)
	for i := range out {
		page := fmt.Sprintf("/%s/%s/page-%d.html", []string{"blog", "containers", "images", "presentations"}[rng.IntN(4)],
			[]string{"berlin", "hamburg", "koeln", "muenchen", "waste"}[rng.IntN(5)], skew(1_500))
		out[i] = request{
			addr: addrs[skew(len(addrs))], method: "GET", uri: page, version: "HTTP/1.1", agent: agents[skew(len(agents))],
			status: []int{200, 200, 200, 200, 200, 200, 304, 301, 404, 206}[rng.IntN(10)], bytes: 200 + skew(200_000),
		}
		if rng.IntN(3) > 0 {
			out[i].referrer = "https://www.example.com" + page
		}
	}
	return out
}

// publicAddress returns a random IPv4 address outside the ranges that have no place.
func publicAddress(rng *rand.Rand) string {
	for {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], rng.Uint32())
		a := netip.AddrFrom4(b)
		if a.IsGlobalUnicast() && !a.IsPrivate() && b[0] != 0 && b[0] < 224 && b[0] != 100 {
			return a.String()
		}
	}
}

// nginxLine renders a request as the platform's access line.
func nginxLine(dst []byte, rng *rand.Rand, r *request, addr string, at time.Time) []byte {
	path, _, _ := strings.Cut(r.uri, "?")
	took := fmt.Sprintf("%.3f", rng.ExpFloat64()*0.02)
	id := func(n int) string {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], rng.Uint64())
		binary.LittleEndian.PutUint64(b[8:], rng.Uint64())
		return hex.EncodeToString(b[:n])
	}
	upstream, upstreamStatus := "127.0.0.1:"+strconv.Itoa(18101+rng.IntN(8)), strconv.Itoa(r.status)
	connect := "0.000"
	switch n := rng.IntN(100); {
	case n < 40: // a file that nginx has itself
		upstream, upstreamStatus, connect = "", "", ""
	case n < 41: // the first try failed
		upstream, upstreamStatus, connect = "127.0.0.1:18100, "+upstream, "502, "+upstreamStatus, "-, 0.000"
	}
	times := took
	if upstream == "" {
		times = ""
	} else if strings.Contains(upstream, ",") {
		times = "0.000, " + took
	}
	quote := func(s string) string {
		b, _ := json.Marshal(s) // a string always has a form
		return string(b)
	}
	return fmt.Appendf(dst, `{"msec":%d.%03d,"service_name":"nginx","env":"local","customer":"kreislauf","platform_version":"1.0.0","message":%s,`+
		`"remote_addr":"%s","peer_addr":"127.0.0.1","x_forwarded_for":"","http.request.method":"%s","url.original":%s,"url.path":%s,`+
		`"http.version":"%s","http.response.status_code":%d,"http.response.body.bytes":%d,"http.request.bytes":%d,"request_time":%s,`+
		`"upstream_addr":"%s","upstream_status":"%s","upstream_connect_time":"%s","upstream_header_time":"%s","upstream_response_time":"%s",`+
		`"limit_req":"PASSED","url.domain":"localhost","user_agent.original":%s,"http.request.referrer":%s,`+
		`"request_id":"%s","trace.id":"%s","span.id":"%s","parent.id":""}`+"\n",
		at.Unix(), at.Nanosecond()/1e6, quote(r.method+" "+path+" "+strconv.Itoa(r.status)), addr, r.method, quote(r.uri), quote(path),
		r.version, r.status, r.bytes, 300+rng.IntN(900), took, upstream, upstreamStatus, connect, times, times,
		quote(r.agent), quote(r.referrer), id(16), id(16), id(8))
}

// nginxSample renders all requests once.
func nginxSample(reqs []request, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	var out []byte
	at := time.Unix(1763835810, 0)
	for i := range reqs {
		at = at.Add(time.Duration(rng.IntN(40)) * time.Millisecond)
		out = nginxLine(out, rng, &reqs[i], reqs[i].addr, at)
	}
	return out
}

// shortFields are what a short access line leaves out: it is about as long as the lines on which the absolute targets and the
// figures of the peers were measured (633 B), where the platform's own line is longer by a half.
var shortFields = regexp.MustCompile(`"(?:customer|platform_version|message|peer_addr|x_forwarded_for|url\.path|http\.request\.bytes|limit_req|url\.domain|request_id|parent\.id)":(?:"(?:[^"\\]|\\.)*"|[0-9]+),?`)

// shortSample is nginxSample without some fields.
func shortSample(reqs []request, seed uint64) []byte {
	out := shortFields.ReplaceAll(nginxSample(reqs, seed), nil)
	return bytes.ReplaceAll(out, []byte(",}"), []byte("}"))
}

// serviceSample renders lines of a service.
func serviceSample(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 3))
	var out []byte
	at := time.Unix(1763835810, 0).UTC()
	routes := []string{"/orders", "/orders/{id}", "/quotes", "/partners", "/catalog"}
	for range sampleLines {
		at = at.Add(time.Duration(rng.IntN(10)) * time.Millisecond)
		out = fmt.Appendf(out, `{"@timestamp":"%s","log.level":"info","message":"request","service_name":"order","env":"local",`+
			`"customer":"kreislauf","instance":"order-2","trace.id":"%016x%016x","http.route":"%s",`+
			`"http.response.status_code":200,"event.duration":%d}`+"\n",
			at.Format("2006-01-02T15:04:05.000Z"), rng.Uint64(), rng.Uint64(), routes[rng.IntN(len(routes))], rng.IntN(30_000_000))
	}
	return out
}

// repeat writes n lines to path, the sample as often as it takes.
func repeat(path string, sample []byte, n int) error {
	return create(path, func(w *bufio.Writer) error {
		whole := bytes.Count(sample, []byte{'\n'})
		for ; n >= whole; n -= whole {
			if _, err := w.Write(sample); err != nil {
				return err
			}
		}
		for rest := sample; n > 0; n-- {
			end := bytes.IndexByte(rest, '\n') + 1
			if _, err := w.Write(rest[:end]); err != nil {
				return err
			}
			rest = rest[end:]
		}
		return nil
	})
}

// different writes n nginx lines whose addresses are all different.
func different(path string, reqs []request, n int, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 4))
	seen := make(map[string]bool, n)
	return create(path, func(w *bufio.Writer) error {
		var line []byte
		at := time.Unix(1763835810, 0)
		for i := range n {
			addr := publicAddress(rng)
			for seen[addr] {
				addr = publicAddress(rng)
			}
			seen[addr] = true
			line = nginxLine(line[:0], rng, &reqs[i%len(reqs)], addr, at)
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
}

func create(path string, fill func(*bufio.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make log folder: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make log file: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write log file %s: %w", path, err)
	}
	return nil
}
