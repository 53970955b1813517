package payment

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
	"kreislauf/internal/session"
	"kreislauf/services/payment/paper"
)

// numberPattern finds a document's number, or its beginning from the year on, however it is written: "r 2026 17" is none.
var numberPattern = regexp.MustCompile(`(?i)^([RGK])[-./ ]*([0-9]{4})(?:[-./ ]*([0-9]{1,9}))?$`)

var listPattern = regexp.MustCompile(`^[a-z-]{1,40}$`)

// numberOf is the beginning of a number as it is stored, "" for what is none.
func numberOf(typed string) string {
	m := numberPattern.FindStringSubmatch(typed)
	if m == nil {
		return ""
	}
	return strings.ToUpper(m[1]) + "-" + m[2] + "-" + m[3]
}

// foundView is a document in the list of a search.
type foundView struct {
	summary
	PartnerID string      `json:"partner_id,omitempty"` // of a credit note
	To        string      `json:"to"`                   // name of the buyer, or of a credit note's partner
	Paid      money.Cents `json:"paid_cents"`
}

func foundOf(d Document) foundView {
	v := foundView{summary: summaryOf(d), PartnerID: d.PartnerID, To: d.Paper.Buyer.Name}
	if d.Kind == CreditNote {
		v.To = d.Paper.Seller.Name
	}
	for _, p := range d.Payments {
		v.Paid += p.Cents
	}
	return v
}

// getSearch finds invoices, credit notes and corrections by the beginning of their number, or by their order's id. It shows whose they are,
// so it is written down who searched.
func (s *service) getSearch(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	typed, err := httpserver.Searched(r)
	if err != nil {
		return err
	}
	var list []Document
	if number := numberOf(typed); number != "" {
		list, err = s.documents.beginning(ctx, number, httpserver.MaxFound)
	} else if orderIDPattern.MatchString(typed) {
		list, err = s.documents.numberedOfOrder(ctx, typed, httpserver.MaxFound)
	}
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	if err := s.look(ctx, audit.Searched(actor(meta, caller), "payment.search", typed, len(list), meta.At, traceID(meta.Traceparent))); err != nil {
		return err
	}
	views := make([]foundView, len(list))
	for i, d := range list {
		views[i] = foundOf(d)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"documents": views})
}

// sinceDay is the end of a local day.
func (s *service) sinceDay(day string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, day, s.zone)
	if err != nil { // no date that Paper.Check lets pass
		return time.Time{}
	}
	return t.AddDate(0, 0, 1).UTC()
}

// party names the other side.
func party(p paper.Party) string { return p.Name + ", " + p.Postcode + " " + p.City }

// getWorklists lists what somebody has to look after. The work of a list shows names, so it is written down who reads it.
func (s *service) getWorklists(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	if name := r.URL.Query().Get("list"); listPattern.MatchString(name) {
		meta := s.meta(r.Context())
		entry := audit.Look(actor(meta, caller), "payment.look", "worklist/"+name, "opened a list of work", meta.At, traceID(meta.Traceparent))
		if err := s.look(r.Context(), entry); err != nil {
			return err
		}
	}
	today := s.today().Format(time.DateOnly)
	return httpserver.Worklists(w, r,
		httpserver.Worklist{Name: "objections", Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
			list, err := s.documents.objected(ctx, limit)
			return s.workOn(list, func(d Document) time.Time { return d.Objection.At }), err
		}},
		httpserver.Worklist{Name: "unassigned-receipts", Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
			list, err := s.lines.newest(ctx, true, limit)
			work := make([]httpserver.Work, len(list))
			for i, l := range list {
				work[i] = httpserver.Work{ID: l.ID, About: l.Remitter + ": " + l.Reference, Cents: int64(l.Cents), Since: l.At.UTC()}
			}
			return work, err
		}},
		httpserver.Worklist{Name: "overdue-invoices", Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
			list, err := s.documents.overdue(ctx, today, limit)
			return s.workOn(list, func(d Document) time.Time { return s.sinceDay(d.Paper.DueOn) }), err
		}},
	)
}

func (s *service) workOn(list []Document, since func(Document) time.Time) []httpserver.Work {
	work := make([]httpserver.Work, len(list))
	for i, d := range list {
		other, cents := d.Paper.Buyer, d.open()
		if d.Kind == CreditNote {
			other, cents = d.Paper.Seller, d.Paper.Total.GrossCents
		}
		work[i] = httpserver.Work{
			ID: d.Number, Number: d.Number, OrderID: d.OrderID, PartnerID: d.PartnerID, About: party(other), Cents: int64(cents), Since: since(d).UTC(),
		}
	}
	return work
}

func (s *service) getAudit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return httpserver.Trail(w, r, s.trail, string(Invoice), string(CreditNote))
}
