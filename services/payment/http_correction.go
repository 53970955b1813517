package payment

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/input"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/payment/paper"
)

// correctionRequest is the body of a correction and its preview.
type correctionRequest struct {
	Reason      string       `json:"reason"`      // of a correction
	Replacement *replacement `json:"replacement"` // nil: the document is cancelled, and nothing comes in its place
}

// replacement says what the new document has right. What is left out stays as it was.
type replacement struct {
	GrossKg *int          `json:"gross_kg"` // with TareKg: the order's other document is replaced too, if it depends on the weight
	TareKg  *int          `json:"tare_kg"`
	Pay     *money.Cents  `json:"pay_net_cents"` // of a credit note: what the partner was promised
	Buyer   *buyerRequest `json:"buyer"`         // of an invoice
}

// buyerRequest is a company that has an account, or anybody by name and address.
type buyerRequest struct {
	CompanyID string `json:"company_id"`
	Name      string `json:"name"`
	Street    string `json:"street"`
	Postcode  string `json:"postcode"`
	City      string `json:"city"`
	Email     string `json:"email"`
	VATID     string `json:"vat_id"`
}

// maxKg is what no truck on German roads may weigh more than, and maxPay more than a partner gets for an order.
const (
	maxKg              = 44_000
	maxPay money.Cents = 20_000_00
)

// check lists what is wrong with a replacement of a document of a kind.
func (r *replacement) check(k Kind) (fields []problem.Field) {
	bad := func(pointer, detail string, args ...any) {
		fields = append(fields, problem.Field{Pointer: "/replacement" + pointer, Detail: fmt.Sprintf(detail, args...)})
	}
	switch {
	case (r.GrossKg == nil) != (r.TareKg == nil):
		bad("/gross_kg", "gross_kg and tare_kg are needed together")
	case r.GrossKg != nil && (*r.TareKg < 1 || *r.GrossKg <= *r.TareKg || *r.GrossKg > maxKg):
		bad("/gross_kg", "up to %d are possible, and more than tare_kg, which is at least 1", maxKg)
	}
	if r.Pay != nil && (k != CreditNote || *r.Pay < 1 || *r.Pay > maxPay) {
		bad("/pay_net_cents", "1 to %d are possible, of a credit note", maxPay)
	}
	if r.Buyer == nil {
		return fields
	}
	if k != Invoice {
		bad("/buyer", "only an invoice has another buyer")
	}
	if r.Buyer.CompanyID != "" {
		if *r.Buyer != (buyerRequest{CompanyID: r.Buyer.CompanyID}) {
			bad("/buyer/company_id", "give the company, or name and address, not both")
		}
		return fields
	}
	line := func(name string, text *string, most int) {
		fault := ""
		if *text, fault = input.Line(*text, 2, most); fault != "" {
			bad("/buyer/"+name, "%s", fault)
		}
	}
	line("name", &r.Buyer.Name, 100)
	line("street", &r.Buyer.Street, 100)
	line("city", &r.Buyer.City, 100)
	if !postcodePattern.MatchString(r.Buyer.Postcode) {
		bad("/buyer/postcode", "five digits are needed")
	}
	if r.Buyer.Email != "" {
		fault := ""
		if r.Buyer.Email, fault = input.Email(r.Buyer.Email); fault != "" {
			bad("/buyer/email", "%s", fault)
		}
	}
	if r.Buyer.VATID != "" && !paper.ValidVATID(r.Buyer.VATID) {
		bad("/buyer/vat_id", "DE and nine digits are needed, of which the last one fits the others")
	}
	return fields
}

// revise corrects the facts of an order.
func (r *replacement) revise(w event.Weighed) event.Weighed {
	if r.GrossKg != nil {
		w.GrossKg, w.TareKg, w.NetKg = *r.GrossKg, *r.TareKg, *r.GrossKg-*r.TareKg
	}
	if r.Pay != nil {
		w.Pay.NetCents = *r.Pay
	}
	if r.Buyer != nil {
		w.CompanyID = r.Buyer.CompanyID
	}
	return w
}

// readCorrection reads the body and checks all of it at once; the reason only where it is needed.
func (s *service) readCorrection(r *http.Request, d Document, entry func(reason string) audit.Entry) (correctionRequest, error) {
	var body correctionRequest
	if err := httpserver.Decode(r, &body); err != nil {
		return body, err
	}
	body.Reason = strings.TrimSpace(body.Reason)
	var fields []problem.Field
	if body.Replacement != nil {
		fields = body.Replacement.check(d.Kind)
	}
	if entry != nil {
		if _, err := entry(body.Reason).Complete(); err != nil || body.Reason == "" {
			fields = append(fields, problem.Field{Pointer: "/reason", Detail: "5 to 500 characters in one line are needed that say why; no names or addresses of persons"})
		}
	}
	if fields != nil {
		return body, &problem.Error{Kind: problem.Invalid, Detail: "The correction is not right; see errors.", Fields: fields}
	}
	return body, nil
}

// wanted gives the documents that a request corrects, the one of the path first, with what comes in their place.
func (s *service) wanted(ctx context.Context, d Document, req correctionRequest) ([]Document, []*Next, error) {
	if req.Replacement == nil {
		return []Document{d}, []*Next{nil}, nil
	}
	var buyer *Buyer
	if b := req.Replacement.Buyer; b != nil && b.CompanyID == "" {
		buyer = &Buyer{Company: b.VATID != "", Party: paper.Party{
			Name: b.Name, Street: b.Street, Postcode: b.Postcode, City: b.City, Country: "DE", Email: b.Email, VATID: b.VATID,
		}}
	}
	docs, next, err := s.revised(ctx, d, req.Replacement.revise, buyer)
	if b := req.Replacement.Buyer; b != nil && problem.KindOf(err) == problem.NotFound {
		return nil, nil, problem.InvalidField("/replacement/buyer/company_id", "there is no company %.60q", b.CompanyID)
	}
	return docs, next, err
}

func (s *service) postInvoicePreview(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.preview(w, r, caller, "invoice", Invoice)
}

func (s *service) postCreditNotePreview(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.preview(w, r, caller, "credit note", CreditNote)
}

// preview says what a correction would do. It changes nothing.
func (s *service) preview(w http.ResponseWriter, r *http.Request, caller session.Session, noun string, k Kind) error {
	d, err := s.named(r, caller, noun, k)
	if err != nil {
		return err
	}
	req, err := s.readCorrection(r, d, nil)
	if err != nil {
		return err
	}
	docs, next, err := s.wanted(r.Context(), d, req)
	if err != nil {
		return err
	}
	p, err := preview(docs, next, Note{At: s.meta(r.Context()).At}, s.terms)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, p)
}

func (s *service) postCorrection(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.correct(w, r, caller, "invoice", Invoice)
}

func (s *service) postCreditNoteCorrection(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	return s.correct(w, r, caller, "credit note", CreditNote)
}

// correct is idempotent by itself: a document is cancelled once, has one correction, and one document comes in its place.
func (s *service) correct(w http.ResponseWriter, r *http.Request, caller session.Session, noun string, k Kind) error {
	ctx := r.Context()
	d, err := s.named(r, caller, noun, k)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry := func(reason string) audit.Entry { return s.entry(meta, caller, "payment.correct", d, reason) }
	req, err := s.readCorrection(r, d, entry)
	if err != nil {
		return err
	}
	docs, next, err := s.wanted(ctx, d, req)
	if err != nil {
		return err
	}
	// What can refuse comes before anything is cancelled.
	if _, err := correctionPaper(d.Paper, d.Number, meta.At.In(s.zone)); err != nil {
		return err
	}
	c, by, now := Cancelling{Note: Note{meta.At, req.Reason}, Next: next[0]}, entry(req.Reason), time.Now()
	if len(docs) > 1 {
		also := s.entry(meta, caller, "payment.correct", docs[1], req.Reason)
		c.Also = &Also{docs[1].ID, *next[1], &also}
	}
	_, changed, err := s.documents.Change(ctx, d.ID, func(d *Document) error { return d.cancel(c, &by, now) })
	if err != nil {
		return err
	}
	if err := s.finish(ctx, d.ID); err != nil {
		return err
	}
	if d, err = s.documents.Get(ctx, d.ID); err != nil {
		return err
	}
	number := d.Correction
	if req.Replacement != nil {
		number = d.ReplacedBy
	}
	result, _, err := s.documents.numbered(ctx, number)
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "payment.corrected")
	} else {
		httpserver.Replayed(w)
	}
	folder := map[Kind]string{Invoice: "invoices", CreditNote: "credit-notes"}[k]
	w.Header().Set("Location", "/api/payment/v1/"+folder+"/"+result.Number)
	return httpserver.JSON(w, http.StatusCreated, viewOf(result))
}
