package logship

import (
	"sort"
	"time"
)

// FileStatus is how far one file is delivered.
type FileStatus struct {
	Path string
	// Size is the size of the file when it was last looked at, Acked the offset below which everything is final,
	// Behind the difference; all in bytes.
	Size, Acked, Behind int64
	// OldestUnacked is the age of the oldest line that is noticed and not final, 0 when there is none.
	OldestUnacked time.Duration
	// Gone says that the file was renamed or deleted and is read to its end.
	Gone bool
}

// Status is what Shipper.Status reports. Counters are documents since the start.
type Status struct {
	Files []FileStatus
	// Behind is the sum over all files, OldestUnacked the maximum.
	Behind        int64
	OldestUnacked time.Duration
	// Delivered were stored, Duplicates were there already (409), Rejected are in the dead-letter file,
	// FailureStore went to the failure store of the server, Retries were sent again.
	Delivered, Duplicates, Rejected, FailureStore, Retries int64
	// Requests and SentBytes count bulk requests and their bodies.
	Requests, SentBytes int64
	// AbandonedBytes were truncated away by a writer before they were read.
	AbandonedBytes int64
	// GeoDatabases is the number of open geo databases, GeoMisses counts public addresses without a place.
	GeoDatabases, GeoMisses int64
	// TargetDegraded says that the last request to the target failed as a whole.
	TargetDegraded bool
}

// Status returns the state at this moment. It may be called at any time, from any goroutine.
func (s *Shipper) Status() Status {
	stats := s.client.Stats()
	out := Status{
		Delivered: stats.Delivered, Duplicates: stats.Duplicates, Rejected: stats.Rejected,
		FailureStore: stats.FailureStore, Retries: stats.Retries, Requests: stats.Requests, SentBytes: stats.Bytes,
		GeoDatabases: s.geo.Loaded(), GeoMisses: s.geo.Misses(), TargetDegraded: stats.Degraded,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.AbandonedBytes = s.abandoned
	now := time.Now()
	for _, st := range s.files {
		f := FileStatus{
			Path: st.Path, Size: st.Size(), Acked: st.Acked(),
			Behind: max(0, st.Size()-st.Acked()), OldestUnacked: st.age(now), Gone: st.gone,
		}
		out.Behind += f.Behind
		out.OldestUnacked = max(out.OldestUnacked, f.OldestUnacked)
		out.Files = append(out.Files, f)
	}
	sort.Slice(out.Files, func(i, j int) bool { return out.Files[i].Path < out.Files[j].Path })
	return out
}

// age returns how long the oldest line that is not final has been noticed.
func (s *stream) age(now time.Time) time.Duration {
	if since, ok := s.Pending(); ok {
		return now.Sub(since)
	}
	if !s.noticed.IsZero() {
		return now.Sub(s.noticed)
	}
	return 0
}
