package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/mattn/go-isatty"

	"kreislauf/elk"
	"kreislauf/elk/connect"
	"kreislauf/elk/funnel"
	"kreislauf/elk/provision"
	"kreislauf/elk/trace"
	"kreislauf/internal/config"
	"kreislauf/internal/logging"
	"kreislauf/nginx"
	"kreislauf/services/identity"
)

// elasticFlags are the flags of commands that ask Elasticsearch.
type elasticFlags struct{ data, url, env string }

func (f *elasticFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.data, "data", dataFolder(), "data folder of the running platform")
	fs.StringVar(&f.url, "elasticsearch", os.Getenv("KREISLAUF_ELASTICSEARCH_URL"), "URL of Elasticsearch; default: the running platform's")
	fs.StringVar(&f.env, "env", "", "environment; default: the running platform's, else local")
}

// client finds Elasticsearch: the flag, or the running platform.
func (f *elasticFlags) client() (*esapi.API, error) {
	if f.url == "" {
		r, err := findRunning(f.data)
		if err != nil {
			return nil, err
		}
		f.url = r.Elastic
		if f.env == "" {
			f.env = r.Env
		}
	}
	if f.env == "" {
		f.env = "local"
	}
	return connectTo(f.url)
}

// connectTo makes a client of an address with the credentials of the environment.
func connectTo(url string) (*esapi.API, error) {
	o := readElastic(config.New(os.LookupEnv))
	o.URL = url
	return connect.New(o)
}

func runTrace(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trace", flag.ContinueOnError)
	var f elasticFlags
	f.register(fs)
	width := fs.Int("width", 140, "columns")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("usage: kreislauf trace [flags] <trace id | order id | request id>")
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	story, err := settledStory(ctx, client, fs.Arg(0), f.env)
	if err != nil {
		return err
	}
	return story.WriteText(os.Stdout, *width, isatty.IsTerminal(os.Stdout.Fd()))
}

// settledStory fetches a story. One that is still growing, or not there yet, is asked for again for up to settle: lines need a
// moment from the file to the search.
func settledStory(ctx context.Context, client *esapi.API, ref, env string) (trace.Story, error) {
	const settle, pause = 5 * time.Second, 300 * time.Millisecond
	var last trace.Story
	for deadline := time.Now().Add(settle); ; {
		id, err := trace.Resolve(ctx, client, ref)
		if err != nil && (!errors.Is(err, trace.ErrNotFound) || time.Now().After(deadline)) {
			return trace.Story{}, err
		}
		if err == nil {
			story, err := trace.Fetch(ctx, client, id, env)
			if err != nil {
				return trace.Story{}, err
			}
			size := story.Spans + story.Lines + story.Events
			if size > 0 && size == last.Spans+last.Lines+last.Events || time.Now().After(deadline) {
				return story, nil
			}
			last = story
		}
		select {
		case <-ctx.Done():
			return trace.Story{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func runFunnel(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("funnel", flag.ContinueOnError)
	var f elasticFlags
	f.register(fs)
	last := fs.Duration("last", 24*time.Hour, "how far back to look")
	if len(args) < 2 || args[0] != "run" {
		return errors.New("usage: kreislauf funnel run <name> [flags]; there is: orders")
	}
	if err := fs.Parse(args[2:]); err != nil {
		return err
	}
	def, err := funnel.Load(elk.Files(), args[1])
	if err != nil {
		return err
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	now := time.Now()
	res, err := funnel.Run(ctx, client, def, f.env, now.Add(-*last), now)
	if err != nil {
		return err
	}
	return res.WriteText(os.Stdout)
}

func runProvision(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("provision", flag.ContinueOnError)
	var f elasticFlags
	f.register(fs)
	wait := fs.Duration("wait", time.Minute, "how long to wait for the server")
	if err := fs.Parse(args); err != nil {
		return err
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	report, err := provision.Run(ctx, client, provision.Options{Logger: logging.Console(os.Stderr)})
	if err != nil {
		return err
	}
	fmt.Printf("%s %s at %s\n", report.Server.Distribution, report.Server.Version, f.url)
	for _, p := range report.Put {
		fmt.Println("put", p)
	}
	for _, l := range report.LeftOut {
		fmt.Println("left out:", l)
	}
	return nil
}

func runInvite(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("invite", flag.ContinueOnError)
	data := fs.String("data", dataFolder(), "data folder of the platform, unless KREISLAUF_INVITE_KEY is set")
	partner := fs.String("partner", "", "partner id, for example p-berlin")
	days := fs.Int("days", 7, "days until the invitation ends")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *partner == "" || *days < 1 {
		return errors.New("usage: kreislauf invite -partner p-berlin [-days 7]")
	}
	keyHex := os.Getenv("KREISLAUF_INVITE_KEY")
	if keyHex == "" {
		var s secrets
		if err := readJSON(filepath.Join(*data, "secrets.json"), &s); err != nil {
			return fmt.Errorf("no key to sign with: %w; start the platform once, or set KREISLAUF_INVITE_KEY", err)
		}
		keyHex = s.InviteKey
	}
	key, err := hex.DecodeString(keyHex)
	if err != nil || len(key) != 32 {
		return errors.New("the invite key must be 64 hexadecimal digits")
	}
	code, err := identity.SealInvite(key, identity.Invite{PartnerID: *partner, Until: time.Now().AddDate(0, 0, *days).UTC()})
	if err != nil {
		return err
	}
	fmt.Println(code)
	return nil
}

// upstreamFlag collects -upstream name=addr,addr.
type upstreamFlag map[string][]string

func (u upstreamFlag) String() string { return "" }

func (u upstreamFlag) Set(v string) error {
	name, addrs, ok := strings.Cut(v, "=")
	if !ok || name == "" || addrs == "" {
		return fmt.Errorf("%q: use name=host:port,host:port", v)
	}
	u[name] = strings.Split(addrs, ",")
	return nil
}

func runNginxConf(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("nginx-conf", flag.ContinueOnError)
	o := nginx.Options{Upstreams: map[string][]string{}}
	fs.StringVar(&o.Listen, "listen", "0.0.0.0:8080", "address of the entry")
	fs.StringVar(&o.Prefix, "prefix", "/var/lib/nginx/", "folder for pid and temporary files, ending in /")
	fs.StringVar(&o.AccessLog, "access-log", "/dev/stdout", "access log")
	fs.StringVar(&o.ErrorLog, "error-log", "/dev/stderr", "error log")
	fs.StringVar(&o.WebRoot, "web-root", "/srv/web", "folder of the built web app")
	fs.StringVar(&o.Workers, "workers", "auto", "worker processes")
	fs.StringVar(&o.Env, "env", "local", "environment name")
	fs.StringVar(&o.Customer, "customer", "kreislauf", "tenant")
	fs.StringVar(&o.PlatformVersion, "version", "dev", "platform version")
	trusted := fs.String("trusted", "127.0.0.0/8", "comma-separated addresses whose X-Forwarded-For is believed")
	fs.Var(upstreamFlag(o.Upstreams), "upstream", "name=host:port,host:port (repeatable)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	o.TrustedProxies = strings.Split(*trusted, ",")
	conf, err := nginx.Render(o)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(conf)
	return err
}
