package follow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship/alarm"
	"kreislauf/logship/checkpoint"
	"kreislauf/logship/config"
)

// TestCopyThatIsBeingWritten has a copy that is opened while only its beginning is there. By the time of the decision it is
// complete, and its original is truncated.
func TestCopyThatIsBeingWritten(t *testing.T) {
	for _, written := range []int{1, 2_000, 20_000, 90_000} { // bytes of the copy when it is opened
		dir := t.TempDir()
		store, _, err := checkpoint.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		c := &config.Config{Instance: "test", Inputs: []config.Input{{Type: config.Text, Paths: []config.Glob{config.Glob(dir + "/*.log")}}}}
		f := New(Options{Config: c, Store: store, Alarms: alarm.New(zerolog.Nop()), MaxOpenFiles: 100})
		var text strings.Builder
		for i := range 10_000 {
			fmt.Fprintf(&text, "line %d\n", i)
		}
		original, twin := filepath.Join(dir, "a.log"), filepath.Join(dir, "a-1.log")
		put := func(path, text string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put(original, text.String())
		now := time.Now()
		f.Sweep(now)
		for f.Ready() {
			if file, piece := f.Next(now); file != nil {
				ticket := file.Send(now)
				file.Consume(piece, piece.End)
				file.Extend(ticket, piece.End)
				file.Done(ticket)
				f.Took(file, piece, true, now)
				f.Acknowledged([]*File{file})
			}
		}
		put(twin, text.String()[:written])
		f.visit(twin, now)
		put(twin, text.String())
		if err := os.Truncate(original, 0); err != nil {
			t.Fatal(err)
		}
		f.settleArrivals(now)
		f.Sweep(now)
		f.Sweep(now)
		for file := range f.Files() {
			if file.Path() == twin && file.Acked() != int64(text.Len()) {
				t.Errorf("%d bytes written: shipped again from %d of %d", written, file.Acked(), text.Len())
			}
		}
		if f.names[twin] == nil {
			t.Errorf("%d bytes written: the copy is not followed", written)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
