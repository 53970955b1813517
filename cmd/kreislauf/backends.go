package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/backend/redisd"
	"kreislauf/internal/broker"
	"kreislauf/internal/config"
	"kreislauf/internal/local"
	"kreislauf/internal/logging"
	"kreislauf/internal/run"
)

// server is what all embedded backends are.
type server interface {
	Start() error
	Addr() string
	Stop(context.Context) error
}

// serveBackend runs an embedded backend until ctx ends. Its lines go where the platform's lines go. more adds flags; it may be nil.
func serveBackend(ctx context.Context, name, defaultAddr string, args []string, more func(*flag.FlagSet), open func(dir, addr string, log zerolog.Logger) (server, error)) error {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	dir := fs.String("data", ".kreislauf/"+name, "folder for the data")
	addr := fs.String("addr", defaultAddr, "host:port to listen on")
	if more != nil {
		more(fs)
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	r := config.New(os.LookupEnv)
	settings := config.ReadProcess(r, name)
	if err := r.Err(); err != nil {
		return err
	}
	sink, err := logging.Open(settings)
	if err != nil {
		return err
	}
	defer sink.Close()
	log := logging.New(sink, settings)
	s, err := open(*dir, *addr, log)
	if err != nil {
		return err
	}
	if err := s.Start(); err != nil {
		return err
	}
	if err := releaseProgram(); err != nil {
		log.Debug().Err(err).Msg("pages of the program file stay")
	}
	log.Info().Str("event.action", "process.serving").Str("address", s.Addr()).Msg("serving")
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-failure(s):
	}
	log.Info().Str("event.action", "process.stop").Msg("stop")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), run.StopTimeout)
	defer cancel()
	return errors.Join(failed, s.Stop(stop))
}

// failure delivers the error after which a backend must be started anew, if it knows one.
func failure(s server) <-chan error {
	if k, ok := s.(kafka); ok {
		return k.Failed()
	}
	return nil
}

func runEngine(ctx context.Context, args []string) error {
	var file string
	var open bool
	more := func(fs *flag.FlagSet) {
		fs.StringVar(&file, "password-file", "", "file with the password of the user elastic, which turns security on; default: KREISLAUF_ENGINE_PASSWORD, or no security")
		fs.BoolVar(&open, "open", false, "listen on an address that others can reach although security is off")
	}
	return serveBackend(ctx, "engine", "127.0.0.1:9200", args, more, func(dir, addr string, log zerolog.Logger) (server, error) {
		password := os.Getenv("KREISLAUF_ENGINE_PASSWORD")
		if file != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read password: %w", err)
			}
			if password = strings.TrimSpace(string(b)); password == "" {
				return nil, fmt.Errorf("the password in %s is empty", file)
			}
		}
		return engine.New(engine.Options{Dir: dir, Addr: addr, Logger: log, Password: password, Open: open})
	})
}

func runKafkad(ctx context.Context, args []string) error {
	signal.Ignore(syscall.SIGXFSZ) // a file size limit is a write that fails
	var advertise string
	var sync bool
	more := func(fs *flag.FlagSet) {
		fs.StringVar(&advertise, "advertise", "", "host:port that clients are told to connect to; default: the address listened on")
		fs.BoolVar(&sync, "sync", false, "write each batch to the disk before it is acknowledged")
	}
	return serveBackend(ctx, "kafkad", "127.0.0.1:9092", args, more, func(dir, addr string, log zerolog.Logger) (server, error) {
		s, err := kafkad.New(kafkad.Options{Dir: dir, Addr: addr, Advertise: advertise, Sync: sync, Logger: log})
		return kafka{s}, err
	})
}

// kafka is kafkad with the platform's topics.
type kafka struct{ *kafkad.Server }

// Start also makes the topics equal to the table.
func (k kafka) Start() error {
	if err := k.Server.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return broker.AlignTopics(ctx, k.Addr())
}

func runRedisd(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("redisd", flag.ContinueOnError)
	addr := fs.String("addr", "127.0.0.1:6379", "host:port to listen on; the password is KREISLAUF_REDIS_PASSWORD")
	if err := fs.Parse(args); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, redisd.Notice)
	return redisd.RunMini(ctx, *addr, os.Getenv("KREISLAUF_REDIS_PASSWORD"))
}

func runMailbox(ctx context.Context, args []string) error {
	keep := mailbox.DefaultKeep
	more := func(fs *flag.FlagSet) { fs.IntVar(&keep, "keep", keep, "how many mails stay; the oldest go first") }
	return serveBackend(ctx, "mailbox", "127.0.0.1:1025", args, more, func(dir, addr string, log zerolog.Logger) (server, error) {
		return mailbox.New(mailbox.Options{Dir: dir, Addr: addr, Keep: keep, Logger: log})
	})
}

func runMongod(ctx context.Context, args []string) error {
	var users []mongod.User
	if given := os.Getenv(local.MongoUsers); given != "" {
		if err := json.Unmarshal([]byte(given), &users); err != nil {
			return fmt.Errorf("%s is not a JSON array of users as docs/format/mongod.md describes it", local.MongoUsers) // err may quote a password
		}
	}
	signal.Ignore(syscall.SIGXFSZ) // a file size limit is a full disk, not a reason to end
	return serveBackend(ctx, "mongod", "127.0.0.1:27017", args, nil, func(dir, addr string, log zerolog.Logger) (server, error) {
		return mongod.New(mongod.Options{Dir: dir, Addr: addr, Logger: log, Users: users})
	})
}
