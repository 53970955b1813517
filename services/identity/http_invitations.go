package identity

import (
	"net/http"
	"regexp"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// driverInviteDays is how long a dispatcher's invitation holds.
const driverInviteDays = 7

var driverPattern = regexp.MustCompile(`^d-[a-z0-9]+(-[a-z0-9]+)*$`) // as in services/disposer

// postDriverInvitation gives a dispatcher an invitation for a driver of its own partner. Nothing is stored: the invitation says by its signature what it
// grants, so a repeated request is harmless. Nobody knows here whether the partner has such a driver; an account of one that it does not have
// is given no jobs.
func (s *service) postDriverInvitation(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var in struct {
		DriverID string `json:"driver_id"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if len(in.DriverID) > 40 || !driverPattern.MatchString(in.DriverID) {
		return problem.InvalidField("/driver_id", "must be the id of one of your drivers, for example d-1")
	}
	until := s.meta(r.Context()).At.AddDate(0, 0, driverInviteDays).Truncate(time.Second)
	code, err := SealInvite(s.inviteKey, Invite{Role: authz.Driver, PartnerID: caller.PartnerID, DriverID: in.DriverID, Until: until})
	if err != nil {
		return err
	}
	httpserver.Action(r.Context(), "identity.driver-invited")
	w.Header().Set("Cache-Control", "no-store")
	return httpserver.JSON(w, http.StatusCreated, struct {
		Invite string    `json:"invite"`
		Until  time.Time `json:"until"`
	}{code, until})
}
