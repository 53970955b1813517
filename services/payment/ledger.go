package payment

import (
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/money"
)

// Account is one account of the books.
type Account string

// The accounts. On those of what we own and spend a positive balance is usual, on those of what we owe and earn a negative one.
const (
	Bank         Account = "bank"
	Receivables  Account = "receivables"          // what customers owe us
	Payables     Account = "payables"             // what we owe to partners
	Prepayments  Account = "customer-prepayments" // what customers paid and do not owe
	Unassigned   Account = "unassigned-receipts"  // money in the bank of which nobody knows yet what it pays
	Revenue      Account = "revenue"
	ReminderFees Account = "reminder-fees"
	Cost         Account = "cost-of-disposal"
	VATOutput    Account = "vat-output" // of our invoices, owed to the tax office
	VATInput     Account = "vat-input"  // of credit notes, which the tax office gives back
)

// Accounts lists all of them, in the order in which people read them.
func Accounts() []Account {
	return []Account{Bank, Receivables, Payables, Prepayments, Unassigned, Revenue, ReminderFees, Cost, VATOutput, VATInput}
}

// Posting is an amount on one account: a debit is positive, a credit negative.
type Posting struct {
	Account Account     `bson:"account"`
	Cents   money.Cents `bson:"cents"`
}

// Entry is one booking. It is never changed; a mistake is booked back by another one.
type Entry struct {
	At       time.Time `bson:"at"`
	Text     string    `bson:"text"` // "invoice", "payment b-17"
	Postings []Posting `bson:"postings"`
}

// Journal is embedded (`bson:",inline"`) in a document: what was booked because of it, and the balance of that by account. The books are
// the sum of all journals, and because the postings of each entry add up to zero, so do the books, at every moment.
type Journal struct {
	Entries []Entry                 `bson:"entries,omitempty"`
	Balance map[Account]money.Cents `bson:"balance,omitempty"`
}

// Book adds an entry; postings of nothing are left out. It refuses postings that do not add up to zero and accounts that do not exist;
// then nothing is booked.
func (j *Journal) Book(at time.Time, text string, postings ...Posting) error {
	postings = slices.DeleteFunc(slices.Clone(postings), func(p Posting) bool { return p.Cents == 0 })
	var sum money.Cents
	for _, p := range postings {
		if !slices.Contains(Accounts(), p.Account) {
			return fmt.Errorf("book %s: there is no account %q", text, p.Account)
		}
		sum += p.Cents
	}
	if sum != 0 {
		return fmt.Errorf("book %s: the postings add up to %s, not to zero", text, sum)
	}
	if len(postings) == 0 {
		return nil
	}
	balance := make(map[Account]money.Cents, len(j.Balance)+len(postings))
	for a, c := range j.Balance {
		balance[a] = c
	}
	for _, p := range postings {
		balance[p.Account] += p.Cents
	}
	j.Entries, j.Balance = append(j.Entries, Entry{at, text, postings}), balance
	return nil
}
