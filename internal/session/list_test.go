package session

import (
	"slices"
	"testing"
	"time"
)

// ids are those of a user's sessions, sorted.
func ids(t *testing.T, s *Store, user string) []string {
	t.Helper()
	list, err := s.List(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list {
		names = append(names, l.ID)
		if time.Since(l.LastUsed) > time.Minute || l.UserID != user {
			t.Errorf("listed for %s: %+v", user, l)
		}
	}
	slices.Sort(names)
	return names
}

func TestListOfAUser(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	ctx := t.Context()
	begin := func(user string) string {
		token, err := f.Create(ctx, &Session{UserID: user, Role: "customer"})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	one, two, three, other := begin("u-1"), begin("u-1"), begin("u-1"), begin("u-2")
	want := []string{ID(one), ID(two), ID(three)}
	slices.Sort(want)
	if got := ids(t, f.Store, "u-1"); !slices.Equal(got, want) {
		t.Errorf("sessions %v, want %v", got, want)
	}
	if found, err := f.End(ctx, "u-1", ID(other)); found || err != nil {
		t.Errorf("somebody else's session: %v, %v", found, err)
	}
	if found, err := f.End(ctx, "u-1", ID(one)); !found || err != nil {
		t.Errorf("an own session: %v, %v", found, err)
	}
	if _, err := f.Get(ctx, one); err == nil {
		t.Error("a session that was ended signs in")
	}
	if err := f.EndAll(ctx, "u-1", time.Now().Add(-time.Minute), ""); err != nil || len(ids(t, f.Store, "u-1")) != 2 {
		t.Errorf("younger sessions were ended: %v", err)
	}
	if n := f.raw.SCard(ctx, f.listKey("u-1")).Val(); n != 2 {
		t.Errorf("%d are in the list after the first had ended", n)
	}
	if err := f.EndAll(ctx, "u-1", time.Now(), ID(two)); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, f.Store, "u-1"); !slices.Equal(got, []string{ID(two)}) {
		t.Errorf("left are %v, want the kept one", got)
	}
	if _, err := f.Get(ctx, other); err != nil {
		t.Errorf("somebody else's session was ended: %v", err)
	}
}

// TestAge: a session ends 30 days after its beginning, however often it is used.
func TestAge(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	old := `{"user_id":"u-1","role":"customer","csrf":"c","listed":true,"created_at":"` + time.Now().Add(-Age-time.Minute).UTC().Format(time.RFC3339) + `"}`
	if err := f.raw.Set(t.Context(), f.key("token"), old, TTL).Err(); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Get(t.Context(), "token"); err == nil {
		t.Errorf("after its age: %+v", s)
	}
}
