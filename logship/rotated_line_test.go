package logship_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kreislauf/logship/config"
)

// TestLineCutByARotation has a line whose first parts are at the end of a file that is renamed, and whose last part begins the new
// one, as container runtimes write them.
func TestLineCutByARotation(t *testing.T) {
	cri := func(stream, tag, text string) string {
		return fmt.Sprintf("2025-11-22T18:23:30.123456789Z %s %s %s\n", stream, tag, text)
	}
	docker := func(stream, tag, text string) string {
		if tag == "F" {
			text += "\n"
		}
		return fmt.Sprintf(`{"log":%q,"stream":%q,"time":"2025-11-22T18:23:30.123456789Z"}`+"\n", text, stream)
	}
	for name, write := range map[string]func(stream, tag, text string) string{"cri": cri, "docker": docker} {
		for _, when := range []string{"running", "stopped after the rename", "stopped before the rename", "behind", "within the glob", "copytruncate"} {
			t.Run(name+", "+when, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				pods := filepath.Join(b.logs, "../pods")
				b.opt.Inputs = append(b.opt.Inputs, config.Pods(pods))
				file := filepath.Join(pods, "shop_order-7d9f_0b1c/order/0.log")
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				s, stop := b.run()
				b.appendText(file, write("stdout", "F", line(0)[:len(line(0))-1]))
				b.wait(1)
				whole := line(1)[:len(line(1))-1]
				other := line(2)[:len(line(2))-1]
				if when == "behind" {
					b.sink.stop()
				}
				b.appendText(file, write("stdout", "P", whole[:10])+write("stderr", "P", other[:20])+write("stdout", "P", whole[10:15]))
				if when == "stopped before the rename" {
					stop()
				}
				if when == "running" {
					b.until("the age of the parts is shown", func() bool { return s.Status().OldestUnacked > 0.05 })
				}
				old := file + ".20251122-182330"
				if when == "within the glob" {
					old = filepath.Join(filepath.Dir(file), "0-old.log")
				}
				if when == "copytruncate" {
					b.until("the parts are read", func() bool { return s.Status().OldestUnacked > 0 })
					copyFile(t, file, old)
					truncate(t, file)
				} else {
					rename(t, file, old)
				}
				if when == "stopped after the rename" {
					b.until("the rename is noticed", func() bool { return len(s.Status().Files) == 1 && s.Status().Files[0].Gone })
					stop()
				}
				b.appendText(file, write("stdout", "F", whole[15:])+write("stdout", "F", line(3)[:len(line(3))-1])+write("stderr", "F", other[20:]))
				if strings.HasPrefix(when, "stopped") {
					s, stop = b.run()
				}
				if when == "behind" {
					b.sink.start(b.addr)
				}
				b.wait(4)
				b.until("all is acknowledged", func() bool { return s.Status().Behind == 0 && s.Status().OldestUnacked == 0 })
				time.Sleep(3 * b.opt.PollInterval) // a broken piece that comes late must show
				stop()
				b.complete(4, nil)
				if n := b.count(); n != 4 {
					t.Errorf("%d documents: a line came in pieces", n)
				}
				s, _ = b.run()
				b.until("nothing is behind", func() bool { return s.Status().Behind == 0 })
				if n := b.count(); n != 4 {
					t.Errorf("%d documents after another start", n)
				}
			})
		}
	}
}
