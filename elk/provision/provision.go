// Package provision puts the platform's component templates, index templates and lifecycle policies into
// Elasticsearch or OpenSearch.
//
// Invariants: every put is idempotent, so Run may be repeated at every start; policies come before the templates
// that name them, component templates before the index templates composed of them. A template works on backing
// indices created after it: a changed mapping of an existing data stream takes effect at its next rollover.
// What a server does not have is left out and reported as a sentence; nothing is left out silently. Removed files
// are not removed from the server.
package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk"
	"kreislauf/elk/connect"
)

// Options of Run.
type Options struct {
	Logger zerolog.Logger // told once while Run waits for the server, and of what was left out
}

// Report is what Run did.
type Report struct {
	Server  connect.Info
	Put     []string // for example "component template kreislauf@mappings", in the order they were put
	LeftOut []string // one sentence each
}

// Run waits until the server answers (bounded by ctx only) and puts every file.
// The Report lists what was put before an error, too.
func Run(ctx context.Context, client *esapi.API, o Options) (Report, error) {
	var report Report
	info, err := await(ctx, client, o.Logger)
	if err != nil {
		return report, err
	}
	report.Server = info
	if err := report.policies(ctx, client); err != nil {
		return report, err
	}
	if err := report.templates(ctx, client); err != nil {
		return report, err
	}
	for _, sentence := range report.LeftOut {
		o.Logger.Warn().Str("event.action", "provision.left-out").Msg(sentence)
	}
	return report, nil
}

// await asks for the version until there is an answer that waiting cannot improve.
func await(ctx context.Context, client *esapi.API, logger zerolog.Logger) (connect.Info, error) {
	wait := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		info, err := connect.Server(ctx, client)
		if err == nil || !connect.Transient(err) {
			return info, err
		}
		if attempt == 3 {
			logger.Warn().Err(err).Str("event.action", "provision.waiting").Msg("waiting for Elasticsearch")
		}
		select {
		case <-ctx.Done():
			return connect.Info{}, fmt.Errorf("wait for the server: %w (last answer: %w)", context.Cause(ctx), err)
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
}

func (r *Report) policies(ctx context.Context, client *esapi.API) error {
	files, err := read("ilm")
	if err != nil {
		return err
	}
	if r.Server.Distribution == connect.OpenSearch {
		r.LeftOut = append(r.LeftOut, "OpenSearch has no index lifecycle management: "+strings.Join(slices.Sorted(maps.Keys(files)), ", ")+
			" was not put. The alerter rolls over and deletes by it every 10 minutes, unless OpenSearch has its plugin index-management: then add an ISM policy.")
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		policy := "kreislauf-" + name
		res, err := client.ILM.PutLifecycle(policy,
			client.ILM.PutLifecycle.WithContext(ctx), client.ILM.PutLifecycle.WithBody(bytes.NewReader(files[name])))
		if err := connect.Decode(res, err, nil); err != nil {
			return fmt.Errorf("put lifecycle policy %s: %w", policy, err)
		}
		r.Put = append(r.Put, "lifecycle policy "+policy)
	}
	return nil
}

func (r *Report) templates(ctx context.Context, client *esapi.API) error {
	files, err := read("templates")
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	component := func(name string) bool { return strings.Contains(name, "@") }
	for _, name := range names {
		if !component(name) {
			continue
		}
		body := files[name]
		if r.Server.Distribution == connect.OpenSearch {
			if body, err = r.forOpenSearch(name, body); err != nil {
				return err
			}
		}
		res, err := client.Cluster.PutComponentTemplate(name, bytes.NewReader(body), client.Cluster.PutComponentTemplate.WithContext(ctx))
		if err := connect.Decode(res, err, nil); err != nil {
			return fmt.Errorf("put component template %s: %w", name, err)
		}
		r.Put = append(r.Put, "component template "+name)
	}
	for _, name := range names {
		if component(name) {
			continue
		}
		res, err := client.Indices.PutIndexTemplate(name, bytes.NewReader(files[name]), client.Indices.PutIndexTemplate.WithContext(ctx))
		if err := connect.Decode(res, err, nil); err != nil {
			return fmt.Errorf("put index template %s: %w", name, err)
		}
		r.Put = append(r.Put, "index template "+name)
	}
	return nil
}

// forOpenSearch rewrites what OpenSearch spells differently or does not have.
func (r *Report) forOpenSearch(name string, body []byte) ([]byte, error) {
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	if fields := flatObjects(tree, ""); len(fields) > 0 {
		slices.Sort(fields)
		r.LeftOut = append(r.LeftOut, "OpenSearch has no field type flattened: "+strings.Join(fields, ", ")+" are flat_object instead.")
	}
	template, _ := tree["template"].(map[string]any)
	settings, _ := template["settings"].(map[string]any)
	index, _ := settings["index"].(map[string]any)
	if _, ok := index["lifecycle"]; ok {
		delete(index, "lifecycle")
		r.LeftOut = append(r.LeftOut, "OpenSearch has no setting index.lifecycle: it was taken out of "+name+".")
	}
	return json.Marshal(tree)
}

// flatObjects replaces the type flattened below node and returns the paths of the fields.
func flatObjects(node map[string]any, field string) []string {
	if node["type"] == "flattened" {
		node["type"] = "flat_object"
		return []string{field}
	}
	var changed []string
	for key, value := range node {
		inner, ok := value.(map[string]any)
		if !ok {
			continue
		}
		switch key {
		case "template", "mappings", "properties":
			changed = append(changed, flatObjects(inner, field)...)
		default:
			changed = append(changed, flatObjects(inner, strings.TrimPrefix(field+"."+key, "."))...)
		}
	}
	return changed
}

// read returns the files of one embedded folder by name without extension.
func read(folder string) (map[string][]byte, error) {
	entries, err := fs.ReadDir(elk.Files(), folder)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", folder, err)
	}
	files := make(map[string][]byte, len(entries))
	for _, entry := range entries {
		body, err := fs.ReadFile(elk.Files(), path.Join(folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", folder, err)
		}
		files[strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))] = body
	}
	return files, nil
}
