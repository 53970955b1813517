// Command parquet measures Parquet as the format of the engine's segments, with the documents of bench-engine:
//
//	go run ./test/bench/engine -print -docs 262144 | (cd test/bench/engine/parquet && go run .)
//
// It reads one document a line and writes files of 32,768 rows, as many as a segment has: every field a column, strings with a
// dictionary, times and numbers delta-encoded, all compressed with zstd, a bloom filter for trace ids, and the source as a column of
// its own, as the segment keeps it. Then it answers four of the questions of bench-engine with the columns these need. CPU is user +
// system time of this process. It is a module of its own, so that the product does not depend on a Parquet library for a measurement.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const segmentRows = 32_768

type row struct {
	ID       string  `parquet:"_id,zstd,delta"`
	Time     int64   `parquet:"@timestamp,zstd,delta"`
	Message  string  `parquet:"message,zstd,dict"`
	Service  string  `parquet:"service_name,zstd,dict"`
	Env      string  `parquet:"env,zstd,dict"`
	Customer string  `parquet:"customer,zstd,dict"`
	Version  string  `parquet:"platform_version,zstd,dict"`
	Request  string  `parquet:"request_id,zstd"`
	Trace    string  `parquet:"trace.id,zstd"`
	Span     string  `parquet:"span.id,zstd"`
	Msec     float64 `parquet:"msec,zstd"`
	Addr     string  `parquet:"remote_addr,zstd,dict"`
	Dataset  string  `parquet:"event.dataset,zstd,dict"`
	Outcome  string  `parquet:"event.outcome,zstd,dict"`
	Duration int64   `parquet:"event.duration,zstd,delta"`
	Offset   int64   `parquet:"log.offset,zstd,delta"`
	HTTP     string  `parquet:"http.version,zstd,dict"`
	Method   string  `parquet:"http.request.method,zstd,dict"`
	Status   int64   `parquet:"http.response.status_code,zstd,delta"`
	Bytes    int64   `parquet:"http.response.body.bytes,zstd,delta"`
	Original string  `parquet:"url.original,zstd,dict"`
	Path     string  `parquet:"url.path,zstd,dict"`
	Agent    string  `parquet:"user_agent.original,zstd,dict"`
	Source   []byte  `parquet:"_source,zstd"`
}

func main() {
	if err := run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "parquet:", err)
		os.Exit(1)
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func read(in io.Reader) ([]row, error) {
	var rows []row
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var d struct {
			Time     time.Time `json:"@timestamp"`
			Message  string    `json:"message"`
			Service  string    `json:"service_name"`
			Env      string    `json:"env"`
			Customer string    `json:"customer"`
			Version  string    `json:"platform_version"`
			Request  string    `json:"request_id"`
			Trace    string    `json:"trace.id"`
			Span     string    `json:"span.id"`
			Msec     float64   `json:"msec"`
			Addr     string    `json:"remote_addr"`
			Dataset  string    `json:"event.dataset"`
			Outcome  string    `json:"event.outcome"`
			Duration int64     `json:"event.duration"`
			Offset   int64     `json:"log.offset"`
			HTTP     string    `json:"http.version"`
			Method   string    `json:"http.request.method"`
			Status   int64     `json:"http.response.status_code"`
			Bytes    int64     `json:"http.response.body.bytes"`
			Original string    `json:"url.original"`
			Path     string    `json:"url.path"`
			Agent    string    `json:"user_agent.original"`
		}
		if err := json.Unmarshal(sc.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("read document: %w", err)
		}
		rows = append(rows, row{
			d.Request[:22], d.Time.UnixMilli(), d.Message, d.Service, d.Env, d.Customer, d.Version, d.Request, d.Trace, d.Span, d.Msec, d.Addr, d.Dataset,
			d.Outcome, d.Duration, d.Offset, d.HTTP, d.Method, d.Status, d.Bytes, d.Original, d.Path, d.Agent, bytes.Clone(sc.Bytes()),
		})
	}
	return rows, sc.Err()
}

func run(in io.Reader) error {
	rows, err := read(in)
	if err != nil || len(rows) == 0 {
		return fmt.Errorf("%d documents: %w", len(rows), err)
	}
	var files [][]byte
	size := 0
	started := cpu()
	for part := range slices.Chunk(rows, segmentRows) {
		var buf bytes.Buffer
		w := parquet.NewGenericWriter[row](&buf, parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
			parquet.BloomFilters(parquet.SplitBlockFilter(10, "trace.id")), parquet.PageBufferSize(64<<10))
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if err := w.Close(); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		files = append(files, buf.Bytes())
		size += buf.Len()
	}
	n := float64(len(rows))
	fmt.Printf("%d documents in %d files\n", len(rows), len(files))
	fmt.Printf("write: %.1f us CPU a document\nsize: %.0f bytes a document\n", float64((cpu()-started).Nanoseconds())/1e3/n, float64(size)/n)
	trace := rows[len(rows)/3].Trace
	for _, q := range []struct {
		name string
		run  func(*parquet.File) (int, error)
	}{
		{"minute histogram: read @timestamp and event.duration", func(f *parquet.File) (int, error) { return columns(f, "@timestamp", "event.duration") }},
		{"top uri: read url.path, event.duration, bytes", func(f *parquet.File) (int, error) {
			return columns(f, "url.path", "event.duration", "http.response.body.bytes")
		}},
		{"phrase: read message", func(f *parquet.File) (int, error) { return columns(f, "message") }},
		{"exact trace id: bloom filter, then the column", func(f *parquet.File) (int, error) { return lookup(f, trace) }},
	} {
		var all []time.Duration
		for range 5 {
			started := cpu()
			got := 0
			for _, data := range files {
				f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					return fmt.Errorf("open: %w", err)
				}
				m, err := q.run(f)
				if err != nil {
					return fmt.Errorf("%s: %w", q.name, err)
				}
				got += m
			}
			if got == 0 {
				return fmt.Errorf("%s found nothing", q.name)
			}
			all = append(all, cpu()-started)
		}
		slices.Sort(all)
		fmt.Printf("%-55s %7.1f ms CPU a million documents\n", q.name, float64(all[2].Microseconds())/1e3*1e6/n)
	}
	return nil
}

// columns reads all values of some columns and returns their number.
func columns(f *parquet.File, names ...string) (int, error) {
	total := 0
	values := make([]parquet.Value, 4096)
	for _, name := range names {
		column := slices.IndexFunc(f.Schema().Columns(), func(path []string) bool { return path[0] == name })
		for _, group := range f.RowGroups() {
			pages := group.ColumnChunks()[column].Pages()
			for {
				page, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				if err != nil {
					return 0, err
				}
				r := page.Values()
				for {
					n, err := r.ReadValues(values)
					total += n
					if err == io.EOF {
						break
					}
					if err != nil {
						return 0, err
					}
				}
				parquet.Release(page)
			}
			if err := pages.Close(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// lookup finds the rows with a trace id.
func lookup(f *parquet.File, id string) (int, error) {
	column := slices.IndexFunc(f.Schema().Columns(), func(path []string) bool { return path[0] == "trace.id" })
	for _, group := range f.RowGroups() {
		ok, err := group.ColumnChunks()[column].BloomFilter().Check(parquet.ValueOf(id))
		if err != nil || !ok {
			return 0, err
		}
	}
	return columns(f, "trace.id")
}
