package session

import (
	"crypto/subtle"
	"fmt"
	"net/http"

	"kreislauf/internal/authz"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
)

// Names of the cookies and of the header that repeats the second one.
const (
	Cookie     = "kreislauf_session" // HttpOnly
	CSRFCookie = "kreislauf_csrf"    // readable by the page
	CSRFHeader = "X-CSRF-Token"
)

// SetCookies sends both cookies. They live for Age, longer than TTL: Redis decides when a session ends, not the browser. They are Secure when the browser came over TLS (nginx says so in X-Forwarded-Proto).
func SetCookies(w http.ResponseWriter, r *http.Request, token, csrf string) {
	setCookie(w, r, Cookie, token, true, int(Age.Seconds()))
	setCookie(w, r, CSRFCookie, csrf, false, int(Age.Seconds()))
}

// ClearCookies removes both.
func ClearCookies(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, Cookie, "", true, -1)
	setCookie(w, r, CSRFCookie, "", false, -1)
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, httpOnly bool, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: httpOnly,
		Secure: r.Header.Get("X-Forwarded-Proto") == "https", SameSite: http.SameSiteLaxMode,
	})
}

// Token is the caller's token, empty without one.
func Token(r *http.Request) string {
	c, err := r.Cookie(Cookie)
	if err != nil || len(c.Value) > 128 {
		return ""
	}
	return c.Value
}

// Authenticate finds the caller and checks the CSRF token of a mutation.
func (s *Store) Authenticate(r *http.Request) (Session, error) {
	token := Token(r)
	if token == "" {
		return Session{}, problem.New(problem.Unauthenticated, "This needs a session; sign in first.")
	}
	sess, err := s.Get(r.Context(), token)
	if err != nil {
		return Session{}, err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead &&
		subtle.ConstantTimeCompare([]byte(r.Header.Get(CSRFHeader)), []byte(sess.CSRF)) != 1 {
		return Session{}, problem.New(problem.Forbidden, "The header %s is missing or wrong; send the value of the cookie %s.", CSRFHeader, CSRFCookie)
	}
	httpserver.Annotate(r.Context(), "user.id", sess.UserID)
	httpserver.Annotate(r.Context(), "partner.id", sess.PartnerID)
	return sess, nil
}

// Handler is an httpserver.Handler that knows its caller.
type Handler func(w http.ResponseWriter, r *http.Request, caller Session) error

// Guard makes the handler of a route as the table has it: h runs for callers of the row's roles and finds the scope in caller.Scope.
// On a public route h runs for everybody, with a Session that has no user; s may be nil there, for services without sessions.
// A route without a row, or one that needs sessions where there are none, is a mistake in the program: Guard panics, as http.ServeMux does
// for a bad pattern, so the service's New and every test of it fail.
func (s *Store) Guard(t authz.Table, method, pattern string, h Handler) httpserver.Handler {
	row, ok := t.Lookup(method, pattern)
	if !ok {
		panic(fmt.Sprintf("route %s %s has no row in internal/authz/routes.go", method, pattern))
	}
	if row.Public() {
		return func(w http.ResponseWriter, r *http.Request) error { return h(w, r, Session{Scope: authz.Anyone}) }
	}
	if s == nil {
		panic(fmt.Sprintf("route %s %s needs sessions, and the service has none", method, pattern))
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, err := s.Authenticate(r)
		if err != nil {
			return err
		}
		if caller.Scope, err = row.Decide(caller.Caller()); err != nil {
			return err
		}
		return h(w, r, caller)
	}
}
