package local

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"kreislauf/internal/backend/real"
	"kreislauf/internal/local/supervise"
)

// Profiles: who serves Kafka and Elasticsearch.
const (
	profileEmbedded = "embedded"
	profileReal     = "real"
)

// realWithin is how long the Java servers may take to become ready.
const realWithin = 4 * time.Minute

func profileSentence(profile string) string {
	if profile == profileReal {
		return "real: Kafka and OpenSearch from Maven Central, unless an address was given"
	}
	return "embedded: kafkad and engine, unless an address was given"
}

func (p *Platform) profile() string {
	if p.Real {
		return profileReal
	}
	return profileEmbedded
}

// takeForOpenSearch finds a free port that OpenSearch can have.
func (p *ports) takeForOpenSearch() (string, error) {
	for port := real.MaxOpenSearchPort; port > real.MaxOpenSearchPort-300; port-- {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			p.held = append(p.held, l)
			return l.Addr().String(), nil
		}
	}
	return "", fmt.Errorf("find a free port for OpenSearch: the 300 below %d are taken", real.MaxOpenSearchPort)
}

// realBackends lists the real Kafka and OpenSearch, and fetches their jars the first time. What has an address given is left out.
func (p *Platform) realBackends(ctx context.Context) ([]supervise.Component, error) {
	p.notes = append(p.notes, "mongodb stays the embedded one with -real: MongoDB has no server in a package registry; KREISLAUF_MONGODB_URI names a real one")
	java, ok := real.FindJava(ctx)
	if !ok && !(p.external["kafka"] && p.external["elasticsearch"]) {
		return nil, fmt.Errorf("-real needs Java %d or newer, which was not found; `kreislauf deps -real` installs it, or %s", real.MinJava, realCommand())
	}
	var list []supervise.Component
	if !p.given("kafka") {
		c, err := p.realKafka(ctx, java)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if !p.given("elasticsearch") {
		lib, err := fetchJars(ctx, p.Cache, real.OpenSearchJars(java.Major))
		if err != nil {
			return nil, err
		}
		argv, err := real.OpenSearch{Java: java, Lib: lib, Dir: filepath.Join(p.Data, "real", "opensearch"), Addr: p.ElasticAddr}.Command()
		if err != nil {
			return nil, err
		}
		list = append(list, supervise.Component{
			Name: "elasticsearch", Addr: p.ElasticAddr, Exec: argv, Console: p.console("elasticsearch"), Grace: 30 * time.Second, Within: realWithin,
			// After a restart it answers before it has opened the indices; then this waits.
			Ready: supervise.HTTPReady("http://" + p.ElasticAddr + "/_cluster/health?wait_for_status=yellow&timeout=1s"),
			Alive: supervise.HTTPReady("http://" + p.ElasticAddr + "/"), Patience: javaPatience,
		})
		p.notes = append(p.notes, "elasticsearch is "+real.OpenSearchJars(java.Major).Name)
	}
	return list, nil
}

func (p *Platform) realKafka(ctx context.Context, java real.Java) (supervise.Component, error) {
	lib, err := fetchJars(ctx, p.Cache, real.KafkaJars())
	if err != nil {
		return supervise.Component{}, err
	}
	controller, err := p.kafkaController()
	if err != nil {
		return supervise.Component{}, err
	}
	argv, err := real.Kafka{Java: java, Lib: lib, Dir: filepath.Join(p.Data, "real", "kafka"), Addr: p.KafkaAddr, Controller: controller}.Command(ctx)
	p.notes = append(p.notes, "kafka is "+real.KafkaJars().Name)
	return supervise.Component{
		Name: "kafka", Addr: p.KafkaAddr, Exec: argv, Ready: supervise.TCPReady(p.KafkaAddr), Console: p.console("kafka"), Grace: 30 * time.Second, Within: realWithin,
		Alive: kafkaAlive(p.KafkaAddr), Patience: javaPatience,
	}, err
}

// kafkaController is where Kafka talks to itself: the port after the one for clients.
func (p *Platform) kafkaController() (string, error) {
	if p.FreePorts {
		return p.ports.take()
	}
	host, portText, err := net.SplitHostPort(p.KafkaAddr)
	if err != nil {
		return "", fmt.Errorf("-kafka-addr: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return "", fmt.Errorf("-kafka-addr: %w", err)
	}
	addr := net.JoinHostPort(host, strconv.Itoa(port+1))
	return addr, checkFree(addr, "kafka-addr")
}

// fetchJars brings a set of jars into the cache, once.
func fetchJars(ctx context.Context, cache string, set real.Set) (string, error) {
	if set.Fetched(cache) {
		return set.Folder(cache), nil
	}
	maven := real.FindMaven()
	if maven == "" {
		return "", fmt.Errorf("maven is needed once to fetch %s; `kreislauf deps -real` installs it, or %s", set.Name, realCommand())
	}
	err := timed("fetch "+set.Name+" from Maven Central, once", func() error {
		_, err := set.Fetch(ctx, cache, maven)
		return err
	})
	return set.Folder(cache), err
}

// installReal installs Java and Maven where they are missing, and fetches the jars.
func installReal(ctx context.Context, cache string) error {
	java, ok := real.FindJava(ctx)
	var missing []string
	if !ok {
		missing = append(missing, "java")
	}
	if real.FindMaven() == "" {
		missing = append(missing, "maven")
	}
	if len(missing) > 0 {
		if err := install(ctx, missing, ""); err != nil {
			return err
		}
		if java, ok = real.FindJava(ctx); !ok {
			return fmt.Errorf("java was installed but is older than %d; install a newer one and name its folder in JAVA_HOME", real.MinJava)
		}
	}
	for _, set := range []real.Set{real.KafkaJars(), real.OpenSearchJars(java.Major)} {
		if _, err := fetchJars(ctx, cache, set); err != nil {
			return err
		}
	}
	return nil
}

// realCommand is what a person would type for Java and Maven.
func realCommand() string { return installCommand([]string{"java", "maven"}) }

// realPrograms is what the doctor says about -real. Without the flag nothing of it is fatal.
func realPrograms(ctx context.Context, o Options) []finding {
	java, ok := real.FindJava(ctx)
	list := []finding{{what: "java (for -real)", state: fmt.Sprintf("%s: version %d", java.Path, java.Major)}}
	if !ok {
		list[0] = finding{"java (for -real)", fmt.Sprintf("no Java %d or newer", real.MinJava), "kreislauf deps -real, or " + realCommand(), o.Real}
	}
	maven := finding{what: "maven (for -real)", state: real.FindMaven()}
	allFetched := true
	for _, set := range []real.Set{real.KafkaJars(), real.OpenSearchJars(java.Major)} {
		f := finding{what: "jars (for -real)", state: set.Name + " is in the cache"}
		if !set.Fetched(o.Cache) {
			f, allFetched = finding{"jars (for -real)", set.Name + " is not in the cache", "kreislauf deps -real, or the first start with -real fetches it", false}, false
		}
		list = append(list, f)
	}
	if maven.state == "" {
		maven = finding{"maven (for -real)", "not found", "kreislauf deps -real, or " + realCommand(), o.Real && !allFetched}
		if allFetched {
			maven = finding{what: "maven (for -real)", state: "not found, and not needed: the jars are in the cache"}
		}
	}
	return append(list, maven)
}
