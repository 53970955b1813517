// Package elastic owns what every Elasticsearch client of the project needs on its transport and
// nothing that needs the client library itself.
//
// go-elasticsearch v8 refuses a server that does not answer with X-Elastic-Product: Elasticsearch.
// OpenSearch answers the same requests without that header; Transport adds it, so one client serves both.
// Transport does not hide what the server is: ask GET / for version.distribution.
package elastic

import "net/http"

// ProductHeader and ProductName are what go-elasticsearch checks on the first 2xx answer.
const (
	ProductHeader = "X-Elastic-Product"
	ProductName   = "Elasticsearch"
)

// Transport sets the product header on every answer of Base (http.DefaultTransport when nil).
type Transport struct{ Base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	res, err := base.RoundTrip(r)
	if err == nil {
		res.Header.Set(ProductHeader, ProductName)
	}
	return res, err
}
