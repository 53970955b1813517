package matching

import (
	"net/http"
	"time"

	"github.com/gorilla/mux"

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
	list, err := s.matches.offers(r.Context(), caller.PartnerID, 100)
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
	meta := s.meta(ctx)
	m, changed, err := s.matches.Change(ctx, id, func(m *Match) error { return m.accept(caller.PartnerID, meta) })
	if problem.KindOf(err) == problem.NotFound {
		return noOffer(id)
	}
	httpserver.Annotate(ctx, "order.id", id)
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "matching.accepted")
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(m))
}
