package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"kreislauf/logship"
)

// proposeInput prints a configuration for a log file, made of the lines at its beginning.
func proposeInput(args []string) error {
	fs := flag.NewFlagSet("logship init", flag.ContinueOnError)
	from := fs.String("from", "", "log file whose lines are looked at")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *from == "" || fs.NArg() > 0 {
		return errors.New("usage: kreislauf logship init -from file > logship.yaml")
	}
	path, err := filepath.Abs(*from)
	if err != nil {
		return fmt.Errorf("find %s: %w", *from, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read sample: %w", err)
	}
	defer f.Close()
	text, err := logship.Propose(path, f)
	if err != nil {
		return err
	}
	fmt.Print(text)
	return nil
}
