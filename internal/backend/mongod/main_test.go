package mongod

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"
)

// serveDir makes the test binary a server process on that data folder, for the crash drill.
const serveDir = "MONGOD_TEST_SERVE_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveDir); dir != "" {
		serveForever(dir, os.Getenv("MONGOD_TEST_SERVE_ADDR"))
	}
	goleak.VerifyTestMain(m)
}

func serveForever(dir, addr string) {
	s, err := New(Options{Dir: dir, Addr: addr, Logger: zerolog.New(os.Stderr)})
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

// startServer runs a server on a fresh folder until the test ends.
func startServer(tb testing.TB, opts Options) *Server {
	tb.Helper()
	if opts.Dir == "" {
		opts.Dir = tb.TempDir()
	}
	opts.Addr = "127.0.0.1:0"
	opts.Logger = zerolog.New(zerolog.NewTestWriter(tb))
	s, err := New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stopServer(tb, s) })
	return s
}

func stopServer(tb testing.TB, s *Server) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		tb.Error(err)
	}
}

// connect returns a client of the unmodified driver.
func connect(tb testing.TB, addr string) *mongo.Client {
	tb.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + addr).SetServerSelectionTimeout(10 * time.Second))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return client
}

// testDatabase returns an empty database on a fresh server.
func testDatabase(tb testing.TB) *mongo.Database {
	tb.Helper()
	return connect(tb, startServer(tb, Options{}).Addr()).Database("test")
}

// startProcess runs the server as its own process and waits for its address.
func startProcess(tb testing.TB, dir, addr string) (*exec.Cmd, string) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveDir+"="+dir, "MONGOD_TEST_SERVE_ADDR="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	var bound string
	if _, err := fmt.Fscanln(out, &bound); err != nil {
		tb.Fatalf("server process said nothing: %v", err)
	}
	return cmd, bound
}

// run sends a command written as extended JSON and returns the raw answer, whether it is an error or not.
func run(tb testing.TB, db *mongo.Database, command string) bson.Raw {
	tb.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(command), false, &d); err != nil {
		tb.Fatalf("%s: %v", command, err)
	}
	raw, err := db.RunCommand(context.Background(), d).Raw()
	if err != nil {
		if raw == nil {
			tb.Fatalf("%s: %v", command, err)
		}
	}
	return raw
}
