package store

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

const benchMapping = `{"properties":{"@timestamp":{"type":"date"},"message":{"type":"match_only_text"},"msec":{"type":"double"}},
"dynamic_templates":[{"s":{"match_mapping_type":"string","mapping":{"type":"keyword"}}}]}`

// BenchmarkSegment measures what test/bench/engine/parquet measures of Parquet, with the same documents, which SEGMENT_DOCS names:
//
//	go run ./test/bench/engine -print -docs 131072 > docs
//	SEGMENT_DOCS=$PWD/docs go test ./internal/backend/engine/internal/store -run xxx -bench Segment -benchtime 1x
func BenchmarkSegment(b *testing.B) {
	path := os.Getenv("SEGMENT_DOCS")
	if path == "" {
		b.Skip("SEGMENT_DOCS names no file")
	}
	docs := benchDocuments(b, path)
	c, err := sharedCodec()
	if err != nil {
		b.Fatal(err)
	}
	n := float64(len(docs))
	isTerm := func(f string) bool {
		return f == IDField || f == "trace.id" || f == "request_id" || f == "span.id" || f == "url.path"
	}
	for b.Loop() {
		var segs []*segment
		var build, write time.Duration
		size := int64(0)
		dir := b.TempDir()
		set := column.NewSet()
		for len(segs)*FlushDocs < len(docs) {
			part := docs[len(segs)*FlushDocs : min((len(segs)+1)*FlushDocs, len(docs))]
			l := newLive(c, 0, set)
			started := benchCPU()
			for _, d := range part {
				l.set.Add(d.Values)
			}
			built := benchCPU()
			for _, d := range part {
				l.sources.add(d)
			}
			seg, err := writeSegment(dir, uint32(len(segs)), c, l, isTerm)
			if err != nil {
				b.Fatal(err)
			}
			build, write = build+built-started, write+benchCPU()-built
			size += seg.size
			segs, set = append(segs, seg), l.set.Reset()
		}
		b.ReportMetric(float64(build.Nanoseconds())/1e3/n, "us-columns/doc")
		b.ReportMetric(float64(write.Nanoseconds())/1e3/n, "us-write/doc")
		b.ReportMetric(float64(size)/n, "bytes/doc")
		read := func(unit string, fields ...string) {
			started := benchCPU()
			for _, s := range segs {
				for _, f := range fields {
					if _, err := s.decodeColumn(f); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64((benchCPU()-started).Microseconds())/1e3*1e6/n, unit)
		}
		read("ms-histogram/M", "@timestamp", "event.duration")
		read("ms-uri/M", "url.path", "event.duration", "http.response.body.bytes")
		read("ms-phrase/M", "message")
		x := &Index{}
		trace := ""
		for _, v := range docs[len(docs)/3].Values {
			if v.Field == "trace.id" {
				trace = v.Str
			}
		}
		const times = 200
		found := 0
		started := benchCPU()
		for range times {
			for _, s := range segs {
				bits, ok, err := s.findPacked(&x.buffers, "trace.id", []string{trace})
				if err != nil || !ok {
					b.Fatal(ok, err)
				}
				found += bits.Count()
			}
		}
		if found != times {
			b.Fatalf("found %d", found)
		}
		b.ReportMetric(float64((benchCPU()-started).Microseconds())/1e3/times*1e6/n, "ms-trace/M")
	}
}

func benchCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchDocuments(b *testing.B, path string) []*mapping.Document {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	m, err := mapping.ParseBytes([]byte(benchMapping))
	if err != nil {
		b.Fatal(err)
	}
	var docs []*mapping.Document
	for sc := bufio.NewScanner(f); sc.Scan(); {
		n, err := esjson.Parse([]byte(sc.Text()))
		if err != nil {
			b.Fatal(err)
		}
		id := fmt.Sprintf("%022x", len(docs)*7919)
		d, update, err := m.Read(id, n, mapping.Options{FieldLimit: 1000})
		if err == nil && update != nil {
			if m, err = m.Merge(update); err == nil {
				d, _, err = m.Read(id, n, mapping.Options{FieldLimit: 1000})
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		d.Values = append(d.Values, column.Value{Field: IDField, Kind: column.String, Str: id})
		docs = append(docs, d)
	}
	return docs
}
