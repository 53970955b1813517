// Command kafkad measures the memory of the embedded Kafka with every topic of the table filled beyond its retention: while it runs,
// after a restart in order, and after SIGKILL. The peak is what the kernel calls VmHWM.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/event"
)

func main() {
	bin := flag.String("bin", "bin/kreislauf", "the binary")
	over := flag.Int("over", 40, "percent that is written beyond what is kept")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := run(ctx, *bin, *over); err != nil {
		fmt.Fprintln(os.Stderr, "bench kafkad:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, over int) error {
	dir, err := os.MkdirTemp("", "kreislauf-kafkad-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := l.Addr().String()
	l.Close()
	var kept int64
	for _, t := range event.Topics() {
		kept += int64(t.Keep.Partitions) * (t.Keep.Bytes + t.Keep.Segment)
	}
	fmt.Printf("the table keeps at most %d MB\n", kept>>20)
	s := server{bin, dir, addr, nil}
	if err := s.start(ctx, "empty"); err != nil {
		return err
	}
	for _, t := range event.Topics() {
		if err := fill(ctx, addr, t, over); err != nil {
			return fmt.Errorf("fill %s: %w", t.Name, err)
		}
	}
	for size(dir) > kept { // the cleaner comes by every few seconds
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d MB are kept: %w", size(dir)>>20, ctx.Err())
		case <-time.After(time.Second):
		}
	}
	if err := s.report("filled"); err != nil {
		return err
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := s.stop(sig); err != nil {
			return err
		}
		if err := s.start(ctx, "after "+sig.String()); err != nil {
			return err
		}
	}
	return s.stop(syscall.SIGTERM)
}

// fill writes records of 1 KB that cannot be compressed, more than the topic keeps.
func fill(ctx context.Context, addr string, t event.Topic, over int) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(t.Name), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer c.Close()
	var failed error
	for range int64(t.Keep.Partitions) * t.Keep.Bytes * int64(100+over) / 100 / 1024 {
		value := make([]byte, 1024)
		rand.Read(value) // never fails (crypto/rand)
		c.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	return errors.Join(c.Flush(ctx), failed) // callbacks come one after the other, the last before Flush returns
}

// server is a `kreislauf kafkad`.
type server struct {
	bin, dir, addr string
	cmd            *exec.Cmd
}

func (s *server) start(ctx context.Context, when string) error {
	began := time.Now()
	s.cmd = exec.CommandContext(ctx, s.bin, "kafkad", "-data", s.dir, "-addr", s.addr)
	s.cmd.Stderr = os.Stderr
	s.cmd.Env = append(os.Environ(), "GOMEMLIMIT=192MiB") // as up starts it
	if err := s.cmd.Start(); err != nil {
		return err
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(s.addr))
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Ping(ctx) != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(began)
	time.Sleep(time.Second)
	return s.report(fmt.Sprintf("%s, ready after %.2f s", when, took.Seconds()))
}

func (s *server) stop(sig syscall.Signal) error {
	if err := s.cmd.Process.Signal(sig); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil && sig != syscall.SIGKILL {
		return err
	}
	return nil
}

// report prints resident memory now and at its peak.
func (s *server) report(when string) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return err
	}
	defer f.Close()
	values := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if name == "VmRSS" || name == "VmHWM" {
			var kb int
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			values[name] = kb / 1024
		}
	}
	fmt.Printf("%-34s log %4d MB  resident %4d MB  peak %4d MB\n", when, size(s.dir)>>20, values["VmRSS"], values["VmHWM"])
	return nil
}

// size of all files below a folder; one that vanishes meanwhile does not count.
func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if st, err := d.Info(); err == nil && !d.IsDir() {
			n += st.Size()
		}
		return nil
	})
	return n
}
