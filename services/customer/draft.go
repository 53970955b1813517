package customer

import (
	"regexp"
	"strconv"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Choice is what somebody has chosen so far and has not ordered. Each member may be empty; one that is there is of the right shape. Whether
// it can still be ordered is checked when it is.
type Choice struct {
	Postcode     string        `json:"postcode" bson:"postcode"`
	Waste        string        `json:"waste_code" bson:"waste_code"`
	SizeM3       int           `json:"size_m3" bson:"size_m3"` // 0: not chosen
	Date         string        `json:"date" bson:"date"`
	Address      event.Address `json:"address" bson:"address"`
	SiteID       string        `json:"site_id" bson:"site_id"`
	PublicGround bool          `json:"public_ground" bson:"public_ground"`
}

// Draft is a choice that a customer has kept, and its document.
type Draft struct {
	aggregate.Root `bson:",inline"` // ID is the user's and the draft's
	Name           string           `bson:"name"` // the draft's id, as the page has made it
	UserID         string           `bson:"user_id"`
	Choice         Choice           `bson:"choice"`
	ChangedAt      time.Time        `bson:"changed_at"`
}

// maxDrafts is how many drafts a user may keep.
const maxDrafts = 20

var (
	draftPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
	postcodePattern = regexp.MustCompile(`^[0-9]{5}$`)
	wastePattern    = regexp.MustCompile(`^[0-9]{6}$`)
	sitePattern     = regexp.MustCompile(`^s-[a-z2-7]{16}$`)
)

// normal brings a choice into the form that is stored, reporting all mistakes at once.
func (c Choice) normal() (Choice, error) {
	var f faults
	for _, m := range []struct {
		pointer, value string
		shape          *regexp.Regexp
		want           string
	}{
		{"/postcode", c.Postcode, postcodePattern, "five digits"},
		{"/waste_code", c.Waste, wastePattern, "six digits of the waste catalogue"},
		{"/site_id", c.SiteID, sitePattern, "the id of a site"},
	} {
		if m.value != "" && !m.shape.MatchString(m.value) {
			f.add(m.pointer, "%s are needed, or nothing", m.want)
		}
	}
	if c.SizeM3 < 0 || c.SizeM3 > 40 {
		f.add("/size_m3", "m³ from 1 to 40 are possible, or 0 for none")
	}
	if _, err := time.Parse(catalog.DateFormat, c.Date); c.Date != "" && err != nil {
		f.add("/date", "a date as YYYY-MM-DD is needed, or nothing")
	}
	f.line("/address/name", &c.Address.Name, 0, 100)
	f.line("/address/street", &c.Address.Street, 0, 100)
	f.line("/address/city", &c.Address.City, 0, 100)
	return c, f.problem("choice")
}

// draftID is where a user's draft stands.
func draftID(userID, name string) string { return userID + "/" + name }

// cartDraft names the draft that a cart becomes: the same one, however often it is taken over.
func cartDraft(cart string) string { return idFor("cart", cart, "") }

// checkDraftName refuses what no page makes.
func checkDraftName(name string) error {
	if !draftPattern.MatchString(name) {
		return problem.New(problem.Invalid, "The id of a draft is 8 to 64 characters of A-Z, a-z, 0-9, _ and -; make one at random.")
	}
	return nil
}

func newDraft(userID, name string, c Choice, at time.Time) Draft {
	return Draft{Root: aggregate.New(draftID(userID, name)), Name: name, UserID: userID, Choice: c, ChangedAt: at}
}

// put replaces the choice.
func (d *Draft) put(c Choice, at time.Time) {
	if d.Choice != c {
		d.Choice, d.ChangedAt = c, at
	}
}

// orderedBy says whether an order is what the draft was for.
func (d *Draft) orderedBy(p event.Placed) bool {
	c := d.Choice
	return c.Postcode == p.Postcode && c.Waste == p.Waste && c.SizeM3 == p.SizeM3 && (c.Date == p.Date || c.Date == "")
}

// versionTag is a version as a header shows it.
func versionTag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }
