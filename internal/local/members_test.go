package local

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kreislauf/internal/blob"
	"kreislauf/services"
)

// TestMembersFollowTheTable plans a platform with a service that only consumes: it gets no public port and no upstream, and every member
// is told its own secrets only.
func TestMembersFollowTheTable(t *testing.T) {
	p := planned(t, false)
	defer p.ports.release()
	reader := services.Service{Name: "reader", Class: services.Normal}
	list := append(serviceMembers(false), member{instance: "reader-1", service: reader})
	components, err := p.components(append(list, edgeMembers()...))
	if err != nil {
		t.Fatal(err)
	}
	addrs := map[string]string{}
	env := map[string]string{}
	for _, c := range components {
		addrs[c.Name], env[c.Name] = c.Addr, strings.Join(c.Env, "\n")
	}
	if addrs["reader-1"] != "" || p.upstreams["reader"] != nil {
		t.Errorf("a service without routes is at %q, upstreams %v", addrs["reader-1"], p.upstreams["reader"])
	}
	for _, s := range services.All() {
		if s.HTTP && len(p.upstreams[s.Name]) != s.Class.Instances() {
			t.Errorf("%s has the upstreams %v", s.Name, p.upstreams[s.Name])
		}
		place := blob.Setting + "=file://" + filepath.ToSlash(filepath.Join(p.Data, "blobs", s.Name))
		if told := strings.Contains(env[s.Name+"-1"], place); told != s.Needs.Blobs {
			t.Errorf("%s is told where to keep files: %v", s.Name, told)
		}
		documents := blob.Documents + "=file://" + filepath.ToSlash(filepath.Join(p.Data, "blobs", "documents"))
		if told := strings.Contains(env[s.Name+"-1"], documents); told != s.Needs.Documents {
			t.Errorf("%s is told where documents are: %v", s.Name, told)
		}
		for variable, value := range p.secrets.Keys {
			if told := strings.Contains(env[s.Name+"-1"], value); told != slices.Contains(s.Secrets, variable) {
				t.Errorf("%s is told %s: %v", s.Name, variable, told)
			}
		}
	}
	for name, text := range env {
		if told := strings.Contains(text, "KREISLAUF_SMTP_ADDR="+p.MailboxAddr) && strings.Contains(text, "KREISLAUF_PUBLIC_URL=http://"+p.NginxAddr); told != (name == "mailing-1") {
			t.Errorf("%s is told where mails go: %v", name, told)
		}
	}
	for file, reader := range map[string]string{"/partners.json": "disposer", "/company.json": "payment"} {
		for _, name := range []string{"disposer", "payment", "order"} {
			if got := strings.Contains(env[name+"-1"], file); got != (name == reader) {
				t.Errorf("%s reaches %s: %v", file, name, got)
			}
		}
	}
}

// TestDoctorChecksThePortsThatAreUsed takes the last port that a platform would use, and the one behind it.
func TestDoctorChecksThePortsThatAreUsed(t *testing.T) {
	o := DefaultOptions()
	n := portCount(false)
	if want := 2*(2+2+3+2+1) + 2; len(services.All()) == 5 && n != want {
		t.Errorf("%d ports for five services, want %d", n, want)
	}
	for _, tc := range []struct {
		name  string
		taken int
		free  bool
	}{{"the last one", n - 1, false}, {"the one behind the last", n, true}} {
		t.Run(tc.name, func(t *testing.T) {
			for base := 21000; base < 60000; base += 97 {
				o.PortBase = base
				before := portsFree(o)
				l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+tc.taken))
				if err != nil || before[len(before)-1].mend != "" {
					if err == nil {
						l.Close()
					}
					continue // somebody else uses one of these
				}
				after := portsFree(o)
				l.Close()
				if last := after[len(after)-1]; (last.mend == "") != tc.free {
					t.Errorf("with port %d taken the doctor says %+v", base+tc.taken, last)
				}
				return
			}
			t.Fatal("no range of free ports was found")
		})
	}
}
