package logship

import (
	"path/filepath"
	"strings"

	"kreislauf/logship/enrich"
)

// sourceOf says what the path of a file means. ok is false when it is no input.
func (o *Options) sourceOf(path string) (source enrich.Source, ok bool) {
	if !strings.HasSuffix(path, ".log") {
		return source, false
	}
	if parts := below(o.LogDir, path); len(parts) == 4 {
		source = enrich.Source{Env: parts[0], Customer: parts[1], Service: parts[2]}
		if source.Service == "nginx" {
			switch parts[3] {
			case "access.log":
				source.Kind = enrich.NginxAccess
			case "error.log":
				source.Kind = enrich.NginxError
			}
		}
		return source, true
	}
	if parts := below(o.Pods, path); len(parts) == 3 {
		pod := strings.Split(parts[0], "_")
		if len(pod) != 3 {
			return source, false
		}
		return enrich.Source{
			Kind: enrich.Container, Env: o.Env, Customer: o.Customer,
			Namespace: pod[0], Pod: pod[1], Container: parts[1],
		}, true
	}
	return source, false
}

// below returns the path elements of path under root, nil when it is not under it.
func below(root, path string) []string {
	if root == "" {
		return nil
	}
	rel, err := filepath.Rel(root, path)
	if err != nil || rel == "." || strings.HasPrefix(rel, "..") {
		return nil
	}
	return strings.Split(rel, string(filepath.Separator))
}
