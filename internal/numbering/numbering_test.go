package numbering_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"kreislauf/internal/config"
	"kreislauf/internal/logging"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/numbering"
	"kreislauf/internal/telemetry"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) {
	if uri := os.Getenv(childURI); uri != "" {
		issueAll(uri)
		return
	}
	goleak.VerifyTestMain(m)
}

var noon = time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)

const series = "R-2026-"

func connect(uri string) (*mongodb.Database, error) {
	tel, err := telemetry.New(context.Background(), config.Process{}, logging.NewSink(io.Discard))
	if err != nil {
		return nil, err
	}
	return mongodb.Open(uri, "numberingtest", "t-1", tel.Tracer)
}

// open starts the servers and opens the database as one instance.
func open(t *testing.T) (db *mongodb.Database, uri string) {
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
	return db, uri
}

func newBook(t *testing.T, db *mongodb.Database, tenant string) *numbering.Book {
	t.Helper()
	b := numbering.New(db, tenant)
	if err := b.EnsureIndexes(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func reserve(t *testing.T, b *numbering.Book, series, owner string, at time.Time) numbering.Number {
	t.Helper()
	n, err := b.Reserve(t.Context(), series, owner, at)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReserve(t *testing.T) {
	db, _ := open(t)
	ours, theirs := newBook(t, db, "kreislauf"), newBook(t, db, "another")
	for _, tc := range []struct {
		name          string
		book          *numbering.Book
		series, owner string
		want          string
	}{
		{"the first", ours, series, "i-1", "R-2026-000001"},
		{"the next", ours, series, "i-2", "R-2026-000002"},
		{"the same owner", ours, series, "i-1", "R-2026-000001"},
		{"the same owner in the new year", ours, "R-2027-", "i-2", "R-2026-000002"},
		{"another series", ours, "G-2026-", "c-1", "G-2026-000001"},
		{"a series that begins alike", ours, "R-", "i-3", "R-000001"},
		{"another tenant", theirs, series, "i-1", "R-2026-000001"},
		{"on", ours, series, "i-4", "R-2026-000003"},
	} {
		n := reserve(t, tc.book, tc.series, tc.owner, noon)
		if n.Text() != tc.want || n.Owner != tc.owner || n.OpenSince == nil || !n.OpenSince.Equal(noon) {
			t.Errorf("%s: %s, %+v; want %s", tc.name, n.Text(), n, tc.want)
		}
	}
	for s, want := range map[string]int64{series: 3, "G-2026-": 1, "R-": 1, "R-2027-": 0} {
		if last, err := ours.Verify(t.Context(), s); err != nil || last != want {
			t.Errorf("series %s ends with %d, %v; want %d", s, last, err, want)
		}
	}
	for _, bad := range [][2]string{{"R-2026", "i-9"}, {"", "i-9"}, {"r-", "i-9"}, {"R 1-", "i-9"}, {series, ""}} {
		if n, err := ours.Reserve(t.Context(), bad[0], bad[1], noon); err == nil {
			t.Errorf("series %q and owner %q gave %s", bad[0], bad[1], n.Text())
		}
	}
	if n := (numbering.Number{Series: series, N: 1_234_567}); n.Text() != "R-2026-1234567" {
		t.Errorf("beyond six digits: %s", n.Text())
	}
}

func TestBindAndOpen(t *testing.T) {
	db, _ := open(t)
	b := newBook(t, db, "kreislauf")
	first := reserve(t, b, series, "i-1", noon)
	second := reserve(t, b, series, "i-2", noon.Add(time.Minute))
	other := reserve(t, newBook(t, db, "another"), series, "i-1", noon)
	bind := func(n numbering.Number) func() error { return func() error { return b.Bind(t.Context(), n) } }
	texts := func(before time.Time) (list []string) {
		t.Helper()
		open, err := b.Open(t.Context(), before, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range open {
			list = append(list, n.Text()+" "+n.Owner)
		}
		return list
	}
	for _, tc := range []struct {
		name   string
		before time.Time
		want   []string
		then   func() error
	}{
		{"nothing is old enough", noon, nil, nil},
		{"the first is", noon.Add(time.Second), []string{"R-2026-000001 i-1"}, nil},
		{"both are", noon.Add(time.Hour), []string{"R-2026-000001 i-1", "R-2026-000002 i-2"}, bind(first)},
		{"the first is bound", noon.Add(time.Hour), []string{"R-2026-000002 i-2"}, bind(first)},
		{"bound twice", noon.Add(time.Hour), []string{"R-2026-000002 i-2"}, bind(second)},
		{"all are bound", noon.Add(time.Hour), nil, nil},
	} {
		if diff := cmp.Diff(tc.want, texts(tc.before)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if tc.then != nil {
			if err := tc.then(); err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	}
	if n := reserve(t, b, series, "i-1", noon.Add(time.Hour)); n.N != 1 || n.OpenSince != nil {
		t.Errorf("a bound owner gets %+v", n)
	}
	wrong := other
	wrong.Owner = "i-2"
	if err := b.Bind(t.Context(), wrong); err == nil {
		t.Error("a number was bound to an owner that does not have it")
	}
}

// TestAtOnce: several instances, each with its own connections, and every owner asked for by all of them.
func TestAtOnce(t *testing.T) {
	_, uri := open(t)
	const instances, owners = 4, 40
	got := make([]map[string]string, instances)
	var wg sync.WaitGroup
	for i := range instances {
		db, err := connect(uri)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close(context.Background()) })
		b := newBook(t, db, "kreislauf")
		got[i] = map[string]string{}
		wg.Go(func() {
			for k := range owners {
				owner := fmt.Sprintf("i-%d", (k+i*owners/instances)%owners)
				n, err := b.Reserve(t.Context(), series, owner, noon)
				if err != nil {
					t.Error(err)
				}
				got[i][owner] = n.Text()
			}
		})
	}
	wg.Wait()
	for i := range got {
		if diff := cmp.Diff(got[0], got[i]); diff != "" {
			t.Errorf("instances 0 and %d were given different numbers:\n%s", i, diff)
		}
	}
	db, err := connect(uri)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	if last, err := numbering.New(db, "kreislauf").Verify(t.Context(), series); err != nil || last != owners {
		t.Errorf("%d numbers, %v; want %d", last, err, owners)
	}
}

// TestVerifyNamesGaps: Verify sees what Reserve can never make.
func TestVerifyNamesGaps(t *testing.T) {
	db, _ := open(t)
	b := newBook(t, db, "kreislauf")
	for i := range 4 {
		reserve(t, b, series, fmt.Sprintf("i-%d", i), noon)
	}
	if _, err := db.Collection("numbers").DeleteOne(t.Context(), bson.D{{Key: "n", Value: 3}}); err != nil {
		t.Fatal(err)
	}
	if last, err := b.Verify(t.Context(), series); err == nil || last != 2 || err.Error() != "verify R-2026-: after 2 comes 4" {
		t.Errorf("last %d, error %v", last, err)
	}
}
