// Package shipper runs `kreislauf logship` as a child process over a temporary log tree, for the benchmark and the drills.
//
// It owns the command line of the child, its signals and its resource use as the kernel counts it (wait4). It does not own the
// target: whoever starts a Process says where its documents go.
package shipper
