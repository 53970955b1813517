// Package sealed owns secrets on their way through stores and topics that others can read: AES-256-GCM with a fresh nonce.
//
// Invariants: only a holder of the key reads what was sealed; what opens is unchanged, and was sealed as this kind. How long a secret is
// can be seen. Ends and single use are the caller's affair.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
)

// ErrForged is the error of Open for everything that Seal did not make with this key and kind.
var ErrForged = errors.New("the secret was not sealed by this platform or was changed")

// Seal encrypts a secret. key has 32 bytes; kind says what the secret is for, and is not part of the text.
func Seal(key []byte, kind, secret string) (string, error) {
	aead, err := open(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(secret), []byte(kind))), nil
}

// Open gives the secret back.
func Open(key []byte, kind, text string) (string, error) {
	aead, err := open(key)
	if err != nil {
		return "", err
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < aead.NonceSize() {
		return "", ErrForged
	}
	secret, err := aead.Open(nil, b[:aead.NonceSize()], b[aead.NonceSize():], []byte(kind))
	if err != nil {
		return "", ErrForged
	}
	return string(secret), nil
}

func open(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return cipher.NewGCM(block)
}
