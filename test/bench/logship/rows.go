package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// row is one line of the table: a name for -only and what measures it.
type row struct {
	name, what string
	run        func(b *bench) error
}

func rows() []row {
	return []row{
		{"nginx-raw", "nginx JSON, uncompressed", func(b *bench) error {
			return b.backlog("nginx JSON, raw", b.nginxFile, kind{geo: true}, 3.2, 1.15)
		}},
		{"nginx-gzip", "nginx JSON, gzip level 1", func(b *bench) error {
			return b.backlog("nginx JSON, gzip-1", b.nginxFile, kind{geo: true, gzip: true}, 6.5, 1.1)
		}},
		{"short-raw", "nginx JSON with fewer fields, as the targets were set for, uncompressed", func(b *bench) error {
			return b.backlog("short nginx JSON, raw", b.shortFile, kind{geo: true}, 3.2, 1.15)
		}},
		{"short-gzip", "nginx JSON with fewer fields, gzip level 1", func(b *bench) error {
			return b.backlog("short nginx JSON, gzip-1", b.shortFile, kind{geo: true, gzip: true}, 6.5, 1.1)
		}},
		{"service-raw", "service log, uncompressed", func(b *bench) error {
			return b.backlog("service log, raw", b.serviceFile, kind{}, 1.3, 1.15)
		}},
		{"service-gzip", "service log, gzip level 1", func(b *bench) error {
			return b.backlog("service log, gzip-1", b.serviceFile, kind{gzip: true}, 3, 1.1)
		}},
		{"geo-different", "what places cost when all addresses are different", (*bench).surcharge},
		{"user-agent", "what parsing user agents costs", (*bench).userAgents},
		{"files", "backlog in 1,000 files", (*bench).files},
		{"memory", "peak memory with 1 GB of backlog", (*bench).memory},
		{"idle", "1,000 files that do not grow", (*bench).idle},
		{"steady", "1,000 events a second: CPU and lag", func(b *bench) error { return b.steady(1_000) }},
		{"lag-10k", "10,000 events a second: CPU and lag", func(b *bench) error { return b.steady(10_000) }},
		{"peers", "other shippers on this machine", (*bench).peers},
	}
}

// size is the number of lines of a backlog.
func (b *bench) size() int {
	if b.quick {
		return 100_000
	}
	return 600_000 * b.scale
}

// unscaled is a target that holds for the usual number of files only; 0, which is none, for more of them.
func (b *bench) unscaled(target float64) float64 {
	if b.scale > 1 {
		return 0
	}
	return target
}

// nginxFile and serviceFile make the input of a backlog below root and return its path.
func (b *bench) nginxFile(root string, n int) (string, error) {
	path := filepath.Join(root, "local", "kreislauf", "nginx", "access.log")
	return path, repeat(path, nginxSample(b.reqs, b.seed), n)
}

func (b *bench) shortFile(root string, n int) (string, error) {
	path := filepath.Join(root, "local", "kreislauf", "nginx", "access.log")
	return path, repeat(path, shortSample(b.reqs, b.seed), n)
}

func (b *bench) serviceFile(root string, n int) (string, error) {
	path := filepath.Join(root, "local", "kreislauf", "order", "order-2.log")
	return path, repeat(path, serviceSample(b.seed), n)
}

// logs makes a folder for the log tree of a row.
func (b *bench) logs() (string, func(), error) {
	dir, err := os.MkdirTemp(b.dir, "logs-")
	if err != nil {
		return "", nil, fmt.Errorf("make log folder: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil // the whole folder goes at the end
}

// backlog ships one file.
func (b *bench) backlog(work string, input func(string, int) (string, error), k kind, target, ratio float64) error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	path, err := input(root, b.size())
	if err != nil {
		return err
	}
	lean, own := k, k
	lean.lean, own.own = true, true
	runs, err := b.inTurn(b.size(), b.floor(path, k), b.logship(root, k), b.floor(path, lean), b.floor(path, own))
	if err != nil {
		return err
	}
	f, l := runs[0], runs[1]
	b.table.row(work, cost("logship", l), b.table.verdict(l.perMillion(), target, "CPU-s/M"), cost("floor", f), b.table.ratio(l.over(f), ratio))
	b.table.row("  beside it: short documents", cost("floor", runs[2]), b.table.ratio(l.over(runs[2]), 0))
	b.table.row("  beside it: logship's scanner", cost("floor", runs[3]), b.table.ratio(l.over(runs[3]), 0))
	return nil
}

// surcharge is the difference between shipping with and without places, all addresses different.
func (b *bench) surcharge() error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	n := b.size() / 2
	path := filepath.Join(root, "local", "kreislauf", "nginx", "access.log")
	if err := different(path, b.reqs, n, b.seed); err != nil {
		return err
	}
	with, without := kind{geo: true}, kind{}
	runs, err := b.inTurn(n, b.floor(path, with), b.logship(root, with), b.floor(path, without), b.logship(root, without))
	if err != nil {
		return err
	}
	fWith, lWith, fWithout, lWithout := runs[0], runs[1], runs[2], runs[3]
	l, f := lWith.perMillion()-lWithout.perMillion(), fWith.perMillion()-fWithout.perMillion()
	b.table.row("geo, all addresses different", fmt.Sprintf("logship %.2f CPU-s/M more (%.2f with, %.2f without)", l, lWith.perMillion(), lWithout.perMillion()),
		b.table.verdict(l, 6, "CPU-s/M"), fmt.Sprintf("floor %.2f more (%.2f, %.2f)", f, fWith.perMillion(), fWithout.perMillion()), b.table.ratio(l/f, 0))
	return nil
}

// userAgents compares logship with and without parsing, and shows the whole against the floor without.
func (b *bench) userAgents() error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	path, err := b.nginxFile(root, b.size())
	if err != nil {
		return err
	}
	runs, err := b.inTurn(b.size(), b.logship(root, kind{geo: true, agents: true}), b.floor(path, kind{geo: true}), b.logship(root, kind{geo: true}))
	if err != nil {
		return err
	}
	with, f, without := runs[0], runs[1], runs[2]
	b.table.row("user agents", cost("logship", with), fmt.Sprintf("%.2f CPU-s/M more than without", with.perMillion()-without.perMillion()),
		cost("floor without agents", f), b.table.ratio(with.over(f), 0))
	return nil
}

const filesLines = 300

// manyFiles makes n files of service lines in 10 folders.
func (b *bench) manyFiles(root string, n, lines int) error {
	sample := serviceSample(b.seed)
	for i := range n {
		path := filepath.Join(root, "local", "kreislauf", fmt.Sprintf("service%d", i%10), fmt.Sprintf("service-%d.log", i))
		if err := repeat(path, sample, lines); err != nil {
			return err
		}
	}
	return nil
}

// files ships many files.
func (b *bench) files() error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	n := 1_000 * b.scale
	if err := b.manyFiles(root, n, filesLines); err != nil {
		return err
	}
	runs, err := b.inTurn(n*filesLines, b.floor(root, kind{}), b.logship(root, kind{}))
	if err != nil {
		return err
	}
	f, l := runs[0], runs[1]
	b.table.row(fmt.Sprintf("%d files x %d lines", n, filesLines), cost("logship", l), b.table.verdict(mb(l.memory.Resident), b.unscaled(48), "MB"), cost("floor", f),
		b.table.ratio(l.over(f), 0))
	return nil
}

// memory ships 1 GB.
func (b *bench) memory() error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	n := 1_650_000 * b.scale
	if b.quick {
		n = 300_000
	}
	path, err := b.nginxFile(root, n)
	if err != nil {
		return err
	}
	k := kind{geo: true}
	runs, err := b.inTurn(n, b.floor(path, k), b.logship(root, k))
	if err != nil {
		return err
	}
	f, l := runs[0], runs[1]
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at input: %w", err)
	}
	b.table.row(fmt.Sprintf("memory, %.1f GB backlog", float64(info.Size())/1e9), cost("logship", l), b.table.verdict(mb(l.memory.Resident), 48, "MB"), cost("floor", f),
		b.table.ratio(mb(l.memory.Resident)/mb(f.memory.Resident), 0))
	return nil
}
