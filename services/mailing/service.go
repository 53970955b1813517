package mailing

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/problem"
	"kreislauf/internal/process"
	"kreislauf/internal/sealed"
	"kreislauf/internal/telemetry"
)

// work is the name of the timed work.
const work = "mail delivery"

type service struct {
	mails      store
	recipients mongodb.Collection[Recipient]
	orders     mongodb.Collection[Order]
	suppressed mongodb.Collection[Suppression]
	server     submission
	writer     writer
	files      files
	office     string // e-mail address of the back office; empty: it gets none
	now        func() time.Time
	meta       func(context.Context) event.Meta
	log        zerolog.Logger
	tracer     trace.Tracer
	delay      *prometheus.HistogramVec
	attempts   *prometheus.CounterVec
}

// Suppression is an address to which nothing is sent any more, and its document.
type Suppression struct {
	Address string    `bson:"_id"` // lower case
	At      time.Time `bson:"at"`
	Reason  string    `bson:"reason"`
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	w, err := newWriter(p.Config.URL("KREISLAUF_PUBLIC_URL", "http://127.0.0.1:8080", "http", "https"), p.Config.Key("KREISLAUF_MAIL_KEY"))
	if err != nil {
		return err
	}
	s := &service{
		mails:      store{process.Repository[Mail](p, "mails", "mail", "")}, // they emit nothing
		recipients: process.Collection[Recipient](p, "recipients", "recipient"),
		orders:     process.Collection[Order](p, "orders", "order"),
		suppressed: process.Collection[Suppression](p, "suppressed", "suppressed address"),
		files:      files{p.Documents}, office: p.Config.String("KREISLAUF_OFFICE_MAIL", ""),
		server: readSubmission(p.Config), writer: w, now: p.Now, meta: p.Meta, log: p.Log, tracer: p.Tracing.Tracer,
		delay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kreislauf_mail_delay_seconds", Help: "From the event to the moment at which the mail server took the mail about it.",
			Buckets: []float64{.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600},
		}, []string{"type"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kreislauf_mail_attempts_total", Help: "Attempts to send a mail, by what became of them.",
		}, []string{"outcome"}),
	}
	p.Measure(s.delay, s.attempts)
	p.Late(s.mails.ensureIndexes)
	p.Handle("GET", "/api/mailing/v1/mails", s.getMails)
	p.Handle("POST", "/api/mailing/v1/mails/{id}/retry", s.postRetry)
	p.Handle("GET", "/api/mailing/v1/worklists", s.getWorklists)
	p.AuditLog("mails")
	process.WorkThen(p, work, s.mails.Repository, claim, s.deliver)
	p.Consume(s.consume)
	return nil
}

// readSubmission reads how mails leave.
func readSubmission(r *config.Reader) submission {
	s := submission{
		addr:       r.Addr("KREISLAUF_SMTP_ADDR", ""),
		encryption: r.Match("KREISLAUF_SMTP_TLS", tlsStart, regexp.MustCompile("none|starttls|tls"), "none, starttls or tls"),
		user:       r.String("KREISLAUF_SMTP_USER", ""),
		password:   r.Secret("KREISLAUF_SMTP_PASSWORD"),
	}
	host, _, err := net.SplitHostPort(s.addr)
	if ip := net.ParseIP(host); err == nil && s.user != "" && s.encryption == tlsNone && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r.Fail("KREISLAUF_SMTP_TLS", "none would show the password of KREISLAUF_SMTP_USER to everybody on the way; use starttls or tls")
	}
	const name = "KREISLAUF_MAIL_FROM"
	from, err := mail.ParseAddress(r.String(name, "kreislauf <kreislauf@localhost>"))
	if err != nil {
		r.Fail(name, "no mail address; use for example: kreislauf <auftrag@example.org>")
		return s
	}
	s.from = *from
	return s
}

// deliver makes the attempt that claim began, and writes down what became of it. It goes on for a moment when the service stops: a mail
// that is taken and not written down comes twice.
func (s *service) deliver(ctx context.Context, m *Mail) error {
	if m.State != Sending {
		s.tell(ctx, m, outcome{refused, "given up: " + m.Reason})
		return nil
	}
	ctx, span := s.tracer.Start(telemetry.WithRemote(ctx, m.Event.Traceparent), "mail "+m.Event.Type)
	defer span.End()
	ctx, end := patient(ctx)
	defer end()
	o, err := s.attempt(ctx, m)
	if err != nil {
		return err
	}
	if o.verdict != accepted {
		span.SetStatus(codes.Error, o.reason)
	}
	at := s.now()
	settled, _, err := s.mails.Change(ctx, m.ID, func(now *Mail) error {
		now.settle(m.Version, o, at)
		return nil
	})
	if err != nil {
		return err
	}
	s.tell(ctx, &settled, o)
	return nil
}

// patient is a context for an attempt: it outlives the end of ctx by a moment, shows life to the health check and ends after sendTime.
func patient(ctx context.Context) (_ context.Context, end func()) {
	const moment = 5 * time.Second
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	go func() {
		tick := time.NewTicker(moment)
		defer tick.Stop()
		for {
			select {
			case <-attempt.Done():
				return
			case <-tick.C:
				if ctx.Err() != nil {
					cancel()
				}
				health.Tick(ctx)
			}
		}
	}()
	return attempt, cancel
}

// attempt writes and sends a mail. An error is one of the database.
func (s *service) attempt(ctx context.Context, m *Mail) (outcome, error) {
	var o Order
	r, userID := m.To, m.UserID
	if m.OrderID != "" {
		var err error
		o, err = s.orders.Get(ctx, m.OrderID)
		if problem.KindOf(err) == problem.NotFound {
			return outcome{unready, "the order is not known yet"}, nil
		}
		if err != nil {
			return outcome{}, err
		}
		userID = cmp.Or(m.UserID, o.UserID)
	}
	if userID != "" {
		var err error
		r, err = s.recipient(ctx, userID)
		if problem.KindOf(err) == problem.NotFound {
			return outcome{unready, "the recipient is not known yet"}, nil
		}
		if err != nil {
			return outcome{}, err
		}
	}
	if r.Email == "" {
		return outcome{withheld, "the recipient has no address"}, nil
	}
	address := strings.ToLower(r.Email)
	if _, err := s.suppressed.Get(ctx, address); err == nil {
		return outcome{withheld, "the address of the recipient does not exist"}, nil
	} else if problem.KindOf(err) != problem.NotFound {
		return outcome{}, err
	}
	payload, err := event.Open(m.Event)
	if err != nil {
		return outcome{refused, "the event cannot be read"}, nil
	}
	l, err := s.writer.write(r, o, payload)
	if errors.Is(err, sealed.ErrForged) {
		return outcome{refused, "its secret cannot be read"}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	l.Attached, err = s.files.attachment(ctx, payload)
	if err != nil {
		return outcome{later, "the attachment cannot be read"}, nil
	}
	to, message, err := s.server.compose(r, l, m.ID, s.now())
	if err != nil {
		return outcome{refused, err.Error()}, nil
	}
	out := s.server.send(ctx, to.Address, message)
	if out.verdict == bounced {
		if _, err := s.suppressed.Insert(ctx, Suppression{address, s.now(), out.reason}); err != nil {
			return outcome{}, err
		}
	}
	return out, nil
}

// recipient finds out where a mail goes.
func (s *service) recipient(ctx context.Context, id string) (Recipient, error) {
	if id == backOffice {
		return Recipient{ID: id, Name: "kreislauf", Email: s.office}, nil
	}
	return s.recipients.Get(ctx, id)
}

// tell writes the line about an attempt and counts it.
func (s *service) tell(ctx context.Context, m *Mail, o outcome) {
	became := map[verdict]string{
		accepted: "sent", unready: "waiting", later: "postponed", refused: "failed", bounced: "failed", withheld: "suppressed",
	}[o.verdict]
	s.attempts.WithLabelValues(became).Inc()
	line := s.log.Warn()
	if o.verdict == accepted || o.verdict == unready {
		line = s.log.Info()
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		line = line.Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID())
	}
	line = line.Str("event.action", "mail."+became).Str("event.id", m.ID).Str("mail.type", m.Event.Type).Int("mail.attempts", m.Attempts)
	if m.OrderID != "" {
		line = line.Str("order.id", m.OrderID)
	}
	if kind := map[string]string{"u-": "user.id", "c-": "company.id", "p-": "partner.id"}[m.UserID[:min(2, len(m.UserID))]]; kind != "" {
		line = line.Str(kind, m.UserID)
	}
	if o.verdict == accepted {
		delay := m.SentAt.Sub(m.Event.Time)
		s.delay.WithLabelValues(m.Event.Type).Observe(delay.Seconds())
		line = line.Int64("mail.delay_ms", delay.Milliseconds())
	} else {
		line = line.Str("event.reason", o.reason)
	}
	line.Msg("mail about " + m.Event.Type + ": " + became)
}
