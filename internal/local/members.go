package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kreislauf/elk/alerter"
	"kreislauf/internal/blob"
	"kreislauf/internal/config"
	"kreislauf/internal/local/supervise"
	"kreislauf/internal/process"
	shipper "kreislauf/logship/platform"
	"kreislauf/services"
)

// member is a process of this binary that is no backend: an instance of a service, the shipper, the alerter.
type member struct {
	instance string           // "order-2"
	service  services.Service // of the shipper and the alerter: only Name, which is the command
	run      func(context.Context, process.Lookup) error
}

// serviceMembers are the instances that the table of services asks for; -compact runs one of each.
func serviceMembers(compact bool) []member {
	var list []member
	for _, s := range services.All() {
		n := s.Class.Instances()
		if compact {
			n = 1
		}
		for i := 1; i <= n; i++ {
			list = append(list, member{fmt.Sprintf("%s-%d", s.Name, i), s, s.Run})
		}
	}
	return list
}

// edgeMembers run beside nginx.
func edgeMembers() []member {
	return []member{
		{"logship-1", services.Service{Name: "logship"}, shipper.Run},
		{"alerter-1", services.Service{Name: "alerter"}, alerter.Run},
	}
}

// ports is how many ports the member listens on: the internal one, and with routes the public one.
func (m member) ports() int {
	if m.service.HTTP {
		return 2
	}
	return 1
}

// portCount is how many ports follow the service port base.
func portCount(compact bool) int {
	n := 0
	for _, m := range append(serviceMembers(compact), edgeMembers()...) {
		n += m.ports()
	}
	return n
}

// components gives members their addresses and plans them.
func (p *Platform) components(list []member) ([]supervise.Component, error) {
	var components []supervise.Component
	for _, m := range list {
		c, err := p.component(m)
		if err != nil {
			return nil, err
		}
		components = append(components, c)
	}
	return components, nil
}

// component plans a process of this binary, or with -compact the same work inside this process.
func (p *Platform) component(m member) (supervise.Component, error) {
	public, shown := "127.0.0.1:0", ""
	if m.service.HTTP {
		addr, err := p.memberPort()
		if err != nil {
			return supervise.Component{}, err
		}
		public, shown = addr, addr
		p.upstreams[m.service.Name] = append(p.upstreams[m.service.Name], addr)
	}
	internal, err := p.memberPort()
	if err != nil {
		return supervise.Component{}, err
	}
	if m.service.Name == "logship" {
		p.logship = internal
	}
	env := p.env(m.instance, public, internal)
	env["KREISLAUF_MONGODB_URI"] = p.databaseURI(m.service.Name)
	env["KREISLAUF_SERVICE_VERSION"] = p.versions.Services[m.service.Name]
	if m.service.Name == "mailing" {
		p.mailSettings(env)
	}
	for _, variable := range m.service.Secrets {
		env[variable] = p.secrets.Keys[variable]
	}
	if m.service.Needs.Blobs {
		env[blob.Setting] = "file://" + filepath.ToSlash(filepath.Join(p.Data, "blobs", m.service.Name))
	}
	if m.service.Needs.Documents {
		env[blob.Documents] = "file://" + filepath.ToSlash(filepath.Join(p.Data, "blobs", "documents"))
	}
	if m.service.Needs.Blobs || m.service.Needs.Documents {
		for _, k := range []string{blob.Setting, blob.Documents, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
			if v := os.Getenv(k); v != "" {
				env[k] = v
			}
		}
	}
	for _, variable := range m.service.Files {
		env[variable] = filepath.Join(p.Data, MasterFile(variable))
	}
	c := supervise.Component{
		Name: m.instance, Addr: shown, Ready: supervise.HTTPReady("http://" + internal + "/readyz"), Console: p.console(m.instance), Grace: 12 * time.Second,
	}
	if p.Compact {
		c.Run = func(ctx context.Context) error { return m.run(ctx, config.FromMap(env)) }
		return c, nil
	}
	env["GOMEMLIMIT"] = "96MiB"
	c.Exec, c.Env = []string{p.self, m.service.Name}, environ(env)
	c.Alive = supervise.HTTPReady("http://" + internal + "/healthz")
	return c, nil
}

// memberPort takes the next address of a member and checks that it is free.
func (p *Platform) memberPort() (string, error) {
	addr, err := p.ports.take()
	if err == nil && !p.FreePorts {
		err = checkFree(addr, "service-port-base")
	}
	return addr, err
}

// MasterFile is the name of the file of master data behind a variable: partners.json of KREISLAUF_PARTNERS_FILE.
func MasterFile(variable string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(variable, "KREISLAUF_"), "_FILE")) + ".json"
}
