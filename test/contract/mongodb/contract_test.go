package mongodb

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/mongod"
)

var record = flag.Bool("record", false, "replace the recorded answers by those of the server at CONTRACT_MONGODB_URI")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestContract replays all files and checks the list of differences both ways.
func TestContract(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("cases %v, %v", files, err)
	}
	if *record {
		client := connect(t, os.Getenv("CONTRACT_MONGODB_URI"))
		for _, file := range files {
			recordFile(t, client, file)
		}
		return
	}
	client := connect(t, "mongodb://"+startServer(t))
	accepted, err := readDifferences("testdata/differences")
	if err != nil {
		t.Fatal(err)
	}
	answers, different := 0, 0
	for _, file := range files {
		name := caseName(file)
		t.Run(name, func(t *testing.T) {
			steps, err := readSteps(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range play(t, client, name, steps) {
				answers++
				key := name + " " + steps[i].line
				reason, listed := accepted[key]
				delete(accepted, key)
				switch same := got == steps[i].answer; {
				case same && listed:
					t.Errorf("%s: listed as different (%s), but the answers are the same", steps[i].line, reason)
				case !same && !listed:
					different++
					t.Errorf("%s\n  MongoDB:     %s\n  this server: %s", steps[i].line, steps[i].answer, got)
				case !same:
					different++
				}
			}
		})
	}
	for key := range accepted {
		t.Errorf("testdata/differences names a step that no file has: %s", key)
	}
	t.Logf("%d answers, %d of them different", answers, different)
}

// step is one line of a file with its recorded answer.
type step struct {
	comment string // lines before it
	line    string
	answer  string
}

func readSteps(file string) ([]step, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var steps []step
	next := step{}
	for i, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			next.comment += line + "\n"
		case strings.HasPrefix(line, "= "):
			if len(steps) == 0 || steps[len(steps)-1].answer != "" {
				return nil, fmt.Errorf("%s:%d: an answer without a step", file, i+1)
			}
			steps[len(steps)-1].answer = line[2:]
		default:
			next.line = line
			steps = append(steps, next)
			next = step{}
		}
	}
	seen := map[string]bool{}
	for i, s := range steps {
		if seen[s.line] { // a step that comes again is told apart by its number
			steps[i].line += " #" + strconv.Itoa(i)
		}
		seen[s.line] = true
	}
	return steps, nil
}

// play runs the steps in order in a fresh database and returns the answers.
func play(t *testing.T, client *mongo.Client, name string, steps []step) []string {
	db := client.Database("contract_" + name)
	if err := db.Drop(context.Background()); err != nil {
		t.Fatal(err)
	}
	cursor := int64(0)
	var answers []string
	for _, s := range steps {
		line, _, _ := strings.Cut(s.line, " #")
		commands, err := commandsOf(line)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		for i, command := range commands {
			raw := run(t, db, strings.ReplaceAll(command, "CURSOR", strconv.FormatInt(cursor, 10)))
			if id, ok := raw.Lookup("cursor", "id").AsInt64OK(); ok && id != 0 {
				cursor = id
			}
			text, err := normal(raw)
			if err != nil {
				t.Fatalf("%s: %v", command, err)
			}
			if cursor != 0 {
				text = strings.ReplaceAll(text, strconv.FormatInt(cursor, 10), "(cursor)")
			}
			if i >= shown(line) {
				parts = append(parts, text)
			}
		}
		answers = append(answers, strings.Join(parts, " then "))
	}
	if err := db.Drop(context.Background()); err != nil {
		t.Fatal(err)
	}
	return answers
}

// run sends one command and returns the raw answer, whether it is an error or not.
func run(t *testing.T, db *mongo.Database, command string) bson.Raw {
	t.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(command), false, &d); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	raw, err := db.RunCommand(context.Background(), d).Raw()
	var refused mongo.CommandError
	if errors.As(err, &refused) {
		return refused.Raw
	}
	if raw == nil {
		t.Fatalf("%s: %v", command, err)
	}
	return raw
}

func recordFile(t *testing.T, client *mongo.Client, file string) {
	steps, err := readSteps(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, answer := range play(t, client, caseName(file), steps) {
		line, _, _ := strings.Cut(steps[i].line, " #")
		fmt.Fprintf(&b, "%s%s\n= %s\n", steps[i].comment, line, answer)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readDifferences reads "file step" lines; the comment above a group of them is their reason.
func readDifferences(file string) (map[string]string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	reason := ""
	for i, line := range strings.Split(string(raw), "\n") {
		switch {
		case line == "":
			reason = ""
		case strings.HasPrefix(line, "# "):
			reason = strings.TrimSpace(reason + " " + line[2:])
		case reason == "":
			return nil, fmt.Errorf("%s:%d: a difference without a reason", file, i+1)
		default:
			out[line] = reason
		}
	}
	return out, nil
}

func caseName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".txt") }

func startServer(t *testing.T) string {
	t.Helper()
	s, err := mongod.New(mongod.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

func connect(t *testing.T, uri string) *mongo.Client {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetRetryWrites(false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client
}
