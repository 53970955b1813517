package main

import (
	"context"
	"flag"
	"os"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"kreislauf/internal/local"
)

// elasticFlags are the flags of commands that ask Elasticsearch.
type elasticFlags struct{ data, url, env string }

func (f *elasticFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.data, "data", local.DataFolder(), "data folder of the running platform")
	fs.StringVar(&f.url, "elasticsearch", os.Getenv(elasticVariable), "URL of Elasticsearch; default: the running platform's")
	fs.StringVar(&f.env, "env", "", "environment; default: the running platform's, else local")
}

// elasticVariable names the Elasticsearch of commands that ask it.
const elasticVariable = "KREISLAUF_ELASTICSEARCH_URL"

// living is client of a server that answers: one of the environment that does not is an error with its name.
func (f *elasticFlags) living(ctx context.Context) (*esapi.API, error) {
	if f.url != "" && f.url == os.Getenv(elasticVariable) {
		if err := local.CheckGiven(ctx, elasticVariable); err != nil {
			return nil, err
		}
	}
	return f.client()
}

// client finds Elasticsearch: the flag, or the running platform.
func (f *elasticFlags) client() (*esapi.API, error) {
	if f.url == "" {
		r, err := local.FindRunning(f.data)
		if err != nil {
			return nil, err
		}
		f.url = r.Elastic
		if f.env == "" {
			f.env = r.Env
		}
	}
	if f.env == "" {
		f.env = "local"
	}
	return local.Connect(f.url)
}
