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

// Memory is what a process held at most, in bytes.
type Memory struct {
	// Resident is the sum over all mappings but those of *.mmdb files: they are shared file pages that the system
	// takes back at will.
	Resident int64
	// Anonymous is the part of it that is no file.
	Anonymous int64
}

// memoryPause is how often WatchMemory looks.
const memoryPause = 100 * time.Millisecond

// WatchMemory looks at /proc/<pid>/smaps until the process ends and returns the highest values seen.
func WatchMemory(p *Process) <-chan Memory {
	out := make(chan Memory, 1)
	go func() {
		var peak Memory
		ticker := time.NewTicker(memoryPause)
		defer ticker.Stop()
		for {
			select {
			case <-p.Done():
				out <- peak
				return
			case <-ticker.C:
				if now, err := memoryOf(p.PID()); err == nil {
					peak.Resident = max(peak.Resident, now.Resident)
					peak.Anonymous = max(peak.Anonymous, now.Anonymous)
				}
			}
		}
	}()
	return out
}

func memoryOf(pid int) (Memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("read memory map: %w", err)
	}
	var m Memory
	geo := false
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) >= 5 && strings.Contains(fields[0], "-") && !strings.HasSuffix(fields[0], ":") {
			geo = strings.HasSuffix(s.Text(), ".mmdb")
			continue
		}
		if geo || len(fields) != 3 {
			continue
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "Rss:":
			m.Resident += n << 10
		case "Anonymous:":
			m.Anonymous += n << 10
		}
	}
	return m, nil
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
