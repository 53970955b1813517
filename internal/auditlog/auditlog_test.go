package auditlog_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/auditlog"
	"kreislauf/internal/authz"
	"kreislauf/internal/config"
	"kreislauf/internal/health"
	"kreislauf/internal/logging"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/problem"
	"kreislauf/internal/repository"
	"kreislauf/internal/telemetry"
	"kreislauf/test/asked"
	"kreislauf/test/embedded"
)

// childURI turns the test binary into an instance that changes documents and collects; it holds the address of the store.
const childURI = "AUDITLOG_TEST_URI"

func TestMain(m *testing.M) {
	if uri := os.Getenv(childURI); uri != "" {
		changeForEver(uri)
		return
	}
	goleak.VerifyTestMain(asked.By(m, "auditlog"))
}

func connect(uri string) (*mongodb.Database, error) {
	tel, err := telemetry.New(context.Background(), config.Process{}, logging.NewSink(io.Discard))
	if err != nil {
		return nil, err
	}
	return mongodb.Open(uri, "auditlogtest", "t-1", tel.Tracer)
}

func open(t *testing.T) (l *auditlog.Log, db *mongodb.Database, uri string) {
	t.Helper()
	uri = embedded.Start(t).MongoURI
	db, err := connect(uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	l = auditlog.New(db, "orders", "customers")
	if err := l.EnsureIndexes(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l, db, uri
}

// order is an aggregate that is audited.
type order struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	N              int `bson:"n"`
}

func newOrder(id string) order { return order{Root: aggregate.New(id)} }

func entry(subject, user string, at time.Time) audit.Entry {
	return audit.Entry{
		At: at, Actor: audit.Actor{UserID: user, Role: authz.BackOffice, Tenant: "kreislauf"}, Operation: "order.correct", Subject: subject,
		Reason: "weighed again", TraceID: "0af7651916cd43dd8448eb211c80319c",
	}
}

// orders is the repository through which services change aggregates; these emit no events, so nothing is published.
func orders(db *mongodb.Database) *repository.Repository[order, *order] {
	return repository.Open[order](repository.Parts{DB: db, Log: zerolog.Nop()}, "orders", "order", "")
}

// change counts an order up in one write with the entry that says so.
func change(ctx context.Context, db *mongodb.Database, id, user string) error {
	_, _, err := orders(db).Change(ctx, id, func(o *order) error {
		o.N++
		e := entry("order/"+id, user, time.Now())
		e.Reason = fmt.Sprintf("count up to %d", o.N)
		return o.Add(e)
	})
	return err
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestAppendAndQuery(t *testing.T) {
	l, _, _ := open(t)
	for i, subject := range []string{"order/o-1", "order/o-2", "order/o-1", "invoice/i-1"} {
		e := entry(subject, fmt.Sprintf("u-%d", i%2), noon.Add(time.Duration(i)*time.Second))
		e.ID = fmt.Sprintf("a-%d", i)
		e.Change = audit.Change{Fields: []string{"/n"}, Before: "b", After: "a"}
		for range 2 {
			if err := l.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	forged := entry("order/o-1", "u-9", noon)
	forged.ID = "a-0"
	if err := l.Append(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	ids := func(list []audit.Entry, err error) (ids []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			ids = append(ids, e.ID+" "+e.Actor.UserID)
		}
		return ids
	}
	ctx := t.Context()
	for name, tc := range map[string]struct{ got, want []string }{
		"of an order":           {ids(l.BySubject(ctx, "order/o-1", 10)), []string{"a-2 u-0", "a-0 u-0"}},
		"the newest of it":      {ids(l.BySubject(ctx, "order/o-1", 1)), []string{"a-2 u-0"}},
		"of nothing":            {ids(l.BySubject(ctx, "order/o-3", 10)), nil},
		"of a user":             {ids(l.ByActor(ctx, "u-1", 10)), []string{"a-3 u-1", "a-1 u-1"}},
		"of whom nobody is for": {ids(l.ByActor(ctx, "u-9", 10)), nil},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	list, err := l.BySubject(ctx, "invoice/i-1", 1)
	want := entry("invoice/i-1", "u-1", noon.Add(3*time.Second))
	want.ID, want.Change = "a-3", audit.Change{Fields: []string{"/n"}, Before: "b", After: "a"}
	if diff := cmp.Diff([]audit.Entry{want}, list); diff != "" || err != nil {
		t.Errorf("%v, an entry (-want +got):\n%s", err, diff)
	}
	bad := entry("order/o-1", "u-1", noon)
	bad.Reason = ""
	if err := l.Append(ctx, bad); problem.KindOf(err) != problem.Invalid {
		t.Errorf("without a reason: %v", err)
	}
}

func TestCollect(t *testing.T) {
	l, db, _ := open(t)
	ctx, coll := t.Context(), db.Collection("orders")
	for _, id := range []string{"o-1", "o-2", "o-3"} {
		if _, err := coll.InsertOne(ctx, newOrder(id)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"o-1", "o-2", "o-1"} {
		if err := change(ctx, db, id, "u-1"); err != nil {
			t.Fatal(err)
		}
	}
	// What cannot be decoded stands in nobody's way and is told.
	broken := bson.D{
		{Key: "_id", Value: "o-0"}, {Key: "version", Value: int64(1)}, {Key: "audit", Value: "?"}, {Key: "audit_at", Value: time.Unix(0, 0)},
	}
	if _, err := coll.InsertOne(ctx, broken); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Collect(ctx); n != 2 || err == nil || !strings.Contains(err.Error(), `entries of orders: document "o-0"`) {
		t.Errorf("%d documents emptied, %v", n, err)
	}
	if _, err := coll.DeleteOne(ctx, bson.D{{Key: "_id", Value: "o-0"}}); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Collect(ctx); n != 0 || err != nil {
		t.Errorf("a second time: %d documents emptied, %v", n, err)
	}
	for id, want := range map[string]int{"o-1": 2, "o-2": 1, "o-3": 0} {
		list, err := l.BySubject(ctx, "order/"+id, 10)
		if err != nil || len(list) != want {
			t.Errorf("%s has %d entries, %v; want %d", id, len(list), err, want)
		}
		var o order
		if err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&o); err != nil {
			t.Fatal(err)
		}
		wantDoc := newOrder(id)
		wantDoc.Version, wantDoc.N = int64(1+want), want
		if diff := cmp.Diff(wantDoc, o); diff != "" {
			t.Errorf("document (-want +got):\n%s", diff)
		}
	}
}

func TestRun(t *testing.T) {
	l, db, _ := open(t)
	coll := db.Collection("orders")
	if _, err := coll.InsertOne(t.Context(), newOrder("o-1")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, pulse := make(chan error, 1), &health.Health{}
	go func() { done <- l.Run(pulse.Part(ctx, "audit collector"), zerolog.Nop()) }()
	if err := change(ctx, db, "o-1", "u-1"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		list, err := l.ByActor(ctx, "u-1", 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody collects")
		}
	}
	if quiet := testutil.ToFloat64(pulse); quiet <= 0 {
		t.Errorf("the collector gives no sign of life: quiet for %v s", quiet)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// changeForEver is an instance; it says each change on standard output.
func changeForEver(uri string) {
	ctx := context.Background()
	db, err := connect(uri)
	if err != nil {
		panic(err)
	}
	l := auditlog.New(db, "orders")
	for {
		if err := change(ctx, db, fmt.Sprintf("o-%d", rand.IntN(3)), fmt.Sprint("u-", os.Getpid())); err != nil {
			panic(err)
		}
		fmt.Println("changed")
		if rand.IntN(2) == 0 {
			if _, err := l.Collect(ctx); err != nil {
				panic(err)
			}
			fmt.Println("collected")
		}
	}
}

// runAndKill runs an instance and kills it shortly after so many steps.
func runAndKill(ctx context.Context, uri string, steps int) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe)
	var output strings.Builder
	cmd.Env, cmd.Stderr = append(os.Environ(), childURI+"="+uri), &output
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if steps--; steps == 0 {
			time.Sleep(rand.N(3 * time.Millisecond)) // so that it dies anywhere in what comes next
			if err := cmd.Process.Kill(); err != nil {
				return err
			}
		}
	}
	if err := cmd.Wait(); steps > 0 {
		return errors.Join(fmt.Errorf("the instance ended by itself: %s", &output), err)
	}
	return nil
}

// TestKill kills instances that change and collect, two at a time. Then every change has its entry, and no entry is there twice.
func TestKill(t *testing.T) {
	l, db, uri := open(t)
	coll := db.Collection("orders")
	for i := range 3 {
		if _, err := coll.InsertOne(t.Context(), newOrder(fmt.Sprintf("o-%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	for range 12 {
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := runAndKill(t.Context(), uri, 1+rand.IntN(20)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	// What the dead have sent last may reach the store only now, so look until all is there.
	left, total, faults := 0, 0, []string{"nothing was looked at"}
	for deadline := time.Now().Add(time.Minute); len(faults) > 0 && time.Now().Before(deadline); {
		n, err := l.Collect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left += n
		total, faults = compare(t, l, db)
	}
	t.Logf("24 instances killed, %d changes, %d documents left to collect", total, left)
	if total < 24 || len(faults) > 0 {
		t.Errorf("%d changes, %q", total, faults)
	}
}

// compare counts the changes of all orders and says which do not have one entry each.
func compare(t *testing.T, l *auditlog.Log, db *mongodb.Database) (changes int, faults []string) {
	t.Helper()
	for i := range 3 {
		o, err := orders(db).Get(t.Context(), fmt.Sprintf("o-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		list, err := l.BySubject(t.Context(), "order/"+o.ID, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		reasons := map[string]bool{}
		for _, e := range list {
			reasons[e.Reason] = true
		}
		if len(list) != o.N || len(reasons) != o.N || int64(o.N) != o.Version-1 || len(o.Audit) != 0 {
			faults = append(faults, fmt.Sprintf("%s was changed %d times, has %d entries of %d changes, version %d, %d still waiting",
				o.ID, o.N, len(list), len(reasons), o.Version, len(o.Audit)))
		}
		changes += o.N
	}
	return changes, faults
}

// TestCollectDuringAChange: an entry that is added to others which the collector takes away meanwhile is collected, too.
func TestCollectDuringAChange(t *testing.T) {
	l, db, _ := open(t)
	ctx := t.Context()
	if _, err := db.Collection("orders").InsertOne(ctx, newOrder("o-1")); err != nil {
		t.Fatal(err)
	}
	if err := change(ctx, db, "o-1", "u-1"); err != nil {
		t.Fatal(err)
	}
	_, _, err := orders(db).Change(ctx, "o-1", func(o *order) error {
		o.N++
		_, err := l.Collect(ctx) // another instance does this between the read and the write
		return errors.Join(err, o.Add(entry("order/o-1", "u-2", time.Now())))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Collect(ctx); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]int{"u-1": 1, "u-2": 1} {
		if list, err := l.ByActor(ctx, user, 10); err != nil || len(list) != want {
			t.Errorf("%s has %d entries, %v; want %d", user, len(list), err, want)
		}
	}
}
