package disposer_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/session"
	"kreislauf/services/disposer"
	"kreislauf/test/embedded"
)

// TestBackOfficeFindsPartners: a partner of a version that had no search is found like the others, and certificates that end are work.
func TestBackOfficeFindsPartners(t *testing.T) {
	b := embedded.Start(t)
	soon := time.Now().AddDate(0, 0, 30).Format(time.DateOnly)
	older := disposer.Partner{Root: aggregate.New("p-alt"), Master: disposer.Master{
		Name: "Müller & Söhne OHG", Street: "Gasse 3", Postcode: "50667", City: "Köln", Active: true,
		Certificates: []disposer.Certificate{{Kind: "53", Number: "A-9"}, {Kind: "efb", Number: "E-1", ValidUntil: soon}, {Kind: "efb", Number: "E-2", ValidUntil: "2999-12-31"}},
	}}
	if _, err := mongodb.OpenCollection[disposer.Partner](b.Database(t, "disposer"), "partners", "partner").Insert(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	addr := b.Run(t, "disposer-1", masterData(t, file))
	office := b.SignedIn(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
	get := func(path string, v any) {
		t.Helper()
		res, err := office.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(v); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, res.Status, err)
		}
	}
	for typed, want := range map[string][]string{
		"mueller": {"p-alt"}, "Söhne Müller": {"p-alt"}, "p-b": {"p-bonn"}, "bonn": {"p-bonn"}, "DE136695976": {"p-koeln"}, "köln": {"p-alt", "p-koeln"}, "koeln gasse": {"p-alt"}, "mosel": {},
	} {
		var answer struct {
			Partners []struct {
				ID string `json:"partner_id"`
			} `json:"partners"`
		}
		get("/api/disposer/v1/search?q="+url.QueryEscape(typed), &answer)
		got := []string{}
		for _, p := range answer.Partners {
			got = append(got, p.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("search for %q (-want +got):\n%s", typed, diff)
		}
	}
	var work struct {
		Items []struct {
			About string `json:"about"`
		} `json:"items"`
	}
	get("/api/disposer/v1/worklists?list=certificates-ending", &work)
	if len(work.Items) != 1 || work.Items[0].About != "Müller & Söhne OHG, efb E-1" {
		t.Errorf("certificates that end: %+v", work.Items)
	}
}
