package follow

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
)

// source is what the configuration and the path of a file say about its lines.
type source struct {
	enrich.Source
	multiline *config.Multiline
}

// inputs says which files are inputs and what their paths mean.
type inputs struct {
	list          []config.Input  // with the paths of what they receive
	names         []*enrich.Names // of the list; nil when the configuration says nothing
	env, customer string
	roots         []root
}

// root is a folder and the patterns of the files below it that are inputs. Each pattern is split at the slashes.
type root struct {
	dir      string
	patterns [][]string
}

func newInputs(c *config.Config) *inputs {
	in := &inputs{list: slices.Clone(c.Inputs), env: c.Env, customer: c.Customer}
	for i := range in.list {
		one := &in.list[i]
		if len(one.Receive) > 0 {
			one.Paths = []config.Glob{config.Glob(filepath.Join(c.ReceivedDir(one), "*", config.SegmentFile))}
		}
		var names *enrich.Names
		if len(one.Keys) > 0 || one.Time != (config.InputTime{}) {
			names = enrich.NewNames(kinds[one.Type], one.Keys, one.Time.Key, one.Time.Format)
		}
		in.names = append(in.names, names)
		for _, glob := range one.Paths {
			dir, rest := splitGlob(string(glob))
			i := slices.IndexFunc(in.roots, func(r root) bool { return r.dir == dir })
			if i < 0 {
				i = len(in.roots)
				in.roots = append(in.roots, root{dir: dir})
			}
			in.roots[i].patterns = append(in.roots[i].patterns, rest)
		}
	}
	return in
}

// splitGlob splits a pattern into the deepest folder that it names without wildcards, and the parts that follow.
func splitGlob(glob string) (dir string, rest []string) {
	parts := strings.Split(filepath.ToSlash(glob), "/")
	n := 0
	for n < len(parts)-1 && !strings.ContainsAny(parts[n], `*?[{\`) {
		n++
	}
	return filepath.FromSlash(strings.Join(parts[:n], "/") + "/"), parts[n:]
}

// inFolder returns what is left of the patterns below the folder name, for those that can match there. A leading ** matches any
// number of folders, so it stays and is left out as well.
func inFolder(patterns [][]string, name string) [][]string {
	var out [][]string
	for _, p := range patterns {
		if p[0] == "**" {
			out = append(out, anyDepth(p)...)
			continue
		}
		if len(p) > 1 && matches(p[0], name) {
			out = append(out, anyDepth(p[1:])...)
		}
	}
	return out
}

// anyDepth returns the pattern as it is, and without its leading **, which may match no folder at all.
func anyDepth(p []string) [][]string {
	out := [][]string{p}
	for p[0] == "**" && len(p) > 1 {
		p = p[1:]
		out = append(out, p)
	}
	return out
}

func matches(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil // the patterns were checked
}

func anyMatches(globs []config.Glob, path string) bool {
	return slices.ContainsFunc(globs, func(g config.Glob) bool { return matches(string(g), path) })
}

// sourceOf says what the path of a file means: the first input that matches counts. ok is false when none does.
func (in *inputs) sourceOf(path string) (s source, ok bool) {
	for i := range in.list {
		one := &in.list[i]
		if !anyMatches(one.Paths, path) || anyMatches(one.Exclude, path) {
			continue
		}
		s.multiline = one.Multiline
		s.Kind = kinds[one.Type]
		s.Dataset, s.Names = one.Dataset, in.names[i]
		s.Received = one.Type == config.Syslog && len(one.Receive) > 0
		s.Env, s.Customer, s.Service = in.env, in.customer, ""
		fill(&s.Source, one, path)
		return s, true
	}
	return source{}, false
}

// kinds says how the lines of each type of input are read.
var kinds = map[config.Type]enrich.Kind{
	config.Service: enrich.Service, config.NginxAccess: enrich.NginxAccess, config.NginxCombined: enrich.NginxCombined,
	config.NginxError: enrich.NginxError, config.Container: enrich.Container, config.Text: enrich.Text,
	config.Syslog: enrich.Syslog, config.Journal: enrich.Journal,
}

// fill sets what the constants of the input and the folders of the path say. When both say something, the folders count.
func fill(s *enrich.Source, in *config.Input, path string) {
	set := func(name, value string) {
		switch name {
		case "env":
			s.Env = value
		case "customer":
			s.Customer = value
		case "service", "service_name":
			s.Service = value
		}
	}
	for name, value := range in.Fields {
		set(name, value)
		if label, ok := strings.CutPrefix(name, "labels."); ok {
			if s.Labels == nil {
				s.Labels = map[string]string{}
			}
			s.Labels[label] = value
		}
	}
	folders := strings.Split(filepath.Dir(path), string(filepath.Separator))
	for i, name := range in.Folders {
		if at := len(folders) - len(in.Folders) + i; at >= 0 {
			set(name, folders[at])
		}
	}
	if s.Kind == enrich.NginxCombined || s.Kind == enrich.NginxError || s.Kind == enrich.NginxAccess {
		if s.Service == "" {
			s.Service = "nginx"
		}
	}
	if v := versionedErrorLog.FindStringSubmatch(filepath.Base(path)); v != nil && s.Kind == enrich.NginxError {
		s.Version = v[1]
	}
	if s.Kind == enrich.Container {
		podOf(s, folders, filepath.Base(path))
	}
}

// versionedErrorLog is the name of an error log that one platform version of nginx writes. Its lines cannot say the version, and must not get
// the one that runs when they are shipped: they may be older.
var versionedErrorLog = regexp.MustCompile(`^error-([0-9a-f]{12})\.log`)

// podOf reads what the paths of container logs say:
//
//	…/<namespace>_<pod>_<uid>/<container>/<restarts>.log   /var/log/pods
//	…/<pod>_<namespace>_<container>-<id>.log               /var/log/containers
//	…/<id>/<id>-json.log                                   /var/lib/docker/containers
func podOf(s *enrich.Source, folders []string, name string) {
	if id, ok := strings.CutSuffix(name, "-json.log"); ok {
		s.ContainerID = id
		return
	}
	name, _, _ = strings.Cut(name, ".log")
	if n := len(folders); n >= 2 {
		if pod := strings.Split(folders[n-2], "_"); len(pod) == 3 {
			s.Namespace, s.Pod, s.PodUID, s.Container, s.Restarts = pod[0], pod[1], pod[2], folders[n-1], name
			return
		}
	}
	if pod := strings.Split(name, "_"); len(pod) == 3 {
		dash := strings.LastIndexByte(pod[2], '-')
		if dash > 0 {
			s.Pod, s.Namespace, s.Container, s.ContainerID = pod[0], pod[1], pod[2][:dash], pod[2][dash+1:]
		}
	}
}
