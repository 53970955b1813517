package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"
	"unicode/utf8"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/sealed"
)

// resetTime is how long the link of a forgotten password works.
const resetTime = time.Hour

// Reset is the one link with which a forgotten password can be replaced. A newer one takes its place.
type Reset struct {
	Hash  string    `bson:"hash"` // SHA-256 of the token, which stands in the mail only
	Until time.Time `bson:"until"`
}

// Ending says that sessions of the account have to end: those that began before a time, but for one. It stays until it is done.
type Ending struct {
	Before time.Time `bson:"before"`
	Keep   string    `bson:"keep,omitempty"` // id of the session that stays
}

// checkPassword says what is wrong with a new password; empty for a good one.
func checkPassword(s string) (fault string) {
	if n := utf8.RuneCountInString(s); n < 10 || len(s) > 256 {
		return "10 characters or more are needed, and at most 256 bytes"
	}
	return ""
}

func resetHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// notify has the owner told what a notice says.
func (u *User) notify(kind string, mailKey []byte, meta event.Meta) error {
	if kind == noticeLocked {
		return u.Emit(meta, event.SignInLocked{UserID: u.ID})
	}
	token := rand.Text()
	secret, err := sealed.Seal(mailKey, event.SealedReset, token)
	if err != nil {
		return err
	}
	u.Reset = &Reset{resetHash(token), meta.At.Add(resetTime)}
	return u.Emit(meta, event.PasswordResetRequested{UserID: u.ID, Sealed: secret, Until: u.Reset.Until})
}

// resets says whether a token may replace the password now.
func (u *User) resets(token string, at time.Time) error {
	if u.Reset == nil || subtle.ConstantTimeCompare([]byte(u.Reset.Hash), []byte(resetHash(token))) != 1 || at.After(u.Reset.Until) {
		return problem.InvalidField("/token", "the link has been used, has ended or was replaced by a newer one; ask for a new one")
	}
	return nil
}

// setPassword replaces the password. Every session but keep ends, and a link of a forgotten password is worth nothing any more. now is the
// machine's time.
func (u *User) setPassword(hash, keep string, meta event.Meta, now time.Time) error {
	u.Password, u.Reset = hash, nil
	u.endSessions(keep, now)
	return u.Emit(meta, event.PasswordChanged{UserID: u.ID})
}

// endSessions plans that all sessions but keep end. It is the machine's time that counts, as for sessions, whatever the clock of the business says.
func (u *User) endSessions(keep string, now time.Time) {
	u.Ending = &Ending{now.Add(time.Millisecond).UTC().Truncate(time.Millisecond), keep} // MongoDB keeps milliseconds: rather too late
	u.Due(now)
}

// endSessionsBecause is endSessions by the back office.
func (u *User) endSessionsBecause(entry audit.Entry, now time.Time) error {
	if err := u.Trail.Add(entry); err != nil {
		return err
	}
	u.endSessions("", now)
	return nil
}

// followUpAfter is how long an instance has for what follows a change, before another one looks.
const followUpAfter = 30 * time.Second

// claim begins what follows a change of the account: the ends of sessions, a new company.
func (u *User) claim(meta event.Meta) error {
	u.Due(meta.At.Add(followUpAfter))
	u.followed(User{})
	return nil
}

// followed takes off what has been done for an earlier state of the account.
func (u *User) followed(done User) {
	if u.Ending != nil && done.Ending != nil && *u.Ending == *done.Ending {
		u.Ending = nil
	}
	if done.Founding != nil {
		u.Founding = nil
	}
	if u.Ending == nil && u.Founding == nil {
		u.Due(time.Time{})
	}
}
