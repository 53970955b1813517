package engine

import (
	"encoding/base64"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestExpiredKey(t *testing.T) {
	c, err := openCluster(t.TempDir(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}()
	a := newAPI(c, zerolog.Nop(), "x")
	for name, tc := range map[string]struct {
		expires int64
		ok      bool
	}{"never": {0, true}, "later": {time.Now().Add(time.Hour).UnixMilli(), true}, "past": {1, false}} {
		salt := []byte("salt")
		c.state.Keys["id"] = keyFile{Name: "k", Salt: salt, Hash: hashSecret(salt, "secret"), Expires: tc.expires}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "ApiKey "+base64.StdEncoding.EncodeToString([]byte("id:secret")))
		if _, err := a.authenticate(r); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
