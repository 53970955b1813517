package matching

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/gorilla/mux"

	"kreislauf/internal/audit"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/internal/telemetry"
)

// matchView is a match as the back office sees it.
type matchView struct {
	OrderID    string      `json:"order_id"`
	State      State       `json:"state"`
	Reason     string      `json:"reason,omitempty"`
	PartnerID  string      `json:"partner_id,omitempty"`
	Postcode   string      `json:"postcode"`
	Waste      string      `json:"waste_code"`
	SizeM3     int         `json:"size_m3"`
	Date       string      `json:"date"`
	Candidates []Candidate `json:"candidates"`
	Version    int64       `json:"version"`             // for If-Match
	TraceID    string      `json:"trace_id,omitempty"`  // of the order, from its first request on
	TraceURL   string      `json:"trace_url,omitempty"` // where people look at it, where that is configured
}

// answerMatch shows a match, with its version as ETag.
func (s *service) answerMatch(w http.ResponseWriter, m Match) error {
	httpserver.ETag(w, m.Version)
	trace, at := "", ""
	if id := telemetry.Parse(m.Traceparent).TraceID(); id.IsValid() {
		trace = id.String()
		at = strings.ReplaceAll(s.traceURL, "{trace}", trace)
	}
	return httpserver.JSON(w, http.StatusOK, matchView{
		m.ID, m.State, m.Reason, m.PartnerID, m.Postcode, m.Waste, m.SizeM3, m.Date, append([]Candidate{}, m.Candidates...), m.Version, trace, at,
	})
}

func (s *service) getMatch(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	id := mux.Vars(r)["id"]
	m, err := s.matches.Get(r.Context(), id)
	if err != nil {
		return err
	}
	httpserver.Annotate(r.Context(), "order.id", id)
	return s.answerMatch(w, m)
}

// Reassignment is the body of POST /api/matching/v1/matches/{id}/reassign.
type Reassignment struct {
	PartnerID string `json:"partner_id"`
	Reason    string `json:"reason"`
}

var partnerPattern = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

func (s *service) postReassign(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	id := mux.Vars(r)["id"]
	var body Reassignment
	if err := httpserver.Decode(r, &body); err != nil {
		return err
	}
	unknown := problem.InvalidField("/partner_id", "there is no such partner; use the id of one that disposer knows")
	if !partnerPattern.MatchString(body.PartnerID) {
		return unknown
	}
	seen, err := httpserver.IfMatch(r)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry, err := audit.Entry{
		At: meta.At, Actor: audit.Actor{UserID: caller.UserID, Role: caller.Caller().Role, Tenant: meta.Customer},
		Operation: "matching.reassign", Subject: "order/" + id, Reason: body.Reason,
		TraceID: telemetry.Parse(meta.Traceparent).TraceID().String(),
	}.Complete()
	if err != nil {
		return err
	}
	partner, err := s.partners.Get(ctx, body.PartnerID)
	if problem.KindOf(err) == problem.NotFound {
		return unknown
	}
	if err != nil {
		return err
	}
	m, changed, err := s.matches.Change(ctx, id, func(m *Match) error {
		if m.PartnerID != partner.ID { // a repeated request has seen an older one
			if err := httpserver.Stale("match", m.ID, seen, m.Version); err != nil {
				return err
			}
		}
		return m.reassign(partner, entry, meta, s.window)
	})
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "order.id", id)
	if changed {
		httpserver.Action(ctx, "matching.reassigned")
	}
	return s.answerMatch(w, m)
}
