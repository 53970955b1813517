package local

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/local/supervise"
)

// TestLists: who does not answer is left out, who has ended is not, and no list becomes empty.
func TestLists(t *testing.T) {
	order := []supervise.Status{{Name: "order-1", Addr: "a:1"}, {Name: "order-2", Addr: "a:2"}}
	redis := supervise.Status{Name: "redis", Addr: "a:9"}
	in := func(s supervise.Status, state supervise.State) supervise.Status {
		s.State = state
		return s
	}
	for name, tc := range map[string]struct {
		changes []supervise.Status
		list    []string
		out     []string
	}{
		"all well":       {[]supervise.Status{in(order[0], supervise.Ready), in(order[1], supervise.Ready)}, []string{"a:1", "a:2"}, nil},
		"one is suspect": {[]supervise.Status{in(order[1], supervise.Suspect)}, []string{"a:1"}, []string{"order-2"}},
		"one is hung":    {[]supervise.Status{in(order[0], supervise.Hung)}, []string{"a:2"}, []string{"order-1"}},
		"and starts again": {
			[]supervise.Status{in(order[0], supervise.Hung), in(order[0], supervise.Starting)}, []string{"a:2"}, []string{"order-1"},
		},
		"and is ready":       {[]supervise.Status{in(order[0], supervise.Hung), in(order[0], supervise.Ready)}, []string{"a:1", "a:2"}, nil},
		"one has ended":      {[]supervise.Status{in(order[0], supervise.Restarting)}, []string{"a:1", "a:2"}, nil},
		"nobody answers":     {[]supervise.Status{in(order[0], supervise.Suspect), in(order[1], supervise.Hung)}, []string{"a:1", "a:2"}, nil},
		"a backend is hung":  {[]supervise.Status{in(redis, supervise.Hung)}, []string{"a:1", "a:2"}, nil},
		"of another service": {[]supervise.Status{in(supervise.Status{Name: "alerter-1"}, supervise.Suspect)}, []string{"a:1", "a:2"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBalance(&Platform{upstreams: map[string][]string{"order": {"a:1", "a:2"}}}, nil)
			for _, s := range tc.changes {
				b.change(s)
			}
			upstreams, out, _ := b.lists()
			if diff := cmp.Diff([][]string{tc.list, tc.out}, [][]string{upstreams["order"], out}); diff != "" {
				t.Errorf("list, left out (-want +got):\n%s", diff)
			}
			if len(b.wake) != 1 {
				t.Error("nobody is woken")
			}
		})
	}
}

// TestMaster: nginx is told of new lists while it runs, and only then.
func TestMaster(t *testing.T) {
	b := newBalance(&Platform{}, nil)
	for _, tc := range []struct {
		state supervise.State
		want  int
	}{
		{supervise.Starting, 0},
		{supervise.Ready, 7},
		{supervise.Suspect, 7},
		{supervise.Hung, 0},
		{supervise.Restarting, 0},
		{supervise.Ready, 7},
		{supervise.Stopped, 0},
	} {
		b.change(supervise.Status{Name: entryName, PID: 7, State: tc.state})
		if _, _, master := b.lists(); master != tc.want {
			t.Errorf("%s: master %d, want %d", tc.state, master, tc.want)
		}
	}
}
