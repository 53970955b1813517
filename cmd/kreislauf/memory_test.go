package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// filePages returns the pages of files that this process has mapped, in kilobytes.
func filePages(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("this system does not tell the memory of a process: %v", err)
	}
	found := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(data)
	if found == nil {
		t.Skip("this system does not tell how many pages of files a process has")
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A program whose pages were released goes on, with fewer of them.
func TestReleaseProgram(t *testing.T) {
	before := filePages(t)
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	after := filePages(t)
	if after >= before {
		t.Errorf("%d kB of files are mapped, as many as before (%d kB)", after, before)
	}
	if code := dispatch(t.Context(), []string{"help"}); code != 0 {
		t.Errorf("kreislauf help ended with %d, want 0", code)
	}
}
