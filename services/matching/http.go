package matching

import (
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// offerView is an offer as its partner sees it: without the customer's name and address, which the order's jobs show after accepting.
type offerView struct {
	OfferID    string    `json:"offer_id"`
	OrderID    string    `json:"order_id"`
	State      Outcome   `json:"state"`
	Postcode   string    `json:"postcode"`
	Waste      string    `json:"waste_code"`
	SizeM3     int       `json:"size_m3"`
	Date       string    `json:"date"`
	DistanceKm int       `json:"distance_km"`
	Pay        event.Pay `json:"pay"`
	OfferedAt  time.Time `json:"offered_at"`
	EndsAt     time.Time `json:"ends_at"`
	Window     string    `json:"window,omitempty"` // of the day, as the customer wishes
}

func offerOf(m Match, c *Candidate) offerView {
	return offerView{m.ID, m.ID, c.Outcome, m.Postcode, m.Waste, m.SizeM3, m.Date, c.DistanceKm, c.Pay, c.OfferedAt, c.EndsAt, m.Window}
}

func (s *service) getOffers(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.matches.offers(r.Context(), caller.PartnerID, 100)
	if err != nil {
		return err
	}
	views := []offerView{}
	for _, m := range list {
		if c := m.openOffer(); c != nil {
			views = append(views, offerOf(m, c))
		}
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"offers": views})
}

// postAccept is idempotent by itself: accepting what one has accepted answers the same again.
func (s *service) postAccept(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	meta := s.meta(r.Context())
	return s.answer(w, r, caller, "matching.accepted", func(m *Match) error { return m.accept(caller.PartnerID, meta) })
}

// postDecline is idempotent by itself, too; the first reason stays.
func (s *service) postDecline(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var body Refusal
	if err := httpserver.Decode(r, &body); err != nil {
		return err
	}
	refusal, err := body.normal()
	if err != nil {
		return err
	}
	meta := s.meta(r.Context())
	return s.answer(w, r, caller, "matching.declined", func(m *Match) error { return m.decline(caller.PartnerID, refusal, meta, s.window) })
}

// answer changes a match as a partner answers its offer, and shows the offer as it is then.
func (s *service) answer(w http.ResponseWriter, r *http.Request, caller session.Session, action string, decide func(*Match) error) error {
	ctx := r.Context()
	id := mux.Vars(r)["id"]
	m, changed, err := s.matches.Change(ctx, id, decide)
	if problem.KindOf(err) == problem.NotFound {
		return noOffer(id)
	}
	httpserver.Annotate(ctx, "order.id", id)
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, action)
	}
	return httpserver.JSON(w, http.StatusOK, offerOf(m, m.asked(caller.PartnerID)))
}
