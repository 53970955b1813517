package released

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

const (
	services = "../../../services"
	// acceptedFile lists, for one release, the breaks that were decided: a line is a finding as the test prints it, with the reason in a
	// line "# …" before it. For example a route that nobody ever called, and that let strangers in.
	acceptedFile = "accepted.txt"
)

// levels says what is a break, where that differs from oasdiff's own opinion.
func levels() map[string]checker.Level {
	m := map[string]checker.Level{checker.ResponseOptionalPropertyRemovedId: checker.ERR}
	for _, id := range []string{ // answers may grow
		checker.ResponsePropertyEnumValueAddedId, checker.ResponseMediaTypeEnumValueAddedId, checker.ResponsePropertyBecameNotEnumId,
		checker.ResponsePropertyConstRemovedId, checker.ResponseBodyConstRemovedId,
		checker.ResponsePropertyPatternRemovedId, checker.ResponsePropertyPatternChangedId,
		checker.ResponsePropertyMaxIncreasedId, checker.ResponseBodyMaxIncreasedId, checker.ResponsePropertyMinDecreasedId, checker.ResponseBodyMinDecreasedId,
		checker.ResponsePropertyMaxLengthIncreasedId, checker.ResponseBodyMaxLengthIncreasedId,
		checker.ResponsePropertyMaxLengthUnsetId, checker.ResponseBodyMaxLengthUnsetId,
		checker.ResponsePropertyMinLengthDecreasedId, checker.ResponseBodyMinLengthDecreasedId,
		checker.ResponsePropertyMinItemsDecreasedId, checker.ResponseBodyMinItemsDecreasedId,
		checker.ResponsePropertyMinItemsUnsetId, checker.ResponseBodyMinItemsUnsetId,
		checker.RequestPropertyPatternChangedId, checker.RequestParameterPatternChangedId, // cannot be judged: it may be wider or narrower
	} {
		m[id] = checker.INFO
	}
	return m
}

// breaks compares two documents; both may refer to other files beside them.
func breaks(t *testing.T, old, now string) []string {
	t.Helper()
	read := func(path string) *load.SpecInfo {
		loader := openapi3.NewLoader()
		loader.IsExternalRefsAllowed = true
		s, err := load.NewSpecInfo(loader, load.NewSource(path), load.WithFlattenParams())
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return s
	}
	was, is := read(old), read(now)
	knownForms(was.Spec, is.Spec)
	d, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), was, is)
	if err != nil {
		t.Fatalf("compare %s with %s: %v", old, now, err)
	}
	found := checker.CheckBackwardCompatibility(checker.NewConfig(checker.GetAllChecks(), checker.WithSeverityLevels(levels())), d, sources)
	text := checker.NewDefaultLocalizer()
	var list []string
	for _, c := range found {
		list = append(list, strings.TrimSpace(c.GetOperation()+" "+c.GetPath()+": "+c.GetUncolorizedText(text)))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// knownForms has answers of today compared in the form that the release knows, where they have others beside it now (oneOf): those are for
// other callers, who could not ask before.
func knownForms(old, now *openapi3.T) {
	for path, item := range now.Paths.Map() {
		before := old.Paths.Value(path)
		if before == nil {
			continue
		}
		for method, op := range item.Operations() {
			was := before.GetOperation(method)
			if was == nil {
				continue
			}
			for status, answer := range op.Responses.Map() {
				known := was.Responses.Value(status)
				if known == nil {
					continue
				}
				for typ, media := range answer.Value.Content {
					if m := known.Value.Content[typ]; m != nil {
						media.Schema = knownForm(m.Schema, media.Schema, map[*openapi3.Schema]bool{})
					}
				}
			}
		}
	}
}

func knownForm(old, now *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) *openapi3.SchemaRef {
	if old == nil || now == nil || old.Value == nil || now.Value == nil || seen[now.Value] {
		return now
	}
	seen[now.Value] = true
	for _, form := range now.Value.OneOf {
		if form.Ref != "" && form.Ref == old.Ref {
			return form
		}
	}
	for name, member := range now.Value.Properties {
		now.Value.Properties[name] = knownForm(old.Value.Properties[name], member, seen)
	}
	now.Value.Items = knownForm(old.Value.Items, now.Value.Items, seen)
	return now
}

// TestReleasedDocumentsHold compares the documents of each release with today's.
func TestReleasedDocumentsHold(t *testing.T) {
	releases, err := filepath.Glob("testdata/*")
	if err != nil || len(releases) == 0 {
		t.Fatalf("there is no release: %v", err)
	}
	for _, release := range releases {
		documents, err := filepath.Glob(release + "/*/openapi.yaml")
		if err != nil || len(documents) == 0 {
			t.Fatalf("%s has no documents: %v", release, err)
		}
		accepted := acceptedBreaks(t, release)
		for _, old := range documents {
			service := filepath.Base(filepath.Dir(old))
			now := filepath.Join(services, service, "openapi.yaml")
			if _, err := os.Stat(now); err != nil {
				t.Errorf("%s had the service %s: %v", release, service, err)
				continue
			}
			for _, b := range breaks(t, old, now) {
				if _, decided := accepted[b]; decided {
					accepted[b] = true
					continue
				}
				t.Errorf("%s\nbreaks clients of release %s. Add beside it instead of changing it; see docs/releases.md", b, filepath.Base(release))
			}
		}
		for line, used := range accepted {
			if !used {
				t.Errorf("%s/%s has a break that is none: %s", release, acceptedFile, line)
			}
		}
	}
}

// acceptedBreaks reads a release's list; a line without a reason before it is an error.
func acceptedBreaks(t *testing.T, release string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(release, acceptedFile))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	list, reason := map[string]bool{}, false
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimSpace(line); {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "# "):
			reason = true
		case !reason:
			t.Errorf("%s/%s: write why this break is accepted in a line \"# …\" before: %s", release, acceptedFile, line)
		default:
			list[line] = false
		}
	}
	return list
}

// TestBreakingChangesAreFound plants changes into a document and compares it with itself.
func TestBreakingChangesAreFound(t *testing.T) {
	const old = "testdata/d23291f"
	for _, c := range []struct {
		name, file, was, is string // the first occurrence, in a file of the release
		want                string // part of a finding; empty: it breaks nobody
	}{
		{"nothing", "order/openapi.yaml", "", "", ""},
		{"another path", "order/openapi.yaml", "/api/order/v1/orders/{id}/cancel:", "/api/order/v1/orders/{id}/annul:", "path removed"},
		{"another method", "order/openapi.yaml", "  /api/order/v1/orders:\n    post:", "  /api/order/v1/orders:\n    put:", "POST /api/order/v1/orders: API removed"},
		{"a required member more", "order/openapi.yaml", "required: [quote, address]", "required: [quote, address, visit_id]", "became required"},
		{"a new required member", "order/openapi.yaml", "required: [quote, address]\n      properties:\n", "required: [quote, address, po]\n      properties:\n        po: {type: string}\n", "new required request property"},
		{"a new member", "order/openapi.yaml", "required: [quote, address]\n      properties:\n", "required: [quote, address]\n      properties:\n        po: {type: string}\n", ""},
		{"a member of a request less", "order/openapi.yaml", "        visit_id:\n          type: string\n", "        visit:\n          type: string\n", "removed the request property `visit_id`"},
		{"a member of an answer less", "order/openapi.yaml", "        pick_up_on: {type", "        fetch_on: {type", "pick_up_on`"},
		{"a member of an answer of another type", "order/openapi.yaml", "        type: {type: string, enum: [image/jpeg", "        type: {type: array, enum: [image/jpeg", "type`"},
		{"a member of a shared answer less", "components.yaml", "        gross_cents:", "        total_cents:", "gross_cents"},
		{"a value less that may be asked for", "order/openapi.yaml", "{type: string, enum: [matched, on_site, collected]}", "{type: string, enum: [matched, on_site]}", "removed the enum value `collected`"},
		{"a value less that may be sent", "order/openapi.yaml", "enum: [photo, slip]", "enum: [photo]", "removed the enum value `slip`"},
		{"a value more in an answer", "order/openapi.yaml", "enum: [placed, matched,", "enum: [placed, confirmed, matched,", ""},
		{"another form beside the known one", "order/openapi.yaml", "items: {$ref: '#/components/schemas/Order'}", "items: {oneOf: [{$ref: '#/components/schemas/Order'}, {$ref: '#/components/schemas/Job'}]}", ""},
		{"other forms instead of the known one", "order/openapi.yaml", "items: {$ref: '#/components/schemas/Order'}", "items: {oneOf: [{$ref: '#/components/schemas/Address'}, {$ref: '#/components/schemas/Job'}]}", "oneOf"},
		{"a number as text", "statistics/openapi.yaml", "type: string", "type: integer", "type"},
		{"a shorter limit", "order/openapi.yaml", "quote: {type: string, minLength: 1, maxLength: 2048", "quote: {type: string, minLength: 1, maxLength: 20", "maxLength"},
		{"a longer limit", "order/openapi.yaml", "quote: {type: string, minLength: 1, maxLength: 2048", "quote: {type: string, minLength: 1, maxLength: 4096", ""},
		{"a session where none was needed", "pricing/openapi.yaml", "security: []", "security: [{session: []}]", "anonymous"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(old)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), c.was) {
				t.Fatalf("%s has no %q: %v", c.file, c.was, err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), c.was, c.is, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			service := "order"
			if dir := filepath.Dir(c.file); dir != "." {
				service = dir
			}
			got := strings.Join(breaks(t, filepath.Join(old, service, "openapi.yaml"), filepath.Join(dir, service, "openapi.yaml")), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}
