package telemetry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/config"
	"kreislauf/internal/logging"
)

const spanTime = "2006-01-02T15:04:05.000000Z"

// lineProcessor encodes each ended span at once: no queue, nothing retained, about a microsecond a span.
type lineProcessor struct {
	sink   *logging.Sink
	prefix []byte // constant members of every line, without the opening brace
	bufs   sync.Pool
}

func newLineProcessor(p config.Process, sink *logging.Sink) *lineProcessor {
	b := []byte(`,"data_stream.type":"traces","data_stream.dataset":"kreislauf"`)
	for _, kv := range [][2]string{
		{"service_name", p.Service},
		{"env", p.Env},
		{"customer", p.Customer},
		{"instance", p.Instance},
		{"platform_version", p.PlatformVersion},
	} {
		b = appendMember(b, kv[0], kv[1])
	}
	return &lineProcessor{sink: sink, prefix: b, bufs: sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}}
}

// OnStart implements sdktrace.SpanProcessor.
func (*lineProcessor) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// Shutdown implements sdktrace.SpanProcessor.
func (*lineProcessor) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (*lineProcessor) ForceFlush(context.Context) error { return nil }

// OnEnd implements sdktrace.SpanProcessor.
func (lp *lineProcessor) OnEnd(s sdktrace.ReadOnlySpan) {
	bp := lp.bufs.Get().(*[]byte)
	b := lp.encode((*bp)[:0], s)
	lp.sink.Append(b)
	*bp = b
	lp.bufs.Put(bp)
}

func (lp *lineProcessor) encode(b []byte, s sdktrace.ReadOnlySpan) []byte {
	sc, start := s.SpanContext(), s.StartTime()
	tid, sid := sc.TraceID(), sc.SpanID()
	b = append(b, `{"@timestamp":"`...)
	b = start.UTC().AppendFormat(b, spanTime)
	b = append(b, '"')
	b = append(b, lp.prefix...)
	b = append(b, `,"trace.id":"`...)
	b = hex.AppendEncode(b, tid[:])
	b = append(b, `","span.id":"`...)
	b = hex.AppendEncode(b, sid[:])
	if p := s.Parent().SpanID(); p.IsValid() {
		b = append(b, `","parent.id":"`...)
		b = hex.AppendEncode(b, p[:])
	}
	b = append(b, '"')
	b = appendMember(b, "span.name", s.Name())
	b = append(b, `,"span.kind":"`...)
	b = append(b, kindName(s.SpanKind())...)
	b = append(b, `","event.duration":`...)
	b = strconv.AppendInt(b, s.EndTime().Sub(start).Nanoseconds(), 10)
	if st := s.Status(); st.Code == codes.Error {
		b = append(b, `,"event.outcome":"failure"`...)
		b = appendMember(b, "error.message", st.Description)
	} else {
		b = append(b, `,"event.outcome":"success"`...)
	}
	b = appendAttributes(b, s.Attributes())
	b = appendLinks(b, s.Links())
	return append(b, '}', '\n')
}

func kindName(k trace.SpanKind) string {
	switch k {
	case trace.SpanKindServer:
		return "server"
	case trace.SpanKindClient:
		return "client"
	case trace.SpanKindProducer:
		return "producer"
	case trace.SpanKindConsumer:
		return "consumer"
	default:
		return "internal"
	}
}

func appendAttributes(b []byte, attrs []attribute.KeyValue) []byte {
	if len(attrs) == 0 {
		return b
	}
	b = append(b, `,"attributes":{`...)
	for i, kv := range attrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, string(kv.Key))
		b = append(b, ':')
		switch kv.Value.Type() {
		case attribute.INT64:
			b = strconv.AppendInt(b, kv.Value.AsInt64(), 10)
		case attribute.BOOL:
			b = strconv.AppendBool(b, kv.Value.AsBool())
		case attribute.STRING:
			b = appendString(b, kv.Value.AsString())
		default:
			b = appendString(b, kv.Value.String())
		}
	}
	return append(b, '}')
}

func appendLinks(b []byte, links []sdktrace.Link) []byte {
	if len(links) == 0 {
		return b
	}
	b = append(b, `,"span.links":[`...)
	for i, l := range links {
		if i > 0 {
			b = append(b, ',')
		}
		tid, sid := l.SpanContext.TraceID(), l.SpanContext.SpanID()
		b = append(b, '"')
		b = hex.AppendEncode(b, tid[:])
		b = append(b, ':')
		b = hex.AppendEncode(b, sid[:])
		b = append(b, '"')
	}
	return append(b, ']')
}

func appendMember(b []byte, key, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, key...)
	b = append(b, '"', ':')
	return appendString(b, value)
}

// appendString writes a JSON string; plain ASCII, nearly all there is, costs one scan and one copy.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			q, err := json.Marshal(s)
			if err != nil { // cannot happen: any Go string marshals
				return append(b, `""`...)
			}
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
