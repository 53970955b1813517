package trace

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk/connect"
)

// An access line has no lists when nginx asked one upstream only.
func TestOneUpstream(t *testing.T) {
	s := entryOf(connect.Doc{"nginx.access.upstream.address": "127.0.0.1:1", "nginx.access.upstream.status_code": json.Number("201")})
	if diff := cmp.Diff([]string{"127.0.0.1:1 201"}, s.Upstreams); diff != "" {
		t.Error(diff)
	}
}
