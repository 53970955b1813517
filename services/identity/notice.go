package identity

import (
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
)

// Kinds of notices.
const (
	noticeLocked = "locked" // signing in to the account has to wait
	noticeReset  = "reset"  // somebody asks for a new password
)

// Notice is an aggregate and its document: what the owner of an address is to be told, if the address has an account. Whether it has one is
// looked up later, by timed work, so that a caller who knows only the address learns nothing, neither from the answer nor from its time.
type Notice struct {
	aggregate.Root `bson:",inline"`
	Kind           string    `bson:"kind"`
	Email          string    `bson:"email"`
	At             time.Time `bson:"at"` // a day later it is removed
	Tries          int       `bson:"tries"`
}

const (
	noticeTries = 10
	noticePause = time.Minute
)

func newNotice(kind, email string, meta event.Meta) Notice {
	n := Notice{Root: aggregate.New(event.NewID("n")), Kind: kind, Email: email, At: meta.At}
	n.Due(meta.At)
	return n
}

// claim begins a try, and plans the next one in case that this process dies.
func (n *Notice) claim(meta event.Meta) error {
	n.Tries++
	n.Due(meta.At.Add(noticePause))
	if n.Tries >= noticeTries {
		n.Due(time.Time{})
	}
	return nil
}
