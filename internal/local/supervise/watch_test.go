package supervise

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestJudge gives looks a second apart: + answered, - missed, ~ missed while this process was late itself, T stopped.
// The verdicts: . fine, ? suspect, ! hung.
func TestJudge(t *testing.T) {
	for name, tc := range map[string]struct {
		patience    time.Duration
		looks, want string
	}{
		"well":                              {Patience, "++++++", "......"},
		"a miss now and then":               {Patience, "+--+--+--", "........."},
		"three misses, then well":           {Patience, "+---++-", "...??.."},
		"one answer does not bring it back": {Patience, "+---+-+-++", "...??????."},
		"silent":                            {Patience, "+------", "...???!"},
		"silent beyond a longer patience":   {8 * time.Second, "+---------", "...??????!"},
		"a starved machine":                 {Patience, "+~~~~~~~~~~~~~~~", "................"},
		"misses, then a starved machine":    {Patience, "+-~~-~~-~~", ".......???"},
		"stopped":                           {Patience, "+TTT", "...!"},
		"stopped twice and continued":       {Patience, "+TT+TT+", "......."},
		"stopped while it is suspect":       {Patience, "+---TTT", "...???!"},
		"stopped on a starved machine":      {Patience, "~~TTT", "....!"},
		"stopped from the start":            {time.Hour, "TTT", "..!"},
	} {
		t.Run(name, func(t *testing.T) {
			j := judge{patience: tc.patience}
			at := time.Unix(0, 0)
			got := ""
			for _, r := range tc.looks {
				l := look{at: at, stopped: r == 'T', late: r == '~'}
				if r == '-' || r == '~' {
					l.err = errors.New("no answer")
				}
				v, silent := j.take(l)
				got += string(".?!"[v])
				if v == hung && silent <= 0 {
					t.Errorf("hung after %v of silence", silent)
				}
				at = at.Add(time.Second)
			}
			if got != tc.want {
				t.Errorf("%s gives %s, want %s", tc.looks, got, tc.want)
			}
		})
	}
}

// TestLimitGrows: what answers slowly on a busy machine is seen to answer.
func TestLimitGrows(t *testing.T) {
	var j judge
	var got []time.Duration
	for range 6 {
		got = append(got, j.limit())
		j.take(look{err: errors.New("no answer")})
	}
	const ms = time.Millisecond
	if diff := cmp.Diff([]time.Duration{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 2000 * ms, 2000 * ms}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

// told collects the states of one component, each once in a row.
type told struct {
	mu     sync.Mutex // guards states and hung
	states []State
	hung   Status
}

func (o *told) change(s Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.states = append(o.states, s.State)
	if s.State == Hung {
		o.hung = s
	}
}

func (o *told) seen() ([]State, Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]State(nil), o.states...), o.hung
}

func watched(t *testing.T, mode string) Component {
	t.Helper()
	addr := freeAddr(t)
	c := served("order-1", addr, t.TempDir())
	c.Env = append(c.Env, modeVar+"="+mode)
	c.Ready, c.Alive, c.Patience = HTTPReady("http://"+addr), HTTPReady("http://"+addr), time.Millisecond
	return c
}

// TestHungProcessIsReplaced makes a process hang in each way in which one can: it must be killed and be back, and it must be told why.
func TestHungProcessIsReplaced(t *testing.T) {
	for _, tc := range []struct {
		mode   string
		signal syscall.Signal
		why    string
		states []State
	}{
		{"serve", syscall.SIGSTOP, "it is stopped", []State{Starting, Ready, Hung, Restarting, Starting, Ready}},
		{"sick", syscall.SIGUSR1, "the relay has not moved for 31 s", []State{Starting, Ready, Suspect, Hung, Restarting, Starting, Ready}},
		{"mute", syscall.SIGUSR1, "no answer: ", []State{Starting, Ready, Suspect, Hung, Restarting, Starting, Ready}},
	} {
		t.Run(tc.mode, func(t *testing.T) {
			t.Parallel()
			c := watched(t, tc.mode)
			if tc.mode == "serve" {
				c.Ready, c.Alive = TCPReady(c.Addr), TCPReady(c.Addr) // a stopped process takes connections all the same
			}
			var o told
			s := New(o.change)
			t.Cleanup(func() {
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			})
			if err := s.Start(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			before := s.Status()[0]
			if err := syscall.Kill(before.PID, tc.signal); err != nil {
				t.Fatal(err)
			}
			until(t, "it is ready as another process", func() bool {
				st := s.Status()[0]
				return st.State == Ready && st.PID != before.PID
			})
			states, hung := o.seen()
			if diff := cmp.Diff(tc.states, states); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if hung.PID != before.PID || !strings.Contains(hung.Why, tc.why) || hung.Silent <= 0 {
				t.Errorf("hung: %+v", hung)
			}
			after := s.Status()[0]
			if after.Hangs != 1 || after.Restarts != 1 || after.Why != "" || !strings.Contains(after.LastExit, "hung: ") || !gone(before.PID) {
				t.Errorf("after it was replaced: %+v", after)
			}
		})
	}
}

// TestPausedProcessLives: a process that is stopped for a moment, as by a person with a debugger, is not killed.
func TestPausedProcessLives(t *testing.T) {
	c := watched(t, "sick")
	s := start(t, c)
	pid := s.Status()[0].PID
	for range 3 {
		if err := errors.Join(syscall.Kill(pid, syscall.SIGSTOP), syscall.Kill(pid, syscall.SIGCONT)); err != nil {
			t.Fatal(err)
		}
		if err := c.Alive(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if st := s.Status()[0]; st.PID != pid || st.Hangs != 0 {
		t.Errorf("%+v", st)
	}
}

// TestStoppedWorkerIsKilledAlone: its parent lives and may start another.
func TestStoppedWorkerIsKilledAlone(t *testing.T) {
	c := served("nginx", freeAddr(t), t.TempDir())
	c.Env = append(c.Env, modeVar+"=parent")
	killed := make(chan int, 1) // gets the worker's pid
	c.Alive, c.Workers = TCPReady(c.Addr), func(pid int, _ time.Duration) { killed <- pid }
	s := start(t, c)
	console, err := os.ReadFile(c.Console)
	if err != nil {
		t.Fatal(err)
	}
	var worker int
	if _, err := fmt.Sscanf(string(console), "worker %d", &worker); err != nil {
		t.Fatalf("%v in %q", err, console)
	}
	before := s.Status()[0]
	if err := syscall.Kill(worker, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if got := <-killed; got != worker {
		t.Errorf("%d was killed, the worker is %d", got, worker)
	}
	until(t, "the worker has ended", func() bool { return gone(worker) })
	if after := s.Status()[0]; after.PID != before.PID || after.State != Ready || after.Hangs != 0 {
		t.Errorf("its parent: %+v", after)
	}
}

func TestAnswers(t *testing.T) {
	srv := &http.Server{Addr: freeAddr(t), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- srv.ListenAndServe() }()
	until(t, "it listens", func() bool { return TCPReady(srv.Addr)(t.Context()) == nil })
	request := []byte("GET / HTTP/1.0\r\n\r\n")
	if err := Answers(srv.Addr, request, 8, func([]byte) int { return len(" 404 Not Found\r\n") })(t.Context()); err != nil {
		t.Error(err)
	}
	if Answers(srv.Addr, request, 8, func([]byte) int { return 1 << 20 })(t.Context()) == nil {
		t.Error("half an answer is an answer")
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if Answers(srv.Addr, nil, 1, nil)(t.Context()) == nil {
		t.Error("a server that is away answers")
	}
}
