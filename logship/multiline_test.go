package logship_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/config"
)

// messages returns the messages of a data stream, sorted.
func (b *bench) messages(stream string) []string {
	var out []string
	for _, d := range b.all(stream) {
		out = append(out, d.fields["message"].(string))
	}
	slices.Sort(out)
	return out
}

func TestEventsOfSeveralLines(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := filepath.Join(t.TempDir(), "app")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b.opt.Inputs = append(b.opt.Inputs, config.Input{
		Type: config.Text, Paths: []config.Glob{config.Glob(filepath.Dir(dir) + "/**/*.log")}, Dataset: "app.text",
		Multiline: &config.Multiline{Start: regexp.MustCompile(`^\d`), MaxBytes: 1 << 20, Timeout: time.Second},
	})
	file := filepath.Join(dir, "app.log")
	const stream = "logs-app.text-test"
	expect := func(want ...string) {
		t.Helper()
		b.until("events of several lines", func() bool { return len(b.all(stream)) >= len(want) })
		if d := cmp.Diff(want, b.messages(stream)); d != "" {
			t.Error(d)
		}
	}
	b.appendText(file, "1 a\n b\n c\n2 d\n")
	_, stop := b.run()
	expect("1 a\n b\n c", "2 d") // the second by its timeout
	b.appendText(file, "3 e\n")
	stop() // the event waits
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	b.appendText(file+".1", " f\n")
	b.appendText(file, "4 g\n")
	_, stop = b.run()
	expect("1 a\n b\n c", "2 d", "3 e\n f", "4 g")
	stop()
	// The second event ended by a timeout before this line came: it stays as it was, and this is an event.
	b.appendText(file, " late\n5 h\n")
	s, stop := b.run()
	expect(" late", "1 a\n b\n c", "2 d", "3 e\n f", "4 g", "5 h")
	stop()
	if st := s.Status(); st.Duplicates != 0 {
		t.Errorf("%d documents were sent again", st.Duplicates)
	}
}
