package matching

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/network"
	"kreislauf/internal/session"
)

// choice is a partner to which an order could be offered by hand, and what that would cost.
type choice struct {
	PartnerID  string        `json:"partner_id"`
	Name       string        `json:"name"`
	Possible   bool          `json:"possible"`
	Why        string        `json:"why"` // behind its name: "is too far away"
	Asked      Outcome       `json:"asked,omitempty"`
	DistanceKm int           `json:"distance_km"`
	AutoAccept bool          `json:"auto_accept"`
	Pay        event.Pay     `json:"pay"`
	Score      network.Score `json:"score"`
}

// maxChoices is how many partners are shown.
const maxChoices = 200

// getChoices is what to know before an order is offered by hand: what each partner would be paid today, and why it may not be possible.
func (s *service) getChoices(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	m, err := s.matches.Get(ctx, id)
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "order.id", id)
	partners, err := s.partners.all(ctx)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"choices": m.choices(partners)})
}

// choices lists partners for an order: those that can take it first, then by score.
func (m *Match) choices(partners []Partner) []choice {
	list := make([]choice, 0, len(partners))
	for _, p := range partners {
		c := p.Weigh(m.Job)
		one := choice{
			PartnerID: p.ID, Name: p.Name, Possible: c.Verdict >= network.TooFar && m.PartnerID != p.ID, Why: c.Verdict.OfOne(),
			DistanceKm: c.DistanceKm, AutoAccept: p.AutoAccept, Pay: c.Pay, Score: c.Score,
		}
		if a := m.asked(p.ID); a != nil {
			one.Asked = a.Outcome
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b choice) int {
		if a.Possible != b.Possible {
			if a.Possible {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Score.TotalCents, b.Score.TotalCents), cmp.Compare(a.PartnerID, b.PartnerID))
	})
	return list[:min(len(list), maxChoices)]
}

// endingSoon is how long before its end an open offer becomes work: somebody may still call the partner.
const endingSoon = 10 * time.Minute

func (s *service) getWorklists(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	before := s.meta(r.Context()).At.Add(endingSoon)
	return httpserver.Worklists(w, r, httpserver.Worklist{Name: "offers-ending", Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
		list, err := s.matches.ending(ctx, before, limit)
		work := make([]httpserver.Work, len(list))
		for i, m := range list {
			work[i] = httpserver.Work{
				ID: m.ID, OrderID: m.ID, PartnerID: m.PartnerID, About: fmt.Sprintf("%s, %s, %d m³, %s", m.Postcode, m.Waste, m.SizeM3, m.Date), Since: m.DueAt.UTC(),
			}
		}
		return work, err
	}})
}

func (s *service) getAudit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return httpserver.Trail(w, r, s.trail, "order")
}
