package payment

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/money"
)

var noon = time.Date(2026, 11, 30, 11, 0, 0, 0, time.UTC)

func TestBook(t *testing.T) {
	for _, tc := range []struct {
		name     string
		postings []Posting
		refused  bool
		want     Journal
	}{
		{
			"two accounts",
			[]Posting{{Bank, 100}, {Unassigned, -100}},
			false,
			Journal{[]Entry{{noon, "x", []Posting{{Bank, 100}, {Unassigned, -100}}}}, map[Account]money.Cents{Bank: 100, Unassigned: -100}},
		},
		{
			"nothing on one of them",
			[]Posting{{Bank, 100}, {Unassigned, -100}, {Prepayments, 0}},
			false,
			Journal{[]Entry{{noon, "x", []Posting{{Bank, 100}, {Unassigned, -100}}}}, map[Account]money.Cents{Bank: 100, Unassigned: -100}},
		},
		{"nothing at all", []Posting{{Bank, 0}}, false, Journal{}},
		{"one cent too few", []Posting{{Bank, 100}, {Unassigned, -99}}, true, Journal{}},
		{"an account that does not exist", []Posting{{Bank, 100}, {"cash", -100}}, true, Journal{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var j Journal
			if err := j.Book(noon, "x", tc.postings...); (err != nil) != tc.refused {
				t.Errorf("Book: %v", err)
			}
			if diff := cmp.Diff(tc.want, j); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBookLeavesTheOldBalanceAlone: a document that was read is not changed by a decision that is thrown away.
func TestBookLeavesTheOldBalanceAlone(t *testing.T) {
	var j Journal
	if err := j.Book(noon, "x", Posting{Bank, 1}, Posting{Unassigned, -1}); err != nil {
		t.Fatal(err)
	}
	before := j.Balance
	if err := j.Book(noon, "x", Posting{Bank, 1}, Posting{Unassigned, -1}); err != nil {
		t.Fatal(err)
	}
	if before[Bank] != 1 || j.Balance[Bank] != 2 {
		t.Errorf("balance before %v, after %v", before, j.Balance)
	}
}

// TestJournalIsZero books at random: whatever is refused and whatever is not, entries and balance add up to zero and agree.
func TestJournalIsZero(t *testing.T) {
	accounts := append(Accounts(), "cash")
	booked, refused := 0, 0
	for range 2000 {
		var j Journal
		for range rand.IntN(8) {
			var postings []Posting
			var sum money.Cents
			for range rand.IntN(4) {
				c := money.Cents(rand.IntN(2001) - 1000)
				sum += c
				postings = append(postings, Posting{accounts[rand.IntN(len(accounts))], c})
			}
			if rand.IntN(4) > 0 {
				postings = append(postings, Posting{Bank, -sum})
			}
			if j.Book(noon, "x", postings...) == nil {
				booked++
			} else {
				refused++
			}
		}
		fromEntries, all := map[Account]money.Cents{}, money.Cents(0)
		for _, e := range j.Entries {
			for _, p := range e.Postings {
				fromEntries[p.Account] += p.Cents
				all += p.Cents
			}
		}
		for _, a := range accounts {
			if fromEntries[a] != j.Balance[a] {
				t.Fatalf("%s: entries say %d, the balance %d", a, fromEntries[a], j.Balance[a])
			}
		}
		if all != 0 {
			t.Fatalf("the journal adds up to %d: %+v", all, j)
		}
	}
	if booked < 100 || refused < 100 {
		t.Errorf("only %d booked, %d refused", booked, refused)
	}
}
