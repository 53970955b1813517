package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kreislauf/internal/backend/redisd"
	"kreislauf/internal/config"
	"kreislauf/internal/process"
	"kreislauf/internal/supervise"
	"kreislauf/nginx"
)

// platform is the plan of a running platform: who runs where with what environment.
type platform struct {
	upOptions
	self      string // path of this binary
	version   string
	secrets   secrets
	logs      string
	mongoURI  string
	kafkaList string
	esURL     string
	redisAddr string
	external  map[string]bool // backends that were given as an address and are not started
	notes     []string        // sentences for the start-up table
	ports     ports
	upstreams map[string][]string
	logship   string // address of the internal listener of logship
}

// plan decides every address and checks that it is free.
func plan(o upOptions) (*platform, error) {
	p := &platform{upOptions: o, logs: filepath.Join(o.data, "logs"), external: map[string]bool{}, upstreams: map[string][]string{}}
	p.ports = ports{next: o.portBase, free: o.freePorts}
	var err error
	if p.self, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("find own binary: %w", err)
	}
	if p.version, err = platformVersion(); err != nil {
		return nil, err
	}
	for _, d := range []string{o.data, p.logs, filepath.Join(o.data, "console")} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	if p.secrets, err = loadSecrets(o.data); err != nil {
		return nil, err
	}
	partners := filepath.Join(o.data, "partners.json")
	if _, err := os.Stat(partners); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(partners, demoPartners, 0o640); err != nil {
			return nil, fmt.Errorf("write partners.json: %w", err)
		}
	}
	return p, p.backendAddresses()
}

// backendAddresses takes a backend's address from the environment, or starts it here.
func (p *platform) backendAddresses() error {
	for _, b := range []struct {
		name, variable, flag, scheme string
		addr, target                 *string
	}{
		{"nginx", "", "nginx-addr", "", &p.nginx, &p.nginx},
		{"redis", "KREISLAUF_REDIS_ADDR", "redis-addr", "", &p.redis, &p.redisAddr},
		{"mongodb", "KREISLAUF_MONGODB_URI", "mongodb-addr", "mongodb://", &p.mongodb, &p.mongoURI},
		{"kafka", "KREISLAUF_KAFKA_BROKERS", "kafka-addr", "", &p.kafka, &p.kafkaList},
		{"elasticsearch", "KREISLAUF_ELASTICSEARCH_URL", "elasticsearch-addr", "http://", &p.elastic, &p.esURL},
	} {
		if given := os.Getenv(b.variable); b.variable != "" && given != "" {
			*b.target, p.external[b.name] = given, true
			continue
		}
		if p.freePorts {
			take := p.ports.take
			if p.real && b.name == "elasticsearch" {
				take = p.ports.takeForOpenSearch
			}
			addr, err := take()
			if err != nil {
				return err
			}
			*b.addr = addr
		} else if err := checkFree(*b.addr, b.flag); err != nil {
			return err
		}
		*b.target = b.scheme + *b.addr
	}
	return nil
}

// env is the environment of one instance.
func (p *platform) env(instance, httpAddr, internalAddr string) map[string]string {
	redisPassword := p.secrets.RedisPassword
	if p.external["redis"] {
		redisPassword = os.Getenv("KREISLAUF_REDIS_PASSWORD")
	}
	m := map[string]string{
		"KREISLAUF_ENV": p.upOptions.env, "KREISLAUF_CUSTOMER": p.customer, "KREISLAUF_INSTANCE": instance,
		"KREISLAUF_PLATFORM_VERSION": p.version, "KREISLAUF_LOG_DIR": p.logs,
		"KREISLAUF_REDIS_ADDR": p.redisAddr, "KREISLAUF_REDIS_PASSWORD": redisPassword,
		"KREISLAUF_KAFKA_BROKERS": p.kafkaList, "KREISLAUF_ELASTICSEARCH_URL": p.esURL,
		"KREISLAUF_QUOTE_KEY": p.secrets.QuoteKey, "KREISLAUF_INVITE_KEY": p.secrets.InviteKey,
		"KREISLAUF_PARTNERS_FILE": filepath.Join(p.data, "partners.json"), "KREISLAUF_GEO_DIR": p.geo,
		"KREISLAUF_LOGSHIP_STATE_DIR": filepath.Join(p.data, "logship"), "KREISLAUF_ALERT_WEBHOOK_URL": p.webhook,
		"KREISLAUF_HTTP_ADDR": httpAddr, "KREISLAUF_INTERNAL_ADDR": internalAddr,
	}
	if p.alertInterval > 0 {
		m["KREISLAUF_ALERT_INTERVAL"] = p.alertInterval.String()
	}
	for _, k := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "KREISLAUF_ELASTICSEARCH_USERNAME", "KREISLAUF_ELASTICSEARCH_PASSWORD", "KREISLAUF_ELASTICSEARCH_API_KEY"} {
		if v := os.Getenv(k); v != "" {
			m[k] = v
		}
	}
	return m
}

func environ(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	return list
}

func (p *platform) console(name string) string {
	return filepath.Join(p.data, "console", name+".txt")
}

// backends lists what is started here before everything else.
func (p *platform) backends(ctx context.Context) ([]supervise.Component, error) {
	var list []supervise.Component
	add := func(name, addr string, ready func(context.Context) error, argv ...string) {
		if p.given(name) {
			return
		}
		m := p.env(name, "127.0.0.1:0", "127.0.0.1:0")
		m["GOMEMLIMIT"] = "192MiB"
		list = append(list, supervise.Component{Name: name, Addr: addr, Exec: argv, Env: environ(m), Ready: ready, Console: p.console(name)})
	}
	folder := func(name string) string { return filepath.Join(p.data, name) }
	users, err := p.secrets.mongoUsers()
	if err != nil {
		return nil, err
	}
	add("mongodb", p.mongodb, supervise.TCPReady(p.mongodb), p.self, "mongod", "-data", folder("mongodb"), "-addr", p.mongodb)
	for i := range list { // nobody else sees the passwords
		list[i].Env = append(list[i].Env, mongoUsers+"="+users)
	}
	if p.real {
		real, err := p.realBackends(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, real...)
	} else {
		add("kafka", p.kafka, supervise.TCPReady(p.kafka), p.self, "kafkad", "-data", folder("kafka"), "-addr", p.kafka, fmt.Sprintf("-sync=%t", p.syncKafka))
		add("elasticsearch", p.elastic, supervise.HTTPReady("http://"+p.elastic+"/_cluster/health"), p.self, "engine", "-data", folder("elasticsearch"), "-addr", p.elastic)
	}
	if p.external["redis"] {
		add("redis", p.redisAddr, nil)
		return list, nil
	}
	argv := []string{p.self, "redisd", "-addr", p.redis}
	bin := redisd.Find(programFolder(p.cache))
	if bin != "" {
		if err := redisd.Check(ctx, bin); err != nil {
			p.notes, bin = append(p.notes, err.Error()), ""
		}
	}
	if bin != "" {
		conf, err := redisd.WriteConfig(folder("redis"), p.redis, p.secrets.RedisPassword)
		if err != nil {
			return nil, err
		}
		argv = []string{bin, conf}
	} else {
		p.notes = append(p.notes, redisd.Notice)
	}
	add("redis", p.redis, supervise.TCPReady(p.redis), argv...)
	return list, nil
}

// given says whether a backend's address was given, and notes that it is not started.
func (p *platform) given(name string) bool {
	if p.external[name] {
		p.notes = append(p.notes, name+" is not started: its address was given in the environment")
	}
	return p.external[name]
}

// instances lists the service instances; -compact makes one of each, inside this process.
func (p *platform) instances() ([]supervise.Component, error) {
	var list []supervise.Component
	for _, s := range services() {
		n := s.instances
		if p.compact {
			n = 1
		}
		for i := 1; i <= n; i++ {
			httpAddr, err := p.ports.take()
			if err != nil {
				return nil, err
			}
			p.upstreams[s.name] = append(p.upstreams[s.name], httpAddr)
			c, err := p.member(fmt.Sprintf("%s-%d", s.name, i), s.name, httpAddr, s.run)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// member plans a process of this binary, or the same work inside this process.
func (p *platform) member(instance, cmd, httpAddr string, run func(context.Context, process.Lookup) error) (supervise.Component, error) {
	internal, err := p.ports.take()
	if err != nil {
		return supervise.Component{}, err
	}
	if !p.freePorts {
		for _, a := range []string{httpAddr, internal} {
			if err := checkFree(a, "service-port-base"); a != "" && err != nil {
				return supervise.Component{}, err
			}
		}
	}
	if cmd == "logship" {
		p.logship = internal
	}
	publicAddr := httpAddr
	if publicAddr == "" {
		publicAddr = "127.0.0.1:0"
	}
	m := p.env(instance, publicAddr, internal)
	m["KREISLAUF_MONGODB_URI"] = p.databaseURI(cmd)
	c := supervise.Component{
		Name: instance, Addr: httpAddr, Ready: supervise.HTTPReady("http://" + internal + "/readyz"), Console: p.console(instance), Grace: 12 * time.Second,
	}
	if p.compact {
		c.Run = func(ctx context.Context) error { return run(ctx, config.FromMap(m)) }
		return c, nil
	}
	m["GOMEMLIMIT"] = "96MiB"
	c.Exec, c.Env = []string{p.self, cmd}, environ(m)
	return c, nil
}

func (p *platform) accessLog() string {
	return filepath.Join(p.logs, p.upOptions.env, p.customer, "nginx", "access.log")
}

// edge lists nginx, the shipper and the alerter.
func (p *platform) edge() ([]supervise.Component, error) {
	bin := nginx.Find(programFolder(p.cache))
	if bin == "" {
		return nil, errors.New("nginx was not found; `make deps` installs it, `kreislauf doctor` says more")
	}
	if _, err := os.Stat(filepath.Join(p.web, "index.html")); err != nil {
		return nil, fmt.Errorf("the web app is not built: %w; `make web` builds it, -web names another folder", err)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "root" // the data folder may lie where nobody else can read
	}
	argv, err := nginx.Prepare(bin, nginx.Options{
		Listen: p.nginx, Prefix: filepath.Join(p.data, "nginx") + "/", AccessLog: p.accessLog(),
		ErrorLog: filepath.Join(filepath.Dir(p.accessLog()), "error.log"), WebRoot: p.web, User: user, Workers: "2", Env: p.upOptions.env, Customer: p.customer,
		PlatformVersion: p.version, TrustedProxies: []string{"127.0.0.0/8", "::1"}, Upstreams: p.upstreams,
	})
	if err != nil {
		return nil, err
	}
	list := []supervise.Component{{
		Name: "nginx", Addr: p.nginx, Exec: argv, Ready: supervise.HTTPReady("http://" + p.nginx + "/healthz"),
		Console: p.console("nginx"), Signal: syscall.SIGQUIT, Grace: 5 * time.Second,
	}}
	for _, m := range []struct {
		name string
		run  func(context.Context, process.Lookup) error
	}{{"logship", shipLogs}, {"alerter", watchKPIs}} {
		c, err := p.member(m.name+"-1", m.name, "", m.run)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// running describes the platform for run.json.
func (p *platform) running(started time.Time, components []supervise.Status) running {
	mongo := p.mongoURI
	if u, err := url.Parse(mongo); err == nil {
		mongo = u.Redacted()
	}
	return running{
		PID: os.Getpid(), Started: started, Version: p.version, Env: p.upOptions.env, Customer: p.customer, Profile: p.profile(), Entry: "http://" + p.nginx,
		Elastic: p.esURL, MongoDB: mongo, Kafka: strings.Split(p.kafkaList, ","), Redis: p.redisAddr, Logship: p.logship, Components: components,
	}
}
