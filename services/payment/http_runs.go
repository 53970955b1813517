package payment

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/input"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/payment/bank"
)

// maxStatement is the largest file of statements, in bytes.
const maxStatement = 4 << 20

// runView is a run.
type runView struct {
	ID      string      `json:"id"`
	Kind    RunKind     `json:"kind"`
	On      string      `json:"on"`
	At      time.Time   `json:"at"`
	Sum     money.Cents `json:"sum_cents"`
	Items   []Item      `json:"items"`
	Skipped []Skip      `json:"skipped"`
}

func runViewOf(r Run) runView {
	v := runView{r.ID, r.Kind, r.On, r.At, 0, append([]Item{}, r.Items...), append([]Skip{}, r.Skipped...)}
	for _, i := range r.Items {
		v.Sum += i.Cents
	}
	return v
}

// hashID makes an id of 16 letters and digits that follows from a text.
func hashID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// postRun begins a run; the Idempotency-Key makes it the same one when it is asked for again.
func (s *service) postRun(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var body struct {
		Kind RunKind `json:"kind"`
		On   string  `json:"on"`
	}
	if err := httpserver.Decode(r, &body); err != nil {
		return err
	}
	if body.Kind != Payout && body.Kind != Collection {
		return problem.InvalidField("/kind", "payout or collection is possible")
	}
	if err := checkOn(body.On, s.today()); err != nil {
		return err
	}
	if body.Kind == Collection && s.company.CreditorID == "" {
		return problem.New(problem.Conflict, "No debits can be made, because the company file has no creditor_id.")
	}
	candidates, err := s.documents.payable(ctx, body.Kind, body.On, maxRun)
	if err != nil {
		return err
	}
	meta, now := s.meta(ctx), time.Now()
	run := Run{Root: aggregate.New("run-" + hashID(caller.UserID+"\n"+key)), Kind: body.Kind, On: body.On, At: meta.At, OpenSince: &now}
	for _, d := range candidates {
		run.Candidates = append(run.Candidates, d.ID)
	}
	entry := audit.Entry{
		At: meta.At, Actor: actor(meta, caller), Operation: "payment.run", Subject: "run/" + run.ID, Reason: fmt.Sprintf("%s on %s", body.Kind, body.On),
		TraceID: traceID(meta.Traceparent),
	}
	if err := run.Trail.Add(entry); err != nil {
		return err
	}
	stored, replayed, err := s.runs.Add(ctx, run)
	if err != nil {
		return err
	}
	if replayed && (stored.Kind != body.Kind || stored.On != body.On) {
		return problem.New(problem.Invalid, "The Idempotency-Key was used for another run; make a new one.")
	}
	if stored, err = s.collect(ctx, stored); err != nil {
		return err
	}
	if replayed {
		httpserver.Replayed(w)
	} else {
		httpserver.Action(ctx, "payment.run")
	}
	w.Header().Set("Location", "/api/payment/v1/runs/"+stored.ID)
	return httpserver.JSON(w, http.StatusCreated, runViewOf(stored))
}

func (s *service) getRuns(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	list, err := s.runs.newest(r.Context(), listLimit)
	if err != nil {
		return err
	}
	views := make([]runView, len(list))
	for i, run := range list {
		views[i] = runViewOf(run)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"runs": views})
}

// getRunFile answers the file for the bank, which is the same each time.
func (s *service) getRunFile(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	run, err := s.runs.Get(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	if run.OpenSince != nil || len(run.Items) == 0 {
		return problem.New(problem.Conflict, "The run %s has nothing for the bank.", run.ID)
	}
	content, err := run.file(s.company, s.zone)
	if err != nil {
		return err
	}
	send(w, run.ID+".xml", "application/xml", content)
	return nil
}

// imported is what became of a file of statements.
type imported struct {
	Statements int `json:"statements"`
	Entries    int `json:"entries"`
	New        int `json:"new"`      // which were not there yet
	Assigned   int `json:"assigned"` // of all entries
	Unassigned int `json:"unassigned"`
}

// postStatements takes a file of account statements (camt.053). Its entries have ids that follow from it, so it may come again, and another one
// that holds some of them too.
func (s *service) postStatements(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	file, err := io.ReadAll(r.Body)
	if err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			return problem.Wrap(problem.TooLarge, err, "The file is larger than %d bytes; send less.", maxStatement)
		}
		return problem.Wrap(problem.Malformed, err, "The file ended too early; send it again.")
	}
	list, err := bank.ReadStatements(file)
	if err != nil {
		return problem.Wrap(problem.Invalid, err, "The file is no account statement that can be read: %v.", err)
	}
	meta := s.meta(ctx)
	var result imported
	for _, st := range list {
		if st.IBAN != s.company.IBAN {
			return problem.New(problem.Invalid, "The statement %.35q is of another account than ours; send those of %s.", st.ID, masked(s.company.IBAN))
		}
		for _, e := range st.Entries {
			if e.BookedOn > s.today().Format(time.DateOnly) {
				return problem.New(problem.Invalid, "The statement %.35q has an entry of %s, which is in the future.", st.ID, e.BookedOn)
			}
		}
	}
	for _, st := range list {
		result.Statements++
		doc := Imported{Root: aggregate.New("st-" + hashID(st.IBAN+"\n"+st.ID)), Statement: st.ID, Entries: len(st.Entries), At: meta.At}
		err := doc.Trail.Add(audit.Entry{
			At: meta.At, Actor: actor(meta, caller), Operation: "payment.import", Subject: "statement/" + doc.ID, Reason: "account statement",
			TraceID: traceID(meta.Traceparent),
		})
		if err != nil {
			return err
		}
		if _, err := s.imports.Insert(ctx, doc); err != nil {
			return err
		}
		for _, e := range st.Entries {
			result.Entries++
			l, fresh, err := s.receive(ctx, e, meta)
			if err != nil {
				return err
			}
			if fresh {
				result.New++
			}
			if l.assigned() {
				result.Assigned++
			} else {
				result.Unassigned++
			}
		}
	}
	httpserver.Action(ctx, "payment.imported")
	return httpserver.JSON(w, http.StatusOK, result)
}

// mandateView is a mandate; the account is masked, because who has stolen a session shall not learn it.
type mandateView struct {
	Holder    string `json:"holder"`
	IBAN      string `json:"iban"`
	Reference string `json:"reference"`
	SignedOn  string `json:"signed_on"`
}

// payer is whose mandate the caller gives: its company's, or its own.
func payer(caller session.Session) string {
	if caller.CompanyID != "" {
		return caller.CompanyID
	}
	return caller.UserID
}

func (s *service) getMandate(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	m, err := s.mandates.Get(r.Context(), payer(caller))
	if err != nil && problem.KindOf(err) != problem.NotFound {
		return err
	}
	answer := map[string]any{} // without a mandate invoices are paid by transfer
	if m.IBAN != "" {
		answer["mandate"] = mandateView{m.Holder, masked(m.IBAN), m.Reference, m.SignedOn}
	}
	return httpserver.JSON(w, http.StatusOK, answer)
}

// putMandate gives a mandate in place of the one there is; the same account again changes nothing.
func (s *service) putMandate(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var body struct {
		Holder   string `json:"holder"`
		IBAN     string `json:"iban"`
		Accepted bool   `json:"accepted"` // the text of the mandate
	}
	if err := httpserver.Decode(r, &body); err != nil {
		return err
	}
	var fields []problem.Field
	fault := ""
	if body.Holder, fault = input.Line(body.Holder, 2, 70); fault != "" {
		fields = append(fields, problem.Field{Pointer: "/holder", Detail: fault})
	}
	if body.IBAN, fault = input.IBAN(body.IBAN); fault != "" {
		fields = append(fields, problem.Field{Pointer: "/iban", Detail: fault})
	}
	if !body.Accepted {
		fields = append(fields, problem.Field{Pointer: "/accepted", Detail: "without it there is no mandate"})
	}
	if fields != nil {
		return &problem.Error{Kind: problem.Invalid, Detail: "The mandate is not right; see errors.", Fields: fields}
	}
	m, err := s.changeMandate(r.Context(), caller, body.Holder, body.IBAN)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, mandateView{m.Holder, masked(m.IBAN), m.Reference, m.SignedOn})
}

// deleteMandate revokes the mandate. What went to the bank already is still collected.
func (s *service) deleteMandate(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	if _, err := s.changeMandate(r.Context(), caller, "", ""); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *service) changeMandate(ctx context.Context, caller session.Session, holder, iban string) (Mandate, error) {
	id, meta := payer(caller), s.meta(ctx)
	if _, _, err := s.mandates.Add(ctx, Mandate{Root: aggregate.New(id)}); err != nil {
		return Mandate{}, err
	}
	today := s.today().Format(time.DateOnly)
	m, changed, err := s.mandates.Change(ctx, id, func(m *Mandate) error {
		reference := ""
		if iban != "" {
			reference = strings.ToUpper(fmt.Sprintf("M-%s", hashID(fmt.Sprint(id, m.Version))))
		}
		return m.sign(holder, iban, reference, today, audit.Entry{
			At: meta.At, Actor: actor(meta, caller), Operation: "payment.mandate", Subject: "mandate/" + id, TraceID: traceID(meta.Traceparent),
		})
	})
	if changed {
		httpserver.Action(ctx, "payment.mandate")
	}
	return m, err
}
