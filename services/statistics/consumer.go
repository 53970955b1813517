package statistics

import (
	"bytes"
	"context"
	"fmt"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
)

// consume writes the event line of one event. It is done when the operating system has the line.
func (s *service) consume(ctx context.Context, e event.Event) error {
	line, err := s.line(ctx, e)
	if err != nil {
		return broker.Permanent(err)
	}
	if err := s.Sink.Commit(line); err != nil {
		return fmt.Errorf("write event line: %w", err)
	}
	return nil
}

// line renders the event line: the envelope, and those members of the payload that funnels and rules ask for.
func (s *service) line(ctx context.Context, e event.Event) ([]byte, error) {
	var buf bytes.Buffer
	log := zerolog.New(&buf)
	l := log.Log().Str("@timestamp", e.Time.UTC().Format(logging.TimeFormat)).
		Str("data_stream.type", "events").Str("data_stream.dataset", "kreislauf").
		Str("service_name", "statistics").Str("env", s.Settings.Env).Str("customer", e.Customer).
		Str("instance", s.Settings.Instance).Str("platform_version", s.Settings.PlatformVersion).
		Str("event.id", e.ID).Str("subject", e.Subject)
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		l = l.Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID())
	}
	if e.VisitID != "" {
		l = l.Str("visit.id", e.VisitID)
	}
	action, err := payload(l, e)
	if err != nil {
		return nil, err
	}
	l.Str("event.action", action).Msg(action)
	return buf.Bytes(), nil
}

// payload adds the members of the event's type and names the action.
func payload(l *zerolog.Event, e event.Event) (action string, err error) {
	switch e.Type {
	case event.TypeSignedUp:
		v, err := event.Decode[event.SignedUp](e)
		l.Str("user.id", v.UserID)
		return e.Type, err
	case event.TypePlaced:
		v, err := event.Decode[event.Placed](e)
		l.Str("order.id", v.OrderID).Str("user.id", v.UserID).Str("postcode", v.Postcode).Str("waste.code", v.Waste).
			Int("container.size_m3", v.SizeM3).Int64("value_cents", int64(v.Price.GrossCents))
		return e.Type, err
	case event.TypeMatched:
		v, err := event.Decode[event.Matched](e)
		l.Str("order.id", v.OrderID).Str("partner.id", v.PartnerID)
		return e.Type, err
	case event.TypeOffered:
		v, err := event.Decode[event.Offered](e)
		l.Str("order.id", v.OrderID).Str("partner.id", v.PartnerID)
		return e.Type, err
	case event.TypeAccepted:
		v, err := event.Decode[event.Accepted](e)
		l.Str("order.id", v.OrderID).Str("partner.id", v.PartnerID).Bool("matching.automatic", v.Automatic)
		return e.Type, err
	case event.TypeUnmatched:
		v, err := event.Decode[event.Unmatched](e)
		l.Str("order.id", v.OrderID).Str("event.reason", v.Reason)
		return e.Type, err
	case event.TypeRecorded:
		v, err := event.Decode[event.Recorded](e)
		if len(v.Data) > 0 {
			l.Interface("attributes", v.Data)
		}
		return v.Type, err
	}
	return e.Type, nil // a type of a newer version: the envelope alone is worth having
}
