package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"kreislauf/internal/config"
	"kreislauf/internal/local"
	"kreislauf/internal/local/rebuild"
	"kreislauf/internal/process"
	"kreislauf/services"
)

const rebuildUsage = `usage: kreislauf rebuild list
       kreislauf rebuild [-dry-run] <service> <projection>
The platform is the running one (-data); in a container, with the settings of its service, that of the environment`

func runRebuild(ctx context.Context, args []string) error {
	if len(args) > 0 && isHelp(args[0]) {
		fmt.Println(rebuildUsage)
		return flag.ErrHelp
	}
	if len(args) > 0 && args[0] == "list" {
		if err := flag.NewFlagSet("rebuild list", flag.ContinueOnError).Parse(args[1:]); err != nil {
			return err
		}
		return listProjections(os.Stdout)
	}
	fs := flag.NewFlagSet("rebuild", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform")
	dry := fs.Bool("dry-run", false, "only say what would be rebuilt, and what cannot be")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		return errors.New(rebuildUsage)
	}
	p, err := findProjection(fs.Arg(0), fs.Arg(1))
	if err != nil {
		return err
	}
	lookup, err := rebuildSettings(*data, p.Service)
	if err != nil {
		return err
	}
	r, err := rebuild.Run(ctx, lookup, p, *dry)
	if err != nil {
		return err
	}
	return printRebuilt(os.Stdout, p, r, *dry)
}

func findProjection(service, name string) (services.Projection, error) {
	for _, p := range services.Projections() {
		if p.Service == service && p.Name == name {
			return p, nil
		}
	}
	return services.Projection{}, fmt.Errorf("there is no projection %s of %s; `kreislauf rebuild list` shows all", name, service)
}

// rebuildSettings are those of an instance beside the running ones, whose name no other has.
func rebuildSettings(data, service string) (process.Lookup, error) {
	instance := service + "-rebuild"
	if os.Getenv("KREISLAUF_MONGODB_URI") != "" && os.Getenv(brokersVariable) != "" {
		return func(name string) (string, bool) {
			if name == "KREISLAUF_INSTANCE" {
				return instance, true
			}
			return os.LookupEnv(name)
		}, nil
	}
	r, err := local.FindRunning(data)
	if err != nil {
		return nil, err
	}
	s, _ := services.Named(service)
	m, err := local.SettingsBeside(data, r, s, instance)
	if err != nil {
		return nil, err
	}
	return config.FromMap(m), nil
}

func listProjections(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "service\tprojection\tfrom\tas far back as")
	for _, p := range services.Projections() {
		typ := "all that it consumes"
		if !p.Lines {
			var types []string
			for _, from := range p.From {
				types = append(types, from.Type())
			}
			typ = strings.Join(types, ", ")
		}
		for _, topic := range p.Topics() {
			back := "the newest of each subject, whole"
			if !topic.Keep.Compact {
				back = fmt.Sprintf("%g days", topic.Keep.Age.Hours()/24)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s: %s\n", p.Service, p.Name, typ, topic.Name, back)
		}
	}
	return t.Flush()
}

func printRebuilt(w io.Writer, p services.Projection, r rebuild.Report, dry bool) error {
	did := "rebuilt"
	if dry {
		did = "would rebuild"
	}
	text := fmt.Sprintf("%s %s of %s: %d documents from %d events\n", did, p.Name, p.Service, r.Rebuilt, r.Events)
	if p.Lines {
		text = fmt.Sprintf("%s the lines of %s: %d events; the search shows each once\n", did, p.Service, r.Events)
	}
	switch {
	case len(r.Cut) > 0 && r.Oldest.IsZero():
		text += fmt.Sprintf("%s has no event left\n", strings.Join(r.Cut, ", "))
	case len(r.Cut) > 0:
		text += fmt.Sprintf("%s has no events from before %s: what they told of cannot be rebuilt\n", strings.Join(r.Cut, ", "), stamp(r.Oldest))
	}
	if r.Kept > 0 {
		text += fmt.Sprintf("%d documents stay as they are: their events are gone\n", r.Kept)
	}
	_, err := io.WriteString(w, text)
	return err
}
