package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kreislauf/internal/problem"
)

func TestCookies(t *testing.T) {
	for _, proto := range []string{"http", "https", ""} {
		r, w := httptest.NewRequest("POST", "/", nil), httptest.NewRecorder()
		r.Header.Set("X-Forwarded-Proto", proto)
		SetCookies(w, r, "token", "csrf")
		secure := proto == "https"
		want := []*http.Cookie{
			{Name: Cookie, Value: "token", Path: "/", MaxAge: 30 * 24 * 3600, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode},
			{Name: CSRFCookie, Value: "csrf", Path: "/", MaxAge: 30 * 24 * 3600, Secure: secure, SameSite: http.SameSiteLaxMode},
		}
		raw := cmpopts.IgnoreFields(http.Cookie{}, "Raw")
		if diff := cmp.Diff(want, w.Result().Cookies(), raw); diff != "" {
			t.Errorf("over %q (-want +got):\n%s", proto, diff)
		}
		gone := httptest.NewRecorder()
		ClearCookies(gone, r)
		for _, c := range gone.Result().Cookies() {
			if c.MaxAge >= 0 || c.Value != "" || c.Path != "/" || c.Secure != secure {
				t.Errorf("cleared cookie %v", c)
			}
		}
		if n := len(gone.Result().Cookies()); n != 2 {
			t.Errorf("%d cookies cleared", n)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	sess := customer()
	token, err := f.Create(t.Context(), &sess)
	if err != nil {
		t.Fatal(err)
	}
	stranger := Session{UserID: "u-2", Role: "customer"}
	if _, err := f.Create(t.Context(), &stranger); err != nil {
		t.Fatal(err)
	}
	const none = problem.Kind(255) // no error
	for _, tc := range []struct {
		name, method, token, csrf string
		want                      problem.Kind
	}{
		{"read", "GET", token, "", none},
		{"head", "HEAD", token, "", none},
		{"change", "POST", token, sess.CSRF, none},
		{"delete", "DELETE", token, sess.CSRF, none},
		{"change without CSRF token", "POST", token, "", problem.Forbidden},
		{"change with another session's CSRF token", "POST", token, stranger.CSRF, problem.Forbidden},
		{"change with the session token", "PUT", token, token, problem.Forbidden},
		{"delete with a cut CSRF token", "DELETE", token, sess.CSRF[:42], problem.Forbidden},
		{"no cookie", "GET", "", "", problem.Unauthenticated},
		{"forged token", "GET", strings.Repeat("A", 43), "", problem.Unauthenticated},
		{"cut token", "GET", token[:42], "", problem.Unauthenticated},
		{"pattern", "GET", "*", "", problem.Unauthenticated},
		{"huge token", "GET", strings.Repeat("A", 129), "", problem.Unauthenticated},
		{"forged token and CSRF token", "POST", sess.CSRF, sess.CSRF, problem.Unauthenticated},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "/", nil)
			if tc.token != "" {
				r.AddCookie(&http.Cookie{Name: Cookie, Value: tc.token})
			}
			if tc.csrf != "" {
				r.Header.Set(CSRFHeader, tc.csrf)
				r.AddCookie(&http.Cookie{Name: CSRFCookie, Value: tc.csrf})
			}
			got, err := f.Authenticate(r)
			if tc.want == none {
				if err != nil || got.UserID != "u-1" {
					t.Errorf("caller %+v, error %v", got, err)
				}
				return
			}
			if err == nil || problem.KindOf(err) != tc.want || got != (Session{}) {
				t.Errorf("caller %+v, error %v, want kind %d", got, err, tc.want)
			}
		})
	}
}
