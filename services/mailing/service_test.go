package mailing_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/blob"
	"kreislauf/internal/clock"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/services"
	"kreislauf/services/mailing"
	"kreislauf/test/embedded"
)

// made gives a payload the envelope of an event.
func made(t *testing.T, subject string, p event.Payload) event.Event {
	t.Helper()
	e, err := event.New(event.Meta{Source: "test", Subject: subject, Customer: "kreislauf", At: time.Now().UTC().Truncate(time.Millisecond)}, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func placed(order, user string) event.Placed {
	return event.Placed{
		OrderID: order, UserID: user, Waste: "170904", SizeM3: 7, Date: "2026-12-02", Postcode: "50667", Price: money.FromNet(30_000),
		Address: event.Address{Name: "Erika Muster", Street: "Domkloster 4", City: "Köln"},
	}
}

func signedUp(user, email string) event.SignedUp {
	return event.SignedUp{UserID: user, Role: "customer", Name: "Erika Muster", Email: email}
}

// await polls until ok says so.
func await(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		done, state := ok()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %s", what, state)
		}
	}
}

// queue is the collection of mails as it is stored.
type queue struct {
	mongodb.Collection[mailing.Mail]
}

func openQueue(t *testing.T, b *embedded.Backends) queue {
	return queue{mongodb.OpenCollection[mailing.Mail](b.Database(t, "mailing"), "mails", "mail")}
}

// await waits until a mail is as ok wants it.
func (q queue) await(t *testing.T, id string, ok func(mailing.Mail) bool) mailing.Mail {
	t.Helper()
	var m mailing.Mail
	await(t, "mail "+id, func() (bool, string) {
		var err error
		m, err = q.Get(t.Context(), id)
		return err == nil && ok(m), fmt.Sprintf("%+v, %v", m, err)
	})
	return m
}

func is(s mailing.State) func(mailing.Mail) bool {
	return func(m mailing.Mail) bool { return m.State == s }
}

// TestLifeOfAnOrder sends all events of an order, in the worst order and each twice, to an instance: each becomes one mail.
func TestLifeOfAnOrder(t *testing.T) {
	b := embedded.Start(t)
	shift := filepath.Join(t.TempDir(), "clock")
	b.Run(t, "mailing-1", map[string]string{
		"KREISLAUF_CLOCK_FILE": shift, "KREISLAUF_PUBLIC_URL": "https://shop.example", "KREISLAUF_MAIL_FROM": "kreislauf <auftrag@shop.example>",
	})
	q := openQueue(t, b)
	payment := []event.Event{
		made(t, "o-1", event.Invoiced{OrderID: "o-1", UserID: "u-1", Number: "R-2026-000001", Total: money.FromNet(40_000), DueOn: "2026-12-20"}),
		made(t, "o-1", event.Credited{OrderID: "o-1", PartnerID: "p-1", Number: "G-2026-000001"}),
		made(t, "o-1", event.Paid{OrderID: "o-1", UserID: "u-1", Number: "R-2026-000001", Total: money.FromNet(40_000)}),
	}
	order := []event.Event{
		made(t, "o-1", placed("o-1", "u-1")), made(t, "o-1", event.Matched{OrderID: "o-1", PartnerID: "p-1"}),
		made(t, "o-1", event.OnSite{OrderID: "o-1", UserID: "u-1", Container: "M-1", At: time.Now()}),
		made(t, "o-1", event.Collected{OrderID: "o-1", UserID: "u-1", Container: "M-1", At: time.Now()}),
		made(t, "o-1", event.Weighed{OrderID: "o-1", UserID: "u-1", GrossKg: 6000, TareKg: 4000, NetKg: 2000}),
		made(t, "o-1", event.Cancelled{OrderID: "o-1", UserID: "u-1", By: "back-office"}), // not together with the others, but a mail of its own
	}
	for _, e := range payment {
		b.Send(t, event.TopicPayment, e)
		b.Send(t, event.TopicPayment, e)
	}
	for _, e := range payment { // they wait for the order
		q.await(t, e.ID, func(m mailing.Mail) bool { return m.State == mailing.Queued && m.Waits > 0 && m.Attempts == 0 })
	}
	for _, e := range order {
		b.Send(t, event.TopicOrder, e)
		b.Send(t, event.TopicOrder, e)
	}
	q.await(t, order[0].ID, func(m mailing.Mail) bool { return m.State == mailing.Queued && m.Waits > 0 }) // for the customer
	b.Send(t, event.TopicIdentity, made(t, "u-1", signedUp("u-1", "erika@example.org")))
	b.Send(t, event.TopicIdentity, made(t, "u-2", signedUp("u-2", "other@example.org")))
	if err := clock.Shift(shift, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	b.Send(t, event.TopicDisposer, made(t, "p-1", event.PartnerChanged{PartnerID: "p-1", Version: 2, Name: "Mulden KG", Email: "gutschrift@mulden.example"}))
	for _, e := range append(slices.Clone(order), payment...) {
		q.await(t, e.ID, is(mailing.Sent))
		want["<"+e.ID+"@shop.example>"] = `"Erika Muster" <erika@example.org>`
	}
	want["<"+payment[1].ID+"@shop.example>"] = `"Mulden KG" <gutschrift@mulden.example>`
	list, err := mailbox.List(b.Mails, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range list {
		if got[m.MessageID] != "" {
			t.Errorf("%s came twice", m.MessageID)
		}
		got[m.MessageID] = m.To
		page := "https://shop.example/auftrag/o-1\n"
		if m.MessageID == "<"+payment[1].ID+"@shop.example>" {
			page = "https://shop.example\n" // a partner has no page of an order
		}
		if full, err := mailbox.Read(b.Mails, m.ID); err != nil || !strings.Contains(full.Text, page) {
			t.Errorf("%s: %v\n%s", m.Subject, err, full.Text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message ids and recipients (-want +got):\n%s", diff)
	}
	checkLines(t, b, "mailing-1", "erika@example.org", 9)
}

// TestAttachment: the PDF of an invoice goes with its mail to the company that is billed; the newest address counts. A document that is not what
// the event says is never sent; the mail waits for the right one.
func TestAttachment(t *testing.T) {
	b := embedded.Start(t)
	shift := filepath.Join(t.TempDir(), "clock")
	b.Run(t, "mailing-1", map[string]string{"KREISLAUF_CLOCK_FILE": shift, "KREISLAUF_OFFICE_MAIL": "buero@example.org"})
	lookup := b.Lookup("payment-1", nil)
	address, _ := lookup(blob.Documents)
	store, err := blob.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const pdf = "%PDF-1.7 an invoice"
	info, err := store.Put(t.Context(), "invoice-o-1", "application/pdf", "", strings.NewReader(pdf), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	invoiced := func(hash string) event.Invoiced {
		return event.Invoiced{
			OrderID: "o-1", UserID: "u-1", CompanyID: "c-1", Number: "R-2026-000001", Total: money.FromNet(40_000), DueOn: "2026-12-20",
			File: &event.File{Name: "R-2026-000001.pdf", Key: info.Key, Type: info.Type, Size: info.Size, SHA256: hash},
		}
	}
	good, wrong, unmatched := made(t, "o-1", invoiced(info.SHA256)), made(t, "o-1", invoiced(strings.Repeat("0", 64))), made(t, "o-1", event.Unmatched{OrderID: "o-1", Reason: "all declined"})
	b.Send(t, event.TopicIdentity, made(t, "c-1", event.CompanyChanged{CompanyID: "c-1", Version: 2, Name: "Bau GmbH", Email: "rechnung@bau.example"}))
	b.Send(t, event.TopicIdentity, made(t, "c-1", event.CompanyChanged{CompanyID: "c-1", Version: 1, Name: "Bau GbR", Email: "old@bau.example"}))
	b.Send(t, event.TopicOrder, made(t, "o-1", placed("o-1", "u-1")))
	b.Send(t, event.TopicPayment, good)
	b.Send(t, event.TopicPayment, wrong)
	b.Send(t, event.TopicMatching, unmatched)
	q := openQueue(t, b)
	q.await(t, wrong.ID, func(m mailing.Mail) bool {
		return m.State == mailing.Queued && m.Reason == "the attachment cannot be read"
	})
	for range 3 { // whatever had to wait is due now
		if err := clock.Shift(shift, 2*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	q.await(t, good.ID, is(mailing.Sent))
	q.await(t, unmatched.ID, is(mailing.Sent))
	list, err := mailbox.List(b.Mails, 10)
	if err != nil {
		t.Fatal(err)
	}
	to := map[string]bool{}
	for _, m := range list {
		to[m.To] = true
		files, err := filepath.Glob(filepath.Join(b.Mails, "new", m.ID+"*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("files of the mail %s: %v, %v", m.ID, files, err)
		}
		raw, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		has := strings.Contains(string(raw), base64.StdEncoding.EncodeToString([]byte(pdf))) && strings.Contains(string(raw), `filename="R-2026-000001.pdf"`)
		if has != strings.Contains(m.To, "rechnung@bau.example") {
			t.Errorf("to %s, with the invoice: %v\n%s", m.To, has, raw)
		}
	}
	if len(list) != 2 || !to[`"Bau GmbH" <rechnung@bau.example>`] || !to[`"kreislauf" <buero@example.org>`] {
		t.Errorf("mails to %v", to)
	}
}

// checkLines wants so many lines of mails that were sent, with their delay, and none with the address.
func checkLines(t *testing.T, b *embedded.Backends, instance, address string, sent int) {
	t.Helper()
	await(t, "lines", func() (bool, string) {
		text, err := os.ReadFile(b.LogFile("mailing", instance))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), address) {
			t.Fatalf("the address %s is in a line:\n%s", address, text)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, `"event.action":"mail.sent"`) && strings.Contains(line, `"mail.delay_ms":`) {
				n++
			}
		}
		return n == sent, string(text)
	})
}

// freeAddr is an address where nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestServerAway: events are consumed while the mail server is away, also over a restart; when it is back each mail is sent once.
func TestServerAway(t *testing.T) {
	b := embedded.Start(t)
	addr, shift := freeAddr(t), filepath.Join(t.TempDir(), "clock")
	settings := map[string]string{"KREISLAUF_SMTP_ADDR": addr, "KREISLAUF_CLOCK_FILE": shift}
	q := openQueue(t, b)
	stop := start(t, b, "mailing-1", settings)
	b.Send(t, event.TopicIdentity, made(t, "u-1", signedUp("u-1", "erika@example.org")))
	var ids []string
	for i := range 10 {
		e := made(t, fmt.Sprint("o-", i), placed(fmt.Sprint("o-", i), "u-1"))
		b.Send(t, event.TopicOrder, e)
		ids = append(ids, e.ID)
	}
	for _, id := range ids {
		m := q.await(t, id, func(m mailing.Mail) bool { return m.State == mailing.Queued && m.Attempts > 0 })
		if !strings.Contains(m.Reason, "connect: ") {
			t.Errorf("reason %q", m.Reason)
		}
	}
	stop()
	defer start(t, b, "mailing-2", settings)()
	office := &postOffice{}
	office.open(t, addr, nil, false)
	if err := clock.Shift(shift, 3*time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		q.await(t, id, is(mailing.Sent))
	}
	if n := len(office.mails()); n != len(ids) {
		t.Errorf("%d mails came, want %d", n, len(ids))
	}
}

// start runs an instance until stop.
func start(t *testing.T, b *embedded.Backends, instance string, settings map[string]string) (stop func()) {
	t.Helper()
	s, _ := services.Named("mailing")
	p, err := s.Open(t.Context(), b.Lookup(instance, settings))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestProcessDiesWhileSending: a mail whose process died is sent by the next one, with the same Message-ID.
func TestProcessDiesWhileSending(t *testing.T) {
	b := embedded.Start(t)
	q := openQueue(t, b)
	b.Run(t, "mailing-1", nil)
	b.Send(t, event.TopicIdentity, made(t, "u-1", signedUp("u-1", "erika@example.org")))
	first := made(t, "o-1", placed("o-1", "u-1"))
	b.Send(t, event.TopicOrder, first)
	q.await(t, first.ID, is(mailing.Sent))
	left := made(t, "o-1", event.Matched{OrderID: "o-1"})
	past, future := time.Now().Add(-time.Second).UTC(), time.Now().Add(time.Hour).UTC()
	busy := made(t, "o-1", event.Matched{OrderID: "o-1"})
	for _, m := range []mailing.Mail{
		{Root: aggregate.Root{ID: left.ID, Version: 1, DueAt: &past}, State: mailing.Sending, OrderID: "o-1", Event: left, Attempts: 1},
		{Root: aggregate.Root{ID: busy.ID, Version: 1, DueAt: &future}, State: mailing.Sending, OrderID: "o-1", Event: busy, Attempts: 1}, // somebody is at it
	} {
		if _, err := q.Insert(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if m := q.await(t, left.ID, is(mailing.Sent)); m.Attempts != 2 {
		t.Errorf("%d attempts, want 2", m.Attempts)
	}
	if m, err := q.Get(t.Context(), busy.ID); err != nil || m.State != mailing.Sending || m.Version != 1 {
		t.Errorf("a mail that somebody sends was taken: %+v, %v", m, err)
	}
	list, err := mailbox.List(b.Mails, 10)
	if err != nil || len(list) != 2 || list[0].MessageID != "<"+left.ID+"@localhost>" {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestRefusals: what a server refuses for good has failed, an address that does not exist gets nothing any more, the rest is tried again.
func TestRefusals(t *testing.T) {
	b := embedded.Start(t)
	shift := filepath.Join(t.TempDir(), "clock")
	office := &postOffice{refuse: func(command, arg string, before int) error {
		switch who, _, _ := strings.Cut(arg, "@"); command + " " + who {
		case "rcpt gone":
			return no(550, smtp.EnhancedCode{5, 1, 1}, arg)
		case "rcpt policy":
			return no(550, smtp.EnhancedCode{5, 7, 1}, arg)
		case "rcpt full":
			if before == 0 {
				return no(552, smtp.EnhancedCode{5, 2, 2}, arg)
			}
		case "rcpt grey":
			if before < 2 {
				return no(451, smtp.EnhancedCode{4, 7, 1}, arg)
			}
		case "data spam":
			return no(554, smtp.EnhancedCode{5, 6, 0}, arg)
		case "data busy":
			if before == 0 {
				return no(452, smtp.EnhancedCode{4, 3, 1}, arg)
			}
		}
		return nil
	}}
	office.open(t, "127.0.0.1:0", nil, false)
	b.Run(t, "mailing-1", map[string]string{"KREISLAUF_SMTP_ADDR": office.addr, "KREISLAUF_CLOCK_FILE": shift})
	q := openQueue(t, b)
	cases := []struct {
		who      string
		state    mailing.State
		attempts int
		reason   string
		next     mailing.State // of a second mail
	}{
		{"gone", mailing.Failed, 1, "recipient refused: 550 5.1.1", mailing.Suppressed},
		{"policy", mailing.Failed, 1, "recipient refused: 550 5.7.1", mailing.Failed},
		{"full", mailing.Sent, 2, "", mailing.Sent},
		{"grey", mailing.Sent, 3, "", mailing.Sent},
		{"spam", mailing.Failed, 1, "content refused: 554 5.6.0", mailing.Failed},
		{"busy", mailing.Sent, 2, "", mailing.Sent},
	}
	first, second := map[string]event.Event{}, map[string]event.Event{}
	for _, tc := range cases {
		user, order := "u-"+tc.who, "o-"+tc.who
		b.Send(t, event.TopicIdentity, made(t, user, signedUp(user, tc.who+"@example.org")))
		first[tc.who], second[tc.who] = made(t, order, placed(order, user)), made(t, order, event.Matched{OrderID: order})
		b.Send(t, event.TopicOrder, first[tc.who])
	}
	passed := time.Duration(0)
	for _, tc := range cases {
		m := q.await(t, first[tc.who].ID, func(m mailing.Mail) bool {
			passed += time.Minute // at each look, so that nobody waits for long
			if err := clock.Shift(shift, passed); err != nil {
				t.Fatal(err)
			}
			return m.State == tc.state
		})
		if m.Attempts != tc.attempts || m.Reason != tc.reason || m.DueAt != nil {
			t.Errorf("%s: %d attempts, reason %q, due %v", tc.who, m.Attempts, m.Reason, m.DueAt)
		}
		b.Send(t, event.TopicOrder, second[tc.who])
	}
	for _, tc := range cases {
		q.await(t, second[tc.who].ID, is(tc.next))
	}
	checkLines(t, b, "mailing-1", "@example.org", 6)
	for _, m := range office.mails() {
		if strings.HasPrefix(m, "gone@") || strings.HasPrefix(m, "policy@") || strings.HasPrefix(m, "spam@") {
			t.Errorf("taken: %s", m)
		}
	}
}

// TestNoAddress: an account of before addresses were told gets no mail, and nothing waits for it.
func TestNoAddress(t *testing.T) {
	b := embedded.Start(t)
	b.Run(t, "mailing-1", nil)
	b.Send(t, event.TopicIdentity, made(t, "u-1", event.SignedUp{UserID: "u-1", Role: "customer"}))
	e := made(t, "o-1", placed("o-1", "u-1"))
	b.Send(t, event.TopicOrder, e)
	if m := openQueue(t, b).await(t, e.ID, is(mailing.Suppressed)); m.Reason != "the recipient has no address" {
		t.Errorf("reason %q", m.Reason)
	}
}

// TestEncryption: mails leave over STARTTLS and TLS, signed in, and not in the clear when encryption was asked for.
func TestEncryption(t *testing.T) {
	b := embedded.Start(t)
	q := openQueue(t, b)
	for _, tc := range []struct {
		name, setting, user string
		offered, implicit   bool
		reason              string // empty: it is sent
	}{
		{"starttls", "starttls", "us", true, false, ""},
		{"tls", "tls", "us", true, true, ""},
		{"plain where starttls is asked for", "starttls", "", false, false, "the mail server does not offer STARTTLS"},
		{"another password", "starttls", "them", true, false, "sign in refused: 454 4.7.0"},
		{"nobody signs in", "starttls", "", true, false, "sender refused: 502 5.7.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			office := &postOffice{}
			config := certificate(t)
			if !tc.offered {
				config = nil
			} else {
				office.user = "us"
			}
			office.open(t, "127.0.0.1:0", config, tc.implicit)
			defer start(t, b, "mailing-1", map[string]string{
				"KREISLAUF_SMTP_ADDR": office.addr, "KREISLAUF_SMTP_TLS": tc.setting, "KREISLAUF_SMTP_USER": tc.user, "KREISLAUF_SMTP_PASSWORD": "secret",
			})()
			b.Send(t, event.TopicIdentity, made(t, "u-1", signedUp("u-1", "erika@example.org")))
			e := made(t, "o-1", placed("o-1", "u-1"))
			b.Send(t, event.TopicOrder, e)
			if tc.reason == "" {
				q.await(t, e.ID, is(mailing.Sent))
				if len(office.mails()) != 1 {
					t.Errorf("mails: %q", office.mails())
				}
				return
			}
			m := q.await(t, e.ID, func(m mailing.Mail) bool { return m.Attempts > 0 && m.State == mailing.Queued })
			if m.Reason != tc.reason {
				t.Errorf("reason %q, want %q", m.Reason, tc.reason)
			}
		})
	}
}

// TestSettings: a mistake in a setting is named, and a password is never sent in the clear to another machine.
func TestSettings(t *testing.T) {
	b := embedded.Start(t)
	s, _ := services.Named("mailing")
	for _, tc := range []struct {
		name  string
		extra map[string]string
		want  string // part of the error; empty: none
	}{
		{"as tests have it", nil, ""},
		{"no server", map[string]string{"KREISLAUF_SMTP_ADDR": ""}, "KREISLAUF_SMTP_ADDR"},
		{"unknown encryption", map[string]string{"KREISLAUF_SMTP_TLS": "ssl"}, "use none, starttls or tls"},
		{"password in the clear", map[string]string{"KREISLAUF_SMTP_ADDR": "mail.example:25", "KREISLAUF_SMTP_USER": "us"}, "KREISLAUF_SMTP_TLS: none would show"},
		{"on this machine", map[string]string{"KREISLAUF_SMTP_ADDR": "127.0.0.1:25", "KREISLAUF_SMTP_USER": "us"}, ""},
		{"sender", map[string]string{"KREISLAUF_MAIL_FROM": "us"}, "KREISLAUF_MAIL_FROM"},
		{"links", map[string]string{"KREISLAUF_PUBLIC_URL": "shop.example"}, "KREISLAUF_PUBLIC_URL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := s.Open(t.Context(), b.Lookup("mailing-1", tc.extra))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			err = p.Config.Err()
			if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if strings.Contains(strings.Join(p.Config.Dump(), "\n"), "secret") {
				t.Error("the password is shown")
			}
		})
	}
}
