package local

import (
	"net"
	"strings"
	"testing"

	"kreislauf/internal/backend/real"
)

// TestGivenAddressesAreUsed: a backend whose address is in the environment is no component, so nothing starts or stops it, and every
// instance is told the address. It holds in both profiles, and the real one then needs no Java.
func TestGivenAddressesAreUsed(t *testing.T) {
	given := map[string]string{
		"KREISLAUF_REDIS_ADDR": "redis.example:6379", "KREISLAUF_REDIS_PASSWORD": "theirs", "KREISLAUF_MONGODB_URI": "mongodb://u:p@mongo.example:27017/?replicaSet=rs",
		"KREISLAUF_KAFKA_BROKERS": "k1.example:9092,k2.example:9092", "KREISLAUF_ELASTICSEARCH_URL": "https://es.example:9200",
		"KREISLAUF_SMTP_ADDR": "smtp.example:587", "KREISLAUF_SMTP_TLS": "starttls", "KREISLAUF_SMTP_USER": "us", "KREISLAUF_SMTP_PASSWORD": "theirs too",
		"KREISLAUF_MAIL_FROM": "shop <shop@example.org>", "KREISLAUF_PUBLIC_URL": "https://shop.example",
	}
	for name, value := range given {
		t.Setenv(name, value)
	}
	t.Setenv("JAVA_HOME", t.TempDir())
	for _, real := range []bool{false, true} {
		p := planned(t, real)
		defer p.ports.release()
		list, err := p.backends(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			t.Errorf("real %v starts %s", real, c.Name)
		}
		for _, b := range []string{"redis", "mongodb", "kafka", "elasticsearch", "mailbox"} {
			if !strings.Contains(strings.Join(p.notes, "\n"), b+" is not started: its address was given in the environment") {
				t.Errorf("real %v: no note about %s: %q", real, b, p.notes)
			}
		}
		env := p.env("order-1", "127.0.0.1:0", "127.0.0.1:0")
		env["KREISLAUF_MONGODB_URI"] = p.databaseURI("order")
		if env["KREISLAUF_SMTP_PASSWORD"] != "" {
			t.Errorf("real %v: order is told the password of the mail server", real)
		}
		p.mailSettings(env)
		for name, want := range given {
			if env[name] != want {
				t.Errorf("real %v: %s is %q, want %q", real, name, env[name], want)
			}
		}
	}
}

// planned is a plan on free ports in folders of its own.
func planned(t *testing.T, real bool) *Platform {
	t.Helper()
	o := DefaultOptions()
	o.Data, o.Cache, o.FreePorts, o.Real = t.TempDir(), t.TempDir(), true, real
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRealNeedsJavaAndSaysHow(t *testing.T) {
	t.Setenv("JAVA_HOME", t.TempDir())
	p := planned(t, true)
	defer p.ports.release()
	if _, err := p.backends(t.Context()); err == nil || !strings.Contains(err.Error(), "kreislauf deps -real") || !strings.Contains(err.Error(), realCommand()) {
		t.Errorf("error %v", err)
	}
}

func TestRealOptions(t *testing.T) {
	real := func(change func(*Options)) (Options, error) {
		o := DefaultOptions()
		o.Real = true
		change(&o)
		return o, o.complete()
	}
	o, err := real(func(*Options) {})
	if err != nil || o.ElasticAddr != realElastic {
		t.Errorf("default address %s, %v", o.ElasticAddr, err)
	}
	o, err = real(func(o *Options) { o.ElasticAddr = "127.0.0.1:9201" })
	if err != nil || o.ElasticAddr != "127.0.0.1:9201" {
		t.Errorf("chosen address %s, %v", o.ElasticAddr, err)
	}
	for name, change := range map[string]func(*Options){
		"a port that OpenSearch cannot have": func(o *Options) { o.ElasticAddr = "127.0.0.1:19200" },
		"an address without a port":          func(o *Options) { o.ElasticAddr = "localhost" },
		"-sync-kafka":                        func(o *Options) { o.SyncKafka = true },
	} {
		if _, err := real(change); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestPortsForOpenSearch(t *testing.T) {
	var p ports
	defer p.release()
	one, err := p.takeForOpenSearch()
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.takeForOpenSearch()
	if err != nil || one == two {
		t.Errorf("%s was given twice, %v", one, err)
	}
	for _, addr := range []string{one, two} {
		if _, err := (real.OpenSearch{Dir: t.TempDir(), Addr: addr}).Command(); err != nil {
			t.Errorf("OpenSearch cannot have %s: %v", addr, err)
		}
	}
	if l, err := net.Listen("tcp", one); err == nil {
		l.Close()
		t.Errorf("%s is not held", one)
	}
}

func TestInstallCommands(t *testing.T) {
	for manager, want := range map[string]string{
		"apt-get": "default-jre-headless maven nginx redis-server", "brew": "openjdk maven nginx redis", "dnf": "java-21-openjdk-headless maven nginx redis",
		"pacman": "jre-openjdk-headless maven nginx redis", "apk": "openjdk21-jre-headless maven nginx redis",
	} {
		if got := packageNames(manager, []string{"java", "maven", "nginx", "redis-server"}); got != want {
			t.Errorf("%s: %q, want %q", manager, got, want)
		}
	}
}
