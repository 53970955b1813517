package payment

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

var berlin = func() *time.Location {
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return z
}()

var usual = terms{berlin, usualLevels()}

func meta(at time.Time) event.Meta {
	return event.Meta{Source: "payment", Customer: "kreislauf", VisitID: "v-1", Traceparent: "of the order", At: at}
}

// issued is an invoice over 574.77 and its credit note over 416.50, both with numbers.
func issued(t *testing.T) (invoice, credit Document) {
	t.Helper()
	invoice, err := draftInvoice(company, weighed(), person(weighed(), ""), meta(noon), noon.In(berlin), noon)
	if err != nil {
		t.Fatal(err)
	}
	credit, err = draftCredit(company, partner, weighed(), meta(noon), noon.In(berlin), noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(invoice.number("R-2026-000001", meta(noon), usual), credit.number("G-2026-000001", meta(noon), usual)); err != nil {
		t.Fatal(err)
	}
	return invoice, credit
}

func by(role authz.Role, at time.Time, reason string) audit.Entry {
	return audit.Entry{
		At: at, Actor: audit.Actor{UserID: "u-9", Role: role, Tenant: "kreislauf"}, Operation: "payment.test", Subject: "invoice/x", Reason: reason,
	}
}

func cancelling(reason string) Cancelling { return Cancelling{Note: Note{noon, reason}} }

func why(reason string) *audit.Entry { e := by(authz.BackOffice, noon, reason); return &e }

func types(d Document) (list []string) {
	for _, e := range d.Outbox {
		list = append(list, e.Type)
	}
	return list
}

func TestNumber(t *testing.T) {
	invoice, credit := issued(t)
	for _, d := range []*Document{&invoice, &credit} {
		again := *d
		if err := again.number(d.Number, meta(noon.Add(time.Hour)), usual); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*d, again); diff != "" {
			t.Errorf("the same number again changed %s:\n%s", d.ID, diff)
		}
		if err := again.number("R-2026-000002", meta(noon), usual); err == nil {
			t.Errorf("%s took another number", d.ID)
		}
		if d.State != Issued || d.OpenSince != nil || len(d.Outbox) != 1 || d.Outbox[0].VisitID != "v-1" || d.Outbox[0].Traceparent != "of the order" {
			t.Errorf("%+v", d)
		}
	}
	if diff := cmp.Diff(map[Account]money.Cents{Receivables: 574_77, Revenue: -483_00, VATOutput: -91_77}, invoice.Balance); diff != "" {
		t.Errorf("books of the invoice (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[Account]money.Cents{Payables: -416_50, Cost: 350_00, VATInput: 66_50}, credit.Balance); diff != "" {
		t.Errorf("books of the credit note (-want +got):\n%s", diff)
	}
	told, err := event.Decode[event.Invoiced](invoice.Outbox[0])
	if err != nil {
		t.Fatal(err)
	}
	want := event.Invoiced{OrderID: invoice.OrderID, UserID: "u-1", Number: "R-2026-000001", Total: money.FromNet(483_00), DueOn: "2026-12-14"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	credited, err := event.Decode[event.Credited](credit.Outbox[0])
	if err != nil {
		t.Fatal(err)
	}
	wanted := event.Credited{OrderID: credit.OrderID, PartnerID: "p-koeln", Number: "G-2026-000001", Total: money.FromNet(350_00)}
	if diff := cmp.Diff(wanted, credited); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

// TestSeriesFollowsTheDateOfIssue: an invoice of the old year keeps its series when it gets its number in the new one.
func TestSeriesFollowsTheDateOfIssue(t *testing.T) {
	newYear := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC) // 00:30 in Berlin
	for at, want := range map[time.Time]string{newYear: "R-2027-", newYear.Add(-time.Hour): "R-2026-"} {
		d, err := draftInvoice(company, weighed(), person(weighed(), ""), meta(at), at.In(berlin), at)
		if err != nil || d.series() != want {
			t.Errorf("issued at %v: series %s, %v; want %s", at, d.series(), err, want)
		}
	}
}

func TestPay(t *testing.T) {
	type step struct {
		line  string
		cents money.Cents
	}
	for _, tc := range []struct {
		name   string
		steps  []step
		state  State
		open   money.Cents
		credit money.Cents // of the customer
		events int
	}{
		{"whole", []step{{"b-1", 574_77}}, Paid, 0, 0, 1},
		{"a part", []step{{"b-1", 100_00}}, Issued, 474_77, 0, 0},
		{"the same part twice", []step{{"b-1", 100_00}, {"b-1", 100_00}}, Issued, 474_77, 0, 0},
		{"in parts", []step{{"b-1", 100_00}, {"b-2", 474_77}}, Paid, 0, 0, 1},
		{"a cent short", []step{{"b-1", 574_76}}, Issued, 1, 0, 0},
		{"a cent too much", []step{{"b-1", 574_78}}, Paid, 0, 1, 1},
		{"too much in parts", []step{{"b-1", 500_00}, {"b-2", 100_00}}, Paid, 0, 25_23, 1},
		{"twice", []step{{"b-1", 574_77}, {"b-2", 574_77}}, Paid, 0, 574_77, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, _ := issued(t)
			var sum money.Cents
			seen := map[string]bool{}
			for _, s := range tc.steps {
				if err := d.pay(Payment{s.line, "2026-12-01", s.cents}, meta(noon), usual); err != nil {
					t.Fatal(err)
				}
				if !seen[s.line] {
					sum += s.cents
				}
				seen[s.line] = true
			}
			if d.State != tc.state || d.open() != tc.open || d.Balance[Prepayments] != -tc.credit || d.Balance[Unassigned] != sum {
				t.Errorf("state %s, open %s, books %v", d.State, d.open(), d.Balance)
			}
			if got := len(types(d)) - 1; got != tc.events || tc.events == 1 && types(d)[1] != (event.Paid{}).Type() {
				t.Errorf("events %v", types(d))
			}
		})
	}
	_, credit := issued(t)
	if err := credit.pay(Payment{"b-1", "2026-12-01", 1}, meta(noon), usual); err == nil {
		t.Error("a credit note was paid by a customer")
	}
}

// TestRemind follows an invoice that nobody pays: each reminder is made when the last day of its patience is over, in Berlin, and tells what is
// open then. A payment of all, an objection and a hold end the row.
func TestRemind(t *testing.T) {
	d, credit := issued(t)
	day := func(month time.Month, day int) time.Time {
		year := 2026
		if month < time.June {
			year++
		}
		return time.Date(year, month, day, 0, 0, 0, 0, berlin)
	}
	if credit.DueAt != nil {
		t.Errorf("a credit note waits for a reminder at %v", credit.DueAt)
	}
	if err := d.pay(Payment{Line: "b-1", BookedOn: "2026-12-01", Cents: 74_77}, meta(noon), usual); err != nil {
		t.Fatal(err)
	}
	var want []Reminder
	for i, tc := range []struct {
		at    time.Time
		payBy string
		fee   money.Cents
		open  money.Cents
	}{
		{day(time.December, 22), "2026-12-29", 0, 500_00}, // due on the 14th
		{day(time.January, 6), "2027-01-13", 5_00, 505_00},
		{day(time.January, 21), "2027-01-28", 5_00, 510_00},
	} {
		for name, stop := range map[string]func(*Document) error{
			"paid": func(d *Document) error {
				return d.pay(Payment{Line: "b-2", BookedOn: "2026-12-20", Cents: d.open()}, meta(noon), usual)
			},
			"objected": func(d *Document) error {
				return d.dispute("it was half full", by(authz.Customer, noon, "it was half full"), meta(noon))
			},
			"held": func(d *Document) error { return d.hold("lawyer writes", by(authz.BackOffice, noon, "lawyer writes")) },
		} {
			stopped := d
			if err := stop(&stopped); err != nil || stopped.DueAt != nil {
				t.Errorf("%s: %v, and the next reminder is at %v", name, err, stopped.DueAt)
			}
			if err := stopped.remind(meta(tc.at), usual); err != nil || len(stopped.Reminders) != i {
				t.Errorf("%s: %v, reminders %v", name, err, stopped.Reminders)
			}
			late := tc.at.AddDate(0, 1, 0)
			if err := stopped.release(by(authz.BackOffice, late, "settled by phone"), usual); err != nil || (stopped.DueAt == nil) != (name == "paid") {
				t.Errorf("%s, and released: %v, the next reminder is at %v", name, err, stopped.DueAt)
			} else if name != "paid" && !stopped.DueAt.Equal(late) {
				t.Errorf("%s, and released: the next reminder is at %v, not now", name, stopped.DueAt)
			}
		}
		if d.DueAt == nil || !d.DueAt.Equal(tc.at) {
			t.Fatalf("reminder %d is planned at %v, want %v", i+1, d.DueAt, tc.at)
		}
		if err := d.remind(meta(tc.at), usual); err != nil {
			t.Fatal(err)
		}
		want = append(want, Reminder{i + 1, tc.at, tc.payBy, tc.fee})
		if diff := cmp.Diff(want, d.Reminders); diff != "" {
			t.Errorf("reminders (-want +got):\n%s", diff)
		}
		told, err := event.Decode[event.Reminded](d.Outbox[len(d.Outbox)-1])
		if err != nil {
			t.Fatal(err)
		}
		wanted := event.Reminded{
			OrderID: d.OrderID, UserID: "u-1", Number: d.Number, Level: i + 1, OpenCents: tc.open, DueOn: "2026-12-14", PayBy: tc.payBy, FeeCents: tc.fee, Last: i == 2,
		}
		if diff := cmp.Diff(wanted, told); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
	}
	if d.DueAt != nil {
		t.Errorf("after the last reminder another one is planned at %v", d.DueAt)
	}
	if err := d.cancel(cancelling("it was wrong"), why("it was wrong"), noon); err != nil {
		t.Fatal(err)
	}
	for a, c := range map[Account]money.Cents{Receivables: 0, Revenue: 0, ReminderFees: 0, Prepayments: -74_77} {
		if d.Balance[a] != c {
			t.Errorf("cancelled, %s has %s, want %s", a, d.Balance[a], c)
		}
	}
}

func TestObject(t *testing.T) {
	lastMoment := time.Date(2026, 12, 14, 23, 59, 59, 0, berlin)
	_, d := issued(t)
	if err := d.object("wrong weight", by(authz.Dispatcher, lastMoment.Add(time.Second), "wrong weight"), meta(noon), berlin); problem.KindOf(err) != problem.Conflict {
		t.Fatalf("too late: %v", err)
	}
	if d.State != Issued || d.Audit != nil {
		t.Fatalf("a refused objection left %+v", d)
	}
	if err := d.object("wrong weight", by(authz.Dispatcher, lastMoment, "wrong weight"), meta(noon), berlin); err != nil {
		t.Fatal(err)
	}
	if d.State != Objected || d.Objection.Reason != "wrong weight" || len(d.Audit) != 1 {
		t.Errorf("%+v", d)
	}
	for a, c := range d.Balance {
		if c != 0 {
			t.Errorf("%s is left with %s", a, c)
		}
	}
	before := d
	if err := d.object("again", by(authz.Dispatcher, lastMoment.AddDate(1, 0, 0), "again"), meta(noon), berlin); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, d); diff != "" {
		t.Errorf("objecting again changed:\n%s", diff)
	}
	replaced := cancelling("the weight is right now")
	replaced.Next = &Next{}
	if err := d.cancel(replaced, why("the weight is right now"), noon); err != nil {
		t.Fatal(err)
	}
	if err := d.cancel(cancelling("and once more"), why("and once more"), noon); problem.KindOf(err) != problem.Conflict {
		t.Errorf("correcting what was objected to and replaced: %v; there is no correction", err)
	}
}

func TestCancel(t *testing.T) {
	for name, paid := range map[string]money.Cents{"unpaid": 0, "paid in part": 100_00, "paid": 574_77, "paid too much": 600_00} {
		t.Run(name, func(t *testing.T) {
			d, _ := issued(t)
			if paid > 0 {
				if err := d.pay(Payment{"b-1", "2026-12-01", paid}, meta(noon), usual); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.cancel(cancelling("why"), why("why"), noon); problem.KindOf(err) != problem.Invalid {
				t.Fatalf("a reason of three letters: %v", err)
			}
			d, _ = issued(t) // what decides and fails is thrown away
			if paid > 0 {
				if err := d.pay(Payment{"b-1", "2026-12-01", paid}, meta(noon), usual); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.cancel(cancelling("wrong price"), why("wrong price"), noon); err != nil {
				t.Fatal(err)
			}
			for a, want := range map[Account]money.Cents{Receivables: 0, Revenue: 0, VATOutput: 0, Prepayments: -paid, Unassigned: paid} {
				if d.Balance[a] != want {
					t.Errorf("%s has %s, want %s", a, d.Balance[a], want)
				}
			}
			if d.State != Cancelled || d.open() != 0 || d.OpenSince == nil || len(d.Audit) != 1 {
				t.Errorf("%+v", d)
			}
			if err := d.pay(Payment{"b-2", "2026-12-02", 10_00}, meta(noon), usual); err != nil || d.State != Cancelled || d.Balance[Prepayments] != -paid-10_00 {
				t.Errorf("money for a cancelled invoice: %v, %s, %v", err, d.State, d.Balance)
			}
			before := d
			if err := d.cancel(cancelling("again and again"), why("again and again"), noon); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, d); diff != "" {
				t.Errorf("cancelling again changed:\n%s", diff)
			}
			c, err := draftCorrection(d, berlin, noon)
			if err != nil {
				t.Fatal(err)
			}
			if c.ID != "correction-"+d.OrderID || c.UserID != "u-1" || c.series() != "K-2026-" || c.Paper.Corrects.Number != d.Number {
				t.Errorf("correction %+v", c)
			}
			if err := c.number("K-2026-000001", meta(noon), usual); err != nil || c.State != Issued || len(c.Outbox) != 0 || len(c.Entries) != 0 {
				t.Errorf("correction %+v, %v", c, err)
			}
		})
	}
	d, _ := issued(t)
	if _, err := draftCorrection(d, berlin, noon); err == nil {
		t.Error("an invoice that is not cancelled was corrected")
	}
}

// TestBooksAreZero does at random what can be done to documents: the books add up to zero after each step, and no step gives a customer
// more than was paid.
func TestBooksAreZero(t *testing.T) {
	for range 300 {
		d, credit := issued(t)
		var paid money.Cents
		for i := range 12 {
			var err error
			switch rand.IntN(6) {
			case 0:
				err = d.cancel(cancelling("it was wrong"), why("it was wrong"), noon)
			case 1:
				err = credit.object("it was wrong", by(authz.Dispatcher, noon, "it was wrong"), meta(noon), berlin)
			default:
				p := Payment{string(rune('a' + i)), "2026-12-01", money.Cents(1 + rand.IntN(300_00))}
				paid += p.Cents
				err = d.pay(p, meta(noon), usual)
			}
			if err != nil {
				t.Fatal(err)
			}
			var sum money.Cents
			for _, b := range []map[Account]money.Cents{d.Balance, credit.Balance} {
				for _, c := range b {
					sum += c
				}
			}
			if sum != 0 || d.Balance[Unassigned] != paid || d.Balance[Receivables] < 0 || d.Balance[Prepayments] > 0 || -d.Balance[Prepayments] > paid {
				t.Fatalf("sum %d, paid %d, books %v", sum, paid, d.Balance)
			}
		}
	}
}

func TestLearnKeepsTheNewest(t *testing.T) {
	p := newPartner(event.PartnerChanged{PartnerID: "p-1", Version: 2, Name: "B"})
	for _, e := range []event.PartnerChanged{{Version: 1, Name: "A"}, {Version: 2, Name: "also B"}} {
		if p.learn(e); p.Name != "B" || p.Known != 2 {
			t.Errorf("after version %d: %+v", e.Version, p)
		}
	}
	if p.learn(event.PartnerChanged{Version: 3, Name: "C", TaxID: "x"}); p.Name != "C" || p.Known != 3 || p.TaxID != "x" {
		t.Errorf("after version 3: %+v", p)
	}
}

func TestNumbersIn(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"R-2026-000123":                       "R-2026-000123",
		"Rechnung R-2026-000123 vom 3.12.":    "R-2026-000123",
		"RG.NR.R 2026 000123":                 "R-2026-000123",
		"r2026000123":                         "R-2026-000123",
		"R-2026-1000000":                      "R-2026-1000000",
		"R-2026-000001 R-2026-000002":         "R-2026-000001 R-2026-000002",
		"R-2026-000001,R-2026-000001":         "R-2026-000001",
		"K-2026-000123":                       "",
		"KR-2026-000123":                      "",
		"R-2026-00012":                        "",
		"R-2026-0001234567":                   "",
		"Container für Familie Reich, danke!": "",
	} {
		if got := strings.Join(numbersIn(text), " "); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

func TestLineRequest(t *testing.T) {
	good := lineRequest{"b-1", "2026-11-30", 1, "A", ""}
	if err := good.check("2026-11-30"); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*lineRequest){
		"/id":                    func(l *lineRequest) { l.ID = "a b" },
		"/booked_on":             func(l *lineRequest) { l.BookedOn = "2026-12-01" },
		"/booked_on of 30.2.":    func(l *lineRequest) { l.BookedOn = "2026-02-30" },
		"/booked_on long ago":    func(l *lineRequest) { l.BookedOn = "0026-02-20" },
		"/amount_cents":          func(l *lineRequest) { l.Cents = 0 },
		"/amount_cents too much": func(l *lineRequest) { l.Cents = maxReceipt + 1 },
		"/remitter":              func(l *lineRequest) { l.Remitter = "" },
		"/reference":             func(l *lineRequest) { l.Reference = strings.Repeat("ä", 501) },
	} {
		l := good
		change(&l)
		e, ok := errors.AsType[*problem.Error](l.check("2026-11-30"))
		pointer, _, _ := strings.Cut(name, " ")
		if !ok || len(e.Fields) != 1 || e.Fields[0].Pointer != pointer {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestAssign(t *testing.T) {
	l, err := newLine(lineRequest{"b-1", "2026-11-30", 100, "A", ""}, meta(noon))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[Account]money.Cents{Bank: 100, Unassigned: -100}, l.Balance); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	for _, tc := range []struct {
		invoice string
		kind    problem.Kind
	}{{"R-2026-000001", problem.Internal}, {"R-2026-000001", problem.Internal}, {"R-2026-000002", problem.Conflict}} {
		if err := l.assign(tc.invoice, "u-9", noon); problem.KindOf(err) != tc.kind || l.Invoice != "R-2026-000001" || l.OpenSince == nil {
			t.Errorf("assign %s: %v, %+v", tc.invoice, err, l)
		}
	}
}
