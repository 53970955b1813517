// Package elktest gives the tests of elk a server to talk to: the one at KREISLAUF_ELASTICSEARCH_URL (Elasticsearch
// or OpenSearch), else the embedded engine in the test's own process. Every call gets an environment name of its
// own, so tests on a shared server do not see each other; its data streams are deleted at the end of the test.
package elktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/provision"
)

// Server returns a client of a provisioned server and a fresh environment name.
func Server(t *testing.T, engine Engine) (client *esapi.API, env string) {
	t.Helper()
	client = Bare(t, engine)
	if _, err := provision.Run(t.Context(), client, provision.Options{Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	env = "test_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		var streams struct {
			DataStreams []struct{ Name string } `json:"data_streams"`
		}
		ctx := context.WithoutCancel(t.Context())
		res, err := client.Indices.GetDataStream(client.Indices.GetDataStream.WithContext(ctx), client.Indices.GetDataStream.WithName("*-"+env))
		if err := connect.Decode(res, err, &streams); err != nil {
			t.Errorf("list the test's data streams: %v", err)
		}
		for _, s := range streams.DataStreams {
			res, err := client.Indices.DeleteDataStream([]string{s.Name}, client.Indices.DeleteDataStream.WithContext(ctx))
			if err := connect.Decode(res, err, nil); err != nil {
				t.Errorf("delete %s: %v", s.Name, err)
			}
		}
	})
	return client, env
}

// Bare returns a client of a server that is not provisioned by this call.
func Bare(t *testing.T, engine Engine) *esapi.API {
	t.Helper()
	url := os.Getenv("KREISLAUF_ELASTICSEARCH_URL")
	if url == "" {
		url = engine.serve(t)
	}
	client, err := connect.New(connect.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Index writes documents (JSON objects) with create and makes them visible. _id is the document's event.id, else
// the server's choice. The member data_stream.* decides where a document goes: {type}-{dataset}-{env}.
func Index(t *testing.T, client *esapi.API, env string, docs ...map[string]any) {
	t.Helper()
	var body bytes.Buffer
	for _, d := range docs {
		action := map[string]any{"_index": fmt.Sprintf("%s-%s-%s", d["data_stream.type"], d["data_stream.dataset"], env)}
		if id, ok := d["event.id"]; ok {
			action["_id"] = id
		}
		for _, part := range []any{map[string]any{"create": action}, d} {
			line, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			body.Write(append(line, '\n'))
		}
	}
	var answer struct {
		Errors bool
		Items  []json.RawMessage
	}
	res, err := client.Bulk(&body, client.Bulk.WithContext(t.Context()), client.Bulk.WithRefresh("true"))
	if err := connect.Decode(res, err, &answer); err != nil {
		t.Fatalf("bulk: %v", err)
	}
	if answer.Errors {
		t.Fatalf("bulk: %s", answer.Items)
	}
}
