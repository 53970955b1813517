package shipper

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Memory is what a process held, in bytes.
type Memory struct {
	// Resident is Anonymous at its highest plus the file pages at the end, but for those of *.mmdb files: they are
	// shared and the system takes them back at will. It contains the pages of the program file in use.
	Resident int64
	// Anonymous is the highest amount of memory that is no file.
	Anonymous int64
}

// memoryPause is how often a Watch looks. It looks at a counter: reading the whole memory map (smaps) holds a lock of the
// process that is measured.
const memoryPause = 50 * time.Millisecond

// Watch follows the memory of a process.
type Watch struct {
	pid  int
	quit chan struct{}
	peak chan int64
}

// WatchMemory begins to follow the memory of a process.
func WatchMemory(p *Process) *Watch {
	w := &Watch{pid: p.PID(), quit: make(chan struct{}), peak: make(chan int64, 1)}
	go func() {
		ticker := time.NewTicker(memoryPause)
		defer ticker.Stop()
		highest := int64(0)
		for {
			select {
			case <-w.quit:
				w.peak <- highest
				return
			case <-ticker.C:
				if n, err := kilobytes(fmt.Sprintf("/proc/%d/status", w.pid), "RssAnon:"); err == nil {
					highest = max(highest, n<<10)
				}
			}
		}
	}()
	return w
}

// End returns what was seen. The process must still run.
func (w *Watch) End() Memory {
	close(w.quit)
	m := Memory{Anonymous: <-w.peak}
	m.Resident = m.Anonymous + filePages(w.pid)
	return m
}

// kilobytes reads one value of a file like /proc/<pid>/status.
func kilobytes(path, name string) (int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(data), name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("read memory: %s has no %s", path, name)
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return n, nil
}

// filePages sums the resident pages of files but for *.mmdb, 0 when the process has gone.
func filePages(pid int) (total int64) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return 0
	}
	geo := false
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) >= 5 && strings.Contains(fields[0], "-") {
			geo = strings.HasSuffix(s.Text(), ".mmdb")
			continue
		}
		if geo || len(fields) != 3 {
			continue
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		switch {
		case err != nil:
		case fields[0] == "Rss:":
			total += n << 10
		case fields[0] == "Anonymous:":
			total -= n << 10
		}
	}
	return total
}

// CPUNow returns the CPU time that the threads of a running process have used, to the nanosecond.
func CPUNow(pid int) (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		return 0, fmt.Errorf("read CPU time of process %d: no threads", pid)
	}
	var total time.Duration
	for _, t := range threads {
		data, err := os.ReadFile(t)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(data), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		total += time.Duration(n)
	}
	return total, nil
}
