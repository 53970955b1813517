package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Count returns how many documents of a data stream carry the name of a shipper and an event.created from from
// until before to. A stream that does not exist has none.
func (c *Client) Count(ctx context.Context, stream, agent string, from, to time.Time) (int64, error) {
	const stamp = "2006-01-02T15:04:05.000Z"
	query, err := json.Marshal(map[string]any{"query": map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"term": map[string]any{"agent.name": agent}},
		map[string]any{"range": map[string]any{"event.created": map[string]any{"gte": from.UTC().Format(stamp), "lt": to.UTC().Format(stamp)}}},
	}}}})
	if err != nil {
		return 0, fmt.Errorf("encode count: %w", err)
	}
	res := c.request(ctx, http.MethodPost, "/"+url.PathEscape(stream)+"/_count", query, "application/json", "")
	switch {
	case res.err != nil:
		return 0, fmt.Errorf("count documents of %s: %w", stream, res.err)
	case res.status == http.StatusNotFound:
		return 0, nil
	case res.status != http.StatusOK:
		return 0, fmt.Errorf("count documents of %s: status %d: %s", stream, res.status, brief(res.body))
	}
	var decoded struct {
		Count  *int64 `json:"count"`
		Shards struct {
			Failed int `json:"failed"`
		} `json:"_shards"`
	}
	if err := json.Unmarshal(res.body, &decoded); err != nil || decoded.Count == nil || decoded.Shards.Failed > 0 {
		return 0, fmt.Errorf("count documents of %s: answer unusable: %s", stream, brief(res.body))
	}
	return *decoded.Count, nil
}

// Report sends documents about the shipper itself to a data stream, once: what does not arrive is not sent again.
func (c *Client) Report(ctx context.Context, stream string, documents [][]byte) error {
	if c.checkTemplates {
		res := c.request(ctx, http.MethodGet, templatePath, nil, "", "")
		if res.err != nil {
			return fmt.Errorf("read index templates: %w", res.err)
		}
		if missing, err := withoutTemplate(res, []string{stream}); err == nil && len(missing) > 0 {
			return fmt.Errorf("no index template with a data stream matches %s: put the templates (kreislauf provision)", stream)
		}
	}
	var body []byte
	for _, doc := range documents {
		body = fmt.Appendf(body, `{"create":{"_index":%q}}`+"\n", stream)
		body = append(append(body, doc...), '\n')
	}
	res := c.request(ctx, http.MethodPost, bulkPath, body, "application/x-ndjson", "")
	if res.err != nil {
		return fmt.Errorf("send report: %w", res.err)
	}
	if res.status != http.StatusOK || !allStored(res.body, len(documents)) {
		return fmt.Errorf("send report: status %d: %s", res.status, brief(res.body))
	}
	return nil
}
