package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"kreislauf/internal/backend/real"
	"kreislauf/internal/supervise"
)

// Profiles: who serves Kafka and Elasticsearch.
const (
	profileEmbedded = "embedded"
	profileReal     = "real"
)

// realElastic is the default address of OpenSearch, whose runner takes no port above real.MaxOpenSearchPort.
const realElastic = "127.0.0.1:9290"

// realWithin is how long the Java servers may take to become ready.
const realWithin = 4 * time.Minute

func profileSentence(profile string) string {
	if profile == profileReal {
		return "real: Kafka and OpenSearch from Maven Central, unless an address was given"
	}
	return "embedded: kafkad and engine, unless an address was given"
}

func (p *platform) profile() string {
	if p.real {
		return profileReal
	}
	return profileEmbedded
}

// checkReal gives OpenSearch a port that it can have, and refuses what makes no sense together.
func (o *upOptions) checkReal(fs *flag.FlagSet) error {
	if !o.real {
		return nil
	}
	if o.syncKafka {
		return errors.New("-sync-kafka is for the embedded Kafka; leave it out with -real")
	}
	chosen := false
	fs.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "elasticsearch-addr" })
	if !chosen {
		o.elastic = realElastic
	}
	_, portText, err := net.SplitHostPort(o.elastic)
	if err != nil {
		return fmt.Errorf("-elasticsearch-addr: %w", err)
	}
	if port, err := strconv.Atoi(portText); err != nil || port < 1024 || port > real.MaxOpenSearchPort {
		return fmt.Errorf("-elasticsearch-addr %s: with -real use a port from 1024 to %d", o.elastic, real.MaxOpenSearchPort)
	}
	return nil
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
func (p *platform) realBackends(ctx context.Context) ([]supervise.Component, error) {
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
		lib, err := fetchJars(ctx, p.cache, real.OpenSearchJars(java.Major))
		if err != nil {
			return nil, err
		}
		argv, err := real.OpenSearch{Java: java, Lib: lib, Dir: filepath.Join(p.data, "real", "opensearch"), Addr: p.elastic}.Command()
		if err != nil {
			return nil, err
		}
		list = append(list, supervise.Component{
			Name: "elasticsearch", Addr: p.elastic, Exec: argv, Console: p.console("elasticsearch"), Grace: 30 * time.Second, Within: realWithin,
			// After a restart it answers before it has opened the indices; then this waits.
			Ready: supervise.HTTPReady("http://" + p.elastic + "/_cluster/health?wait_for_status=yellow&timeout=1s"),
		})
		p.notes = append(p.notes, "elasticsearch is "+real.OpenSearchJars(java.Major).Name)
	}
	return list, nil
}

func (p *platform) realKafka(ctx context.Context, java real.Java) (supervise.Component, error) {
	lib, err := fetchJars(ctx, p.cache, real.KafkaJars())
	if err != nil {
		return supervise.Component{}, err
	}
	controller, err := p.kafkaController()
	if err != nil {
		return supervise.Component{}, err
	}
	argv, err := real.Kafka{Java: java, Lib: lib, Dir: filepath.Join(p.data, "real", "kafka"), Addr: p.kafka, Controller: controller}.Command(ctx)
	p.notes = append(p.notes, "kafka is "+real.KafkaJars().Name)
	return supervise.Component{
		Name: "kafka", Addr: p.kafka, Exec: argv, Ready: supervise.TCPReady(p.kafka), Console: p.console("kafka"), Grace: 30 * time.Second, Within: realWithin,
	}, err
}

// kafkaController is where Kafka talks to itself: the port after the one for clients.
func (p *platform) kafkaController() (string, error) {
	if p.freePorts {
		return p.ports.take()
	}
	host, portText, err := net.SplitHostPort(p.kafka)
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
func realPrograms(ctx context.Context, o upOptions) []finding {
	java, ok := real.FindJava(ctx)
	list := []finding{{what: "java (for -real)", state: fmt.Sprintf("%s: version %d", java.Path, java.Major)}}
	if !ok {
		list[0] = finding{"java (for -real)", fmt.Sprintf("no Java %d or newer", real.MinJava), "kreislauf deps -real, or " + realCommand(), o.real}
	}
	maven := finding{what: "maven (for -real)", state: real.FindMaven()}
	allFetched := true
	for _, set := range []real.Set{real.KafkaJars(), real.OpenSearchJars(java.Major)} {
		f := finding{what: "jars (for -real)", state: set.Name + " is in the cache"}
		if !set.Fetched(o.cache) {
			f, allFetched = finding{"jars (for -real)", set.Name + " is not in the cache", "kreislauf deps -real, or the first start with -real fetches it", false}, false
		}
		list = append(list, f)
	}
	if maven.state == "" {
		maven = finding{"maven (for -real)", "not found", "kreislauf deps -real, or " + realCommand(), o.real && !allFetched}
		if allFetched {
			maven = finding{what: "maven (for -real)", state: "not found, and not needed: the jars are in the cache"}
		}
	}
	return append(list, maven)
}
