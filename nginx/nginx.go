// Package nginx owns the entry of the platform: the configuration of the real nginx, its JSON access log format, the routes, and
// how it is started on a bare machine.
//
// Invariants: every request gets exactly one access line with a trace id, which is the one that the services see; X-Forwarded-For is
// believed only from TrustedProxies; an answer that nginx makes itself under /api/ is an RFC 9457 problem with that trace id.
// One template serves the bare machine and Kubernetes.
package nginx

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/template"
)

//go:embed nginx.conf.tmpl
var source string

// Options fill the template.
type Options struct {
	Listen          string              // host:port
	Prefix          string              // folder for pid and temporary files, ending in /
	AccessLog       string              // path
	ErrorLog        string              // path
	WebRoot         string              // folder of the built web app
	User            string              // for the workers; needed only when started as root
	Workers         string              // count or "auto"
	Env             string              // on every line
	Customer        string              // on every line
	PlatformVersion string              // on every line
	TrustedProxies  []string            // addresses or CIDR ranges whose X-Forwarded-For is believed
	Upstreams       map[string][]string // service name -> instances, at least one each; "identity" is required
}

// Service is an upstream of the configuration.
type Service struct {
	Name    string
	Servers []string
	Bans    bool // whether an instance that failed twice is left out for some seconds
}

// Services lists the upstreams by name. Instances are banned only where each entry is one instance: a Service of Kubernetes, which is
// listed several times so that another try may reach another pod, would lose all its entries for one hung pod.
func (o Options) Services() []Service {
	var list []Service
	for _, name := range slices.Sorted(maps.Keys(o.Upstreams)) {
		servers := o.Upstreams[name]
		distinct := len(slices.Compact(slices.Sorted(slices.Values(servers))))
		list = append(list, Service{Name: name, Servers: servers, Bans: distinct == len(servers) && distinct > 1})
	}
	return list
}

// Render makes nginx.conf.
func Render(o Options) ([]byte, error) {
	if len(o.Upstreams["identity"]) == 0 {
		return nil, errors.New("render nginx.conf: the upstream identity is required")
	}
	values := append([]string{o.Listen, o.Prefix, o.AccessLog, o.ErrorLog, o.WebRoot, o.User, o.Workers, o.Env, o.Customer, o.PlatformVersion}, o.TrustedProxies...)
	for name, addrs := range o.Upstreams {
		values = append(append(values, name), addrs...)
	}
	for _, v := range values {
		if strings.ContainsAny(v, "\"'\t\r\n;#{}$\\ ") {
			return nil, fmt.Errorf("render nginx.conf: %q holds a character that nginx would read as syntax; choose a path without spaces and quotes", v)
		}
	}
	t, err := template.New("nginx.conf").Option("missingkey=error").Parse(source)
	if err != nil {
		return nil, fmt.Errorf("parse nginx.conf.tmpl: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, o); err != nil {
		return nil, fmt.Errorf("render nginx.conf: %w", err)
	}
	return b.Bytes(), nil
}

// Find is the path of nginx, empty without one. Debian puts it into /usr/sbin, which is not in everybody's PATH.
func Find(extraDirs ...string) string {
	for _, p := range append(extraDirs, "/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin") {
		if full, err := exec.LookPath(filepath.Join(p, "nginx")); err == nil {
			return full
		}
	}
	if full, err := exec.LookPath("nginx"); err == nil {
		return full
	}
	return ""
}

// Prepare writes the configuration and makes the folders that nginx needs. It returns the arguments to start nginx with.
func Prepare(binary string, o Options) ([]string, error) {
	for _, d := range []string{filepath.Join(o.Prefix, "tmp"), filepath.Dir(o.AccessLog), filepath.Dir(o.ErrorLog)} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			return nil, fmt.Errorf("prepare nginx: %w", err)
		}
	}
	return arguments(binary, o, o.file()), install(binary, o)
}

// Reload gives a running nginx another configuration: requests in progress end under the old one. master is its first process; 0 when it
// is not running, then it reads the new file when it starts.
func Reload(binary string, o Options, master int) error {
	if err := install(binary, o); err != nil || master == 0 {
		return err
	}
	if err := syscall.Kill(master, syscall.SIGHUP); err != nil {
		return fmt.Errorf("tell nginx of its new configuration: %w", err)
	}
	return nil
}

func (o Options) file() string { return filepath.Join(o.Prefix, "nginx.conf") }

func arguments(binary string, o Options, file string) []string {
	return []string{binary, "-p", o.Prefix, "-e", o.ErrorLog, "-c", file}
}

// install puts the configuration in its place in one step, if nginx takes it.
func install(binary string, o Options) error {
	conf, err := Render(o)
	if err != nil {
		return err
	}
	tmp := o.file() + ".new"
	if err := os.WriteFile(tmp, conf, 0o640); err != nil {
		return fmt.Errorf("write nginx.conf: %w", err)
	}
	test := append(arguments(binary, o, tmp), "-t", "-q")
	if out, err := exec.Command(test[0], test[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("nginx refuses its configuration: %s: %w", bytes.TrimSpace(out), err)
	}
	if err := os.Rename(tmp, o.file()); err != nil {
		return fmt.Errorf("write nginx.conf: %w", err)
	}
	return nil
}
