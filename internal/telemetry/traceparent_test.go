package telemetry

import (
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

const goodParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     string // the traceparent it stands for, empty when invalid
	}{
		{"sampled", goodParent, goodParent},
		{"not sampled", goodParent[:53] + "00", goodParent[:53] + "00"},
		{"other flags are dropped", goodParent[:53] + "ff", goodParent},
		{"absent", "", ""},
		{"capitals", strings.ToUpper(goodParent), ""},
		{"one capital", strings.Replace(goodParent, "af", "aF", 1), ""},
		{"version 01", "01" + goodParent[2:], goodParent},
		{"version 01 with a fifth field", "01" + goodParent[2:] + "-what-comes", goodParent},
		{"version 01, longer without a dash", "01" + goodParent[2:] + ".x", ""},
		{"version 0g", "0g" + goodParent[2:], ""},
		{"version FE", "FE" + goodParent[2:], ""},
		{"version ff", "ff" + goodParent[2:], ""},
		{"zero trace id", "00-00000000000000000000000000000000-b7ad6b7169203331-01", ""},
		{"zero span id", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", ""},
		{"too long", goodParent + "-x", ""},
		{"too short", goodParent[:54], ""},
		{"no hexadecimal", strings.Replace(goodParent, "0a", "0g", 1), ""},
		{"no hexadecimal flags", goodParent[:53] + "zz", ""},
		{"spaces around", " " + goodParent[:54], ""},
		{"underscore", strings.Replace(goodParent, "-b7", "_b7", 1), ""},
		{"comma-joined headers", goodParent + "," + goodParent, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx := trace.ContextWithSpanContext(t.Context(), Parse(tc.in))
			if got := Traceparent(ctx); got != tc.want {
				t.Errorf("Parse(%q) stands for %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestWithRemote(t *testing.T) {
	sc := trace.SpanContextFromContext(WithRemote(t.Context(), goodParent))
	if !sc.IsRemote() || sc.TraceID().String() != goodParent[3:35] {
		t.Errorf("span context %v", sc)
	}
	if sc := trace.SpanContextFromContext(WithRemote(t.Context(), "nonsense")); sc.IsValid() {
		t.Errorf("nonsense became %v", sc)
	}
	if got := Traceparent(t.Context()); got != "" {
		t.Errorf("without a span: %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(goodParent)
	f.Add(goodParent[:53] + "00")
	f.Add("00-00000000000000000000000000000000-0000000000000000-00")
	f.Add("")
	f.Add("cc" + goodParent[2:] + "-x")
	shape := regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?s:-.*)?$`)
	f.Fuzz(func(t *testing.T, s string) {
		sc := Parse(s)
		want := shape.MatchString(s) && !strings.HasPrefix(s, "ff") && (s[:2] != "00" || len(s) == len(goodParent)) && strings.Trim(s[3:35], "0") != "" && strings.Trim(s[36:52], "0") != ""
		if sc.IsValid() != want {
			t.Fatalf("Parse(%q) valid: %v, want %v", s, sc.IsValid(), want)
		}
		if !want {
			return
		}
		if back := Traceparent(trace.ContextWithSpanContext(t.Context(), sc)); back[2:53] != s[2:53] {
			t.Errorf("%q became %q", s, back)
		}
	})
}
