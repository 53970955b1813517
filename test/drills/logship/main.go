// Command logship lets `kreislauf logship` go through everything that has made log shippers lose or repeat lines.
//
// Each drill runs the real program as a child over a log tree of its own, against a sink in this process that has bad days on
// command. Events are numbered: a number that is neither visible nor in the dead-letter store is lost, a number in two documents is
// visible twice. Duplicates on the wire are documents that came although they were stored; the ids make the sink refuse them (409).
//
//	go run ./test/drills/logship                        all drills
//	go run ./test/drills/logship -only kill-backlog     one, or several with commas; -list names them
//	go run ./test/drills/logship -outage 6s             shorter outages than the 20 s of the default
//
// The exit code is 1 when a drill failed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// scenario is one drill.
type scenario struct {
	name, what string
	run        func(d *drill) error
}

func scenarios() []scenario {
	return []scenario{
		{"kill-backlog", "kill -9 twice in a backlog", killBacklog},
		{"sigterm", "SIGTERM in a backlog, restart", terminate},
		{"outage", "sink down, then back", outage},
		{"outage-kill", "sink down, kill -9 meanwhile", outageKill},
		{"429", "HTTP 429 for whole requests, in bursts", bursts},
		{"item-429", "429 for 10 % of the documents", itemBusy},
		{"item-400", "400 for 1 % of the documents", itemRejected},
		{"cut", "accepted, then cut, every 7th bulk", cutAnswers},
		{"request-400", "400 for the whole request", poisoned},
		{"request-413", "413 for large requests", tooLarge},
		{"unauthorized", "401, kill -9, repaired", unauthorized},
		{"no-template", "404 for every document, kill -9, repaired", noTemplate},
		{"two-targets", "two targets, one dead", twoTargets},
		{"rotate-outside", "renamed out of the glob, 5 times", rotateOutside},
		{"rotate-inside", "renamed within the glob, 5 times", rotateInside},
		{"copytruncate", "copytruncate at 10,000/s, 4 times", copyTruncate},
		{"copy-inside", "copytruncate, copies in the glob, 4 times", copyInside},
		{"cut-line", "container's line cut by a rotation, 6 times", cutLine},
		{"gzip", "rotated and compressed, 3 times", gzipRunning},
		{"gzip-stopped", "compressed while logship is stopped", gzipStopped},
		{"long-lines", "lines of 1 MB and 3 MiB", longLines},
		{"bad-lines", "no JSON, NUL, no UTF-8, repeated keys", badLines},
		{"conflicts", "texts for objects, objects for texts, replay", conflicts},
		{"foreign-times", "times of other loggers, none, absurd ones", foreignTimes},
		{"fastcgi-trace", "nginx error entries of several lines, kill -9", fastCGITraces},
		{"other-endings", "byte order marks, CRLF", otherEndings},
		{"begin-alike", "services that begin alike, copytruncate", beginAlike},
		{"syslog-file", "/var/log/syslog rotated, kill -9", syslogFile},
		{"syslog-tcp", "4 senders by TCP, sink down, SIGTERM", syslogTCP},
		{"syslog-local", "3 senders by a local socket, sink down", syslogLocal},
		{"received-full", "sink down until senders have to wait", receivedFull},
		{"stdin", "standard input, sink down; ends by itself", standardInput},
		{"journal", "journalctl, kill -9 three times", journal},
		{"partial-line", "last line completed 3 s later", partialLine},
		{"many-files", "1,000 files, kill -9", manyFiles},
		{"inode-reuse", "new file with the inode of a deleted one", inodeReuse},
		{"deleted", "file deleted while it is behind", deletedBehind},
		{"symlink", "symbolic link that changes its target", symlink},
		{"clock-jump", "times jump by years, kill -9", clockJump},
		{"disk-full", "disk of the checkpoint full, kill -9", diskFull},
		{"checkpoint", "checkpoint damaged, kill -9", brokenCheckpoint},
	}
}

func main() {
	ok, err := drills(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "drills logship:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func drills(args []string) (ok bool, err error) {
	fs := flag.NewFlagSet("drills", flag.ContinueOnError)
	opt := options{scale: 1, log: io.Discard}
	only := fs.String("only", "", "drills to run, separated by commas; all when empty")
	list := fs.Bool("list", false, "print the names of the drills")
	verbose := fs.Bool("v", false, "show what logship says")
	fs.StringVar(&opt.binary, "bin", "bin/kreislauf", "kreislauf")
	fs.StringVar(&opt.dir, "dir", "", "folder for the log trees; the system's temporary folder when empty")
	fs.DurationVar(&opt.outage, "outage", 20*time.Second, "how long the sink is down")
	if err := fs.Parse(args); err != nil {
		return false, fmt.Errorf("flags: %w", err)
	}
	chosen, err := choose(*only)
	if err != nil || *list {
		for _, s := range scenarios() {
			fmt.Printf("%-15s %s\n", s.name, s.what)
		}
		return err == nil, err
	}
	if *verbose {
		opt.log = os.Stderr
	}
	if opt.binary, err = filepath.Abs(opt.binary); err != nil {
		return false, fmt.Errorf("find kreislauf: %w", err)
	}
	if _, err := exec.LookPath(opt.binary); err != nil {
		return false, fmt.Errorf("find kreislauf: %w (run `make build`)", err)
	}
	return table(chosen, opt), nil
}

// table runs the drills and prints what they show.
func table(chosen []scenario, opt options) bool {
	fmt.Printf("%-15s %-42s %8s %5s %8s %8s %6s  %s\n", "drill", "scenario", "expected", "lost", "visible", "on the", "time", "note")
	fmt.Printf("%-15s %-42s %8s %5s %8s %8s %6s\n", "", "", "", "", "twice", "wire", "")
	passed, failed := 0, 0
	for _, s := range chosen {
		began := time.Now()
		out := run(s, opt)
		note := out.note
		if out.err == nil {
			passed++
		} else {
			failed++
			note = strings.Join([]string{"FAILED: " + strings.ReplaceAll(out.err.Error(), "\n", "; "), note}, "; ")
		}
		fmt.Printf("%-15s %-42s %8d %5d %8d %8d %5.1fs  %s\n", s.name, s.what, out.expected, out.lost, out.visible, out.wire, time.Since(began).Seconds(), note)
	}
	fmt.Printf("drills: %d passed, %d failed\n", passed, failed)
	return failed == 0
}

func choose(only string) ([]scenario, error) {
	if only == "" {
		return scenarios(), nil
	}
	var out []scenario
	for _, name := range strings.Split(only, ",") {
		found := false
		for _, s := range scenarios() {
			if s.name == name {
				out, found = append(out, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no drill %q; -list names them", name)
		}
	}
	return out, nil
}
