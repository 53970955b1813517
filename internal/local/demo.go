package local

import (
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"kreislauf/services/disposer"
	"kreislauf/services/identity"
)

// demoTime is how long a link that signs in as a demo person works.
const demoTime = 12 * time.Hour

// demoPartner is for whom the demo people of partners work if it is in the file of master data; it accepts by hand, so there is something to do.
const demoPartner = "p-berlin"

// WriteDemo writes a link for each of the demo people of a platform on one machine; it writes nothing in any other environment.
func WriteDemo(out io.Writer, data, env, entry string) error {
	if env != identity.DemoEnv {
		return nil
	}
	text, err := Secret(data, "KREISLAUF_INVITE_KEY")
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("read the key of invitations: %w", err)
	}
	partners, err := disposer.ReadFile(filepath.Join(data, MasterFile("KREISLAUF_PARTNERS_FILE")))
	if err != nil {
		return err
	}
	partners = slices.DeleteFunc(partners, func(p disposer.Listed) bool { return len(p.Drivers) == 0 })
	partner, driver := "", ""
	if len(partners) > 0 {
		i := max(0, slices.IndexFunc(partners, func(p disposer.Listed) bool { return p.ID == demoPartner }))
		partner, driver = partners[i].ID, partners[i].Drivers[0].ID
	}
	fmt.Fprintf(out, "sign in as one of the demo people, for %d hours (kreislauf demo prints new links):\n", int(demoTime.Hours()))
	for _, who := range identity.DemoPeople() {
		code, err := identity.SealDemo(key, who, partner, driver, time.Now().Add(demoTime))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %-12s %s/demo#%s\n", who.As, entry, code)
	}
	return nil
}
