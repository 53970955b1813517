package mongodb

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/config"
	"kreislauf/internal/logging"
	"kreislauf/internal/telemetry"
)

// TestPutNewer: of copies that come in any order, often, and from several clients at once, the one with the highest version stays.
func TestPutNewer(t *testing.T) {
	server, err := mongod.New(mongod.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.New(t.Context(), config.Process{}, logging.NewSink(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open("mongodb://"+server.Addr(), "newer", "t-1", tel.Tracer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, stop := range []func(context.Context) error{db.Close, tel.Stop, server.Stop} {
			if err := stop(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	type doc struct {
		ID      string `bson:"_id"`
		Version int64  `bson:"version"`
		Text    string `bson:"text"`
	}
	copies := OpenCollection[doc](db, "copies", "copy")
	put := func(id string, version int64, text string) bool {
		stored, err := copies.PutNewer(t.Context(), id, version, doc{id, version, text})
		if err != nil {
			t.Error(err)
		}
		return stored
	}
	for _, tc := range []struct {
		version int64
		text    string
		stored  bool
	}{{2, "first", true}, {2, "again", false}, {1, "older", false}, {5, "newer", true}, {4, "late", false}} {
		if got := put("one", tc.version, tc.text); got != tc.stored {
			t.Errorf("version %d, %s: stored %v", tc.version, tc.text, got)
		}
	}
	if got, err := copies.Get(t.Context(), "one"); err != nil || got.Text != "newer" || got.Version != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	const versions = 8
	for i := range 50 { // each begins with a race of inserts; a real MongoDB lets the highest version lose it, and the second try mends that
		id := fmt.Sprintf("raced-%d", i)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for v := range versions {
			wg.Go(func() {
				<-start
				put(id, int64(v+1), "raced")
			})
		}
		close(start)
		wg.Wait()
		if got, err := copies.Get(t.Context(), id); err != nil || got.Version != versions {
			t.Errorf("after all have written %s: %+v, %v", id, got, err)
		}
	}
}
