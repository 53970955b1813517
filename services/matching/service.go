package matching

import (
	"context"
	"regexp"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/process"
)

type service struct {
	partners partners
	matches  matches
	meta     func(context.Context) event.Meta
	window   time.Duration // from an offer to its end
	// traceURL is where people look at a trace, with {trace} in place of its id; empty: nowhere.
	traceURL string
	trail    func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	s := &service{
		partners: partners{process.Collection[Partner](p, "network", "partner")},
		matches:  matches{process.Repository[Match](p, "matches", "match", event.TopicMatching)},
		meta:     p.Meta,
		window:   p.Config.Duration("KREISLAUF_OFFER_TIMEOUT", 30*time.Minute),
		traceURL: p.Config.Match("KREISLAUF_TRACE_URL", "", regexp.MustCompile(`(https?://[^ {}]+\{trace\}[^ {}]*)?`),
			"an address with {trace} in place of the trace id, for example https://kibana.example/app/apm/link-to/trace/{trace}"),
	}
	p.Late(s.matches.ensureIndexes)
	s.trail = p.AuditLog("matches").BySubject
	process.Work(p, "offer time-out", s.matches.Repository, func(m event.Meta, match *Match) error { return match.timeOut(m, s.window) })
	p.Handle("GET", "/api/matching/v1/offers", s.getOffers)
	p.Handle("POST", "/api/matching/v1/offers/{id}/accept", s.postAccept)
	p.Handle("POST", "/api/matching/v1/offers/{id}/decline", s.postDecline)
	p.Handle("GET", "/api/matching/v1/matches/{id}", s.getMatch)
	p.Handle("POST", "/api/matching/v1/matches/{id}/reassign", s.postReassign)
	p.Handle("GET", "/api/matching/v1/matches/{id}/choices", s.getChoices)
	p.Handle("GET", "/api/matching/v1/worklists", s.getWorklists)
	p.Handle("GET", "/api/matching/v1/audit", s.getAudit)
	p.Consume(s.consume)
	return nil
}
