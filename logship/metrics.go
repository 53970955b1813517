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

func metricsText(st Status) []byte {
	var out bytes.Buffer
	degraded := 0
	if st.TargetDegraded {
		degraded = 1
	}
	for _, m := range [...]struct {
		name, kind, help string
		value            any
	}{
		{"delivered_total", "counter", "Documents stored.", st.Delivered},
		{"duplicates_total", "counter", "Documents that were there already (409).", st.Duplicates},
		{"rejected_total", "counter", "Documents in the dead-letter file.", st.Rejected},
		{"failure_store_total", "counter", "Documents the server put into a failure store.", st.FailureStore},
		{"retries_total", "counter", "Documents sent again.", st.Retries},
		{"requests_total", "counter", "Bulk requests.", st.Requests},
		{"sent_bytes_total", "counter", "Bytes of bulk bodies.", st.SentBytes},
		{"abandoned_bytes_total", "counter", "Bytes truncated away before they were read.", st.AbandonedBytes},
		{"geo_databases_loaded", "gauge", "Open geo databases.", st.GeoDatabases},
		{"geo_misses_total", "counter", "Public addresses without a place.", st.GeoMisses},
		{"target_degraded", "gauge", "1 while the last bulk request failed as a whole.", degraded},
		{"files", "gauge", "Files followed.", len(st.Files)},
		{"behind_bytes", "gauge", "Bytes in all files that are not final.", st.Behind},
		{"oldest_unacked_seconds", "gauge", "Age of the oldest line that is not final.", st.OldestUnacked.Seconds()},
	} {
		fmt.Fprintf(&out, "# HELP logship_%[1]s %[3]s\n# TYPE logship_%[1]s %[2]s\nlogship_%[1]s %[4]v\n", m.name, m.kind, m.help, m.value)
	}
	out.WriteString("# HELP logship_file_behind_bytes Bytes of a file that are not final.\n# TYPE logship_file_behind_bytes gauge\n")
	for _, f := range st.Files {
		fmt.Fprintf(&out, "logship_file_behind_bytes{path=%s} %d\n", label(f.Path), f.Behind)
	}
	out.WriteString("# HELP logship_file_oldest_unacked_seconds Age of the oldest line of a file that is not final.\n# TYPE logship_file_oldest_unacked_seconds gauge\n")
	for _, f := range st.Files {
		fmt.Fprintf(&out, "logship_file_oldest_unacked_seconds{path=%s} %v\n", label(f.Path), f.OldestUnacked.Seconds())
	}
	return out.Bytes()
}

// label quotes the value of a label.
func label(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}
