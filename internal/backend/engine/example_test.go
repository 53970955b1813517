package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
)

// A log store for one test: a folder, a free port, and go-elasticsearch.
func Example() {
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	srv, err := engine.New(engine.Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = srv.Stop(context.Background()) }()

	connections := &http.Transport{}
	defer connections.CloseIdleConnections()
	transport, err := elastictransport.NewClient(elastictransport.WithURLs(&url.URL{Scheme: "http", Host: srv.Addr()}), elastictransport.WithTransport(connections))
	if err != nil {
		log.Fatal(err)
	}
	es := esapi.New(transport)
	lines := `{"index":{}}
{"level":"error","message":"upstream timed out"}
{"index":{}}
{"level":"info","message":"order created"}
`
	res, err := es.Bulk(strings.NewReader(lines), es.Bulk.WithIndex("app"))
	if err != nil {
		log.Fatal(err)
	}
	_ = res.Body.Close()

	res, err = es.Search(es.Search.WithIndex("app"), es.Search.WithQuery(`message:"timed out"`))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var found struct {
		Hits struct {
			Hits []struct {
				Source struct{ Level string } `json:"_source"`
			}
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil {
		log.Fatal(err)
	}
	for _, h := range found.Hits.Hits {
		fmt.Println(h.Source.Level)
	}
	// Output: error
}
