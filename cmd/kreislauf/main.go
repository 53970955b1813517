// Command kreislauf is everything of the platform in one binary: the services, the shipper, the alerter, the embedded backends,
// and the commands of the people who run it. Run it without arguments for the list.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // business dates are Europe/Berlin, also in images without zone files

	"kreislauf/internal/run"
)

type command struct {
	name, summary string
	run           func(ctx context.Context, args []string) error
	subcommands   []subcommand
}

// subcommand is a word after the name of a command, for the help. The command runs it.
type subcommand struct{ name, summary string }

func commands() []command {
	list := []command{
		{"up", "run the whole platform on this machine", runUp, nil},
		{"version", "print the platform version and those of the services", runVersion, nil},
		{"deps", "install the programs that the platform needs, and fetch geo data", runDeps, nil},
		{"doctor", "say what is missing or in the way on this machine, and how to mend it", runDoctor, nil},
		{"load", "make traffic: customers with the real demand mix, or a replayed access log", runLoad, nil},
		{"trace", "print the whole story of one order, trace or request as a tree", runTrace, nil},
		{"mail", "list the newest mails of the running platform, or show one", runMail, nil},
		{"reconcile", "prove that orders, invoices, credit notes, books, matches and mails of the running platform agree", runReconcile, nil},
		{"dead-letters", "list, show and replay events that a consumer could not handle", runDeadLetters, []subcommand{
			{"list", "those that are not replayed yet"}, {"show", "one of them, whole"}, {"replay", "hand some to their consumer again"},
		}},
		{"rebuild", "make what a service keeps of another's events anew, from the events", runRebuild, []subcommand{{"list", "the projections that there are"}}},
		{"funnel", "count how many visits get from step to step", runFunnel, []subcommand{{"run", "count one over the last day: kreislauf funnel run orders"}}},
		{"invite", "print an invitation code for an account with a role", runInvite, nil},
		{"demo", "print links that sign in as the demo people of the running platform", runDemo, nil},
		{"erp", "give master data from an ERP to the running platform, and take it", runERP, []subcommand{
			{"import", "store the partners or price lists of a file, all or none"}, {"export", "write them into a file"},
		}},
		{"provision", "put templates and policies into Elasticsearch or OpenSearch", runProvision, nil},
		{"nginx-conf", "print nginx.conf for given upstreams", runNginxConf, nil},
		{"logship", "ship log files into Elasticsearch", runLogship, []subcommand{
			{"init", "propose an input from a sample of lines"}, {"status", "how far behind the running one is, and what was refused"}, {"replay", "send again what was refused"},
		}},
		{"alerter", "evaluate KPI rules and send alerts", runAlerter, nil},
		{"engine", "serve the embedded Elasticsearch", runEngine, nil},
		{"mongod", "serve the embedded MongoDB", runMongod, nil},
		{"kafkad", "serve the embedded Kafka", runKafkad, nil},
		{"mailbox", "serve the embedded mail server, which keeps every mail", runMailbox, nil},
		{"redisd", "serve the in-memory stand-in for redis-server", runRedisd, nil},
	}
	return append(list, serviceCommands()...)
}

func main() {
	ctx, stop := run.Signals(context.Background())
	defer stop()
	os.Exit(dispatch(ctx, os.Args[1:]))
}

// dispatch runs the command that args name, and gives the exit status: 0 when it did what was asked for, help included, 1 when it
// failed, 2 when there is no such command.
func dispatch(ctx context.Context, args []string) int {
	if len(args) == 0 {
		usage(os.Stderr)
		return 2
	}
	switch name := args[0]; {
	case isHelp(name) && len(args) > 1:
		args = append(args[1:], "-h")
	case isHelp(name):
		usage(os.Stdout)
		return 0
	case name == "-version" || name == "--version":
		args = []string{"version"}
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		if len(c.subcommands) > 0 && len(args) > 1 && isHelp(args[1]) {
			c.usage(os.Stdout)
		}
		err := c.run(ctx, args[1:])
		if err == nil || errors.Is(err, flag.ErrHelp) {
			return 0
		}
		status, told := errors.AsType[exitStatus](err)
		if !told {
			status = 1
			fmt.Fprintf(os.Stderr, "kreislauf %s: %v\n", c.name, err)
		}
		return int(status)
	}
	fmt.Fprintf(os.Stderr, "kreislauf: there is no command %q\n\n", args[0])
	usage(os.Stderr)
	return 2
}

// exitStatus is the end of a command that has told everything already.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func isHelp(word string) bool {
	return word == "-h" || word == "-help" || word == "--help" || word == "help"
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: kreislauf <command> [flags]; -h after a command lists its flags")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
		for _, s := range c.subcommands {
			fmt.Fprintf(w, "    %-10s %s\n", s.name, s.summary)
		}
	}
}

// usage lists the subcommands; the flags of the command itself follow.
func (c command) usage(w io.Writer) {
	fmt.Fprintf(w, "%s: %s; there are\n", c.name, c.summary)
	for _, s := range c.subcommands {
		fmt.Fprintf(w, "  kreislauf %s %-8s %s\n", c.name, s.name, s.summary)
	}
	fmt.Fprintln(w, "-h after one of them lists its flags.")
}
