package customer

import (
	"net/http"
	"strconv"

	"github.com/gorilla/mux"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// standingView is a standing order as its customer sees it.
type standingView struct {
	ID      string `json:"standing_id"`
	Version int64  `json:"version"`
	Plan
	Next        string       `json:"next,omitempty"`
	Occurrences []Occurrence `json:"occurrences"`
}

func standingOf(s Standing) standingView {
	return standingView{s.ID, s.Version, s.Plan, s.Next, append([]Occurrence{}, s.Occurrences...)}
}

func answerStanding(w http.ResponseWriter, status int, s Standing) error {
	w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(s.Version, 10)))
	return httpserver.JSON(w, status, standingOf(s))
}

// plan reads the body, and the site that it names. A site that is no longer used is refused, unless the standing order ends or rests.
func (s *service) plan(r *http.Request, caller session.Session) (Plan, Site, error) {
	var p Plan
	if err := httpserver.Decode(r, &p); err != nil {
		return p, Site{}, err
	}
	if err := p.check(s.meta(r.Context()).At.In(s.zone)); err != nil {
		return p, Site{}, err
	}
	site, err := s.sites.Get(r.Context(), p.SiteID)
	if err == nil && !caller.Covers(site.object()) {
		err = noSite(p.SiteID)
	}
	if problem.KindOf(err) == problem.NotFound || err == nil && p.State == running && !site.Active {
		return p, Site{}, problem.InvalidField("/site_id", "this is none of your active sites; choose another one, or make the site active again")
	}
	return p, site, err
}

func (s *service) postStanding(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	p, site, err := s.plan(r, caller)
	if err != nil {
		return err
	}
	o, err := newStanding(caller.Caller(), caller.Name, key, p, &site, s.meta(ctx), s.zone)
	if err != nil {
		return err
	}
	list, err := s.standing.of(ctx, caller.Caller(), maxListedStanding)
	if err != nil {
		return err
	}
	open := 0
	for _, other := range list {
		if other.State != ended && other.ID != o.ID {
			open++
		}
	}
	if open >= maxStanding {
		return problem.New(problem.Conflict, "You have %d standing orders; end one before you make another.", open)
	}
	stored, replayed, err := s.standing.Add(ctx, o)
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "standing.id", stored.ID)
	w.Header().Set("Location", "/api/customer/v1/standing-orders/"+stored.ID)
	if replayed {
		if stored.RequestHash != o.RequestHash {
			return reused("standing order")
		}
		httpserver.Replayed(w)
		return answerStanding(w, http.StatusCreated, o)
	}
	httpserver.Action(ctx, "customer.standing-made")
	return answerStanding(w, http.StatusCreated, stored)
}

// maxListedStanding is how many standing orders a list holds at most, those that have ended included.
const maxListedStanding = 300

func (s *service) getStanding(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.standing.of(r.Context(), caller.Caller(), maxListedStanding)
	if err != nil {
		return err
	}
	views := make([]standingView, len(list))
	for i, o := range list {
		views[i] = standingOf(o)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"standing_orders": views})
}

func (s *service) putStanding(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	version, err := seen(r)
	if err != nil {
		return err
	}
	p, site, err := s.plan(r, caller)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	o, changed, err := s.standing.Change(ctx, id, func(o *Standing) error {
		if !caller.Covers(o.object()) {
			return problem.New(problem.NotFound, "There is no standing order %s.", id)
		}
		return o.change(p, &site, version, meta, s.zone)
	})
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "standing.id", id)
	if changed {
		httpserver.Action(ctx, "customer.standing-changed")
	}
	return answerStanding(w, http.StatusOK, o)
}
