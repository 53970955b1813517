package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"

	"kreislauf/test/shipper"
)

// comparison is work that two builds of kreislauf are compared in.
type comparison struct {
	row, work string // row is the name for -only
	input     func(b *bench, root string) (lines int, err error)
	kind      kind
}

func comparisons() []comparison {
	file := func(make func(*bench, string, int) (string, error)) func(*bench, string) (int, error) {
		return func(b *bench, root string) (int, error) {
			_, err := make(b, root, b.size())
			return b.size(), err
		}
	}
	return []comparison{
		{"nginx-raw", "nginx JSON, raw", file((*bench).nginxFile), kind{geo: true}},
		{"nginx-gzip", "nginx JSON, gzip-1", file((*bench).nginxFile), kind{geo: true, gzip: true}},
		{"service-raw", "service log, raw", file((*bench).serviceFile), kind{}},
		{"service-gzip", "service log, gzip-1", file((*bench).serviceFile), kind{gzip: true}},
		{"files", "1,000 files", func(b *bench, root string) (int, error) {
			return 1_000 * filesLines, b.manyFiles(root, 1_000, filesLines)
		}, kind{}},
	}
}

// compare measures the build base beside the build that -bin names, in turn, in the rows that are chosen and can be compared.
func (b *bench) compare(base string, chosen []row) error {
	base, err := filepath.Abs(base)
	if err == nil {
		_, err = exec.LookPath(base)
	}
	if err != nil {
		return fmt.Errorf("find the build to compare with: %w", err)
	}
	for _, c := range comparisons() {
		if !slices.ContainsFunc(chosen, func(r row) bool { return r.name == c.row }) {
			continue
		}
		if err := b.compareIn(c, base); err != nil {
			b.table.failed(c.work, err)
		}
	}
	if slices.ContainsFunc(chosen, func(r row) bool { return r.name == "steady" }) {
		return b.compareSteady(base, 1_000)
	}
	return nil
}

// compareSteady compares the two builds while lines come at a rate.
func (b *bench) compareSteady(base string, rate int) error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	path, err := b.nginxFile(root, 0)
	if err != nil {
		return err
	}
	var shares [2][]float64 // of a core, in percent, in each round: base, this build
	var ratios []float64
	for range b.rounds {
		for i, binary := range [...]string{base, b.binary} {
			share, _, err := b.following(path, rate, b.build(binary, root, kind{geo: true}))
			if err != nil {
				return err
			}
			shares[i] = append(shares[i], share)
		}
		ratios = append(ratios, shares[1][len(ratios)]/shares[0][len(ratios)])
	}
	text := func(of []float64) string {
		slices.Sort(of)
		return fmt.Sprintf("%.2f %% of a core (%.2f to %.2f)", of[len(of)/2], of[0], of[len(of)-1])
	}
	slices.Sort(ratios)
	b.table.row(fmt.Sprintf("steady, %d events/s", rate), "base "+text(shares[0]), "this build "+text(shares[1]),
		fmt.Sprintf("ratio %.3f", ratios[len(ratios)/2]))
	return nil
}

func (b *bench) compareIn(c comparison, base string) error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	n, err := c.input(b, root)
	if err != nil {
		return err
	}
	runs, err := b.inTurn(n, b.build(base, root, c.kind), b.build(b.binary, root, c.kind))
	if err != nil {
		return err
	}
	before, now := runs[0], runs[1]
	b.table.row(c.work, "base "+middle(before), "this build "+middle(now),
		fmt.Sprintf("peak %.0f MB and %.0f MB, anonymous %.0f and %.0f", mb(before.memory.Resident), mb(now.memory.Resident),
			mb(before.memory.Anonymous), mb(now.memory.Anonymous)),
		fmt.Sprintf("least %.3f", now.perMillion()/before.perMillion()), fmt.Sprintf("ratio %.3f", now.over(before)))
	return nil
}

// middle renders the median and the range of the CPU times of a series.
func middle(s series) string {
	sorted := slices.Sorted(slices.Values(s.cpu))
	million := func(i int) float64 { return sorted[i].Seconds() / float64(s.events) * 1e6 }
	return fmt.Sprintf("%.2f CPU-s/M (%.2f to %.2f)", million(len(sorted)/2), million(0), million(len(sorted)-1))
}

// build is logship with another binary.
func (b *bench) build(binary, logs string, k kind) func() (*shipper.Process, error) {
	other := *b
	other.binary = binary
	return other.logship(logs, k)
}
