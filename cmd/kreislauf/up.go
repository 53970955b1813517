package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"kreislauf/internal/local"
)

// runUp runs the platform until Ctrl-C.
func runUp(ctx context.Context, args []string) error {
	o, err := parseOptions("up", args)
	if err != nil {
		return err
	}
	unlock, err := local.Lock(o.Data)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := local.New(o)
	if err != nil {
		return err
	}
	return p.Run(ctx, steadyOutput())
}

// output writes to the first of its writers that still takes something.
type output []io.Writer

// steadyOutput is the standard output until the program that reads it ends, then the standard error output: Ctrl-C in `make up | tee log` ends
// tee first, and what `up` says while it stops has to reach the terminal. From then on no write to a closed pipe ends this process.
func steadyOutput() output {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // nobody reads it: the write fails instead
	return output{os.Stdout, os.Stderr}
}

func (o output) Write(b []byte) (n int, err error) {
	for _, w := range o {
		if n, err = w.Write(b); err == nil {
			return n, nil
		}
	}
	return n, err
}

// runDoctor looks at everything that `up` with the same flags needs.
func runDoctor(ctx context.Context, args []string) error {
	o, err := parseOptions("doctor", args)
	if err != nil {
		return err
	}
	return local.Doctor(ctx, o, os.Stdout)
}

func parseOptions(name string, args []string) (local.Options, error) {
	o := local.DefaultOptions()
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.StringVar(&o.Data, "data", o.Data, "folder that holds all state; a second run continues with it")
	fs.StringVar(&o.Web, "web", o.Web, "folder of the built web app")
	fs.StringVar(&o.Geo, "geo", o.Geo, "folder of the DB-IP mmdb files; default: geo in the cache folder")
	fs.StringVar(&o.Cache, "cache", o.Cache, "folder of unpacked programs and geo data (see make deps)")
	fs.StringVar(&o.NginxAddr, "nginx-addr", o.NginxAddr, "address of the entry")
	fs.StringVar(&o.RedisAddr, "redis-addr", o.RedisAddr, "address of Redis")
	fs.StringVar(&o.MongoDBAddr, "mongodb-addr", o.MongoDBAddr, "address of MongoDB")
	fs.StringVar(&o.KafkaAddr, "kafka-addr", o.KafkaAddr, "address of Kafka")
	fs.StringVar(&o.ElasticAddr, "elasticsearch-addr", o.ElasticAddr, "address of Elasticsearch; default 127.0.0.1:19200, with -real 127.0.0.1:9290")
	fs.StringVar(&o.MailboxAddr, "mailbox-addr", o.MailboxAddr, "address of the mailbox, which takes all mails")
	fs.IntVar(&o.PortBase, "service-port-base", o.PortBase, "first port of the service instances, logship and the alerter")
	fs.BoolVar(&o.FreePorts, "free-ports", false, "take free ports everywhere; run.json in the data folder tells which")
	fs.BoolVar(&o.Compact, "compact", false, "run one instance of each service, the alerter and logship inside this process")
	fs.BoolVar(&o.Real, "real", false, "run the real Kafka and OpenSearch (Java 17 or newer) instead of the embedded servers; their jars are fetched once, 100 MB")
	fs.BoolVar(&o.SyncKafka, "sync-kafka", false, "the embedded Kafka writes each batch to the disk before it acknowledges it, for power failures")
	fs.StringVar(&o.AlertWebhook, "alert-webhook", "", "URL that gets alerts as JSON when they fire and resolve")
	fs.DurationVar(&o.AlertInterval, "alert-interval", 0, "evaluate every KPI rule this often instead of its own interval")
	fs.StringVar(&o.Env, "env", o.Env, "environment name")
	fs.StringVar(&o.Customer, "customer", o.Customer, "tenant")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("there is no argument %q; see -h", fs.Arg(0))
	}
	return o, nil
}

// runDeps installs the programs that the platform needs and fetches the optional geo data.
func runDeps(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("deps", flag.ContinueOnError)
	cache := fs.String("cache", local.CacheFolder(), "folder for unpacked programs and geo data")
	chromium := fs.Bool("chromium", false, "also install Chromium, for the browser tests")
	noGeo := fs.Bool("no-geo", false, "leave the geo data out")
	real := fs.Bool("real", false, "also install Java and Maven, and fetch the jars of the real Kafka and OpenSearch")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return errors.New("deps takes flags only; see -h")
	}
	return local.Deps(ctx, *cache, local.Needs{Geo: !*noGeo, Chromium: *chromium, Real: *real})
}
