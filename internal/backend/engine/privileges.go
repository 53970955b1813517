package engine

import (
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// access is what an endpoint asks for. Exactly one of cluster and index names the privileges that grant it; without
// either, being known is enough. Filtered says that names are resolved with the caller's rights, so that patterns
// leave out what it may not see.
type access struct {
	action   string
	cluster  []string
	index    []string
	filtered bool
}

// indexPrivileges are those a role can name.
func indexPrivileges() []string {
	return []string{
		"all", "auto_configure", "create", "create_doc", "create_index", "delete", "delete_index", "index", "maintenance", "manage", "monitor", "read",
		"view_index_metadata", "write",
	}
}

func clusterPrivileges() []string {
	return []string{"all", "manage", "manage_api_key", "manage_ilm", "manage_index_templates", "manage_security", "monitor", "read_ilm"}
}

func onCluster(action string, privileges ...string) access {
	return access{action: action, cluster: append(privileges, "all")}
}

func onIndex(action string, privileges ...string) access {
	return access{action: action, index: append(privileges, "all"), filtered: true}
}

// onNames is access to indices or streams that the path names and that need not exist.
func onNames(action string, privileges ...string) access {
	a := onIndex(action, privileges...)
	a.filtered = false
	return a
}

// itemAccess is what one action of a bulk request asks for.
func itemAccess(action string) []string {
	return map[string][]string{
		"create": {"create_doc", "create", "index", "write", "all"},
		"index":  {"create", "index", "write", "all"},
		"update": {"index", "write", "all"},
		"delete": {"delete", "write", "all"},
	}[action]
}

// autoCreate are the privileges that allow an index to come into being by its first document.
func autoCreate() []string { return []string{"auto_configure", "create_index", "manage", "all"} }

// role is a parsed role descriptor.
type role struct {
	cluster []string
	indices []indexRole
}

type indexRole struct{ names, privileges []string }

func parseRoles(n *esjson.Node) ([]role, error) {
	var out []role
	for _, d := range n.Fields {
		var r role
		for _, f := range d.Value.Fields {
			switch f.Name {
			case "cluster":
				for _, p := range stringList(f.Value) {
					if !slices.Contains(clusterPrivileges(), p) {
						return nil, eserr.IllegalArgument("unknown cluster privilege [%s]. a privilege must be either one of the predefined cluster privilege names [%s] or a pattern over one of the available cluster actions",
							p, strings.Join(clusterPrivileges(), ","))
					}
					r.cluster = append(r.cluster, p)
				}
			case "index", "indices":
				for _, it := range f.Value.Items {
					ir, err := parseIndexRole(it)
					if err != nil {
						return nil, err
					}
					r.indices = append(r.indices, ir)
				}
			case "metadata", "description":
			case "applications", "run_as":
				if len(f.Value.Items) > 0 {
					return nil, eserr.IllegalArgument("[%s] in role descriptors is not supported by this engine", f.Name)
				}
			default:
				return nil, eserr.New(400, "parse_exception", "failed to parse role [%s]. unexpected field [%s]", d.Name, f.Name)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func parseIndexRole(n *esjson.Node) (indexRole, error) {
	var r indexRole
	for _, f := range n.Fields {
		switch f.Name {
		case "names":
			r.names = stringList(f.Value)
		case "privileges":
			r.privileges = stringList(f.Value)
		default:
			// field_security and query would narrow what is seen; ignoring them would show too much.
			return r, eserr.IllegalArgument("[%s] in role descriptors is not supported by this engine", f.Name)
		}
	}
	for _, p := range r.privileges {
		if !slices.Contains(indexPrivileges(), p) {
			return r, eserr.IllegalArgument("unknown index privilege [%s]. a privilege must be either one of the predefined fixed indices privileges [%s] or a pattern over one of the available index actions",
				p, strings.Join(indexPrivileges(), ","))
		}
	}
	if len(r.names) == 0 || len(r.privileges) == 0 {
		return r, eserr.New(400, "parse_exception", "failed to parse indices privileges: [names] and [privileges] are required")
	}
	return r, nil
}

// principal is who makes a request. A nil principal may do everything: security is off.
type principal struct {
	user    string
	keyID   string // of an API key
	keyName string
	all     bool // the superuser, and keys without role descriptors
	roles   []role
}

// mayCluster says whether one of the privileges is granted.
func (p *principal) mayCluster(privileges []string) bool {
	if p == nil || p.all {
		return true
	}
	for _, r := range p.roles {
		if slices.ContainsFunc(r.cluster, func(have string) bool { return slices.Contains(privileges, have) }) {
			return true
		}
	}
	return false
}

// mayIndex says whether one of the privileges is granted on a name. The name may be a pattern: what a privilege's
// pattern matches as a text, it matches in each of its names.
func (p *principal) mayIndex(name string, privileges []string) bool {
	if p == nil || p.all {
		return true
	}
	for _, r := range p.roles {
		for _, ir := range r.indices {
			if slices.ContainsFunc(ir.names, func(n string) bool { return mapping.Glob(n, name) }) &&
				slices.ContainsFunc(ir.privileges, func(have string) bool { return slices.Contains(privileges, have) }) {
				return true
			}
		}
	}
	return false
}

func (p *principal) who() string {
	if p.keyID != "" {
		return "API key id [" + p.keyID + "] of user [" + p.user + "]"
	}
	return "user [" + p.user + "]"
}

// deniedIndex is the error of a missing privilege on an index.
func (p *principal) deniedIndex(action, name string, privileges []string) *eserr.Error {
	return eserr.New(403, "security_exception", "action [%s] is unauthorized for %s on indices [%s], this action is granted by the index privileges [%s]",
		action, p.who(), name, strings.Join(privileges, ","))
}

func (p *principal) deniedCluster(a access) *eserr.Error {
	return eserr.New(403, "security_exception", "action [%s] is unauthorized for %s, this action is granted by the cluster privileges [%s]",
		a.action, p.who(), strings.Join(a.cluster, ","))
}

// allow checks what can be checked before the endpoint runs.
func (r *request) allow(a access) error {
	if r.who == nil || r.who.all {
		return nil
	}
	if a.cluster != nil {
		if !r.who.mayCluster(a.cluster) {
			return r.who.deniedCluster(a)
		}
		return nil
	}
	if a.index == nil || a.filtered {
		return nil
	}
	names := r.vars["index"] + r.vars["name"]
	if names == "" {
		names = "*"
	}
	for name := range strings.SplitSeq(names, ",") {
		if !r.who.mayIndex(name, a.index) {
			return r.who.deniedIndex(a.action, name, a.index)
		}
	}
	return nil
}
