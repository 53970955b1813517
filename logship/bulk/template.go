package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const templatePath = "/_index_template?filter_path=index_templates.index_template.index_patterns,index_templates.index_template.data_stream"

// awaitTemplates waits until there is an index template for each data stream of the batch. Without one the server
// would make an index of the name, with guessed mappings and without a lifecycle. A server that does not tell its
// templates is believed to have them.
func (d *delivery) awaitTemplates(ctx context.Context) error {
	c := d.client
	if !c.checkTemplates || len(d.batch.Streams) <= int(c.checked.Load()) {
		return nil
	}
	c.checking.Lock()
	defer c.checking.Unlock()
	for {
		known := int(c.checked.Load())
		if len(d.batch.Streams) <= known {
			return nil
		}
		if err := d.enter(ctx); err != nil {
			return err
		}
		res := c.request(ctx, http.MethodGet, templatePath, nil, "", "")
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("deliver bulk: %w", ctx.Err())
		case res.err != nil || res.status >= 500 || res.status == http.StatusTooManyRequests:
			c.degraded.Store(true)
			c.alarm("index templates not readable, waiting", fmt.Sprintf("status %d: %v", res.status, res.err))
			if err := sleep(ctx, deadPause); err != nil {
				return err
			}
			continue
		}
		missing, err := withoutTemplate(res, d.batch.Streams[known:])
		if err != nil {
			c.alarm("index templates not checked", err.Error())
		}
		if len(missing) == 0 {
			c.checked.Store(int32(len(d.batch.Streams)))
			c.degraded.Store(false)
			d.leave()
			return nil
		}
		c.alarm("index template missing, waiting for a repaired setup",
			"no index template with a data stream matches "+strings.Join(missing, ", ")+
				": put the templates (kreislauf provision), or switch check_templates off")
		if err := d.pause(ctx, holdPause); err != nil {
			return err
		}
	}
}

// withoutTemplate returns the streams that no template in the answer is for.
func withoutTemplate(res answer, streams []string) ([]string, error) {
	if res.status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", res.status, brief(res.body))
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(res.body, &members); err != nil {
		return nil, fmt.Errorf("decode index templates: %w", err)
	}
	var templates []struct {
		Template struct {
			Patterns   []string         `json:"index_patterns"`
			DataStream *json.RawMessage `json:"data_stream"`
		} `json:"index_template"`
	}
	list, ok := members["index_templates"] // filter_path leaves an empty list out
	if !ok && len(members) > 0 {
		return nil, fmt.Errorf("not about index templates: %s", brief(res.body))
	}
	if ok {
		if err := json.Unmarshal(list, &templates); err != nil {
			return nil, fmt.Errorf("decode index templates: %w", err)
		}
	}
	var missing []string
	for _, stream := range streams {
		found := false
		for _, t := range templates {
			for _, p := range t.Template.Patterns {
				found = found || t.Template.DataStream != nil && matches(p, stream)
			}
		}
		if !found {
			missing = append(missing, stream)
		}
	}
	return missing, nil
}

// matches reports whether name matches a pattern in which * stands for any text.
func matches(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(part):], next
	}
}
