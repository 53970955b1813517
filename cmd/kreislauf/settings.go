package main

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kreislauf/internal/supervise"
)

// demoPartners is the partner network that a new data folder starts with; later runs keep the folder's partners.json.
//
//go:embed partners.json
var demoPartners []byte

// upOptions are the flags of `kreislauf up`.
type upOptions struct {
	data, web, geo, cache                 string
	nginx, redis, mongodb, kafka, elastic string // addresses of what is started here
	portBase                              int
	freePorts, compact                    bool
	real                                  bool // the real Kafka and OpenSearch instead of the embedded ones
	syncKafka                             bool
	webhook                               string
	alertInterval                         time.Duration
	env, customer                         string
}

func parseUp(name string, args []string) (upOptions, error) {
	var o upOptions
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.StringVar(&o.data, "data", dataFolder(), "folder that holds all state; a second run continues with it")
	fs.StringVar(&o.web, "web", "web/dist", "folder of the built web app")
	fs.StringVar(&o.geo, "geo", "", "folder of the DB-IP mmdb files; default: geo in the cache folder")
	fs.StringVar(&o.cache, "cache", cacheFolder(), "folder of unpacked programs and geo data (see make deps)")
	fs.StringVar(&o.nginx, "nginx-addr", "127.0.0.1:8080", "address of the entry")
	fs.StringVar(&o.redis, "redis-addr", "127.0.0.1:16379", "address of Redis")
	fs.StringVar(&o.mongodb, "mongodb-addr", "127.0.0.1:27117", "address of MongoDB")
	fs.StringVar(&o.kafka, "kafka-addr", "127.0.0.1:19092", "address of Kafka")
	fs.StringVar(&o.elastic, "elasticsearch-addr", "127.0.0.1:19200", "address of Elasticsearch; with -real the default is "+realElastic)
	fs.IntVar(&o.portBase, "service-port-base", 18100, "first of the 64 ports of the service instances")
	fs.BoolVar(&o.freePorts, "free-ports", false, "take free ports everywhere; run.json in the data folder tells which")
	fs.BoolVar(&o.compact, "compact", false, "run one instance of each service, the alerter and logship inside this process")
	fs.BoolVar(&o.real, "real", false, "run the real Kafka and OpenSearch (Java 17 or newer) instead of the embedded servers; their jars are fetched once, 100 MB")
	fs.BoolVar(&o.syncKafka, "sync-kafka", false, "the embedded Kafka writes each batch to the disk before it acknowledges it, for power failures")
	fs.StringVar(&o.webhook, "alert-webhook", "", "URL that gets alerts as JSON when they fire and resolve")
	fs.DurationVar(&o.alertInterval, "alert-interval", 0, "evaluate every KPI rule this often instead of its own interval")
	fs.StringVar(&o.env, "env", "local", "environment name")
	fs.StringVar(&o.customer, "customer", "kreislauf", "tenant")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("there is no argument %q; see -h", fs.Arg(0))
	}
	if o.portBase < 1024 || o.portBase > 65000 {
		return o, fmt.Errorf("-service-port-base %d: use 1024 to 65000", o.portBase)
	}
	if err := o.checkReal(fs); err != nil {
		return o, err
	}
	for _, p := range []*string{&o.data, &o.web, &o.cache} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return o, err
		}
		*p = abs
	}
	if o.geo == "" {
		o.geo = filepath.Join(o.cache, "geo")
	}
	return o, nil
}

// dataFolder is where commands look for the running platform.
func dataFolder() string {
	if d := os.Getenv("KREISLAUF_DATA"); d != "" {
		return d
	}
	return ".kreislauf"
}

// cacheFolder holds what can be fetched again.
func cacheFolder() string {
	if d := os.Getenv("KREISLAUF_CACHE"); d != "" {
		return d
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "kreislauf")
}

// secrets of one data folder.
type secrets struct {
	QuoteKey      string `json:"quote_key"`
	InviteKey     string `json:"invite_key"`
	RedisPassword string `json:"redis_password"`
	// MongoDBPasswords are those of the embedded MongoDB's users: one for each service, and root for people.
	MongoDBPasswords map[string]string `json:"mongodb_passwords"`
}

// loadSecrets reads secrets.json and makes what is missing in it: everything at first, later what a new version added.
func loadSecrets(data string) (secrets, error) {
	var s secrets
	path := filepath.Join(data, "secrets.json")
	if err := readJSON(path, &s); err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	missing := false
	fill := func(secret *string, bytes int) {
		if *secret == "" {
			*secret, missing = randomHex(bytes), true
		}
	}
	fill(&s.QuoteKey, 32)
	fill(&s.InviteKey, 32)
	fill(&s.RedisPassword, 24)
	users := map[string]string{mongoRoot: s.MongoDBPasswords[mongoRoot]}
	for _, service := range services() {
		users[service.name] = s.MongoDBPasswords[service.name]
	}
	for name, password := range users {
		fill(&password, 24)
		users[name] = password
	}
	s.MongoDBPasswords = users
	if !missing {
		return s, nil
	}
	return s, writeJSON(path, s)
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file in one step, readable by its owner only.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// running is run.json: where the platform of a data folder can be found.
type running struct {
	PID        int                `json:"pid"` // of `kreislauf up`
	Started    time.Time          `json:"started"`
	Version    string             `json:"platform_version"`
	Env        string             `json:"env"`
	Customer   string             `json:"customer"`
	Profile    string             `json:"profile"` // "embedded" or "real": who serves Kafka and Elasticsearch, unless their address was given
	Entry      string             `json:"entry"`   // http://host:port
	Elastic    string             `json:"elasticsearch"`
	MongoDB    string             `json:"mongodb"`
	Kafka      []string           `json:"kafka"`
	Redis      string             `json:"redis"`
	Logship    string             `json:"logship"` // host:port of its /status and /metrics/shipping
	Components []supervise.Status `json:"components"`
}

// findRunning reads run.json of the platform that should be running.
func findRunning(data string) (running, error) {
	var r running
	err := readJSON(filepath.Join(data, "run.json"), &r)
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("no platform runs with the data folder %s; start it with `kreislauf up`, or name its folder with -data or KREISLAUF_DATA", data)
	}
	return r, err
}

// platformVersion identifies the set of services: all of them are this binary.
func platformVersion() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own binary: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read own binary: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read own binary: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// ports hands out addresses: counting from the base, or free ones.
type ports struct {
	next int
	free bool
	held []net.Listener // of free ports, until all are chosen, so that none is given twice
}

func (p *ports) take() (string, error) {
	if !p.free {
		p.next++
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next-1)), nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	p.held = append(p.held, l)
	return l.Addr().String(), nil
}

func (p *ports) release() {
	for _, l := range p.held {
		l.Close()
	}
	p.held = nil
}

// checkFree says which flag moves an address that is taken.
func checkFree(addr, flagName string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		_, port, _ := net.SplitHostPort(addr)
		return fmt.Errorf("port %s (%s) cannot be used: %w; stop what uses it, or move it with -%s", port, addr, err, flagName)
	}
	return l.Close()
}
