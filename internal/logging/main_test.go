package logging

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"kreislauf/internal/config"
)

// Variables that turn the test binary into a writing process.
const (
	childVar = "KREISLAUF_TEST_CHILD" // "endless" or "full"
	dirVar   = "KREISLAUF_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "endless":
		writeEndlessly()
	case "full":
		writeToFullDisk()
	default:
		goleak.VerifyTestMain(m)
	}
}

func settings(dir string) config.Process {
	return config.Process{Service: "order", Env: "local", Customer: "kreislauf", Instance: "order-1", PlatformVersion: "dev", LogDir: dir}
}

func openChild() *Sink {
	s, err := Open(settings(os.Getenv(dirVar)))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return s
}

// writeEndlessly logs numbered lines and tells the parent each number after its call returned.
func writeEndlessly() {
	log := New(openChild(), settings(""))
	for n := 0; ; n++ {
		log.Info().Int("n", n).Msg("line")
		fmt.Println(n)
	}
}

// fileLimit is where the disk of writeToFullDisk is full, in bytes; no line ends there.
const fileLimit = 1000

// writeToFullDisk writes into a file that the kernel limits, then once more after the limit is gone, and prints how many were dropped.
func writeToFullDisk() {
	signal.Ignore(syscall.SIGXFSZ)
	s := openChild()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	limit := func(cur uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: cur, Max: was.Max}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	limit(fileLimit)
	for n := range 20 {
		fmt.Fprintf(s, `{"n":%d,"text":%q}`+"\n", n, strings.Repeat("x", 80))
	}
	limit(was.Max)
	fmt.Fprintf(s, "{\"n\":99}\n")
	fmt.Println(s.Dropped())
}
