//go:build !linux

package supervise

// stopped is not known here: a stopped process is found by its silence.
func stopped(int) bool { return false }

// children are not known here: a stopped worker is not found.
func children(int) []int { return nil }
