package local

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod"
	"kreislauf/services"
)

// TestSecretsOfAnOlderVersionAreKept loads a file without MongoDB's passwords twice.
func TestSecretsOfAnOlderVersionAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secrets.json")
	if err := os.WriteFile(path, []byte(`{"quote_key":"q","invite_key":"i","redis_password":"r"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := loadSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	if first.Keys["KREISLAUF_QUOTE_KEY"] != "q" || first.Keys["KREISLAUF_INVITE_KEY"] != "i" || first.RedisPassword != "r" {
		t.Errorf("secrets changed: %+v", first)
	}
	names := []string{"root"}
	for _, s := range services.All() {
		names = append(names, s.Name)
	}
	for _, name := range names {
		if p := first.MongoDBPasswords[name]; len(p) != 48 || again.MongoDBPasswords[name] != p {
			t.Errorf("password of %s: %d characters, the same again: %v", name, len(p), again.MongoDBPasswords[name] == p)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secrets.json: %v, %v", info.Mode(), err)
	}
}

func TestDatabaseURIIsTheServicesOwn(t *testing.T) {
	s, err := loadSecrets(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &Platform{secrets: s, mongoURI: "mongodb://127.0.0.1:1", external: map[string]bool{}}
	p.MongoDBAddr = "127.0.0.1:1"
	if got, want := p.databaseURI("order"), "mongodb://order:"+s.MongoDBPasswords["order"]+"@127.0.0.1:1/kreislauf_order"; got != want {
		t.Errorf("order gets %s", got)
	}
	if got := p.databaseURI("logship"); got != "mongodb://127.0.0.1:1" {
		t.Errorf("logship gets %s", got)
	}
	text, err := s.mongoUsers()
	if err != nil {
		t.Fatal(err)
	}
	var users []mongod.User
	if err := json.Unmarshal([]byte(text), &users); err != nil || len(users) != 1+len(services.All()) {
		t.Fatalf("users %s, %v", text, err)
	}
	for _, u := range users[1:] {
		if len(u.Roles) != 1 || u.Roles[0] != (mongod.Role{Name: "readWrite", DB: "kreislauf_" + u.Name}) || u.DB != u.Roles[0].DB {
			t.Errorf("rights of %s: %+v", u.Name, u.Roles)
		}
	}
	p.mongoURI, p.external["mongodb"] = "mongodb://me:secret@elsewhere", true
	if got := p.databaseURI("order"); got != p.mongoURI {
		t.Errorf("a given address became %s", strings.ReplaceAll(got, "secret", "…"))
	}
}
