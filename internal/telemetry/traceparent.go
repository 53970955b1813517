package telemetry

import (
	"context"
	"encoding/hex"

	"go.opentelemetry.io/otel/trace"
)

// Header is the W3C trace context header, also the name of the Kafka record header.
const Header = "traceparent"

const traceparentLen = 2 + 1 + 32 + 1 + 16 + 1 + 2

// Parse reads a traceparent. Of a later version than 00 it takes the four fields that it knows and ignores what follows them. An absent or
// malformed one gives an invalid SpanContext: start a new trace. Both are as the W3C asks (Trace Context, "versioning of traceparent").
func Parse(s string) trace.SpanContext {
	if len(s) < traceparentLen || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return trace.SpanContext{}
	}
	if later := s[:2] != "00"; len(s) > traceparentLen && (!later || s[traceparentLen] != '-') || s[:2] == "ff" {
		return trace.SpanContext{}
	}
	var version, flags [1]byte
	var tid trace.TraceID
	var sid trace.SpanID
	if !decodeLower(version[:], s[:2]) || !decodeLower(tid[:], s[3:35]) || !decodeLower(sid[:], s[36:52]) || !decodeLower(flags[:], s[53:55]) {
		return trace.SpanContext{}
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: tid, SpanID: sid, TraceFlags: trace.TraceFlags(flags[0] & 1), Remote: true})
}

// decodeLower decodes lower-case hexadecimal; the standard forbids capitals.
func decodeLower(dst []byte, s string) bool {
	for i := range dst {
		hi, ok1 := nibble(s[2*i])
		lo, ok2 := nibble(s[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// Traceparent is the header value for the span in ctx, empty without one.
func Traceparent(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return ""
	}
	tid, sid := sc.TraceID(), sc.SpanID()
	b := make([]byte, 0, traceparentLen)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, tid[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, sid[:])
	if sc.IsSampled() {
		b = append(b, "-01"...)
	} else {
		b = append(b, "-00"...)
	}
	return string(b)
}

// WithRemote puts a caller's traceparent into ctx, so that the next span continues its trace.
func WithRemote(ctx context.Context, traceparent string) context.Context {
	return trace.ContextWithRemoteSpanContext(ctx, Parse(traceparent))
}
