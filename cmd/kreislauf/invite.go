package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/local"
	"kreislauf/services/disposer"
	"kreislauf/services/identity"
)

const partnersFile = "KREISLAUF_PARTNERS_FILE"

func runInvite(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("invite", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the platform, unless KREISLAUF_INVITE_KEY and "+partnersFile+" are set")
	role := fs.String("role", string(authz.Dispatcher), "dispatcher, driver, site_manager, back_office or ops")
	partner := fs.String("partner", "", "partner id, for example p-berlin; of a dispatcher or driver")
	driver := fs.String("driver", "", "the partner's id of a driver, for example d-1")
	site := fs.String("site", "", "site id of a site manager")
	unlisted := fs.Bool("unlisted", false, "the partner is not in the file of master data: the back office has made it")
	days := fs.Int("days", 7, "days until the invitation ends, 1 to 90")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *days < 1 || *days > 90 {
		return errors.New("usage: kreislauf invite -partner p-berlin [-role driver -driver d-1] [-days 7]; kreislauf invite -role back_office")
	}
	key, err := inviteKey(*data)
	if err != nil {
		return err
	}
	code, err := identity.SealInvite(key, identity.Invite{
		Role: authz.Role(*role), PartnerID: *partner, DriverID: *driver, SiteID: *site, Until: time.Now().AddDate(0, 0, *days).UTC(),
	})
	if err != nil {
		return err
	}
	if *partner != "" && !*unlisted {
		if err := checkListed(*data, *partner); err != nil {
			return err
		}
	}
	fmt.Println(code)
	return nil
}

// inviteKey is the key with which the platform signs, of the environment or the data folder.
func inviteKey(data string) ([]byte, error) {
	keyHex := os.Getenv("KREISLAUF_INVITE_KEY")
	if keyHex == "" {
		var err error
		if keyHex, err = local.Secret(data, "KREISLAUF_INVITE_KEY"); err != nil {
			return nil, fmt.Errorf("no key to sign with: %w; start the platform once, or set KREISLAUF_INVITE_KEY", err)
		}
	}
	key, err := hex.DecodeString(keyHex)
	if err != nil || len(key) != 32 {
		return nil, errors.New("the invite key must be 64 hexadecimal digits")
	}
	return key, nil
}

// checkListed refuses a partner that is not in the file of master data, which the platform imports. What the back office has made is in no
// file; this command sees no database.
func checkListed(data, id string) error {
	path := cmp.Or(os.Getenv(partnersFile), filepath.Join(data, local.MasterFile(partnersFile)))
	list, err := disposer.ReadFile(path)
	if err != nil {
		return fmt.Errorf("look for the partner %s: %w; -unlisted invites without looking", id, err)
	}
	var known []string
	for _, l := range list {
		known = append(known, l.ID)
	}
	if !slices.Contains(known, id) {
		return fmt.Errorf("there is no partner %s in %s; there are %s; -unlisted invites one that the back office has made", id, path, strings.Join(known, ", "))
	}
	return nil
}
