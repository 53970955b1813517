package numbering_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"kreislauf/internal/numbering"
)

// childURI turns the test binary into an instance that issues invoices; it holds the address of the store.
const childURI = "NUMBERING_TEST_URI"

// invoice is the owner's document: written before its number.
type invoice struct {
	ID     string `bson:"_id"`
	Number string `bson:"number,omitempty"`
}

const invoices = 60

// issueAll is an instance: it issues all invoices in an order of its own and says each step on standard output, so that the test can
// kill it between any two. It ends when all are issued.
func issueAll(uri string) {
	ctx := context.Background()
	db, err := connect(uri)
	if err != nil {
		panic(err)
	}
	b := numbering.New(db, "kreislauf")
	for _, i := range rand.Perm(invoices) {
		if err := issue(ctx, db.Collection("invoices"), b, fmt.Sprintf("i-%d", i)); err != nil {
			panic(err)
		}
	}
}

func issue(ctx context.Context, coll *mongo.Collection, b *numbering.Book, id string) error {
	if _, err := coll.InsertOne(ctx, invoice{ID: id}); err != nil && !mongo.IsDuplicateKeyError(err) {
		return err
	}
	fmt.Println("written", id)
	n, err := b.Reserve(ctx, series, id, time.Now())
	if err != nil {
		return err
	}
	fmt.Println("reserved", id)
	return finish(ctx, coll, b, n)
}

// finish is what the instance does after Reserve and what the reconcile does for one that died.
func finish(ctx context.Context, coll *mongo.Collection, b *numbering.Book, n numbering.Number) error {
	res, err := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: n.Owner}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "number", Value: n.Text()}}}})
	if err != nil {
		return err
	}
	if res.MatchedCount != 1 {
		return fmt.Errorf("number %s has no document %s", n.Text(), n.Owner)
	}
	fmt.Println("numbered", n.Owner)
	return b.Bind(ctx, n)
}

// runAndKill runs an instance and kills it shortly after so many steps; killed is false when it had nothing left to do before.
func runAndKill(ctx context.Context, uri string, steps int) (killed bool, err error) {
	exe, err := os.Executable()
	if err != nil {
		return false, err
	}
	cmd := exec.CommandContext(ctx, exe)
	var output strings.Builder
	cmd.Env, cmd.Stderr = append(os.Environ(), childURI+"="+uri), &output
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if steps--; steps == 0 {
			time.Sleep(rand.N(3 * time.Millisecond)) // so that it dies anywhere in what comes next
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return false, err
			}
			killed = true
		}
	}
	if err := cmd.Wait(); err != nil && !killed {
		return false, fmt.Errorf("instance: %w\n%s", err, &output)
	}
	return killed, nil
}

// TestKill kills instances between any two of their steps, two at a time, until all invoices are issued; then a reconcile
// finishes what the dead have left. No number is missing, none is there twice, each is on the invoice that it was reserved for.
func TestKill(t *testing.T) {
	db, uri := open(t)
	b, coll := newBook(t, db, "kreislauf"), db.Collection("invoices")
	kills := 0
	for round := 0; kills < 40; round++ {
		if round == 200 {
			t.Fatalf("only %d kills in %d rounds", kills, round)
		}
		var wg sync.WaitGroup
		var killed [2]bool
		for i := range killed {
			wg.Go(func() {
				var err error
				// The later the round, the more an instance repeats before it comes to something new.
				if killed[i], err = runAndKill(t.Context(), uri, 1+rand.IntN(6+2*round)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, k := range killed {
			if k {
				kills++
			}
		}
	}
	// What the dead have sent last may reach the store only now, so look until all is there.
	finished, faults := 0, []string{"nothing was looked at"}
	for deadline := time.Now().Add(time.Minute); len(faults) > 0 && time.Now().Before(deadline); {
		left, err := b.Open(t.Context(), time.Now().Add(time.Hour), invoices)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range left {
			if err := finish(t.Context(), coll, b, n); err != nil {
				t.Fatal(err)
			}
		}
		finished += len(left)
		faults = compare(t, b, coll)
	}
	t.Logf("%d instances killed, %d reservations left open", kills, finished)
	if len(faults) > 0 {
		t.Errorf("%q", faults)
	}
}

// compare says what is wrong between invoices and numbers.
func compare(t *testing.T, b *numbering.Book, coll *mongo.Collection) (faults []string) {
	t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	last, err := b.Verify(t.Context(), series)
	if err != nil {
		fault("%v", err)
	}
	cur, err := coll.Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var docs []invoice
	if err := cur.All(t.Context(), &docs); err != nil {
		t.Fatal(err)
	}
	bearer := map[string]string{}
	for _, d := range docs {
		n, found, err := b.Of(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if found != (d.Number != "") || (found && n.Text() != d.Number) {
			fault("invoice %s bears %q, reserved for it is %+v", d.ID, d.Number, n)
		}
		if !found {
			continue // written, and killed before its number was asked for
		}
		if first, double := bearer[d.Number]; double {
			fault("number %s is on %s and on %s", d.Number, first, d.ID)
		}
		bearer[d.Number] = d.ID
	}
	if int64(len(bearer)) != last || last < invoices/2 {
		fault("%d invoices bear a number, the last number is %d", len(bearer), last)
	}
	left, err := b.Open(t.Context(), time.Now().Add(time.Hour), invoices)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		fault("still open: %v", left)
	}
	return faults
}
