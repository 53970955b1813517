package payment

import (
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// getLedger answers the balance of each account. The sum of a running system may be asked at any time: it is zero.
func (s *service) getLedger(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	sum, err := balances(r.Context(), s.documents.Sums, s.lines.Sums)
	if err != nil {
		return err
	}
	type balance struct {
		Account Account     `json:"account"`
		Cents   money.Cents `json:"balance_cents"`
	}
	var list []balance
	var all money.Cents
	for _, a := range Accounts() {
		list = append(list, balance{a, sum[a]})
		all += sum[a]
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"accounts": list, "sum_cents": all})
}

// lineView is a statement line.
type lineView struct {
	ID        string      `json:"id"`
	BookedOn  string      `json:"booked_on"`
	Cents     money.Cents `json:"amount_cents"`
	Remitter  string      `json:"remitter"`
	Reference string      `json:"reference"`
	State     string      `json:"state"`
	Invoice   string      `json:"invoice,omitempty"`
	Payout    string      `json:"payout,omitempty"`
}

func lineViewOf(l StatementLine) lineView {
	state, payout := "unassigned", ""
	if l.assigned() {
		state = "assigned"
	}
	if l.Payout {
		payout = l.EndToEnd
	}
	return lineView{l.ID, l.BookedOn, l.Cents, l.Remitter, l.Reference, state, l.Invoice, payout}
}

// postStatementLine takes money that came in. The line's id makes it idempotent.
func (s *service) postStatementLine(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	var req lineRequest
	if err := httpserver.Decode(r, &req); err != nil {
		return err
	}
	if err := req.check(s.today().Format(time.DateOnly)); err != nil {
		return err
	}
	l, err := newLine(req, s.meta(ctx))
	if err != nil {
		return err
	}
	invoice, err := s.payable(ctx, req.Reference)
	if err != nil {
		return err
	}
	if invoice != "" {
		if err := l.assign(invoice, "", time.Now()); err != nil {
			return err
		}
	}
	l, replayed, err := s.lines.Add(ctx, l)
	if err != nil {
		return err
	}
	if replayed && !l.same(req) {
		return problem.InvalidField("/id", "the statement line %s is there already, with other content; each line needs its own id", req.ID)
	}
	if err := s.settle(ctx, l); err != nil {
		return err
	}
	if replayed {
		httpserver.Replayed(w)
	} else {
		httpserver.Action(ctx, "payment.received")
	}
	return httpserver.JSON(w, http.StatusCreated, lineViewOf(l))
}

// getStatementLines answers the newest lines, or with state=unassigned the work list.
func (s *service) getStatementLines(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	state := r.URL.Query().Get("state")
	if state != "" && state != "unassigned" {
		return problem.InvalidField("?state", "%.40q is not allowed; use unassigned, or leave it out", state)
	}
	list, err := s.lines.newest(r.Context(), state != "", listLimit)
	if err != nil {
		return err
	}
	views := make([]lineView, len(list))
	for i, l := range list {
		views[i] = lineViewOf(l)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"statement_lines": views})
}

// postAssign says by hand which invoice a line pays; to the same invoice again answers the same.
func (s *service) postAssign(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	var body struct {
		Invoice string `json:"invoice"`
	}
	if err := httpserver.Decode(r, &body); err != nil {
		return err
	}
	id := mux.Vars(r)["id"]
	if _, err := s.lines.Get(ctx, id); err != nil {
		return err
	}
	d, found, err := s.documents.numbered(ctx, body.Invoice)
	if err != nil {
		return err
	}
	if !found || d.Kind != Invoice {
		return problem.InvalidField("/invoice", "there is no invoice %.40q; give a number such as R-2026-000001", body.Invoice)
	}
	now := time.Now()
	l, changed, err := s.lines.Change(ctx, id, func(l *StatementLine) error { return l.assign(body.Invoice, caller.UserID, now) })
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "order.id", d.OrderID)
	if err := s.settle(ctx, l); err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "payment.assigned")
	}
	return httpserver.JSON(w, http.StatusOK, lineViewOf(l))
}
