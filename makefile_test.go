package kreislauf_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTargetsOfMake: `make help` lists a target by the text behind its ##, and `make` alone runs the platform.
func TestTargetsOfMake(t *testing.T) {
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var phony, targets []string
	for _, m := range regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindAllStringSubmatch(string(text), -1) {
		phony = append(phony, strings.Fields(m[1])...)
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):(.*)$`).FindAllStringSubmatch(string(text), -1) {
		targets = append(targets, m[1])
		if !slices.Contains(phony, m[1]) {
			t.Errorf("target %s is not in .PHONY", m[1])
		}
		if !strings.Contains(m[2], " ## ") {
			t.Errorf("target %s has no text for make help: write ## and what it does behind its prerequisites", m[1])
		}
	}
	if len(targets) < 20 || targets[0] != "up" {
		t.Errorf("the default goal is not up, or the reading is broken: %v", targets)
	}
}
