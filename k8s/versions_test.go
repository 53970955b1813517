package k8s_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kreislauf/internal/local"
)

// TestVersions: both charts know the versions of the sources beside them, as `kreislauf version` prints them.
func TestVersions(t *testing.T) {
	v, err := local.Versions()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "platform: %q\nservices:\n", v.Platform)
	for _, name := range slices.Sorted(maps.Keys(v.Services)) {
		fmt.Fprintf(&b, "  %s: %q\n", name, v.Services[name])
	}
	for _, chart := range []string{"apps", "daemonsets"} {
		compare(t, chart+"/files/versions.yaml", []byte(b.String()))
	}
}
