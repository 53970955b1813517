package logship

import (
	"sort"
	"time"

	"kreislauf/logship/ledger"
)

// Status is what Shipper.Status reports.
type Status struct {
	// Instance is the name of the shipper, Started when it was made, Time when the status was taken.
	Instance string         `json:"instance"`
	Started  time.Time      `json:"started"`
	Time     time.Time      `json:"time"`
	Targets  []TargetStatus `json:"targets"`
}

// FileStatus is how far one file is delivered to one target.
type FileStatus struct {
	Path string `json:"path"`
	// Size is the size of the file when it was last looked at, Acked the offset below which everything is final,
	// Behind the difference; all in bytes.
	Size   int64 `json:"size"`
	Acked  int64 `json:"acked"`
	Behind int64 `json:"behind_bytes"`
	// OldestUnacked is for how many seconds the oldest line that is not final has been known, 0 when there is none.
	OldestUnacked float64 `json:"oldest_unacked_seconds"`
	// Gone says that the file was renamed or deleted and is read to its end, Deleted that it has no name at all any more.
	Gone    bool `json:"gone,omitempty"`
	Deleted bool `json:"deleted,omitempty"`
}

// TargetStatus is how far one target is. Counters are documents since the start unless they say bytes.
type TargetStatus struct {
	Name string `json:"name"`
	// Behind is the sum over all files in bytes, OldestUnacked the maximum in seconds.
	Behind        int64   `json:"behind_bytes"`
	OldestUnacked float64 `json:"oldest_unacked_seconds"`
	// CompleteUntil is the time before which all that was written to the followed files is final. It is some seconds old when all
	// is well, stands still while a file is behind, and is nil when it is not known since the start.
	CompleteUntil *time.Time `json:"complete_until,omitempty"`
	// Degraded says that the last request to the target failed as a whole: no document of it was stored.
	Degraded bool `json:"degraded"`
	// Delivered were stored, Duplicates were there already (409), Rejected went to the dead-letter store,
	// FailureStore to the failure store of the server, Retries were sent again, Shortened lost a part because the
	// target takes no document as large.
	Delivered    int64 `json:"delivered"`
	Duplicates   int64 `json:"duplicates"`
	Rejected     int64 `json:"rejected"`
	FailureStore int64 `json:"failure_store"`
	Retries      int64 `json:"retries"`
	Shortened    int64 `json:"shortened"`
	// Requests and SentBytes count bulk requests and their bodies, WireBytes the bodies as compressed, Failovers
	// changes to another address.
	Requests  int64 `json:"requests"`
	SentBytes int64 `json:"sent_bytes"`
	WireBytes int64 `json:"wire_bytes"`
	Failovers int64 `json:"failovers"`
	// AbandonedBytes were truncated away by a writer before they were read.
	AbandonedBytes int64 `json:"abandoned_bytes"`
	// DeadLetterBytes are in the dead-letter store now.
	DeadLetterBytes int64 `json:"dead_letter_bytes"`
	// HeldBytes are of deleted files that are kept open until they are delivered.
	HeldBytes int64 `json:"deleted_held_bytes"`
	// GeoDatabases is the number of open geo databases, GeoMisses counts public addresses without a place.
	GeoDatabases int64 `json:"geo_databases"`
	GeoMisses    int64 `json:"geo_misses"`

	// Reconciliation is nil when written and indexed documents are not compared.
	Reconciliation *ledger.Reconciliation `json:"reconciliation,omitempty"`

	Files []FileStatus `json:"files"`
}

// Status returns the present state. It may be called at any time, from any goroutine.
func (s *Shipper) Status() Status {
	out := Status{Instance: s.opt.Instance, Started: s.pipelines[0].started, Time: time.Now()}
	for _, p := range s.pipelines {
		out.Targets = append(out.Targets, p.status())
	}
	return out
}

// status returns the state of one target.
func (p *pipeline) status() TargetStatus {
	stats := p.client.Stats()
	out := TargetStatus{
		Name: p.name, Degraded: stats.Degraded,
		Delivered: stats.Delivered, Duplicates: stats.Duplicates, Rejected: stats.Rejected, FailureStore: stats.FailureStore,
		Retries: stats.Retries, Shortened: stats.Shortened, Requests: stats.Requests, SentBytes: stats.Bytes, WireBytes: stats.WireBytes,
		Failovers: stats.Failovers, GeoDatabases: p.geo.Loaded(), GeoMisses: p.geo.Misses(), Files: []FileStatus{},
	}
	if size, err := p.dead.Size(); err == nil { // when the folder is not readable, the next rejection raises an alarm
		out.DeadLetterBytes = size
	}
	p.pump.locked(func() { p.progress(&out) })
	sort.Slice(out.Files, func(i, j int) bool { return out.Files[i].Path < out.Files[j].Path })
	return out
}

// progress fills in what the pump knows: the files, and what was found by comparing.
func (p *pipeline) progress(out *TargetStatus) {
	out.AbandonedBytes = p.follower.Abandoned()
	if t := p.follower.CompleteUntil(); !t.IsZero() {
		t = t.Round(0) // without the monotonic clock: it goes out of the process
		out.CompleteUntil = &t
	}
	if p.ledger != nil {
		r := p.ledger.Report()
		out.Reconciliation = &r
	}
	now := time.Now()
	for file := range p.follower.Files() {
		f := FileStatus{
			Path: file.Path(), Size: file.Size(), Acked: file.Acked(), Behind: max(0, file.Size()-file.Acked()),
			OldestUnacked: file.Age(now).Seconds(), Gone: file.Gone(), Deleted: file.Deleted(),
		}
		if f.Deleted {
			out.HeldBytes += f.Size
		}
		out.Behind += f.Behind
		out.OldestUnacked = max(out.OldestUnacked, f.OldestUnacked)
		out.Files = append(out.Files, f)
	}
}

// reconciled returns what the comparison found, zero when there is none.
func (t *TargetStatus) reconciled() ledger.Reconciliation {
	if t.Reconciliation == nil {
		return ledger.Reconciliation{}
	}
	return *t.Reconciliation
}
