package identity

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/internal/signed"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func testKey() []byte { k := sha256.Sum256([]byte("key")); return k[:] }

func TestSealInviteRefuses(t *testing.T) {
	for _, tc := range []struct {
		invite Invite
		want   string // empty: it is made
	}{
		{Invite{Role: authz.Dispatcher, PartnerID: "p-1"}, ""},
		{Invite{Role: authz.Driver, PartnerID: "p-1", DriverID: "d-1"}, ""},
		{Invite{Role: authz.SiteManager, SiteID: "s-1"}, ""},
		{Invite{Role: authz.BackOffice}, ""},
		{Invite{Role: authz.Ops}, ""},
		{Invite{Role: authz.Dispatcher}, "a dispatcher its partner"},
		{Invite{Role: authz.Driver, PartnerID: "p-1"}, "its partner and driver id"},
		{Invite{Role: authz.Driver, DriverID: "d-1"}, "its partner and driver id"},
		{Invite{Role: authz.SiteManager, PartnerID: "p-1"}, "a site manager its site"},
		{Invite{Role: authz.BackOffice, PartnerID: "p-1"}, "is not bound"},
		{Invite{Role: authz.Dispatcher, PartnerID: "p-1", DriverID: "d-1"}, "is not bound"},
		{Invite{Role: authz.Driver, PartnerID: "p-1", DriverID: "d-1", SiteID: "s-1"}, "is not bound"},
		{Invite{Role: authz.Customer}, "a customer needs no invitation"},
		{Invite{Role: authz.Customer, CompanyID: "c-1", Email: "a@example.org", ID: "i-1"}, ""},
		{Invite{Role: authz.Customer, CompanyID: "c-1", ID: "i-1"}, "names address and id"},
		{Invite{Role: authz.BackOffice, CompanyID: "c-1", Email: "a@example.org", ID: "i-1"}, "is for a customer"},
		{Invite{Role: authz.Customer, CompanyID: "c-1", Email: "a@example.org", ID: "i-1", PartnerID: "p-1"}, "is not bound"},
		{Invite{Role: "partner", PartnerID: "p-1"}, `"partner" is no role`},
		{Invite{PartnerID: "p-1"}, `"" is no role`},
	} {
		code, err := SealInvite(testKey(), tc.invite)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) || (code == "") != (err != nil) {
			t.Errorf("%+v: %q, %v; want %q", tc.invite, code, err, tc.want)
		}
	}
}

func TestNewUser(t *testing.T) {
	seal := func(i Invite) string {
		t.Helper()
		i.Until = now.Add(time.Hour)
		code, err := SealInvite(testKey(), i)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	for _, tc := range []struct {
		name, invite string
		session      session.Session // what the account's sessions hold beside the person
	}{
		{"customer", "", session.Session{Role: "customer"}},
		{"dispatcher", seal(Invite{Role: authz.Dispatcher, PartnerID: "p-1"}), session.Session{Role: "dispatcher", PartnerID: "p-1"}},
		{"driver", seal(Invite{Role: authz.Driver, PartnerID: "p-1", DriverID: "d-1"}), session.Session{Role: "driver", PartnerID: "p-1", DriverID: "d-1"}},
		{"site manager", seal(Invite{Role: authz.SiteManager, SiteID: "s-1"}), session.Session{Role: "site_manager", SiteID: "s-1"}},
		{"back office", seal(Invite{Role: authz.BackOffice}), session.Session{Role: "back_office"}},
		{"of a company", seal(Invite{Role: authz.Customer, CompanyID: "c-1", Email: "a@example.org", ID: "i-1"}), session.Session{Role: "customer", CompanyID: "c-1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var i Invite
			if tc.invite != "" {
				var err error
				if i, err = openInvite(testKey(), tc.invite, now); err != nil {
					t.Fatal(err)
				}
			}
			u, err := newUser(SignUp{Email: "a@example.org", Name: "Anna"}, "hash", "key", i, event.Meta{Source: "identity", At: now})
			if err != nil {
				t.Fatal(err)
			}
			want := tc.session
			want.UserID, want.Email, want.Name = u.ID, "a@example.org", "Anna"
			if diff := cmp.Diff(want, u.session()); diff != "" {
				t.Errorf("session (-want +got):\n%s", diff)
			}
			if !u.session().Caller().Complete() {
				t.Error("the account may do nothing")
			}
			e, err := event.Decode[event.SignedUp](u.Outbox[0])
			if err != nil {
				t.Fatal(err)
			}
			told := event.SignedUp{UserID: u.ID, Role: want.Role, Name: "Anna", Email: "a@example.org", PartnerID: want.PartnerID, CompanyID: want.CompanyID}
			if diff := cmp.Diff(told, e); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvitesThatAreRefused(t *testing.T) {
	sealed := func(kind string, i Invite) string {
		t.Helper()
		code, err := signed.Seal(testKey(), kind, i) // past SealInvite
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	other := sha256.Sum256([]byte("other"))
	foreign, err := SealInvite(other[:], Invite{Role: authz.BackOffice, Until: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]string{
		"ended":        sealed(inviteKind, Invite{Role: authz.BackOffice, Until: now.Add(-time.Second)}),
		"of old":       sealed("i1", Invite{PartnerID: "p-1", Until: now.Add(time.Hour)}),
		"without role": sealed(inviteKind, Invite{PartnerID: "p-1", Until: now.Add(time.Hour)}),
		"other key":    foreign,
		"no code":      "x",
	} {
		if _, err := openInvite(testKey(), code, now); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOldWordForDispatchers: accounts and sessions from before there were drivers keep working, and are shown with today's word.
func TestOldWordForDispatchers(t *testing.T) {
	s := User{Role: "partner", PartnerID: "p-1"}.session()
	s.UserID = "u-1"
	if c := s.Caller(); c.Role != authz.Dispatcher || !c.Complete() || viewOf(s).Role != "dispatcher" {
		t.Errorf("caller %+v, view %+v", c, viewOf(s))
	}
}

func TestNormal(t *testing.T) {
	good := SignUp{Email: " Anna@Example.org", Password: "correct horse battery", Name: " Anna Beispiel "}
	got, err := good.normal()
	if err != nil || got.Email != "anna@example.org" || got.Name != "Anna Beispiel" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, tc := range map[string]struct {
		in       SignUp
		pointers string
	}{
		"zero width space in the e-mail": {SignUp{"anna\u200b@example.org", good.Password, good.Name, "", nil}, "/email"},
		"direction of the name":          {SignUp{good.Email, good.Password, "\u202eanna", "", nil}, "/name"},
		"all at once":                    {SignUp{"anna", "short", "A", "", nil}, "/email /password /name"},
		"a company and an invitation":    {SignUp{good.Email, good.Password, good.Name, "i2.x", &Details{}}, "/company/name /company/street /company/postcode /company/city /company/email /company"},
		"a wrong VAT id": {
			SignUp{good.Email, good.Password, good.Name, "", &Details{"Bau GmbH", "Weg 1", "50667", "Köln", "a@example.org", "DE123456789"}},
			"/company/vat_id",
		},
	} {
		_, err := tc.in.normal()
		p, ok := err.(*problem.Error)
		if !ok {
			t.Fatalf("%s: %v", name, err)
		}
		var pointers []string
		for _, f := range p.Fields {
			pointers = append(pointers, f.Pointer)
		}
		if got := strings.Join(pointers, " "); got != tc.pointers {
			t.Errorf("%s: %s, want %s", name, got, tc.pointers)
		}
	}
}

func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                        "Firefox, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36":                            "Chrome, Android",
		"curl/8.5.0": "curl", "": "", "Firefox/1.0": "Firefox", "\x1b[31m": "", strings.Repeat("x", 200): "",
	} {
		if got := device(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
