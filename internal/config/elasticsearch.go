package config

// Elasticsearch is how a process reaches Elasticsearch or OpenSearch.
type Elasticsearch struct {
	URL                string // http(s)://host:port
	Username, Password string // basic authentication; empty: none
	APIKey             string // wins over the two above
}

// ReadElasticsearch reads the settings of all processes that talk to Elasticsearch.
func ReadElasticsearch(r *Reader) Elasticsearch {
	return Elasticsearch{
		URL:      r.URL("KREISLAUF_ELASTICSEARCH_URL", "", "http", "https"),
		Username: r.String("KREISLAUF_ELASTICSEARCH_USERNAME", ""),
		Password: r.Secret("KREISLAUF_ELASTICSEARCH_PASSWORD"),
		APIKey:   r.Secret("KREISLAUF_ELASTICSEARCH_API_KEY"),
	}
}
