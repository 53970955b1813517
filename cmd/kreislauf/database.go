package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/mongodb"
)

const (
	mongoUsers = "KREISLAUF_MONGOD_USERS" // JSON: [{"user":…,"db":…,"password":…,"roles":[{"role":…,"db":…}]}]
	mongoRoot  = "root"
)

func runMongod(ctx context.Context, args []string) error {
	var users []mongod.User
	if given := os.Getenv(mongoUsers); given != "" {
		if err := json.Unmarshal([]byte(given), &users); err != nil {
			return fmt.Errorf("%s is not a JSON array of users as docs/format/mongod.md describes it", mongoUsers) // err may quote a password
		}
	}
	signal.Ignore(syscall.SIGXFSZ) // a file size limit is a full disk, not a reason to end
	return serveBackend(ctx, "mongod", "127.0.0.1:27017", args, nil, func(dir, addr string, log zerolog.Logger) (server, error) {
		return mongod.New(mongod.Options{Dir: dir, Addr: addr, Logger: log, Users: users})
	})
}

// mongoUsers are the users of the embedded MongoDB: each service has one for its own database alone, people have root.
func (s secrets) mongoUsers() (string, error) {
	users := []mongod.User{{
		Name: mongoRoot, DB: "admin", Password: s.MongoDBPasswords[mongoRoot], Roles: []mongod.Role{{Name: "root", DB: "admin"}},
	}}
	for _, service := range services() {
		db := mongodb.Name(service.name)
		users = append(users, mongod.User{
			Name: service.name, DB: db, Password: s.MongoDBPasswords[service.name], Roles: []mongod.Role{{Name: "readWrite", DB: db}},
		})
	}
	text, err := json.Marshal(users)
	if err != nil {
		return "", fmt.Errorf("encode users: %w", err)
	}
	return string(text), nil
}

// databaseURI is the address of MongoDB for one service, with its credentials unless the address was given.
func (p *platform) databaseURI(service string) string {
	password, ok := p.secrets.MongoDBPasswords[service]
	if p.external["mongodb"] || !ok {
		return p.mongoURI
	}
	u := url.URL{Scheme: "mongodb", Host: p.mongodb, User: url.UserPassword(service, password), Path: "/" + mongodb.Name(service)}
	return u.String()
}
