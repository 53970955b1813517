package logship

import (
	"context"
	"encoding/json"
	"sort"
	"time"
)

// maxFileReports is the greatest number of files in one report. Those that are furthest behind are in it.
const maxFileReports = 50

// report sends the status to the target itself, as documents, until ctx ends.
func (p *pipeline) report(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if p.client.Stats().Degraded {
			continue
		}
		err := p.client.Report(ctx, p.reportStream(), p.reportDocuments(p.status(), p.clock()))
		if ctx.Err() == nil {
			p.alarms.Check("report of logship not stored", err)
		}
	}
}

func (p *pipeline) reportStream() string { return "metrics-kreislauf.logship-" + p.opt.Env }

// reportDocuments renders a status: a document about the target and one for each of the files furthest behind.
func (p *pipeline) reportDocuments(st TargetStatus, now time.Time) [][]byte {
	base := func() map[string]any {
		doc := map[string]any{
			"@timestamp": now.UTC().Format("2006-01-02T15:04:05.000Z"), "ecs.version": "8.11.0",
			"data_stream.type": "metrics", "data_stream.dataset": "kreislauf.logship", "data_stream.namespace": p.opt.Env,
			"event.dataset": "kreislauf.logship", "service_name": "logship", "env": p.opt.Env, "customer": p.opt.Customer,
			"agent.name": p.opt.Instance, "logship.target": st.Name,
		}
		if p.opt.PlatformVersion != "" {
			doc["platform_version"] = p.opt.PlatformVersion
		}
		return doc
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
		panic("logship: encode report: " + err.Error()) // cannot be: there are only numbers and texts in it
	}
	return text
}
