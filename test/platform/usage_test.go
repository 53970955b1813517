package platform

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/procfs"

	"kreislauf/internal/local"
	"kreislauf/internal/local/supervise"
)

// TestUsageOfATree reads testdata/proc: `kreislauf up` (100) with two instances of order, nginx with two workers and a Java program
// below it, process 140 that ended after it was listed, and two processes that are none of ours.
func TestUsageOfATree(t *testing.T) {
	proc, err := procfs.NewFS("testdata/proc")
	if err != nil {
		t.Fatal(err)
	}
	info := local.Running{PID: 100, Components: []supervise.Status{
		{Name: "order-1", PID: 110},
		{Name: "order-2", PID: 111},
		{Name: "nginx", PID: 120},
		{Name: "kafka", PID: 130},
		{Name: "redis", PID: 140},
		{Name: "alerter-1", PID: 100}, // as with -compact
	}}
	got, err := usageOf(proc, info)
	if err != nil {
		t.Fatal(err)
	}
	want := Usage{
		{PID: 100, Role: "up", CPU: 150 * time.Millisecond, Written: 4096, Writes: 20, Resident: 30000 << 10, Share: 10000 << 10},
		{PID: 110, Role: "order", CPU: 2 * time.Second, Written: 36864, Writes: 200, Resident: 40000 << 10, Share: 15000 << 10},
		{PID: 111, Role: "order", CPU: 1500 * time.Millisecond, Written: 8192, Writes: 100, Resident: 41000 << 10, Share: 16000 << 10},
		{PID: 120, Role: "nginx", CPU: 20 * time.Millisecond, Writes: 2, Resident: 9000 << 10, Share: 3000 << 10},
		{PID: 121, Role: "nginx", CPU: 500 * time.Millisecond, Written: 12288, Writes: 300, Resident: 8000 << 10, Share: 2000 << 10},
		{PID: 122, Role: "nginx", CPU: 300 * time.Millisecond, Writes: 150, Resident: 8000 << 10, Share: 2000 << 10},
		{PID: 130, Role: "kafka", CPU: 6 * time.Second, Written: 1 << 20, Writes: 1000, Resident: 300000 << 10, Share: 290000 << 10},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("usage (-want +got):\n%s", d)
	}
	nginx := Process{Role: "nginx", CPU: 820 * time.Millisecond, Written: 12288, Writes: 452, Resident: 25000 << 10, Share: 7000 << 10}
	if d := cmp.Diff(nginx, got.ByRole()["nginx"]); d != "" {
		t.Errorf("nginx (-want +got):\n%s", d)
	}
}

func TestSince(t *testing.T) {
	before := Usage{
		{PID: 1, Role: "order", CPU: time.Second, Written: 100, Writes: 10, Resident: 7},
		{PID: 2, Role: "redis", CPU: time.Second},
	}
	after := Usage{
		{PID: 1, Role: "order", CPU: 3 * time.Second, Written: 50, Writes: 30, Resident: 5}, // it took back what it had written
		{PID: 2, Role: "redis", CPU: time.Second},
		{PID: 3, Role: "order", CPU: time.Second, Written: 10, Writes: 1, Resident: 2},
	}
	got, err := after.Since(before)
	if err != nil {
		t.Fatal(err)
	}
	want := Process{CPU: 3 * time.Second, Written: 10, Writes: 21, Resident: 7}
	if d := cmp.Diff(want, got.Sum()); d != "" {
		t.Errorf("sum (-want +got):\n%s", d)
	}
	if _, err := after[:1].Since(before); err == nil || !strings.Contains(err.Error(), "redis (pid 2) ended") {
		t.Errorf("an ended process gives the error %v", err)
	}
}

// TestInfoOfAnOlderBuild reads what the build of commit 295f0ef wrote: measurements compare with it.
func TestInfoOfAnOlderBuild(t *testing.T) {
	p := Platform{Dir: "testdata/295f0ef"}
	info, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.PID != 18852 || info.Entry != "http://127.0.0.1:38373" || info.Logship != "127.0.0.1:33157" || len(info.Components) != 17 {
		t.Errorf("pid %d, entry %s, logship %s, %d components", info.PID, info.Entry, info.Logship, len(info.Components))
	}
	for _, c := range info.Components {
		if c.PID == 0 || c.State != supervise.Ready {
			t.Errorf("%s has pid %d and is %s", c.Name, c.PID, c.State)
		}
	}
}
