package real

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kafka is one broker that is its own controller (KRaft).
type Kafka struct {
	Java       Java
	Lib        string // folder of KafkaJars
	Dir        string // data folder, created if missing
	Addr       string // host:port for clients
	Controller string // host:port for itself
}

// KafkaHeap bounds the heap of Kafka.
const KafkaHeap = "256m"

// Command writes the configuration, formats a new data folder, and returns the command that serves until SIGTERM.
// Topics appear only when they are created: as in production, a misspelt name is an error.
func (k Kafka) Command(ctx context.Context) ([]string, error) {
	for _, addr := range []string{k.Addr, k.Controller} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return nil, fmt.Errorf("kafka address: %w", err)
		}
	}
	log := filepath.Join(k.Dir, "log")
	if err := os.MkdirAll(log, 0o750); err != nil {
		return nil, fmt.Errorf("create Kafka data folder: %w", err)
	}
	properties, logging := filepath.Join(k.Dir, "server.properties"), filepath.Join(k.Dir, "log4j2.properties")
	if err := errors.Join(
		os.WriteFile(properties, []byte(k.properties(log)), 0o640),
		os.WriteFile(logging, []byte(log4j), 0o640),
	); err != nil {
		return nil, fmt.Errorf("write Kafka configuration: %w", err)
	}
	if _, err := os.Stat(filepath.Join(log, "meta.properties")); errors.Is(err, os.ErrNotExist) { // written last when formatting
		if err := k.format(ctx, properties); err != nil {
			return nil, err
		}
	}
	return append(k.Java.command(KafkaHeap, k.Lib, "kafka.Kafka", "-Dlog4j2.configurationFile="+logging), properties), nil
}

func (k Kafka) properties(log string) string {
	return fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[2]s
listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[3]s
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=10000
log.cleaner.dedupe.buffer.size=16777216
`, k.Addr, k.Controller, strings.ReplaceAll(log, `\`, `\\`))
}

// format makes a new cluster of the data folder.
func (k Kafka) format(ctx context.Context, properties string) error {
	id := make([]byte, 16)
	rand.Read(id) // never fails (crypto/rand)
	id[0] &= 0x3f // Kafka takes no id that begins with a dash
	argv := append(k.Java.command(KafkaHeap, k.Lib, "kafka.tools.StorageTool"),
		"format", "--cluster-id", base64.RawURLEncoding.EncodeToString(id), "--config", properties, "--ignore-formatted")
	if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka data folder: %w; it said: %s", err, end(out))
	}
	return nil
}

// log4j sends warnings and errors to the console.
const log4j = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1.} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`
