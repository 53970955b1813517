package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"kreislauf/internal/local"
	"kreislauf/services/identity"
)

func runInvite(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("invite", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the platform, unless KREISLAUF_INVITE_KEY is set")
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
		var err error
		if keyHex, err = local.Secret(*data, "KREISLAUF_INVITE_KEY"); err != nil {
			return fmt.Errorf("no key to sign with: %w; start the platform once, or set KREISLAUF_INVITE_KEY", err)
		}
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
