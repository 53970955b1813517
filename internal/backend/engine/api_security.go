package engine

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// superuser is the one user there is besides API keys.
const superuser = "elastic"

// keyFile is a stored API key. Of the secret, which is random and long, only the hash is kept.
type keyFile struct {
	Name        string          `json:"name"`
	Hash        []byte          `json:"hash"` // SHA-256 of salt and secret
	Salt        []byte          `json:"salt"`
	Created     int64           `json:"created"`           // milliseconds
	Expires     int64           `json:"expires,omitempty"` // milliseconds; 0 is never
	Invalidated bool            `json:"invalidated,omitempty"`
	Roles       json.RawMessage `json:"role_descriptors,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
}

func hashSecret(salt []byte, secret string) []byte {
	h := sha256.Sum256(append(slices.Clone(salt), secret...))
	return h[:]
}

// challenge is the 401 of the real server.
func challenge(reason string) *eserr.Error {
	e := eserr.New(http.StatusUnauthorized, "security_exception", "%s", reason)
	e.Extra = map[string]any{"header": map[string]any{"WWW-Authenticate": challenges()}}
	return e
}

func challenges() []string { return []string{`Basic realm="security", charset="UTF-8"`, "ApiKey"} }

// authenticate finds out who makes a request. Without a password there is no security and nobody is asked.
func (a *api) authenticate(r *http.Request) (*principal, error) {
	if a.password == "" {
		return nil, nil
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, challenge("missing authentication credentials for REST request [" + r.URL.RequestURI() + "]")
	}
	scheme, value, _ := strings.Cut(header, " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	id, secret, ok := strings.Cut(string(raw), ":")
	switch {
	case err != nil || !ok:
	case strings.EqualFold(scheme, "basic"):
		same := subtle.ConstantTimeCompare(hashSecret(nil, secret), hashSecret(nil, a.password))
		if id == superuser && same == 1 {
			return &principal{user: superuser, all: true}, nil
		}
		return nil, challenge("unable to authenticate user [" + id + "] for REST request [" + r.URL.RequestURI() + "]")
	case strings.EqualFold(scheme, "apikey"):
		return a.authenticateKey(r, id, secret)
	}
	return nil, challenge("unable to authenticate with provided credentials and anonymous access is not allowed for REST request [" + r.URL.RequestURI() + "]")
}

func (a *api) authenticateKey(r *http.Request, id, secret string) (*principal, error) {
	a.mu.RLock()
	key, ok := a.state.Keys[id]
	a.mu.RUnlock()
	same := subtle.ConstantTimeCompare(hashSecret(key.Salt, secret), key.Hash)
	if !ok || same != 1 || key.Invalidated || key.Expires > 0 && time.Now().UnixMilli() > key.Expires {
		return nil, challenge("unable to authenticate with provided credentials and anonymous access is not allowed for REST request [" + r.URL.RequestURI() + "]")
	}
	p := &principal{user: superuser, keyID: id, keyName: key.Name}
	if len(key.Roles) == 0 {
		p.all = true
		return p, nil
	}
	n, err := esjson.Parse(key.Roles)
	if err != nil {
		return nil, err
	}
	if p.roles, err = parseRoles(n); err != nil {
		return nil, err
	}
	p.all = len(p.roles) == 0
	return p, nil
}

func (a *api) whoAmI(r *request) (int, any, error) {
	realm := map[string]any{"name": "reserved", "type": "reserved"}
	out := map[string]any{
		"username": r.who.user, "roles": []string{"superuser"}, "full_name": nil, "email": nil, "metadata": map[string]any{}, "enabled": true,
		"authentication_realm": realm, "lookup_realm": realm, "authentication_type": "realm",
	}
	if r.who.keyID != "" {
		realm["name"], realm["type"] = "_es_api_key", "_es_api_key"
		out["roles"], out["authentication_type"] = []string{}, "api_key"
		out["api_key"] = map[string]any{"id": r.who.keyID, "name": r.who.keyName}
	}
	return 200, out, nil
}

func (a *api) createKey(r *request) (int, any, error) {
	n, err := r.object()
	if err != nil {
		return 0, nil, err
	}
	key := keyFile{Created: time.Now().UnixMilli(), Salt: []byte(randomID(12))}
	for _, f := range n.Fields {
		switch f.Name {
		case "name":
			key.Name = f.Value.Str
		case "expiration":
			d, err := parseTime("expiration", f.Value.Str)
			if err != nil {
				return 0, nil, err
			}
			key.Expires = key.Created + d.Milliseconds()
		case "role_descriptors":
			if _, err := parseRoles(f.Value); err != nil {
				return 0, nil, err
			}
			key.Roles = slices.Clone(f.Value.Raw())
		case "metadata":
			key.Metadata = slices.Clone(f.Value.Raw())
		default:
			return 0, nil, f.Unknown("api_key_request")
		}
	}
	if key.Name == "" {
		return 0, nil, eserr.Validation("api key name is required")
	}
	if r.who.keyID != "" {
		return 0, nil, eserr.IllegalArgument("creating derived api keys requires an explicit role descriptor that is empty (has no privileges)")
	}
	id, secret := randomID(15), randomID(18)
	key.Hash = hashSecret(key.Salt, secret)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state.Keys[id] = key
	if err := a.save(); err != nil {
		delete(a.state.Keys, id)
		return 0, nil, err
	}
	out := map[string]any{
		"id": id, "name": key.Name, "api_key": secret, "encoded": base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)),
	}
	if key.Expires > 0 {
		out["expiration"] = key.Expires
	}
	return 200, out, nil
}

func (a *api) getKeys(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	active, err := r.flag("active_only", false)
	if err != nil {
		return 0, nil, err
	}
	out := []any{}
	for _, id := range slices.Sorted(maps.Keys(a.state.Keys)) {
		k := a.state.Keys[id]
		gone := k.Invalidated || k.Expires > 0 && time.Now().UnixMilli() > k.Expires
		if want := r.args["id"]; want != "" && want != id {
			continue
		}
		if want := r.args["name"]; want != "" && !mapping.Glob(want, k.Name) || active && gone {
			continue
		}
		m := map[string]any{
			"id": id, "name": k.Name, "type": "rest", "creation": k.Created, "invalidated": k.Invalidated, "username": superuser, "realm": "reserved",
			"realm_type": "reserved", "metadata": orEmpty(k.Metadata), "role_descriptors": orEmpty(k.Roles),
		}
		if k.Expires > 0 {
			m["expiration"] = k.Expires
		}
		out = append(out, m)
	}
	if want := r.args["id"]; want != "" && len(out) == 0 {
		return 0, nil, eserr.New(404, "resource_not_found_exception", "api key with id [%s] was not found", want)
	}
	return 200, map[string]any{"api_keys": out}, nil
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

func (a *api) deleteKeys(r *request) (int, any, error) {
	n, err := r.object()
	if err != nil {
		return 0, nil, err
	}
	var ids []string
	name := ""
	for _, f := range n.Fields {
		switch f.Name {
		case "id", "ids":
			ids = stringList(f.Value)
		case "name":
			name = f.Value.Str
		case "owner":
		default:
			return 0, nil, f.Unknown("invalidate_api_key")
		}
	}
	if ids == nil && name == "" {
		return 0, nil, eserr.Validation("One of [api key id(s), api key name, username, realm name] must be specified if [owner] flag is false")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now, before := []string{}, []string{}
	old := maps.Clone(a.state.Keys)
	for _, id := range slices.Sorted(maps.Keys(a.state.Keys)) {
		k := a.state.Keys[id]
		if !slices.Contains(ids, id) && (name == "" || k.Name != name) {
			continue
		}
		if k.Invalidated {
			before = append(before, id)
			continue
		}
		k.Invalidated = true
		a.state.Keys[id] = k
		now = append(now, id)
	}
	if err := a.save(); err != nil {
		a.state.Keys = old
		return 0, nil, err
	}
	return 200, map[string]any{"invalidated_api_keys": now, "previously_invalidated_api_keys": before, "error_count": 0}, nil
}
