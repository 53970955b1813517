package supervise

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Variables that turn the test binary into a component or into a supervisor of one.
const (
	modeVar = "KREISLAUF_TEST_MODE"
	addrVar = "KREISLAUF_TEST_ADDR" // a component listens here
	fileVar = "KREISLAUF_TEST_FILE" // a component appends its address here when it is asked to stop
)

func TestMain(m *testing.M) {
	switch os.Getenv(modeVar) {
	case "":
		goleak.VerifyTestMain(m)
	case "die":
		fmt.Println("reading settings")
		fmt.Fprintln(os.Stderr, "cannot open the store: permission denied")
		os.Exit(3)
	case "supervise":
		s := New(func(Status) {})
		if err := s.Start(context.Background(), served("grandchild", os.Getenv(addrVar), filepath.Dir(os.Getenv(fileVar)))); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.Status()[0].PID)
		select {}
	case "sick", "mute":
		sick(os.Getenv(modeVar))
	default:
		component(os.Getenv(modeVar))
	}
}

// sick answers HTTP until it gets SIGUSR1; from then on with status 503, or, if it is "mute", not at all.
func sick(mode string) {
	ill := make(chan os.Signal, 1)
	signal.Notify(ill, syscall.SIGUSR1)
	state := make(chan bool, 1) // holds whether it is well
	state <- true
	go func() {
		<-ill
		<-state
		state <- false
	}()
	err := http.ListenAndServe(os.Getenv(addrVar), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		well := <-state
		state <- well
		switch {
		case !well && mode == "mute":
			select {}
		case !well:
			http.Error(w, "the relay has not moved for 31 s", http.StatusServiceUnavailable)
		}
	}))
	fmt.Println(err)
	os.Exit(1)
}

// component listens until it is asked to stop; "stubborn" does not listen to that, "parent" leaves a process behind.
func component(mode string) {
	stop := make(chan os.Signal, 1) // gets the first signal
	signal.Notify(stop, syscall.SIGTERM)
	if mode == "parent" {
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("worker", cmd.Process.Pid)
	}
	lis, err := net.Listen("tcp", os.Getenv(addrVar))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() {
		for {
			if c, err := lis.Accept(); err == nil {
				c.Close()
			}
		}
	}()
	for {
		<-stop
		f, err := os.OpenFile(os.Getenv(fileVar), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			os.Exit(1)
		}
		fmt.Fprintln(f, os.Getenv(addrVar))
		f.Close()
		if mode != "stubborn" {
			os.Exit(0)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func served(name, addr, dir string) Component {
	return Component{
		Name: name, Addr: addr, Exec: []string{os.Args[0]}, Env: []string{modeVar + "=serve", addrVar + "=" + addr, fileVar + "=" + filepath.Join(dir, "stops")},
		Ready: TCPReady(addr), Console: filepath.Join(dir, name+".out"),
	}
}

// start starts a group and stops everything at the end of the test.
func start(t *testing.T, group ...Component) *Supervisor {
	t.Helper()
	s := New(func(Status) {})
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Start(t.Context(), group...); err != nil {
		t.Fatal(err)
	}
	return s
}

// until waits for a condition that comes true by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// gone says whether a process has ended; one that nobody has waited for yet counts as ended.
func gone(pid int) bool {
	f, err := os.Open(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	defer f.Close()
	line, _ := bufio.NewReader(f).ReadString('\n')
	return strings.Contains(line, ") Z ")
}
