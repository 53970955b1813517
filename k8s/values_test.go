package k8s_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"kreislauf/internal/local"
	"kreislauf/services"
)

// serviceValues are the rows of the table of services as the chart's values.
func serviceValues() string {
	var b strings.Builder
	for _, s := range services.All() {
		fmt.Fprintf(&b, "  %s:\n    class: %s\n", s.Name, s.Class)
		if !s.HTTP {
			b.WriteString("    http: false\n")
		}
		var secrets []string
		if s.Needs.MongoDB {
			secrets = append(secrets, "KREISLAUF_MONGODB_URI")
		}
		if s.Needs.Sessions {
			secrets = append(secrets, "KREISLAUF_REDIS_PASSWORD")
		}
		fmt.Fprintf(&b, "    secrets: [%s]\n", strings.Join(append(secrets, s.Secrets...), ", "))
		var files []string
		for _, variable := range s.Files {
			files = append(files, local.MasterFile(variable))
		}
		if files != nil {
			fmt.Fprintf(&b, "    files: [%s]\n", strings.Join(files, ", "))
		}
	}
	return b.String()
}

func TestValues(t *testing.T) {
	const path, begin, end = "apps/values.yaml", "-update writes it.\n", "  # End.\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around the services", path)
	}
	compare(t, path, []byte(head+begin+serviceValues()+end+tail))
}
