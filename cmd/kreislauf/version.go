package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"

	"kreislauf/internal/local"
)

// runVersion prints what this program was built of.
func runVersion(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("version", flag.ContinueOnError)
	platform := fs.Bool("platform", false, "print the platform version alone")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("there is no argument %q; see -h", fs.Arg(0))
	}
	v, err := local.Versions()
	if err != nil {
		return err
	}
	if *platform {
		fmt.Println(v.Platform)
		return nil
	}
	fmt.Printf("%-12s %s\n", "platform", v.Platform)
	for _, name := range slices.Sorted(maps.Keys(v.Services)) {
		fmt.Printf("%-12s %s\n", name, v.Services[name])
	}
	return nil
}
