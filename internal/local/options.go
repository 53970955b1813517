package local

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kreislauf/internal/backend/real"
)

// Options say how the platform of one machine runs. They are the flags of `kreislauf up`.
type Options struct {
	Data  string // folder that holds all state; a second run continues with it
	Web   string // folder of the built web app
	Cache string // folder of unpacked programs and geo data
	Geo   string // folder of the geo databases; empty: geo in Cache

	// Addresses (host:port) of what is started here. An empty ElasticAddr is the default of the profile.
	NginxAddr, RedisAddr, MongoDBAddr, KafkaAddr, ElasticAddr, MailboxAddr string

	PortBase      int           // first port of the service instances, 1024 to 65000
	FreePorts     bool          // take free ports everywhere instead
	Compact       bool          // one instance of each service, inside this process
	Real          bool          // the real Kafka and OpenSearch instead of the embedded servers
	SyncKafka     bool          // the embedded Kafka syncs each batch
	AlertWebhook  string        // URL that gets alerts
	AlertInterval time.Duration // of every rule; 0: each rule's own

	Env, Customer string // environment and tenant
}

// Default addresses of Elasticsearch: OpenSearch's runner takes no port above real.MaxOpenSearchPort.
const (
	embeddedElastic = "127.0.0.1:19200"
	realElastic     = "127.0.0.1:9290"
)

// DefaultOptions is a platform with its own ports and its state in DataFolder.
func DefaultOptions() Options {
	return Options{
		Data: DataFolder(), Web: "web/dist", Cache: CacheFolder(),
		NginxAddr: "127.0.0.1:8080", RedisAddr: "127.0.0.1:16379", MongoDBAddr: "127.0.0.1:27117", KafkaAddr: "127.0.0.1:19092", MailboxAddr: "127.0.0.1:11025",
		PortBase: 18100, Env: "local", Customer: "kreislauf",
	}
}

// complete fills in what follows from other options, and refuses what makes no sense.
func (o *Options) complete() error {
	if o.PortBase < 1024 || o.PortBase > 65000 {
		return fmt.Errorf("-service-port-base %d: use 1024 to 65000", o.PortBase)
	}
	if err := o.completeElastic(); err != nil {
		return err
	}
	for _, p := range []*string{&o.Data, &o.Web, &o.Cache} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return fmt.Errorf("find folder: %w", err)
		}
		*p = abs
	}
	o.Geo = cmp.Or(o.Geo, filepath.Join(o.Cache, "geo"))
	return nil
}

// completeElastic gives OpenSearch a port that it can have.
func (o *Options) completeElastic() error {
	if !o.Real {
		o.ElasticAddr = cmp.Or(o.ElasticAddr, embeddedElastic)
		return nil
	}
	if o.SyncKafka {
		return errors.New("-sync-kafka is for the embedded Kafka; leave it out with -real")
	}
	o.ElasticAddr = cmp.Or(o.ElasticAddr, realElastic)
	_, portText, err := net.SplitHostPort(o.ElasticAddr)
	if err != nil {
		return fmt.Errorf("-elasticsearch-addr: %w", err)
	}
	if port, err := strconv.Atoi(portText); err != nil || port < 1024 || port > real.MaxOpenSearchPort {
		return fmt.Errorf("-elasticsearch-addr %s: with -real use a port from 1024 to %d", o.ElasticAddr, real.MaxOpenSearchPort)
	}
	return nil
}

// DataFolder is where commands look for the running platform.
func DataFolder() string { return cmp.Or(os.Getenv("KREISLAUF_DATA"), ".kreislauf") }

// CacheFolder holds what can be fetched again.
func CacheFolder() string {
	if d := os.Getenv("KREISLAUF_CACHE"); d != "" {
		return d
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "kreislauf")
}
