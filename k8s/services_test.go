package k8s_test

import (
	"fmt"
	"strings"
	"testing"

	"kreislauf/internal/local"
	"kreislauf/services"
)

// serviceTable is the table of services as the charts read it, with the versions of the sources beside them, as `kreislauf version` prints
// them.
func serviceTable(t *testing.T) string {
	t.Helper()
	v, err := local.Versions()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# From services/services.go and the sources of the services; go test ./k8s -update writes it.\nplatform: %q\nservices:\n", v.Platform)
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
		fmt.Fprintf(&b, "    version: %q\n", v.Services[s.Name])
	}
	return b.String()
}

func TestServices(t *testing.T) {
	compare(t, "apps/files/services.yaml", []byte(serviceTable(t)))
	compare(t, "daemonsets/files/services.yaml", []byte(serviceTable(t))) // a link to the first one
}
