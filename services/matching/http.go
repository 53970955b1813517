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

type view struct {
	OfferID    string    `json:"offer_id"`
	OrderID    string    `json:"order_id"`
	State      State     `json:"state"`
	Postcode   string    `json:"postcode"`
	Waste      string    `json:"waste_code"`
	SizeM3     int       `json:"size_m3"`
	Date       string    `json:"date"`
	DistanceKm int       `json:"distance_km"`
	OfferedAt  time.Time `json:"offered_at"`
}

func viewOf(m Match) view {
	return view{m.ID, m.ID, m.State, m.Postcode, m.Waste, m.SizeM3, m.Date, m.DistanceKm, m.OfferedAt}
}

func (s *service) getOffers(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.store.offers(r.Context(), caller.PartnerID, 100)
	if err != nil {
		return err
	}
	views := make([]view, len(list))
	for i, m := range list {
		views[i] = viewOf(m)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"offers": views})
}

// postAccept is idempotent by itself: accepting what one has accepted answers the same again.
func (s *service) postAccept(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	id := mux.Vars(r)["id"]
	for {
		m, err := s.store.get(ctx, id, caller.PartnerID)
		if err != nil {
			return err
		}
		httpserver.Annotate(ctx, "order.id", m.ID)
		switch m.State {
		case Accepted:
			return httpserver.JSON(w, http.StatusOK, viewOf(m))
		case Offered:
		default:
			return problem.New(problem.Conflict, "The offer %s is %s and cannot be accepted any more.", id, m.State)
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		e, err := m.accept(event.Meta{Source: "matching", Customer: s.Settings.Customer, At: now})
		if err != nil {
			return err
		}
		won, err := s.store.accept(ctx, m, now, e)
		if err != nil {
			return err
		}
		if won {
			s.relay.Kick(m.ID)
			httpserver.Action(ctx, "matching.accepted")
			m.State = Accepted
			return httpserver.JSON(w, http.StatusOK, viewOf(m))
		}
	}
}
