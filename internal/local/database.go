package local

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/mongodb"
	"kreislauf/services"
)

const (
	// MongoUsers is the variable with which the embedded MongoDB is told its users.
	MongoUsers = "KREISLAUF_MONGOD_USERS" // JSON: [{"user":…,"db":…,"password":…,"roles":[{"role":…,"db":…}]}]
	mongoRoot  = "root"
)

// mongoUsers are the users of the embedded MongoDB: each service has one for its own database alone, people have root.
func (s secrets) mongoUsers() (string, error) {
	users := []mongod.User{{
		Name: mongoRoot, DB: "admin", Password: s.MongoDBPasswords[mongoRoot], Roles: []mongod.Role{{Name: "root", DB: "admin"}},
	}}
	for _, service := range services.All() {
		db := mongodb.Name(service.Name)
		users = append(users, mongod.User{
			Name: service.Name, DB: db, Password: s.MongoDBPasswords[service.Name], Roles: []mongod.Role{{Name: "readWrite", DB: db}},
		})
	}
	text, err := json.Marshal(users)
	if err != nil {
		return "", fmt.Errorf("encode users: %w", err)
	}
	return string(text), nil
}

// databaseURI is the address of MongoDB for one service, with its credentials unless the address was given.
func (p *Platform) databaseURI(service string) string {
	password, ok := p.secrets.MongoDBPasswords[service]
	if p.external["mongodb"] || !ok {
		return p.mongoURI
	}
	u := url.URL{Scheme: "mongodb", Host: p.MongoDBAddr, User: url.UserPassword(service, password), Path: "/" + mongodb.Name(service)}
	return u.String()
}

// DatabaseURI is the address of MongoDB for one service of the running platform of a data folder, with the service's credentials. A MongoDB
// whose address was given to the platform must be named in KREISLAUF_MONGODB_URI again: run.json has no passwords.
func DatabaseURI(data string, r Running, service string) (string, error) {
	if given := os.Getenv("KREISLAUF_MONGODB_URI"); given != "" {
		return given, nil
	}
	s, err := readSecrets(filepath.Join(data, "secrets.json"))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(r.MongoDB)
	if err != nil || u.Host == "" || s.MongoDBPasswords[service] == "" {
		return "", fmt.Errorf("no address or no password of the database of %s in %s", service, data)
	}
	u = &url.URL{Scheme: "mongodb", Host: u.Host, User: url.UserPassword(service, s.MongoDBPasswords[service]), Path: "/" + mongodb.Name(service)}
	return u.String(), nil
}
