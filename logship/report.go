package logship

import (
	"context"
	"encoding/json"
	"sort"
	"time"
)

// maxFileReports is how many files one report names, the ones furthest behind.
const maxFileReports = 50

// report sends the status of the target to the target itself as documents, until ctx ends.
func (s *pipeline) report(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.client.Stats().Degraded {
			continue
		}
		err := s.client.Report(ctx, s.reportStream(), s.reportDocuments(s.status(), s.wall()))
		if ctx.Err() == nil {
			s.alarms.check("report of logship not stored", err)
		}
	}
}

func (s *pipeline) reportStream() string { return "metrics-kreislauf.logship-" + s.opt.Env }

// reportDocuments renders a status: a document about the target and one for each of the files furthest behind.
func (s *pipeline) reportDocuments(st TargetStatus, now time.Time) [][]byte {
	base := func() map[string]any {
		return map[string]any{
			"@timestamp": now.UTC().Format("2006-01-02T15:04:05.000Z"), "ecs.version": "8.11.0",
			"data_stream.type": "metrics", "data_stream.dataset": "kreislauf.logship", "data_stream.namespace": s.opt.Env,
			"event.dataset": "kreislauf.logship", "service_name": "logship", "env": s.opt.Env, "customer": s.opt.Customer,
			"agent.name": s.opt.Instance, "logship.target": st.Name,
		}
	}
	doc := base()
	for _, m := range targetMetrics {
		doc["logship."+m.name] = m.value(&st)
	}
	out := [][]byte{encode(doc)}
	sort.SliceStable(st.Files, func(i, j int) bool { return st.Files[i].Behind > st.Files[j].Behind })
	for i := range st.Files[:min(len(st.Files), maxFileReports)] {
		if st.Files[i].Behind == 0 {
			break
		}
		doc := base()
		doc["log.file.path"] = st.Files[i].Path
		for _, m := range fileMetrics {
			doc["logship."+m.name] = m.value(&st.Files[i])
		}
		out = append(out, encode(doc))
	}
	return out
}

func encode(doc map[string]any) []byte {
	text, err := json.Marshal(doc)
	if err != nil {
		panic("logship: encode report: " + err.Error()) // numbers and strings always have an encoding
	}
	return text
}
