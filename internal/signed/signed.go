// Package signed owns small readable tokens that only a holder of a key can make: "<kind>.<base64url JSON>.<base64url HMAC-SHA256>".
//
// Invariants: a token that opens was made by a holder of the key and is unchanged, and was made as this kind. It is not encrypted:
// anybody can read it, so it holds no secret. Ends and single use are the content's and the caller's affair.
package signed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrForged is the error of Open for everything that Seal did not make with this key and kind.
var ErrForged = errors.New("the token was not made by this platform or was changed")

var b64 = base64.RawURLEncoding

// Seal makes a token of v. kind is a short word such as "q1"; change it when v changes its meaning.
func Seal(key []byte, kind string, v any) (string, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %s token: %w", kind, err)
	}
	head := kind + "." + b64.EncodeToString(payload)
	return head + "." + b64.EncodeToString(mac(key, head)), nil
}

// Open reads a token of the kind into v.
func Open(key []byte, kind, token string, v any) error {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !strings.HasPrefix(token, kind+".") || i <= len(kind) {
		return ErrForged
	}
	// The texts are compared, not the bytes: base64 has several spellings of the same bytes, and only Seal's is ours.
	if want := b64.EncodeToString(mac(key, token[:i])); !hmac.Equal([]byte(token[i+1:]), []byte(want)) {
		return ErrForged
	}
	payload, err := b64.DecodeString(token[len(kind)+1 : i])
	if err != nil || json.Unmarshal(payload, v) != nil {
		return ErrForged
	}
	return nil
}

func mac(key []byte, head string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(head))
	return h.Sum(nil)
}
