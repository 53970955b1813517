// Command kreislauf is everything of the platform in one binary: the services, the shipper, the alerter, the embedded backends,
// and the commands of the people who run it. Run it without arguments for the list.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	_ "time/tzdata" // business dates are Europe/Berlin, also in images without zone files

	"kreislauf/internal/run"
)

type command struct {
	name, summary string
	run           func(ctx context.Context, args []string) error
}

func commands() []command {
	list := []command{
		{"up", "run the whole platform on this machine", runUp},
		{"version", "print the platform version and those of the services", runVersion},
		{"deps", "install the programs that the platform needs, and fetch geo data", runDeps},
		{"doctor", "say what is missing or in the way on this machine, and how to mend it", runDoctor},
		{"load", "make traffic: customers with the real demand mix, or a replayed access log", runLoad},
		{"trace", "print the whole story of one order, trace or request as a tree", runTrace},
		{"mail", "list the newest mails of the running platform, or show one", runMail},
		{"reconcile", "prove that orders, invoices, credit notes, books, matches and mails of the running platform agree", runReconcile},
		{"dead-letters", "list, show and replay events that a consumer could not handle", runDeadLetters},
		{"funnel", "print a funnel: kreislauf funnel run orders", runFunnel},
		{"invite", "print an invitation code for an account with a role", runInvite},
		{"provision", "put templates and policies into Elasticsearch or OpenSearch", runProvision},
		{"nginx-conf", "print nginx.conf for given upstreams", runNginxConf},
		{"logship", "ship log files into Elasticsearch", runLogship},
		{"alerter", "evaluate KPI rules and send alerts", runAlerter},
		{"engine", "serve the embedded Elasticsearch", runEngine},
		{"mongod", "serve the embedded MongoDB", runMongod},
		{"kafkad", "serve the embedded Kafka", runKafkad},
		{"mailbox", "serve the embedded mail server, which keeps every mail", runMailbox},
		{"redisd", "serve the in-memory stand-in for redis-server", runRedisd},
	}
	return append(list, serviceCommands()...)
}

func main() {
	ctx, stop := run.Signals(context.Background())
	defer stop()
	os.Exit(dispatch(ctx, os.Args[1:]))
}

func dispatch(ctx context.Context, args []string) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		usage()
		return 2
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:])
		switch {
		case err == nil:
			return 0
		case errors.Is(err, flag.ErrHelp):
			return 2
		}
		status, told := errors.AsType[exitStatus](err)
		if !told {
			status = 1
			fmt.Fprintf(os.Stderr, "kreislauf %s: %v\n", c.name, err)
		}
		return int(status)
	}
	fmt.Fprintf(os.Stderr, "kreislauf: there is no command %q\n\n", args[0])
	usage()
	return 2
}

// exitStatus is the end of a command that has told everything already.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func usage() {
	fmt.Fprintln(os.Stderr, "usage: kreislauf <command> [flags]; -h after a command lists its flags")
	fmt.Fprintln(os.Stderr)
	for _, c := range commands() {
		fmt.Fprintf(os.Stderr, "  %-12s %s\n", c.name, c.summary)
	}
}
