package mongodb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/problem"
)

// folderVar turns the test binary into a MongoDB with its data in the folder; it prints its address.
const folderVar = "KREISLAUF_TEST_MONGOD"

func TestMain(m *testing.M) {
	dir := os.Getenv(folderVar)
	if dir == "" {
		goleak.VerifyTestMain(m)
		return
	}
	s, err := mongod.New(mongod.Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Addr())
	select {}
}

// server runs a MongoDB as a process of its own, so that it can be stopped as a whole.
func server(t *testing.T) (addr string, p *os.Process) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), folderVar+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		t.Fatalf("the server does not say where it listens: %v", err)
	}
	return addr, cmd.Process
}

// TestHungServer stops the server as a debugger would: connections stay and nothing is answered. A request must end with its deadline and
// other work with Timeout, both as Unavailable; and all works again when the server does.
func TestHungServer(t *testing.T) {
	addr, mongo := server(t)
	db, err := Open("mongodb://"+addr, "order", "order-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	insert := func(ctx context.Context, id string) error {
		_, err := db.Collection("orders").InsertOne(ctx, bson.D{{Key: "_id", Value: id}})
		return Problem("insert order", err)
	}
	if err := insert(t.Context(), "before"); err != nil {
		t.Fatal(err)
	}
	if err := mongo.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := insert(ctx, fmt.Sprint("request-", i))
		cancel()
		if problem.KindOf(err) != problem.Unavailable || !strings.Contains(problem.BodyOf(err, "", "").Detail, "does not answer") {
			t.Errorf("a request while it hangs: %v", err)
		}
	}
	if err := insert(t.Context(), "relay"); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("work without a deadline while it hangs: %v", err)
	}
	if err := mongo.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := insert(t.Context(), "after")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after it was continued: %v", err)
		}
	}
}
