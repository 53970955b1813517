package payment

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/payment/paper"
)

// listLimit is how many of a list are answered at most.
const listLimit = 100

var orderIDPattern = regexp.MustCompile(`^o-[a-z2-7]{16}$`)

// summary is a document in a list.
type summary struct {
	Number   string      `json:"number"`
	Kind     Kind        `json:"kind"`
	State    State       `json:"state"`
	OrderID  string      `json:"order_id"`
	IssuedOn string      `json:"issued_on"`
	DueOn    string      `json:"due_on"`
	Total    money.Price `json:"total"`
	Open     money.Cents `json:"open_cents"` // what the customer still has to pay
}

func summaryOf(d Document) summary {
	return summary{d.Number, d.Kind, d.State, d.OrderID, d.Paper.IssuedOn, d.Paper.DueOn, d.Paper.Total, d.open()}
}

// view is a document with all that it says.
type view struct {
	Number string      `json:"number"`
	Kind   Kind        `json:"kind"`
	State  State       `json:"state"`
	Open   money.Cents `json:"open_cents"`
	paper.Paper
	Payments   []Payment  `json:"payments,omitempty"`
	Reminders  []Reminder `json:"reminders,omitempty"`
	Correction string     `json:"correction,omitempty"`
	Objection  *Note      `json:"objection,omitempty"`
	ReplacedBy string     `json:"replaced_by,omitempty"`
	Hold       *Note      `json:"hold,omitempty"`

	Carried money.Cents `json:"carried_cents,omitempty"`
}

func viewOf(d Document) view {
	return view{d.Number, d.Kind, d.State, d.open(), d.Paper, d.Payments, d.Reminders, d.Correction, d.Objection, d.ReplacedBy, d.Hold, max(0, min(d.Carried, d.Paper.Total.GrossCents))}
}

func (s *service) getInvoices(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.list(w, r, caller, Invoice, "invoices", Issued, Paid, Cancelled)
}

func (s *service) getCreditNotes(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.list(w, r, caller, CreditNote, "credit_notes", Issued, Paid, Cancelled, Objected)
}

// list answers the newest documents of a kind that the caller may see.
func (s *service) list(w http.ResponseWriter, r *http.Request, caller session.Session, k Kind, member string, states ...State) error {
	params := r.URL.Query()
	q := query{kind: k, orderID: params.Get("order_id"), state: State(params.Get("state"))}
	if q.orderID != "" && !orderIDPattern.MatchString(q.orderID) {
		return problem.InvalidField("?order_id", "%.40q is no order id; leave it out for all orders", q.orderID)
	}
	if q.state != "" && !slices.Contains(states, q.state) {
		return problem.InvalidField("?state", "%.40q is not allowed; use one of %s, or leave it out", q.state, join(states))
	}
	switch caller.Scope {
	case authz.Own:
		q.userID, q.companyID = caller.UserID, caller.CompanyID
	case authz.Partner:
		q.partnerID = caller.PartnerID
	case authz.Tenant: // all of them
	default:
		return problem.New(problem.Forbidden, "This is not for the role %s.", caller.Role)
	}
	list, err := s.documents.newest(r.Context(), q, listLimit)
	if err != nil {
		return err
	}
	views := make([]summary, len(list))
	for i, d := range list {
		views[i] = summaryOf(d)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{member: views})
}

func join(states []State) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

func (s *service) getInvoice(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	d, err := s.named(r, caller, "invoice", Invoice, Correction)
	if err != nil {
		return err
	}
	if caller.Scope != authz.Tenant {
		d.Hold = nil // its reason is for the back office alone
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(d))
}

func (s *service) getCreditNote(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	d, err := s.named(r, caller, "credit note", CreditNote, CreditCorrection)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(d))
}

// named finds the document of the path. One that is somebody else's does not exist for the caller.
func (s *service) named(r *http.Request, caller session.Session, noun string, kinds ...Kind) (Document, error) {
	number := mux.Vars(r)["number"]
	d, found, err := s.documents.numbered(r.Context(), number)
	if err != nil {
		return d, err
	}
	if !found || !slices.Contains(kinds, d.Kind) || !caller.Covers(authz.Object{UserID: d.UserID, CompanyID: d.CompanyID, PartnerID: d.PartnerID}) {
		return d, problem.New(problem.NotFound, "There is no %s %.40s.", noun, number)
	}
	httpserver.Annotate(r.Context(), "order.id", d.OrderID)
	return d, nil
}

// reasoned is the body of what needs a reason.
type reasoned struct {
	Reason string `json:"reason"`
}

// entry is the audit entry of a change by the caller.
func (s *service) entry(meta event.Meta, caller session.Session, operation string, d Document, reason string) audit.Entry {
	return audit.Entry{
		At: meta.At, Actor: actor(meta, caller), Operation: operation,
		Subject: string(d.Kind) + "/" + d.Number, Reason: reason, TraceID: traceID(meta.Traceparent),
	}
}

// actor is who changes something.
func actor(meta event.Meta, caller session.Session) audit.Actor {
	c := caller.Caller()
	return audit.Actor{UserID: c.UserID, Role: c.Role, Tenant: meta.Customer, Behalf: c.PartnerID}
}

// traceID is the second part of a traceparent.
func traceID(traceparent string) string {
	if parts := strings.Split(traceparent, "-"); len(parts) > 1 {
		return parts[1]
	}
	return ""
}

// readReason reads the body and checks the reason as an audit entry would, so that a mistake is told even when there is nothing to change.
func readReason(r *http.Request, e func(reason string) audit.Entry) (string, error) {
	var body reasoned
	if err := httpserver.Decode(r, &body); err != nil {
		return "", err
	}
	body.Reason = strings.TrimSpace(body.Reason)
	if body.Reason == "" {
		return "", problem.InvalidField("/reason", "5 to 500 characters are needed that say why; no names or addresses of persons")
	}
	_, err := e(body.Reason).Complete()
	return body.Reason, err
}

// postObjection is idempotent by itself: a credit note is objected to once.
func (s *service) postObjection(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	d, err := s.named(r, caller, "credit note", CreditNote)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry := func(reason string) audit.Entry { return s.entry(meta, caller, "payment.object", d, reason) }
	reason, err := readReason(r, entry)
	if err != nil {
		return err
	}
	d, changed, err := s.documents.Change(ctx, d.ID, func(d *Document) error { return d.object(reason, entry(reason), meta, s.zone) })
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "payment.objected")
	}
	return httpserver.JSON(w, http.StatusOK, viewOf(d))
}
