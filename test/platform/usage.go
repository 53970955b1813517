package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"kreislauf/internal/local"
)

// Supervisor names the process of `kreislauf up` itself. With -compact the services run in it.
const Supervisor = "up"

// Process is what one process has used since it began, and what memory it has now.
type Process struct {
	PID      int
	Role     string        // "order" for order-2, "nginx" for each of its workers, Supervisor
	CPU      time.Duration // user and system; the kernel counts in steps of 10 ms
	Written  int64         // bytes that it caused to be written to the disk
	Writes   int64         // calls of write and its kind, of sockets as well
	Resident int64         // bytes; memory that processes share counts in each
	Share    int64         // the same with shared memory divided by those who share it (PSS)
}

// Usage lists the processes of the platform by process id: `kreislauf up` and all below it.
type Usage []Process

// Usage measures all processes of the running platform.
func (p *Platform) Usage() (Usage, error) {
	info, err := p.Info()
	if err != nil {
		return nil, err
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, fmt.Errorf("open /proc: %w", err)
	}
	return usageOf(proc, info)
}

// instanceNumber is the end of a component's name.
var instanceNumber = regexp.MustCompile(`-[0-9]+$`)

// usageOf finds the processes in a tree like /proc. Each belongs to the nearest component above it.
func usageOf(proc procfs.FS, info local.Running) (Usage, error) {
	role := map[int]string{}
	for _, c := range info.Components {
		role[c.PID] = instanceNumber.ReplaceAllString(c.Name, "")
	}
	role[info.PID] = Supervisor
	all, err := proc.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	slices.SortFunc(all, func(a, b procfs.Proc) int { return a.PID - b.PID })
	stats := map[int]procfs.ProcStat{}
	for _, p := range all {
		s, err := p.Stat()
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read process %d: %w", p.PID, err)
		}
		stats[p.PID] = s
	}
	var u Usage
	for _, p := range all {
		owner := p.PID
		for owner != 0 && role[owner] == "" {
			owner = stats[owner].PPID
		}
		if _, alive := stats[p.PID]; owner == 0 || !alive {
			continue
		}
		one, err := usageOfProcess(p, stats[p.PID])
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("measure process %d (%s): %w", p.PID, role[owner], err)
		}
		one.Role = role[owner]
		u = append(u, one)
	}
	return u, nil
}

func usageOfProcess(p procfs.Proc, s procfs.ProcStat) (Process, error) {
	io, err := p.IO()
	if err != nil {
		return Process{}, err
	}
	mem, err := p.ProcSMapsRollup()
	if err != nil {
		return Process{}, err
	}
	return Process{
		PID: p.PID, CPU: time.Duration(s.CPUTime() * float64(time.Second)),
		Written: max(0, int64(io.WriteBytes)-io.CancelledWriteBytes), Writes: int64(io.SyscW), Resident: int64(mem.Rss), Share: int64(mem.Pss),
	}, nil
}

// gone says that a process ended between two looks.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// Since is what was used between before and u; memory is that of u. The error names a role one of whose processes ended in between:
// what it used at last is not known.
func (u Usage) Since(before Usage) (Usage, error) {
	old := map[int]Process{}
	for _, p := range before {
		old[p.PID] = p
	}
	d := make(Usage, 0, len(u))
	for _, p := range u {
		b := old[p.PID]
		delete(old, p.PID)
		p.CPU -= b.CPU
		p.Written = max(0, p.Written-b.Written)
		p.Writes -= b.Writes
		d = append(d, p)
	}
	for _, p := range old {
		return d, fmt.Errorf("a process of %s (pid %d) ended during the measurement", p.Role, p.PID)
	}
	return d, nil
}

// Sum adds everything up.
func (u Usage) Sum() Process {
	var s Process
	for _, p := range u {
		s.add(p)
	}
	return s
}

// ByRole adds up by role.
func (u Usage) ByRole() map[string]Process {
	m := map[string]Process{}
	for _, p := range u {
		s := m[p.Role]
		s.Role = p.Role
		s.add(p)
		m[p.Role] = s
	}
	return m
}

func (s *Process) add(p Process) {
	s.CPU += p.CPU
	s.Written += p.Written
	s.Writes += p.Writes
	s.Resident += p.Resident
	s.Share += p.Share
}
