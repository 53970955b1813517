package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"time"
)

// day is the first instant of the documents; they are spread evenly over 24 hours, in order.
var day = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// line is what a document takes from the access log.
type line struct {
	addr, method, uri, path, version, referrer, agent string
	status, bytes                                     int
}

var combined = regexp.MustCompile(`^(\S+) \S+ \S+ \[[^\]]*\] "(\S+) (\S+) (\S+)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"`)

// readLog reads an access log in the combined format. Lines that are not of it are left out and counted.
func readLog(path string) (lines []line, skipped int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open access log: %w", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		m := combined.FindStringSubmatch(sc.Text())
		if m == nil {
			skipped++
			continue
		}
		status, _ := strconv.Atoi(m[5]) // three digits, or the expression had not matched
		size, err := strconv.Atoi(m[6])
		if err != nil {
			size = 0 // "-"
		}
		path, _, _ := bytes.Cut([]byte(m[3]), []byte{'?'})
		lines = append(lines, line{addr: m[1], method: m[2], uri: m[3], path: string(path), version: m[4], referrer: m[7], agent: m[8], status: status, bytes: size})
	}
	if err := sc.Err(); err != nil {
		return nil, 0, fmt.Errorf("read access log: %w", err)
	}
	if len(lines) == 0 {
		return nil, skipped, fmt.Errorf("read access log: no line of %s is in the combined format", path)
	}
	return lines, skipped, nil
}

// madeLog makes lines with about the variety of a small public site.
func madeLog(seed uint64) []line {
	r := rand.New(rand.NewPCG(seed, 1))
	words := []string{"logstash", "kibana", "images", "blog", "tags", "puppet", "files", "projects", "style", "reset", "favicon", "articles", "presentations", "monitorama"}
	word := func() string { return words[r.IntN(len(words))] }
	paths := make([]string, 1500)
	for i := range paths {
		paths[i] = fmt.Sprintf("/%s/%s-%s-%d/%s.%s", word(), word(), word(), 2000+r.IntN(25), word(), []string{"html", "css", "js", "png"}[r.IntN(4)])
	}
	paths[0] = "/presentations/logstash-monitorama-2013/images/kibana-search.png"
	lines := make([]line, 10_000)
	for i := range lines {
		p := paths[int(float64(len(paths))*math.Pow(r.Float64(), 3))]
		lines[i] = line{
			addr: fmt.Sprintf("%d.%d.%d.%d", 1+r.IntN(223), r.IntN(4), r.IntN(4), r.IntN(200)), method: "GET", uri: p, path: p, version: "HTTP/1.1",
			status: []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 304, 304, 301, 404}[r.IntN(13)], bytes: r.IntN(200_000),
			referrer: "http://example.com" + paths[r.IntN(200)],
			agent:    fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.%d Safari/537.36", 20+r.IntN(15), r.IntN(20), r.IntN(9)),
		}
	}
	return lines
}

// generator writes the documents that logship makes of nginx lines. Document n is the same in every run.
type generator struct {
	lines []line
	total int
	seed  uint64
}

// traceID is the trace id of document n.
func (g *generator) traceID(n int) string {
	r := rand.New(rand.NewPCG(g.seed, uint64(n)<<8))
	return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
}

// at is the time of document n.
func (g *generator) at(n int) time.Time {
	return day.Add(time.Duration(int64(24*time.Hour) / int64(g.total) * int64(n))).Truncate(time.Millisecond)
}

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

// append writes action and document n.
func (g *generator) append(b []byte, n int) []byte {
	pcg := rand.NewPCG(g.seed, uint64(n)<<8)
	r := rand.New(pcg)
	high, low, span := r.Uint64(), r.Uint64(), r.Uint64()
	l := &g.lines[r.IntN(len(g.lines))]
	t := g.at(n)
	ms := int(math.Exp(r.NormFloat64()*1.2 + 2.5)) // a median of 12 ms with a long tail
	b = append(b, `{"create":{"_id":"`...)
	b = appendHex(b, uint64(n)*0x9E3779B97F4A7C15)
	b = appendHex(b, uint64(n))
	b = append(b[:len(b)-10], `"}}`+"\n"...)
	b = append(b, `{"msec":`...)
	b = strconv.AppendInt(b, t.Unix(), 10)
	b = append(b, '.')
	b = append(b, fmt.Sprintf("%03d", t.Nanosecond()/1e6)...)
	b = append(b, `,"service_name":"nginx","env":"local","customer":"kreislauf","platform_version":"dev","message":"`...)
	b = append(append(append(append(b, l.method...), ' '), l.path...), ' ')
	b = strconv.AppendInt(b, int64(l.status), 10)
	b = append(append(b, `","remote_addr":"`...), l.addr...)
	b = append(append(b, `","http.request.method":"`...), l.method...)
	b = append(append(b, `","url.original":"`...), l.uri...)
	b = append(append(b, `","url.path":"`...), l.path...)
	b = append(append(b, `","http.version":"`...), l.version...)
	b = append(b, `","http.response.status_code":`...)
	b = strconv.AppendInt(b, int64(l.status), 10)
	b = append(b, `,"http.response.body.bytes":`...)
	b = strconv.AppendInt(b, int64(l.bytes), 10)
	b = append(append(b, `,"user_agent.original":"`...), l.agent...)
	b = append(b, `","request_id":"`...)
	b = appendHex(appendHex(b, high), low)
	b = append(b, `","trace.id":"`...)
	b = appendHex(appendHex(b, high), low)
	b = append(b, `","span.id":"`...)
	b = appendHex(b, span)
	b = append(b, `","@timestamp":"`...)
	b = t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","event.duration":`...)
	b = strconv.AppendInt(b, int64(ms)*1e6, 10)
	if l.status < 400 {
		b = append(b, `,"event.outcome":"success"`...)
	} else {
		b = append(b, `,"event.outcome":"failure"`...)
	}
	b = append(b, `,"event.dataset":"nginx.access","log.offset":`...)
	b = strconv.AppendInt(b, int64(n)*640, 10)
	return append(b, "}\n"...)
}

// bulk writes documents from to to-1 as the body of a bulk request.
func (g *generator) bulk(b []byte, from, to int) []byte {
	for n := from; n < to; n++ {
		b = g.append(b, n)
	}
	return b
}

// mapping is that of elk/templates for these fields, as Elasticsearch and OpenSearch both take it.
const mapping = `{"settings":{"index.number_of_shards":1,"index.number_of_replicas":0%s},"mappings":{"dynamic":"strict","properties":{
"@timestamp":{"type":"date"},"message":{"type":"match_only_text"},"service_name":{"type":"keyword"},"env":{"type":"keyword"},"customer":{"type":"keyword"},
"platform_version":{"type":"keyword"},"request_id":{"type":"keyword"},"msec":{"type":"double"},"remote_addr":{"type":"keyword"},
"trace":{"properties":{"id":{"type":"keyword"}}},"span":{"properties":{"id":{"type":"keyword"}}},
"event":{"properties":{"dataset":{"type":"keyword"},"outcome":{"type":"keyword"},"duration":{"type":"long"}}},"log":{"properties":{"offset":{"type":"long"}}},
"http":{"properties":{"version":{"type":"keyword"},"request":{"properties":{"method":{"type":"keyword"}}},
"response":{"properties":{"status_code":{"type":"long"},"body":{"properties":{"bytes":{"type":"long"}}}}}}},
"url":{"properties":{"original":{"type":"keyword"},"path":{"type":"keyword"}}},"user_agent":{"properties":{"original":{"type":"keyword"}}}}}}`
