package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"unicode/utf8"

	"kreislauf/internal/client"
	"kreislauf/internal/erp"
	"kreislauf/internal/local"
)

// erpPassword is the variable with the password of the account with which the platform is asked.
const erpPassword = "KREISLAUF_ERP_PASSWORD"

func runERP(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		verb, args = args[0], args[1:]
	}
	fs := flag.NewFlagSet("erp", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform, unless -url says where it is")
	url := fs.String("url", "", "address of the platform, for example https://kreislauf.example")
	email := fs.String("email", "", "e-mail address of an account of the back office; its password is in "+erpPassword)
	reason := fs.String("reason", "import from the ERP", "why, for the audit trail: 5 to 500 characters")
	latest := fs.Bool("latest", false, "an entry without a version replaces what is there, whoever has changed it since")
	if err := fs.Parse(args); err != nil {
		return err
	}
	const usage = "usage: kreislauf erp import|export -email you@example.org FILE; the name of the file says what is in it: partners.csv, rates.json"
	if (verb != "import" && verb != "export") || fs.NArg() != 1 {
		return errors.New(usage)
	}
	path := fs.Arg(0)
	kind, format, err := erp.NameSays(path)
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(*reason); n < 5 || n > 500 {
		return errors.New("-reason needs 5 to 500 characters")
	}
	if *url == "" {
		running, err := local.FindRunning(*data)
		if err != nil {
			return err
		}
		*url = running.Entry
	}
	var list []erp.Entry
	if verb == "import" { // a file that is wrong needs no platform
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read file: %w", err)
		}
		if list, err = erp.Read(path, text, kind, format); err != nil {
			return err
		}
	}
	c, err := erpSession(ctx, *url, *email)
	if err != nil {
		return err
	}
	defer func() { _ = c.SignOut(context.WithoutCancel(ctx)) }() // the session ends by itself, too
	if verb == "export" {
		return exportERP(ctx, c, path, kind, format)
	}
	r, err := erp.Import(ctx, c, path, kind, list, *reason, *latest)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d new, %d changed, %d as before\n", path, r.Made, r.Changed, r.Same)
	return nil
}

// erpSession signs in.
func erpSession(ctx context.Context, url, email string) (*client.Client, error) {
	password := os.Getenv(erpPassword)
	if email == "" || password == "" {
		return nil, errors.New("an account of the back office is needed: name it with -email and give its password in " + erpPassword)
	}
	c := client.New(client.Entry(url), nil)
	if _, err := c.SignIn(ctx, email, password); err != nil {
		return nil, fmt.Errorf("sign in at %s: %w", url, err)
	}
	return c, nil
}

// exportERP writes the file whole, or leaves the one that is there as it is.
func exportERP(ctx context.Context, c *client.Client, path string, k erp.Kind, f erp.Format) error {
	list, err := erp.Export(ctx, c)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := erp.Write(&text, k, f, list); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path+".part", text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	fmt.Printf("%s: %d partners\n", path, len(list))
	return nil
}
