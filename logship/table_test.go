package logship

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/ledger"
)

var update = flag.Bool("update", false, "renew the golden files")

// golden compares got with a file, or renews it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

func TestTable(t *testing.T) {
	began := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	last := Status{Targets: []TargetStatus{{Name: "main", Delivered: 1000}}}
	st := Status{Instance: "node-7", Started: began, Time: began.Add(90 * time.Minute), Targets: []TargetStatus{
		{
			Name: "main", Behind: 5 << 20, OldestUnacked: 1.234, Delivered: 3000, Duplicates: 7, Rejected: 2, Retries: 9, AbandonedBytes: 12,
			DeadLetterBytes: 2048, Reconciliation: &ledger.Reconciliation{Missing: 1},
			Files: []FileStatus{{Path: "/log/a.log"}, {Path: "/log/b.log", Behind: 5 << 20, OldestUnacked: 1.234, Gone: true, Deleted: true}},
		},
		{Name: "second", Degraded: true, Files: make([]FileStatus, 17)},
	}}
	golden(t, "table.golden", Table(st, last, 2*time.Second))
}
