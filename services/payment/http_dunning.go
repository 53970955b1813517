package payment

import (
	"net/http"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/session"
)

// step answers a change of an invoice that needs a reason and is idempotent by itself.
func (s *service) step(
	w http.ResponseWriter, r *http.Request, caller session.Session, operation string, do func(d *Document, reason string, by audit.Entry, meta event.Meta) error,
) error {
	ctx := r.Context()
	d, err := s.named(r, caller, "invoice", Invoice)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry := func(reason string) audit.Entry { return s.entry(meta, caller, operation, d, reason) }
	reason, err := readReason(r, entry)
	if err != nil {
		return err
	}
	d, changed, err := s.documents.Change(ctx, d.ID, func(d *Document) error { return do(d, reason, entry(reason), meta) })
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, operation)
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(d))
}

func (s *service) postDispute(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.step(w, r, caller, "payment.dispute", func(d *Document, reason string, by audit.Entry, meta event.Meta) error {
		return d.dispute(reason, by, meta)
	})
}

func (s *service) postHold(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.step(w, r, caller, "payment.hold", func(d *Document, reason string, by audit.Entry, _ event.Meta) error { return d.hold(reason, by) })
}

func (s *service) postRelease(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.step(w, r, caller, "payment.release", func(d *Document, _ string, by audit.Entry, _ event.Meta) error { return d.release(by, s.terms) })
}
