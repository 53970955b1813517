package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"kreislauf/nginx"
)

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
