package main

import "testing"

func TestExitStatus(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want int
	}{
		{[]string{"reconcile", "-data", t.TempDir()}, 3}, // nothing runs there, so nothing was read
		{[]string{"reconcile", "-h"}, 0},
		{[]string{"reconcile", "now"}, 1},
		{[]string{"load", "-pace", "1ms"}, 1},
		{[]string{"load", "-data", t.TempDir()}, 1},
	} {
		if got := dispatch(t.Context(), tc.args); got != tc.want {
			t.Errorf("%v ends with %d, want %d", tc.args, got, tc.want)
		}
	}
}
