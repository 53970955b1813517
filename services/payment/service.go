package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/process"
	"kreislauf/internal/repository"
)

type service struct {
	company   Company
	documents documents
	lines     lines
	partners  partners
	customers customers
	clients   mongodb.Collection[Client]
	files     files
	runs      runs
	mandates  mandates
	imports   *repository.Repository[Imported, *Imported]
	meta      func(context.Context) event.Meta
	now       func() time.Time
	zone      *time.Location
	terms     terms
	look      func(context.Context, audit.Entry) error // writes down who has read what
	trail     func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	const file = "KREISLAUF_COMPANY_FILE"
	company, mistakes := readCompany(p.Config.String(file, ""))
	for _, m := range mistakes {
		p.Config.Fail(file, "%v", m)
	}
	s := &service{
		company:   company,
		documents: documents{process.Repository[Document](p, "documents", "document", event.TopicPayment), p.Numbers()},
		lines:     lines{process.Repository[StatementLine](p, "statement_lines", "statement line", event.TopicPayment)},
		partners:  partners{process.Repository[Partner](p, "partners", "partner", event.TopicPayment)},
		customers: customers{process.Repository[Customer](p, "customers", "customer", event.TopicPayment)},
		files:     files{p.Documents},
		runs:      runs{process.Repository[Run](p, "runs", "run", event.TopicPayment)},
		mandates:  mandates{process.Repository[Mandate](p, "mandates", "mandate", event.TopicPayment)},
		imports:   process.Repository[Imported](p, "statements", "statement", event.TopicPayment),
		clients:   process.Collection[Client](p, "clients", "company"),
		meta:      p.Meta, now: p.Now, zone: berlin, terms: terms{berlin, company.Reminders},
	}
	trail := p.AuditLog("documents", "statements", "runs", "mandates")
	s.look, s.trail = trail.Append, trail.BySubject
	p.Late(s.documents.ensureOfficeIndexes)
	p.Late(s.lines.ensureOfficeIndexes)
	p.Late(s.documents.ensureIndexes)
	p.Late(s.lines.ensureIndexes)
	process.Work(p, "payment reminder", s.documents.Repository, func(m event.Meta, d *Document) error { return d.remind(m, s.terms) })
	p.Background("unfinished documents", func(ctx context.Context) error { return s.finishAll(ctx, p.Log) })
	p.Handle("GET", "/api/payment/v1/invoices", s.getInvoices)
	p.Handle("GET", "/api/payment/v1/invoices/{number}", s.getInvoice)
	p.Handle("GET", "/api/payment/v1/invoices/{number}/pdf", s.getFile(pdfFile(), "invoice", Invoice, Correction))
	p.Handle("GET", "/api/payment/v1/invoices/{number}/xml", s.getFile(xmlFile(), "invoice", Invoice, Correction))
	p.Handle("POST", "/api/payment/v1/invoices/{number}/correction", s.postCorrection)
	p.Handle("POST", "/api/payment/v1/invoices/{number}/objection", s.postDispute)
	p.Handle("POST", "/api/payment/v1/invoices/{number}/hold", s.postHold)
	p.Handle("POST", "/api/payment/v1/invoices/{number}/release", s.postRelease)
	p.Handle("POST", "/api/payment/v1/invoices/{number}/correction-preview", s.postInvoicePreview)
	p.Handle("GET", "/api/payment/v1/credit-notes", s.getCreditNotes)
	p.Handle("GET", "/api/payment/v1/credit-notes/{number}", s.getCreditNote)
	p.Handle("GET", "/api/payment/v1/credit-notes/{number}/pdf", s.getFile(pdfFile(), "credit note", CreditNote, CreditCorrection))
	p.Handle("GET", "/api/payment/v1/credit-notes/{number}/xml", s.getFile(xmlFile(), "credit note", CreditNote, CreditCorrection))
	p.Handle("POST", "/api/payment/v1/credit-notes/{number}/objection", s.postObjection)
	p.Handle("POST", "/api/payment/v1/credit-notes/{number}/correction", s.postCreditNoteCorrection)
	p.Handle("POST", "/api/payment/v1/credit-notes/{number}/correction-preview", s.postCreditNotePreview)
	p.Handle("GET", "/api/payment/v1/ledger", s.getLedger)
	p.Handle("POST", "/api/payment/v1/statement-lines", s.postStatementLine)
	p.Handle("GET", "/api/payment/v1/statement-lines", s.getStatementLines)
	p.Handle("POST", "/api/payment/v1/statement-lines/{id}/assign", s.postAssign)
	p.HandleUpload("POST", "/api/payment/v1/statements", maxStatement, s.postStatements)
	p.Handle("POST", "/api/payment/v1/runs", s.postRun)
	p.Handle("GET", "/api/payment/v1/runs", s.getRuns)
	p.Handle("GET", "/api/payment/v1/runs/{id}/file", s.getRunFile)
	p.Handle("GET", "/api/payment/v1/mandate", s.getMandate)
	p.Handle("PUT", "/api/payment/v1/mandate", s.putMandate)
	p.Handle("DELETE", "/api/payment/v1/mandate", s.deleteMandate)
	p.Handle("GET", "/api/payment/v1/search", s.getSearch)
	p.Handle("GET", "/api/payment/v1/worklists", s.getWorklists)
	p.Handle("GET", "/api/payment/v1/audit", s.getAudit)
	p.Consume(s.consume)
	return nil
}

// today is the local date.
func (s *service) today() time.Time { return s.now().In(s.zone) }

// lookEvery is how often an instance looks for work that another one has left unfinished, and leftAfter how long ago that one must have
// begun: who is at it still needs a moment.
const (
	lookEvery = 5 * time.Second
	leftAfter = 10 * time.Second
	lookBatch = 100
)

// finishAll finishes, until ctx ends, what instances that died have begun.
func (s *service) finishAll(ctx context.Context, log zerolog.Logger) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		health.Tick(ctx)
		if err := s.finishLeft(ctx, time.Now().Add(-leftAfter)); err != nil && ctx.Err() == nil {
			log.Warn().Err(err).Str("event.action", "payment.unfinished").Msg("finish what was left; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// finishLeft does one look. What cannot be finished does not hold up the rest.
func (s *service) finishLeft(ctx context.Context, before time.Time) error {
	ids, err := s.documents.unfinished(ctx, before, lookBatch)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		health.Tick(ctx)
		errs = append(errs, s.finish(ctx, id))
	}
	left, err := s.lines.unfinished(ctx, before, lookBatch)
	errs = append(errs, err)
	for _, l := range left {
		health.Tick(ctx)
		errs = append(errs, s.settle(ctx, l))
	}
	runs, err := s.runs.unfinished(ctx, before, lookBatch)
	errs = append(errs, err)
	for _, r := range runs {
		health.Tick(ctx)
		_, err := s.collect(ctx, r)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
