package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// A cart is what a browser without a session has chosen: its cookie is a random token that names nobody, Redis holds the content under the
// token's SHA-256, both for CartTTL after the last change.

const (
	// CartCookie is HttpOnly: the page asks for the content.
	CartCookie = "kreislauf_cart"
	// CartTTL is how long a cart is kept.
	CartTTL = 7 * 24 * time.Hour
)

func (s *Store) cartKey(token string) string { return "cart" + s.key(token)[len("session"):] }

// NewCart makes a token.
func NewCart() string { return newToken() }

// Cart is the token of the visitor's cart, empty without one.
func Cart(r *http.Request) string { // 43 characters hold 32 bytes
	c, err := r.Cookie(CartCookie)
	if err != nil || len(c.Value) != 43 {
		return ""
	}
	return c.Value
}

// SetCart sends the cookie; ClearCart removes it.
func SetCart(w http.ResponseWriter, r *http.Request, token string) {
	setCookie(w, r, CartCookie, token, true, int(CartTTL.Seconds()))
}

// ClearCart removes the cookie.
func ClearCart(w http.ResponseWriter, r *http.Request) { setCookie(w, r, CartCookie, "", true, -1) }

// PutCart keeps the content of a cart.
func (s *Store) PutCart(ctx context.Context, token string, content []byte) error {
	if err := s.rdb.Set(ctx, s.cartKey(token), content, CartTTL).Err(); err != nil {
		return unavailable("keep cart", err)
	}
	return nil
}

// GetCart reads the content of a cart; found is false when there is none any more.
func (s *Store) GetCart(ctx context.Context, token string) (content []byte, found bool, err error) {
	content, err = s.rdb.Get(ctx, s.cartKey(token)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, unavailable("read cart", err)
	}
	return content, true, nil
}

// DeleteCart forgets a cart; an unknown one is no error.
func (s *Store) DeleteCart(ctx context.Context, token string) error {
	if err := s.rdb.Del(ctx, s.cartKey(token)).Err(); err != nil {
		return unavailable("delete cart", err)
	}
	return nil
}
