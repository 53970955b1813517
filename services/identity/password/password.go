// Package password owns how passwords are stored: argon2id in the PHC string format, with the parameters in the string so that
// they can be raised without a migration. Pure but for the random salt.
//
// Parameters are OWASP's first choice for argon2id (19 MiB, 2 passes, 1 lane).
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltLen   = 16
	keyLen    = 32
)

// Hash makes the PHC string of a password. It costs about 20 ms of a core and 19 MiB.
func Hash(password string) string {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails (crypto/rand)
	k := argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, keyLen)
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes, e.EncodeToString(salt), e.EncodeToString(k))
}

// Verify says whether the password is the hashed one, in constant time. A malformed hash is an error.
func Verify(hash, password string) (bool, error) {
	var version, m, t int
	var p uint8
	var rest string
	if _, err := fmt.Sscanf(hash, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &m, &t, &p, &rest); err != nil {
		return false, fmt.Errorf("read password hash: %w", err)
	}
	var salt, want []byte
	for i := range len(rest) {
		if rest[i] != '$' {
			continue
		}
		var err1, err2 error
		salt, err1 = base64.RawStdEncoding.DecodeString(rest[:i])
		want, err2 = base64.RawStdEncoding.DecodeString(rest[i+1:])
		if err := errors.Join(err1, err2); err != nil {
			return false, fmt.Errorf("read password hash: %w", err)
		}
	}
	if version != argon2.Version || len(want) == 0 || m < 8 || m > 1<<20 || t < 1 || t > 16 || p < 1 {
		return false, errors.New("read password hash: unsupported parameters")
	}
	got := argon2.IDKey([]byte(password), salt, uint32(t), uint32(m), p, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
