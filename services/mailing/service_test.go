package mailing_test

import (
	"testing"
	"time"

	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/test/embedded"
)

func TestX(t *testing.T) {
	b := embedded.Start(t)
	b.Run(t, "mailing-1", nil)
	b.Publish(t, event.TopicOrder, "o-1", event.Placed{OrderID: "o-1", UserID: "u-1", Waste: "170904", SizeM3: 7, Date: "2026-11-24", Postcode: "10115", Price: money.FromNet(30000), Address: event.Address{Name: "A", Street: "Weg 1", City: "Berlin"}})
	b.Publish(t, event.TopicIdentity, "u-1", event.SignedUp{UserID: "u-1", Name: "Jörg", Email: "j@example.org"})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		l, err := mailbox.List(b.Mails, 10)
		if err != nil || time.Now().After(deadline) {
			t.Fatal(err)
		}
		if len(l) > 0 {
			m, err := mailbox.Read(b.Mails, l[0].ID)
			t.Logf("%+v %v", m, err)
			break
		}
	}
}
