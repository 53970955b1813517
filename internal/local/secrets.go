package local

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kreislauf/services"
)

// secrets of one data folder.
type secrets struct {
	Keys          map[string]string `json:"keys"` // variable (KREISLAUF_QUOTE_KEY) -> 64 hexadecimal digits
	RedisPassword string            `json:"redis_password"`
	// MongoDBPasswords are those of the embedded MongoDB's users: one for each service, and root for people.
	MongoDBPasswords map[string]string `json:"mongodb_passwords"`

	// The two keys of versions that had no Keys. They stay in the file, so that such a version can use it again.
	QuoteKey  string `json:"quote_key,omitempty"`
	InviteKey string `json:"invite_key,omitempty"`
}

// loadSecrets reads secrets.json and makes what is missing in it: everything at first, later what a new version added.
func loadSecrets(data string) (secrets, error) {
	path := filepath.Join(data, "secrets.json")
	s, err := readSecrets(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	missing := false
	fill := func(values map[string]string, name string, bytes int) {
		if values[name] == "" {
			values[name], missing = randomHex(bytes), true
		}
	}
	fill(s.MongoDBPasswords, mongoRoot, 24)
	for _, service := range services.All() {
		fill(s.MongoDBPasswords, service.Name, 24)
		for _, variable := range service.Secrets {
			fill(s.Keys, variable, 32)
		}
	}
	if s.RedisPassword == "" {
		s.RedisPassword, missing = randomHex(24), true
	}
	if !missing {
		return s, nil
	}
	return s, writeJSON(path, s)
}

// readSecrets reads a file of this or an older version. The maps are never nil.
func readSecrets(path string) (secrets, error) {
	var s secrets
	err := readJSON(path, &s)
	if s.Keys == nil {
		s.Keys = map[string]string{}
	}
	if s.MongoDBPasswords == nil {
		s.MongoDBPasswords = map[string]string{}
	}
	for variable, old := range map[string]string{"KREISLAUF_QUOTE_KEY": s.QuoteKey, "KREISLAUF_INVITE_KEY": s.InviteKey} {
		if s.Keys[variable] == "" && old != "" {
			s.Keys[variable] = old
		}
	}
	return s, err
}

// Secret is one of the keys of a data folder, by the variable with which services are told it.
func Secret(data, variable string) (string, error) {
	s, err := readSecrets(filepath.Join(data, "secrets.json"))
	if err != nil {
		return "", err
	}
	if s.Keys[variable] == "" {
		return "", fmt.Errorf("there is no %s in %s", variable, filepath.Join(data, "secrets.json"))
	}
	return s.Keys[variable], nil
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
