// Package lifecycle rolls over and deletes backing indices of the platform's data streams on a server that does
// neither by itself: OpenSearch without its plugin index-management. It carries out the policy in elk/ilm.
//
// Invariants: it touches only data streams made by an index template of the platform; it never deletes a write
// index; a backing index is deleted when the policy's min_age has passed since its rollover, which is when the
// next backing index was created. An empty write index is not rolled over.
//
// Not promised: two runners on one server may roll over twice, so one process runs it. Between two rounds an index
// may grow beyond the policy's size or stay beyond its age.
package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
)

// Interval is the time between two rounds; a round that fails is repeated after retry.
const (
	Interval     = 10 * time.Minute
	retry        = 30 * time.Second
	roundTimeout = 5 * time.Minute
)

// templatePrefix is how the names of the platform's index templates begin.
const templatePrefix = "kreislauf-"

// plugin is OpenSearch's own lifecycle management (ISM).
const plugin = "opensearch-index-management"

// Run applies the policy until ctx ends. It returns at once when the server manages lifecycles itself.
func Run(ctx context.Context, client *esapi.API, policy Policy, logger zerolog.Logger) error {
	said := false
	for {
		wait := Interval
		needed, err := round(ctx, client, policy, logger)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			logger.Warn().Err(err).Str("event.action", "lifecycle.failed").Msg("rollover and deletion of old indices failed; it is tried again")
			wait = retry
		case !needed:
			return nil
		case !said:
			logger.Info().Str("event.action", "lifecycle.start").Dur("interval", Interval).
				Msg("the server has no lifecycle management: rollover and deletion of old indices are done from here")
			said = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func round(ctx context.Context, client *esapi.API, policy Policy, logger zerolog.Logger) (needed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	if needed, err = Needed(ctx, client); err != nil || !needed {
		return needed, err
	}
	done, err := Apply(ctx, client, policy, time.Now())
	for _, what := range done {
		logger.Info().Str("event.action", "lifecycle.applied").Msg(what)
	}
	return true, err
}

// Needed says whether nobody else carries out lifecycles: Elasticsearch does, OpenSearch with its plugin may.
func Needed(ctx context.Context, client *esapi.API) (bool, error) {
	info, err := connect.Server(ctx, client)
	if err != nil || info.Distribution != connect.OpenSearch {
		return false, err
	}
	var plugins []struct{ Component string }
	res, err := client.Cat.Plugins(client.Cat.Plugins.WithContext(ctx), client.Cat.Plugins.WithFormat("json"), client.Cat.Plugins.WithH("component"))
	if err := connect.Decode(res, err, &plugins); err != nil {
		return false, fmt.Errorf("list plugins: %w", err)
	}
	for _, p := range plugins {
		if p.Component == plugin {
			return false, nil
		}
	}
	return true, nil
}

// stream is a data stream with its backing indices, oldest first; the last is the write index.
type stream struct {
	Name     string `json:"name"`
	Template string `json:"template"`
	Indices  []struct {
		Name string `json:"index_name"`
	} `json:"indices"`
}

// Apply does one round and returns a sentence for each change, also before an error.
func Apply(ctx context.Context, client *esapi.API, policy Policy, now time.Time) (done []string, err error) {
	var answer struct {
		Streams []stream `json:"data_streams"`
	}
	res, err := client.Indices.GetDataStream(client.Indices.GetDataStream.WithContext(ctx))
	if err := connect.Decode(res, err, &answer); err != nil {
		return nil, fmt.Errorf("list data streams: %w", err)
	}
	conditions, err := json.Marshal(map[string]any{"conditions": policy.Rollover})
	if err != nil {
		return nil, fmt.Errorf("encode rollover conditions: %w", err)
	}
	for _, s := range answer.Streams {
		if !strings.HasPrefix(s.Template, templatePrefix) || len(s.Indices) == 0 {
			continue
		}
		deleted, err := s.expire(ctx, client, policy.DeleteAfter, now)
		done = append(done, deleted...)
		if err != nil {
			return done, err
		}
		rolled, err := s.rollOver(ctx, client, conditions)
		if err != nil {
			return done, err
		}
		if rolled != "" {
			done = append(done, rolled)
		}
	}
	return done, nil
}

// rollOver starts a new backing index when a condition is met and the write index is not empty.
func (s stream) rollOver(ctx context.Context, client *esapi.API, conditions []byte) (done string, err error) {
	var count struct {
		Count int64 `json:"count"`
	}
	write := s.Indices[len(s.Indices)-1].Name
	res, err := client.Count(client.Count.WithContext(ctx), client.Count.WithIndex(write))
	if err := connect.Decode(res, err, &count); err != nil {
		return "", fmt.Errorf("count documents of %s: %w", write, err)
	}
	if count.Count == 0 {
		return "", nil
	}
	var answer struct {
		RolledOver bool   `json:"rolled_over"`
		Old        string `json:"old_index"`
		New        string `json:"new_index"`
	}
	res, err = client.Indices.Rollover(s.Name, client.Indices.Rollover.WithContext(ctx), client.Indices.Rollover.WithBody(bytes.NewReader(conditions)))
	if err := connect.Decode(res, err, &answer); err != nil {
		return "", fmt.Errorf("roll over %s: %w", s.Name, err)
	}
	if !answer.RolledOver {
		return "", nil
	}
	return fmt.Sprintf("rolled over %s: %s after %s", s.Name, answer.New, answer.Old), nil
}

// expire deletes the backing indices that were rolled over long enough ago.
func (s stream) expire(ctx context.Context, client *esapi.API, after time.Duration, now time.Time) (done []string, err error) {
	if len(s.Indices) < 2 {
		return nil, nil
	}
	created, err := s.created(ctx, client)
	if err != nil {
		return nil, err
	}
	for i, index := range s.Indices[:len(s.Indices)-1] {
		rolledOver, ok := created[s.Indices[i+1].Name]
		if !ok || now.Sub(rolledOver) < after {
			continue
		}
		res, err := client.Indices.Delete([]string{index.Name}, client.Indices.Delete.WithContext(ctx))
		if err := connect.Decode(res, err, nil); err != nil {
			return done, fmt.Errorf("delete %s: %w", index.Name, err)
		}
		done = append(done, fmt.Sprintf("deleted %s of %s, rolled over %s", index.Name, s.Name, rolledOver.UTC().Format(time.RFC3339)))
	}
	return done, nil
}

// created asks when each backing index was created.
func (s stream) created(ctx context.Context, client *esapi.API) (map[string]time.Time, error) {
	var answer map[string]struct {
		Settings struct {
			Index struct {
				Created string `json:"creation_date"`
			} `json:"index"`
		} `json:"settings"`
	}
	res, err := client.Indices.GetSettings(client.Indices.GetSettings.WithContext(ctx), client.Indices.GetSettings.WithIndex(s.Name))
	if err := connect.Decode(res, err, &answer); err != nil {
		return nil, fmt.Errorf("read settings of %s: %w", s.Name, err)
	}
	created := make(map[string]time.Time, len(answer))
	for name, index := range answer {
		ms, err := strconv.ParseInt(index.Settings.Index.Created, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("creation date of %s: %w", name, err)
		}
		created[name] = time.UnixMilli(ms)
	}
	return created, nil
}
