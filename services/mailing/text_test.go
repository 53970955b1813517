package mailing

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/sealed"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	erika   = Recipient{ID: "u-1", Name: "Erika Muster", Email: "erika@example.org"}
	rubble  = Order{"o-abc", "u-1", "170107", 5, "2026-11-30", "50667", event.Address{Name: "Erika Muster", Street: "Domkloster 4", City: "Köln"}}
	summer  = time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC) // the next day in Berlin
	someone = submission{from: mail.Address{Name: "kreislauf", Address: "auftrag@example.org"}}
)

// everyMail has one event of each type that gets a mail.
func everyMail() []event.Payload {
	return []event.Payload{
		event.Placed{OrderID: "o-abc", Price: money.FromNet(103_740), PublicGround: true},
		event.Matched{OrderID: "o-abc"},
		event.Scheduled{OrderID: "o-abc", Trip: "fetch", Day: "2026-12-03", Window: "morning", WasDay: "2026-12-02"},
		event.OnSite{OrderID: "o-abc", Container: "M-0815", At: summer},
		event.Collected{OrderID: "o-abc", Container: "M-0815", At: summer},
		event.Weighed{OrderID: "o-abc", GrossKg: 16_120, TareKg: 11_000, NetKg: 5_120, IncludedKg: 4_000, Slip: "W-77"},
		event.Cancelled{OrderID: "o-abc", By: "customer", Reason: "Die Baustelle verzögert sich."},
		event.Invoiced{OrderID: "o-abc", Number: "R-2026-000001", Total: money.FromNet(123_456_789), DueOn: "2026-12-14"},
		event.Reminded{OrderID: "o-abc", Number: "R-2026-000001", Level: 1, OpenCents: 500_00, DueOn: "2026-12-14", PayBy: "2026-12-29"},
		event.Reminded{OrderID: "o-abc", Number: "R-2026-000001", Level: 2, OpenCents: 505_00, DueOn: "2026-12-14", PayBy: "2027-01-13", FeeCents: 5_00},
		event.Reminded{OrderID: "o-abc", Number: "R-2026-000001", Level: 3, OpenCents: 510_00, DueOn: "2026-12-14", PayBy: "2027-01-28", FeeCents: 5_00, Last: true},
		event.StandingMissed{StandingID: "so-1", Date: "2026-11-30", Reason: "the day had passed before it could be ordered for"},
		event.Returned{OrderID: "o-abc", Number: "R-2026-000001", OpenCents: 357_00},
		event.DocumentCorrected{OrderID: "o-abc", UserID: "u-1", Number: "R-2026-000001", Correction: "K-2026-000001", Replacement: "R-2026-000002", Total: money.FromNet(30_000), Reason: "Wiegeschein falsch gelesen", File: &event.File{}},
		event.DocumentCorrected{OrderID: "o-abc", PartnerID: "p-1", Number: "G-2026-000001", Correction: "K-2026-000002", Total: money.FromNet(20_000), Reason: "nicht gefahren"},
		event.Credited{OrderID: "o-abc", PartnerID: "p-1", Number: "G-2026-000002", Total: money.FromNet(25_000), Replaces: "G-2026-000001", File: &event.File{}},
		event.ObjectionAnswered{OrderID: "o-abc", PartnerID: "p-1", Number: "G-2026-000001", Replacement: "G-2026-000002"},
		event.PaidOut{OrderID: "o-abc", PartnerID: "p-1", Number: "G-2026-000002", Total: money.FromNet(25_000)},
		event.Objected{OrderID: "o-abc", PartnerID: "p-1", Number: "G-2026-000001", Total: money.FromNet(20_000), Reason: "Es waren 5 t."},
		event.Objected{OrderID: "o-abc", UserID: "u-1", Number: "R-2026-000001", Total: money.FromNet(20_000), Reason: "Der Container war halb leer."},
		event.Unmatched{OrderID: "o-abc", Reason: "all declined"},
		event.QuoteRefused{StandingID: "so-1", Date: "2026-11-30", Reason: "7 m³ of it would be too heavy"},
		event.StandingRefused{StandingID: "so-1", Date: "2026-11-30", Reason: "its site cannot be ordered for any more"},
		event.Paid{OrderID: "o-abc", Number: "R-2026-000001", Total: money.FromNet(30_000)},
		event.SignInLocked{UserID: "u-1"},
		event.PasswordResetRequested{UserID: "u-1", Sealed: seal(event.SealedReset, "TOKEN"), Until: summer},
		event.PasswordChanged{UserID: "u-1"},
		event.MemberInvited{Company: "Muster Bau GmbH", By: "Erika Muster", Email: "new@example.org", Sealed: seal(event.SealedInvite, "i2.CODE"), Until: summer},
	}
}

var mailKey = []byte(strings.Repeat("k", 32))

func seal(kind, secret string) string {
	s, err := sealed.Seal(mailKey, kind, secret)
	if err != nil {
		panic(err)
	}
	return s
}

// TestForeignSecret: a secret of another key, or of another kind, becomes no link.
func TestForeignSecret(t *testing.T) {
	for _, p := range []event.Payload{
		event.PasswordResetRequested{Sealed: seal(event.SealedInvite, "TOKEN")}, event.PasswordResetRequested{Sealed: "AAAA"}, event.MemberInvited{},
	} {
		if l, err := testWriter(t).write(erika, Order{}, p); !errors.Is(err, sealed.ErrForged) {
			t.Errorf("%+v: %v, %+v", p, err, l)
		}
	}
}

func testWriter(t *testing.T) writer {
	t.Helper()
	w, err := newWriter("https://shop.example/", mailKey)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestLetters holds the whole text of each mail against its golden file.
func TestLetters(t *testing.T) {
	w := testWriter(t)
	for _, p := range everyMail() {
		if _, ok := newMail(event.Event{}, p, noon); !ok {
			t.Errorf("%s gets no mail", p.Type())
		}
		of := rubble
		if m, _ := newMail(event.Event{}, p, noon); m.OrderID == "" {
			of = Order{}
		}
		l, err := w.write(erika, of, p)
		if err != nil {
			t.Fatal(err)
		}
		got := "Subject: " + l.Subject + "\n\n" + l.Body
		name := p.Type()
		switch p := p.(type) {
		case event.Reminded:
			name += fmt.Sprint("-", p.Level)
		case event.DocumentCorrected:
			name += "-" + p.Number[:1]
		case event.Objected:
			name += "-" + p.Number[:1]
		}
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s; -update renews it (-want +got):\n%s", file, diff)
		}
	}
}

// TestMessage reads a message back as a mail program does.
func TestMessage(t *testing.T) {
	l, err := testWriter(t).write(erika, rubble, event.Matched{OrderID: "o-abc"})
	if err != nil {
		t.Fatal(err)
	}
	to, message, err := someone.compose(Recipient{ID: "u-1", Name: "Jörg Müller", Email: "j@example.org"}, l, "e-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for k := range m.Header {
		got[k] = m.Header.Get(k)
	}
	want := map[string]string{
		"Mime-Version": "1.0", "Date": "Tue, 24 Nov 2026 12:00:00 +0000", "From": `"kreislauf" <auftrag@example.org>`, "To": "=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <j@example.org>",
		"Subject": "Ein Entsorger hat Ihren Auftrag angenommen", "Message-Id": "<e-1@example.org>", "Auto-Submitted": "auto-generated",
		"Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "quoted-printable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	_, again, err := someone.compose(Recipient{ID: "u-1", Name: "Jörg Müller", Email: "j@example.org"}, l, "e-1", noon.Add(time.Hour))
	if err != nil || to.Address != "j@example.org" {
		t.Fatal(to, err)
	}
	if second, err := mail.ReadMessage(bytes.NewReader(again)); err != nil || second.Header.Get("Message-Id") != m.Header.Get("Message-Id") {
		t.Errorf("the same event has two message ids: %v", err)
	}
}

// TestNothingTypedBecomesAHeader puts line breaks and control characters wherever somebody can type.
func TestNothingTypedBecomesAHeader(t *testing.T) {
	w := testWriter(t)
	for _, evil := range []string{
		"Eve\r\nBcc: all@example.org\r\n\r\nBuy!", "Eve\nBcc: all@example.org", "Eve\rBcc: all@example.org", "Eve\u2028Bcc: all@example.org", "Eve\x00\x1b[2J\u202e",
		`Eve" <eve@example.org>, "`, "=?utf-8?q?=0D=0ABcc:_all@example.org?=", strings.Repeat("ä", 5000), "\xff\xfe",
	} {
		name := Recipient{ID: "u-1", Name: evil, Email: "erika@example.org"}
		order := rubble
		order.ID, order.Waste, order.Date, order.Postcode, order.Address = evil, evil, evil, evil, event.Address{Name: evil, Street: evil, City: evil}
		for _, p := range []event.Payload{
			event.Invoiced{Number: evil, DueOn: evil}, event.Cancelled{By: evil, Reason: evil}, event.OnSite{Container: evil}, event.Weighed{Slip: evil},
			event.MemberInvited{Company: evil, By: evil, Sealed: seal(event.SealedInvite, "i2.CODE")},
		} {
			l, err := w.write(name, order, p)
			if err != nil {
				t.Fatal(err)
			}
			to, message, err := someone.compose(name, l, "e-1\r\nBcc: all@example.org", noon)
			if err != nil {
				t.Fatal(err)
			}
			m, err := mail.ReadMessage(bytes.NewReader(message))
			if err != nil {
				t.Fatalf("%q: %v", evil, err)
			}
			list, err := m.Header.AddressList("To")
			if err != nil || len(list) != 1 || list[0].Address != "erika@example.org" || to.Address != "erika@example.org" {
				t.Errorf("%q: recipients %v, %v", evil, list, err)
			}
			if len(m.Header) != 9 || m.Header.Get("Bcc") != "" {
				t.Errorf("%q: headers %v", evil, m.Header)
			}
			for line := range bytes.Lines(message) {
				if len(line) > 1000 {
					t.Errorf("%q: a line of %d bytes", evil, len(line))
				}
			}
			if strings.ContainsFunc(l.Body, func(r rune) bool { return r < ' ' && r != '\n' }) {
				t.Errorf("%q: control characters in the body", evil)
			}
		}
	}
	for _, address := range []string{"", "nobody", "a@b\r\nBcc: c@d", "Eve <eve@example.org>", "a@b, c@d", "a b@c"} {
		if _, _, err := someone.compose(Recipient{ID: "u-1", Name: "Eve", Email: address}, letter{Subject: "s", Body: "b"}, "e-1", noon); err == nil || address != "" && strings.Contains(err.Error(), address) {
			t.Errorf("address %q: %v", address, err)
		}
	}
}

func TestThousands(t *testing.T) {
	for in, want := range map[money.Cents]string{0: "0,00", 99: "0,99", 99_999: "999,99", 100_000: "1.000,00", 123_456_789: "1.234.567,89", -100_000: "-1.000,00"} {
		if got := grouped(in, ".", ","); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
}
