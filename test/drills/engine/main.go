// Command engine drills the embedded Elasticsearch as a process of its own: kill -9, damage, a full disk, queries beside writes.
//
// Each drill starts `kreislauf engine` on a folder of its own, writes with create and retries what was not acknowledged, and compares
// in the end what was acknowledged with what is found: nothing lost, no id twice, aggregations as computed from the sources.
// The last line is `drills-engine: N passed, 0 failed`; the command fails otherwise. -only runs some by name.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// drill is one of the drills; it gets an empty folder and returns what it found out.
type drill struct {
	name string
	run  func(ctx context.Context, d *site) (string, error)
}

// site is what a drill works with.
type site struct {
	bin, dir string
	seed     uint64
	rounds   int
}

func main() {
	bin := flag.String("bin", "bin/kreislauf", "the kreislauf binary")
	only := flag.String("only", "", "names of drills, separated by commas; all if empty")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the moments to kill and the bytes to damage")
	rounds := flag.Int("rounds", 20, "rounds of the kill drills")
	keep := flag.Bool("keep", false, "keep the folders of drills that fail")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	drills := []drill{
		{"kill", drillKill},
		{"kill-flush", drillKillFlush},
		{"damage", drillDamage},
		{"disk-full", drillDiskFull},
		{"queries", drillQueries},
		{"restart", drillRestart},
	}
	var names []string
	for _, d := range drills {
		names = append(names, d.name)
	}
	wanted := names
	if *only != "" {
		wanted = strings.Split(*only, ",")
	}
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			fmt.Fprintf(os.Stderr, "drills-engine: no drill %q, there are %s\n", w, strings.Join(names, ", "))
			os.Exit(2)
		}
	}
	fmt.Printf("seed %d\n", *seed)
	passed, failed := 0, 0
	for _, d := range drills {
		if !slices.Contains(wanted, d.name) {
			continue
		}
		started := time.Now()
		found, err := runDrill(ctx, d, *bin, *seed, *rounds, *keep)
		took := time.Since(started).Round(100 * time.Millisecond)
		if err != nil {
			failed++
			fmt.Printf("FAILED %-11s %6s  %v\n", d.name, took, err)
			continue
		}
		passed++
		fmt.Printf("passed %-11s %6s  %s\n", d.name, took, found)
	}
	fmt.Printf("drills-engine: %d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func runDrill(ctx context.Context, d drill, bin string, seed uint64, rounds int, keep bool) (found string, err error) {
	dir, err := os.MkdirTemp("", "kreislauf-drill-")
	if err != nil {
		return "", fmt.Errorf("create folder: %w", err)
	}
	defer func() {
		if err != nil && keep {
			err = fmt.Errorf("%w (folder %s)", err, dir)
			return
		}
		_ = os.RemoveAll(dir) // the folder is temporary
	}()
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	return d.run(ctx, &site{bin: bin, dir: filepath.Join(dir, "data"), seed: seed, rounds: rounds})
}
