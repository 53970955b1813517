package session

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/problem"
)

// TestLink: a session of a link ends with it, and the others go on.
func TestLink(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	made := func(link string) string {
		t.Helper()
		s := Session{UserID: "l-1", Role: string(authz.SiteManager), SiteID: "s-1", Link: link}
		token, err := f.Create(t.Context(), &s)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	first, second := made("s-1/1"), made("s-1/2")
	lives := func(when, token string, want bool) {
		t.Helper()
		if _, err := f.Get(t.Context(), token); (err == nil) != want || err != nil && problem.KindOf(err) != problem.Unauthenticated {
			t.Errorf("%s: %v, want a session: %v", when, err, want)
		}
	}
	lives("before the link is opened", first, false)
	for _, link := range []string{"s-1/1", "s-1/2"} {
		if err := f.OpenLink(t.Context(), link, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	lives("while it is open", first, true)
	for range 2 {
		if err := f.CloseLink(t.Context(), "s-1/1"); err != nil {
			t.Fatal(err)
		}
	}
	lives("after it was closed", first, false)
	lives("another link", second, true)
}

// TestCart: what a browser keeps is its own, until it is forgotten.
func TestCart(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	w := httptest.NewRecorder()
	SetCart(w, httptest.NewRequest(http.MethodPut, "/", nil), NewCart())
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != int(CartTTL.Seconds()) {
		t.Errorf("cookie %v", cookie)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	token := Cart(r)
	if err := f.PutCart(t.Context(), token, []byte("chosen")); err != nil {
		t.Fatal(err)
	}
	if got, found, err := f.GetCart(t.Context(), token); string(got) != "chosen" || !found || err != nil {
		t.Errorf("%s, %v, %v", got, found, err)
	}
	if _, found, err := f.GetCart(t.Context(), NewCart()); found || err != nil {
		t.Errorf("another browser's: %v, %v", found, err)
	}
	if err := f.DeleteCart(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, found, err := f.GetCart(t.Context(), token); found || err != nil {
		t.Errorf("after it was forgotten: %v, %v", found, err)
	}
	wrong := httptest.NewRequest(http.MethodGet, "/", nil)
	wrong.AddCookie(&http.Cookie{Name: CartCookie, Value: "short"})
	if Cart(wrong) != "" {
		t.Error("a token that nobody made is taken")
	}
}
