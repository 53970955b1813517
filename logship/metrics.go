package logship

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// MetricsHandler answers with the status in the text format of Prometheus.
func (s *Shipper) MetricsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(metricsText(s.Status())) // the client went away
	})
}

// targetMetrics are the metrics with the label target.
var targetMetrics = [...]struct {
	name, kind, help string
	value            func(*TargetStatus) any
}{
	{"delivered_total", "counter", "Documents stored.", func(t *TargetStatus) any { return t.Delivered }},
	{"duplicates_total", "counter", "Documents that were there already (409).", func(t *TargetStatus) any { return t.Duplicates }},
	{"rejected_total", "counter", "Documents put into the dead-letter store.", func(t *TargetStatus) any { return t.Rejected }},
	{
		"failure_store_total", "counter", "Documents the server put into a failure store.",
		func(t *TargetStatus) any { return t.FailureStore },
	},
	{"retries_total", "counter", "Documents sent again.", func(t *TargetStatus) any { return t.Retries }},
	{
		"shortened_total", "counter", "Documents that lost a part because the target takes none as large.",
		func(t *TargetStatus) any { return t.Shortened },
	},
	{"requests_total", "counter", "Bulk requests.", func(t *TargetStatus) any { return t.Requests }},
	{"sent_bytes_total", "counter", "Bytes of bulk bodies.", func(t *TargetStatus) any { return t.SentBytes }},
	{"wire_bytes_total", "counter", "Bytes of bulk bodies as compressed.", func(t *TargetStatus) any { return t.WireBytes }},
	{"failovers_total", "counter", "Changes to another address of the target.", func(t *TargetStatus) any { return t.Failovers }},
	{
		"abandoned_bytes_total", "counter", "Bytes truncated away before they were read.",
		func(t *TargetStatus) any { return t.AbandonedBytes },
	},
	{"dead_letter_bytes", "gauge", "Bytes in the dead-letter store.", func(t *TargetStatus) any { return t.DeadLetterBytes }},
	{
		"deleted_held_bytes", "gauge", "Bytes of deleted files that are kept open until they are delivered.",
		func(t *TargetStatus) any { return t.HeldBytes },
	},
	{"geo_databases_loaded", "gauge", "Open geo databases.", func(t *TargetStatus) any { return t.GeoDatabases }},
	{"geo_misses_total", "counter", "Public addresses without a place.", func(t *TargetStatus) any { return t.GeoMisses }},
	{"target_degraded", "gauge", "1 while the last bulk request failed as a whole.", func(t *TargetStatus) any {
		if t.Degraded {
			return 1
		}
		return 0
	}},
	{
		"reconciled_total", "counter", "Documents that were written and found indexed.",
		func(t *TargetStatus) any { return t.reconciled().Matched },
	},
	{
		"reconcile_missing_total", "counter", "Documents that the target acknowledged and does not have.",
		func(t *TargetStatus) any { return t.reconciled().Missing },
	},
	{
		"reconcile_surplus_total", "counter", "Documents that the target has and that were not acknowledged.",
		func(t *TargetStatus) any { return t.reconciled().Surplus },
	},
	{"reconcile_open", "gauge", "Documents that are not compared yet.", func(t *TargetStatus) any { return t.reconciled().Open }},
	{"reconcile_errors_total", "counter", "Comparisons without an answer.", func(t *TargetStatus) any { return t.reconciled().Errors }},
	{"files", "gauge", "Files followed.", func(t *TargetStatus) any { return len(t.Files) }},
	{"behind_bytes", "gauge", "Bytes in all files that are not final.", func(t *TargetStatus) any { return t.Behind }},
	{
		"oldest_unacked_seconds", "gauge", "Age of the oldest line that is not final.",
		func(t *TargetStatus) any { return t.OldestUnacked },
	},
	{
		"complete_until_ms", "gauge", "Unix time in milliseconds before which all that was written is final; 0 when not known.",
		func(t *TargetStatus) any {
			if t.CompleteUntil == nil {
				return 0
			}
			return t.CompleteUntil.UnixMilli()
		},
	},
}

// fileMetrics are the metrics with the labels target and path.
var fileMetrics = [...]struct {
	name, help string
	value      func(*FileStatus) any
}{
	{"file_behind_bytes", "Bytes of a file that are not final.", func(f *FileStatus) any { return f.Behind }},
	{
		"file_oldest_unacked_seconds", "Age of the oldest line of a file that is not final.",
		func(f *FileStatus) any { return f.OldestUnacked },
	},
}

func metricsText(st Status) []byte {
	var out bytes.Buffer
	for _, m := range targetMetrics {
		fmt.Fprintf(&out, "# HELP logship_%s %s\n# TYPE logship_%s %s\n", m.name, m.help, m.name, m.kind)
		for i := range st.Targets {
			t := &st.Targets[i]
			fmt.Fprintf(&out, "logship_%s{target=%s} %v\n", m.name, label(t.Name), m.value(t))
		}
	}
	for _, m := range fileMetrics {
		fmt.Fprintf(&out, "# HELP logship_%s %s\n# TYPE logship_%s gauge\n", m.name, m.help, m.name)
		for i := range st.Targets {
			t := &st.Targets[i]
			for j := range t.Files {
				fmt.Fprintf(&out, "logship_%s{target=%s,path=%s} %v\n", m.name, label(t.Name), label(t.Files[j].Path), m.value(&t.Files[j]))
			}
		}
	}
	return out.Bytes()
}

// label renders the value of a label with its quotes.
func label(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}
