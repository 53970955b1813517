package telemetry

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/config"
	"kreislauf/internal/logging"
)

// lineWriter encodes each ended span at once: no queue, nothing retained.
type lineWriter struct {
	sink   *logging.Sink
	prefix []byte // constant members of every line, behind the timestamp
	bufs   sync.Pool
}

func newLineWriter(p config.Process, sink *logging.Sink) *lineWriter {
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
	return &lineWriter{sink: sink, prefix: b, bufs: sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}}
}

// write appends the span's line to the sink.
func (lw *lineWriter) write(s *span) {
	bp := lw.bufs.Get().(*[]byte)
	b := lw.encode((*bp)[:0], s)
	lw.sink.Append(b)
	*bp = b
	lw.bufs.Put(bp)
}

func (lw *lineWriter) encode(b []byte, s *span) []byte {
	tid, sid := s.sc.TraceID(), s.sc.SpanID()
	b = append(b, `{"@timestamp":"`...)
	b = logging.AppendTime(b, s.start, 6)
	b = append(b, '"')
	b = append(b, lw.prefix...)
	b = append(b, `,"trace.id":"`...)
	b = hex.AppendEncode(b, tid[:])
	b = append(b, `","span.id":"`...)
	b = hex.AppendEncode(b, sid[:])
	if p := s.parent.SpanID(); p.IsValid() {
		b = append(b, `","parent.id":"`...)
		b = hex.AppendEncode(b, p[:])
	}
	b = append(b, '"')
	b = appendMember(b, "span.name", s.name)
	b = append(b, `,"span.kind":"`...)
	b = append(b, kindName(s.kind)...)
	b = append(b, `","event.duration":`...)
	b = strconv.AppendInt(b, s.ended.Sub(s.start).Nanoseconds(), 10)
	if s.failed {
		b = append(b, `,"event.outcome":"failure"`...)
		b = appendMember(b, "error.message", s.reason)
	} else {
		b = append(b, `,"event.outcome":"success"`...)
	}
	b = appendAttributes(b, s.attrs)
	b = appendLinks(b, s.links)
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

func appendLinks(b []byte, links []trace.Link) []byte {
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

// plain says which bytes stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString writes a JSON string; plain ASCII, nearly all there is, costs one scan and one copy.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
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
