package local

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kreislauf"
	"kreislauf/internal/backend/redisd"
	"kreislauf/internal/clock"
	"kreislauf/internal/local/supervise"
	"kreislauf/nginx"
)

// demoPartners is the partner network that a new data folder starts with; later runs keep the folder's partners.json.
//
//go:embed partners.json
var demoPartners []byte

// demoCompany is who issues the invoices of a new data folder; later runs keep the folder's company.json.
//
//go:embed company.json
var demoCompany []byte

// Platform is the plan of a running platform: who runs where with what environment.
type Platform struct {
	Options
	self      string // path of this binary
	versions  kreislauf.Versions
	secrets   secrets
	logs      string
	mongoURI  string
	kafkaList string
	esURL     string
	redisAddr string
	smtpAddr  string
	external  map[string]bool // backends that were given as an address and are not started
	notes     []string        // sentences for the start-up table
	ports     ports
	upstreams map[string][]string
	logship   string // address of the internal listener of logship
}

// New decides every address and checks that it is free. It makes the data folder, and starts nothing.
func New(o Options) (*Platform, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	p := &Platform{Options: o, logs: filepath.Join(o.Data, "logs"), external: map[string]bool{}, upstreams: map[string][]string{}}
	p.ports = ports{next: o.PortBase, free: o.FreePorts}
	var err error
	if p.self, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("find own binary: %w", err)
	}
	if p.versions, err = Versions(); err != nil {
		return nil, err
	}
	for _, d := range []string{o.Data, p.logs, filepath.Join(o.Data, "console")} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	if p.secrets, err = loadSecrets(o.Data); err != nil {
		return nil, err
	}
	for name, demo := range map[string][]byte{"partners.json": demoPartners, "company.json": demoCompany} {
		if err := writeDemo(filepath.Join(o.Data, name), demo); err != nil {
			return nil, err
		}
	}
	return p, p.backendAddresses()
}

// formerDemo is the SHA-256 of the demo network before partners had rates. The disposer refuses it, so a data folder that still has it,
// unchanged, gets today's.
const formerDemo = "9720699f034c83df935f8fde6fe41396bc267f765841094a00751ff6f6450c5c"

// writeDemo writes a demo file where there is none, or one that nobody has touched since an older version.
func writeDemo(path string, demo []byte) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read master data: %w", err)
	}
	if err == nil && fmt.Sprintf("%x", sha256.Sum256(old)) != formerDemo {
		return nil
	}
	if err := os.WriteFile(path, demo, 0o640); err != nil {
		return fmt.Errorf("write master data: %w", err)
	}
	return nil
}

// backendAddresses takes a backend's address from the environment, or starts it here.
func (p *Platform) backendAddresses() error {
	for _, b := range []struct {
		name, variable, flag, scheme string
		addr, target                 *string
	}{
		{"nginx", "", "nginx-addr", "", &p.NginxAddr, &p.NginxAddr},
		{"redis", "KREISLAUF_REDIS_ADDR", "redis-addr", "", &p.RedisAddr, &p.redisAddr},
		{"mongodb", "KREISLAUF_MONGODB_URI", "mongodb-addr", "mongodb://", &p.MongoDBAddr, &p.mongoURI},
		{"kafka", "KREISLAUF_KAFKA_BROKERS", "kafka-addr", "", &p.KafkaAddr, &p.kafkaList},
		{"elasticsearch", "KREISLAUF_ELASTICSEARCH_URL", "elasticsearch-addr", "http://", &p.ElasticAddr, &p.esURL},
		{"mailbox", "KREISLAUF_SMTP_ADDR", "mailbox-addr", "", &p.MailboxAddr, &p.smtpAddr},
	} {
		if given := os.Getenv(b.variable); b.variable != "" && given != "" {
			*b.target, p.external[b.name] = given, true
			continue
		}
		if p.FreePorts {
			take := p.ports.take
			if p.Real && b.name == "elasticsearch" {
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
func (p *Platform) env(instance, httpAddr, internalAddr string) map[string]string {
	redisPassword := p.secrets.RedisPassword
	if p.external["redis"] {
		redisPassword = os.Getenv("KREISLAUF_REDIS_PASSWORD")
	}
	m := map[string]string{
		"KREISLAUF_ENV": p.Env, "KREISLAUF_CUSTOMER": p.Customer, "KREISLAUF_INSTANCE": instance,
		"KREISLAUF_PLATFORM_VERSION": p.versions.Platform, "KREISLAUF_LOG_DIR": p.logs,
		"KREISLAUF_REDIS_ADDR": p.redisAddr, "KREISLAUF_REDIS_PASSWORD": redisPassword,
		"KREISLAUF_KAFKA_BROKERS": p.kafkaList, "KREISLAUF_ELASTICSEARCH_URL": p.esURL,
		"KREISLAUF_GEO_DIR":           p.Geo,
		"KREISLAUF_LOGSHIP_STATE_DIR": filepath.Join(p.Data, "logship"), "KREISLAUF_ALERT_WEBHOOK_URL": p.AlertWebhook,
		"KREISLAUF_HTTP_ADDR": httpAddr, "KREISLAUF_INTERNAL_ADDR": internalAddr,
	}
	if p.Env == "local" || p.Env == "test" {
		m[clock.Setting] = filepath.Join(p.Data, "clock") // a drill that writes a shift into it moves every service's clock
	}
	if p.AlertInterval > 0 {
		m["KREISLAUF_ALERT_INTERVAL"] = p.AlertInterval.String()
	}
	for _, k := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "KREISLAUF_ELASTICSEARCH_USERNAME", "KREISLAUF_ELASTICSEARCH_PASSWORD", "KREISLAUF_ELASTICSEARCH_API_KEY"} {
		if v := os.Getenv(k); v != "" {
			m[k] = v
		}
	}
	return m
}

// mailSettings tells the service mailing where mails go and what their links begin with. The password of a mail server of others is for no
// other process.
func (p *Platform) mailSettings(m map[string]string) {
	m["KREISLAUF_PUBLIC_URL"] = cmp.Or(os.Getenv("KREISLAUF_PUBLIC_URL"), "http://"+p.NginxAddr)
	m["KREISLAUF_MAIL_FROM"] = os.Getenv("KREISLAUF_MAIL_FROM")
	m["KREISLAUF_SMTP_ADDR"] = p.smtpAddr
	if !p.external["mailbox"] {
		m["KREISLAUF_SMTP_TLS"] = "none"
		return
	}
	for _, k := range []string{"KREISLAUF_SMTP_TLS", "KREISLAUF_SMTP_USER", "KREISLAUF_SMTP_PASSWORD"} {
		m[k] = os.Getenv(k)
	}
}

func environ(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	return list
}

func (p *Platform) console(name string) string {
	return filepath.Join(p.Data, "console", name+".txt")
}

// backends lists what is started here before everything else.
func (p *Platform) backends(ctx context.Context) ([]supervise.Component, error) {
	var list []supervise.Component
	add := func(name, addr string, ready, alive func(context.Context) error, argv ...string) {
		if p.given(name) {
			return
		}
		m := p.env(name, "127.0.0.1:0", "127.0.0.1:0")
		m["GOMEMLIMIT"] = "192MiB"
		list = append(list, supervise.Component{
			Name: name, Addr: addr, Exec: argv, Env: environ(m), Ready: ready, Console: p.console(name), Alive: alive, Patience: backendPatience,
		})
	}
	folder := func(name string) string { return filepath.Join(p.Data, name) }
	users, err := p.secrets.mongoUsers()
	if err != nil {
		return nil, err
	}
	add("mongodb", p.MongoDBAddr, supervise.TCPReady(p.MongoDBAddr), mongoAlive(p.MongoDBAddr),
		p.self, "mongod", "-data", folder("mongodb"), "-addr", p.MongoDBAddr)
	for i := range list { // nobody else sees the passwords
		list[i].Env = append(list[i].Env, MongoUsers+"="+users)
	}
	if p.Real {
		real, err := p.realBackends(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, real...)
	} else {
		add("kafka", p.KafkaAddr, supervise.TCPReady(p.KafkaAddr), kafkaAlive(p.KafkaAddr),
			p.self, "kafkad", "-data", folder("kafka"), "-addr", p.KafkaAddr, fmt.Sprintf("-sync=%t", p.SyncKafka))
		health := supervise.HTTPReady("http://" + p.ElasticAddr + "/_cluster/health")
		add("elasticsearch", p.ElasticAddr, health, health, p.self, "engine", "-data", folder("elasticsearch"), "-addr", p.ElasticAddr)
	}
	add("mailbox", p.MailboxAddr, smtpAlive(p.MailboxAddr), smtpAlive(p.MailboxAddr), p.self, "mailbox", "-data", folder("mailbox"), "-addr", p.MailboxAddr)
	if p.external["redis"] {
		add("redis", p.redisAddr, nil, nil)
		return list, nil
	}
	argv := []string{p.self, "redisd", "-addr", p.RedisAddr}
	bin := redisd.Find(programFolder(p.Cache))
	if bin != "" {
		if err := redisd.Check(ctx, bin); err != nil {
			p.notes, bin = append(p.notes, err.Error()), ""
		}
	}
	if bin != "" {
		conf, err := redisd.WriteConfig(folder("redis"), p.RedisAddr, p.secrets.RedisPassword)
		if err != nil {
			return nil, err
		}
		argv = []string{bin, conf}
	} else {
		p.notes = append(p.notes, redisd.Notice)
	}
	add("redis", p.RedisAddr, supervise.TCPReady(p.RedisAddr), redisAlive(p.RedisAddr), argv...)
	return list, nil
}

// given says whether a backend's address was given, and notes that it is not started.
func (p *Platform) given(name string) bool {
	if p.external[name] {
		p.notes = append(p.notes, name+" is not started: its address was given in the environment")
	}
	return p.external[name]
}

func (p *Platform) accessLog() string {
	return filepath.Join(p.logs, p.Env, p.Customer, "nginx", "access.log")
}

// entryName is the component that is nginx.
const entryName = "nginx"

// entry is nginx with these upstreams.
func (p *Platform) entry(upstreams map[string][]string) nginx.Options {
	user := ""
	if os.Geteuid() == 0 {
		user = "root" // the data folder may lie where nobody else can read
	}
	return nginx.Options{
		Listen: p.NginxAddr, Prefix: filepath.Join(p.Data, "nginx") + "/", AccessLog: p.accessLog(),
		ErrorLog: filepath.Join(filepath.Dir(p.accessLog()), "error-"+p.versions.Platform+".log"), WebRoot: p.Web, User: user, Workers: "2",
		Env: p.Env, Customer: p.Customer, PlatformVersion: p.versions.Platform, TrustedProxies: []string{"127.0.0.0/8", "::1"}, Upstreams: upstreams,
	}
}

// edge lists nginx, the shipper and the alerter.
func (p *Platform) edge(events *eventLog) ([]supervise.Component, error) {
	bin := nginx.Find(programFolder(p.Cache))
	if bin == "" {
		return nil, errors.New("nginx was not found; `make deps` installs it, `kreislauf doctor` says more")
	}
	if _, err := os.Stat(filepath.Join(p.Web, "index.html")); err != nil {
		return nil, fmt.Errorf("the web app is not built: %w; `make web` builds it, -web names another folder", err)
	}
	argv, err := nginx.Prepare(bin, p.entry(p.upstreams))
	if err != nil {
		return nil, err
	}
	probe := supervise.FreshHTTPReady("http://" + p.NginxAddr + "/healthz")
	list := []supervise.Component{{
		Name: entryName, Addr: p.NginxAddr, Exec: argv, Ready: probe, Console: p.console(entryName),
		Signal: syscall.SIGQUIT, Grace: 5 * time.Second,
		Alive: probe, Workers: events.worker(entryName),
	}}
	members, err := p.components(edgeMembers())
	return append(list, members...), err
}

// running describes the platform for run.json.
func (p *Platform) running(started time.Time, components []supervise.Status) Running {
	mongo := p.mongoURI
	if u, err := url.Parse(mongo); err == nil {
		mongo = u.Redacted()
	}
	mailbox := filepath.Join(p.Data, "mailbox")
	if p.external["mailbox"] {
		mailbox = ""
	}
	return Running{
		PID: os.Getpid(), Started: started, Version: p.versions.Platform, Env: p.Env, Customer: p.Customer, Profile: p.profile(), Entry: "http://" + p.NginxAddr,
		Elastic: p.esURL, MongoDB: mongo, Kafka: strings.Split(p.kafkaList, ","), Redis: p.redisAddr, Logship: p.logship, Mailbox: mailbox, Components: components,
	}
}
