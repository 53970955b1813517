package statistics

import (
	"bytes"
	"context"
	"reflect"
	"strings"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/money"
)

// line renders the event line: the envelope, and those members of the payload that its struct marks for it. The payload is nil for a
// type of a later version: the envelope alone is worth having.
func (s *service) line(ctx context.Context, e event.Event, payload event.Payload) []byte {
	var buf bytes.Buffer
	log := zerolog.New(&buf)
	l := log.Log().Str("@timestamp", e.Time.UTC().Format(logging.TimeFormat)).
		Str("data_stream.type", "events").Str("data_stream.dataset", "kreislauf").
		Str("service_name", "statistics").Str("env", s.settings.Env).Str("customer", e.Customer).
		Str("instance", s.settings.Instance).Str("platform_version", s.settings.PlatformVersion).
		Str("event.id", e.ID).Str("subject", e.Subject)
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		l = l.Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID())
	}
	if e.VisitID != "" {
		l = l.Str("visit.id", e.VisitID)
	}
	members(l, payload)
	action := e.Type
	if named, ok := payload.(interface{ Action() string }); ok {
		action = named.Action()
	}
	l.Str("event.action", action).Msg(action)
	return buf.Bytes()
}

// members adds the fields of a payload that have the tag "line", as event.Payload describes it.
func members(l *zerolog.Event, payload event.Payload) {
	if payload == nil {
		return
	}
	v := reflect.ValueOf(payload)
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("line"), ",")
		if name == "" || option == "omitempty" && (v.Field(i).IsZero() || v.Field(i).Kind() == reflect.Map && v.Field(i).Len() == 0) {
			continue
		}
		switch f := v.Field(i).Interface().(type) {
		case string:
			l.Str(name, f)
		case int:
			l.Int(name, f)
		case bool:
			l.Bool(name, f)
		case money.Price:
			l.Int64(name, int64(f.GrossCents))
		default:
			l.Interface(name, f)
		}
	}
}
