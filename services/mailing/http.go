package mailing

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/audit"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/internal/telemetry"
)

// mailView is what became of a mail. It shows no address and no content: what it tells of is the event.
type mailView struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"` // of the event: "order.placed"
	State    State     `json:"state"`
	At       time.Time `json:"at"` // of the event
	Attempts int       `json:"attempts"`
	SentAt   time.Time `json:"sent_at,omitzero"`
	Reason   string    `json:"reason,omitempty"` // of the last attempt that failed
}

func viewOf(m Mail) mailView {
	return mailView{m.ID, m.Event.Type, m.State, m.Event.Time, m.Attempts, m.SentAt, m.Reason}
}

// maxMails is how many mails one answer lists.
const maxMails = 100

var orderIDPattern = regexp.MustCompile(`^o-[a-z2-7]{16}$`)

func (s *service) getMails(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	orderID := r.URL.Query().Get("order_id")
	if !orderIDPattern.MatchString(orderID) {
		return problem.InvalidField("?order_id", "the id of an order is needed, for example o-mfzwizltoqxgk3tp")
	}
	list, err := s.mails.ofOrder(r.Context(), orderID, maxMails)
	if err != nil {
		return err
	}
	views := make([]mailView, len(list))
	for i, m := range list {
		views[i] = viewOf(m)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"mails": views})
}

// postRetry has a mail that failed tried anew. To an address that does not exist nothing is sent: the mail becomes suppressed.
func (s *service) postRetry(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	var body struct {
		Reason string `json:"reason"`
	}
	if err := httpserver.Decode(r, &body); err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry, err := audit.Entry{
		At: meta.At, Actor: audit.Actor{UserID: caller.UserID, Role: caller.Caller().Role, Tenant: meta.Customer}, Operation: "mailing.retry",
		Subject: "mail/" + id, Reason: body.Reason, TraceID: telemetry.Parse(meta.Traceparent).TraceID().String(),
	}.Complete()
	if err != nil {
		return err
	}
	m, changed, err := s.mails.Change(ctx, id, func(m *Mail) error { return m.again(entry) })
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "order.id", m.OrderID)
	if changed {
		httpserver.Action(ctx, "mailing.retried")
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(m))
}

// getWorklists lists the mails that did not reach anybody.
func (s *service) getWorklists(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return httpserver.Worklists(w, r, httpserver.Worklist{Name: "failed-mails", Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
		list, err := s.mails.inState(ctx, Failed, limit)
		work := make([]httpserver.Work, len(list))
		for i, m := range list {
			work[i] = httpserver.Work{ID: m.ID, OrderID: m.OrderID, About: m.Event.Type + ": " + m.Reason, Since: m.TriedAt.UTC()}
		}
		return work, err
	}})
}
