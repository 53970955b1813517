package erp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/internal/erp"
	"kreislauf/internal/session"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const master = `[{"id":"p-koeln","name":"Rheinland Mulden KG","street":"Weg 1","postcode":"50735","city":"Köln","email":"office@rheinland.example",
  "tax_id":"DE136695976","radius_km":150,"waste_codes":["170904","170107"],"auto_accept":true,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200,"170107":1600},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1"}],"drivers":[{"id":"d-1","name":"Jonas Petersen"}],"vehicles":[{"plate":"K-RM 117","kind":"skip"}]}]`

// TestImport sends files to disposer as an ERP does: nothing of a file with a fault is stored, and a file that is sent again changes nothing.
func TestImport(t *testing.T) {
	b := embedded.Start(t)
	file := filepath.Join(t.TempDir(), "partners.json")
	if err := os.WriteFile(file, []byte(master), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := b.Run(t, "disposer-1", map[string]string{"KREISLAUF_PARTNERS_FILE": file})
	token, csrf := b.Session(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
	c := client.New(client.Entry("http://"+addr), nil).With("Cookie", session.Cookie+"="+token).With(session.CSRFHeader, csrf)

	exported := func(k erp.Kind, f erp.Format) string {
		t.Helper()
		list, err := erp.Export(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := erp.Write(&text, k, f, list); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	imported := func(k erp.Kind, f erp.Format, text string, latest bool) (erp.Result, error) {
		t.Helper()
		list, err := erp.Read("file", []byte(text), k, f)
		if err != nil {
			t.Fatal(err)
		}
		return erp.Import(t.Context(), c, "file", k, list, "import from the ERP", latest)
	}
	succeeds := func(what string, k erp.Kind, f erp.Format, text string, latest bool, want erp.Result) {
		t.Helper()
		if got, err := imported(k, f, text, latest); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
		}
	}
	refused := func(what string, k erp.Kind, f erp.Format, text string, want ...string) {
		t.Helper()
		before := exported(erp.Partners, erp.JSON)
		_, err := imported(k, f, text, false)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in: %v", what, w, err)
			}
		}
		if diff := cmp.Diff(before, exported(erp.Partners, erp.JSON)); diff != "" {
			t.Errorf("%s: something is stored (-before +after):\n%s", what, diff)
		}
	}

	first := exported(erp.Partners, erp.CSV)
	for _, k := range []erp.Kind{erp.Partners, erp.PriceLists} {
		for _, f := range []erp.Format{erp.CSV, erp.JSON} {
			succeeds("what was exported", k, f, exported(k, f), false, erp.Result{Same: 1})
		}
	}
	lines := strings.SplitAfter(first, "\n")
	bonn := "p-bonn,,Bonn Container,Weg 2,53111,Bonn,office@bonn.example,DE123456788,50,false,true,7800,600,170904=4100,53:A-2:\n"
	refused("a new partner beside a wrong one", erp.Partners, erp.CSV, lines[0]+bonn+strings.Replace(lines[1], "50735", "5073", 1), "file:3: postcode:")
	refused("an id that is none", erp.Partners, erp.CSV, lines[0]+strings.Replace(bonn, "p-bonn", "Bonn", 1), "file:2: id:")

	moved := strings.Replace(lines[1], "Weg 1", "Weg 11", 1)
	succeeds("a change and a new partner", erp.Partners, erp.CSV, lines[0]+moved+bonn, false, erp.Result{Made: 1, Changed: 1})
	succeeds("the same file again", erp.Partners, erp.CSV, lines[0]+moved+bonn, false, erp.Result{Same: 2})
	if now := exported(erp.Partners, erp.JSON); !strings.Contains(now, "Jonas Petersen") || !strings.Contains(now, "Weg 11") {
		t.Errorf("drivers are gone, or the change is: %s", now)
	}
	refused("a change of what was changed since", erp.Partners, erp.CSV, lines[0]+strings.Replace(lines[1], "Weg 1", "Weg 12", 1), "file:2: version: somebody has changed")
	refused("a change without a version", erp.Partners, erp.CSV, lines[0]+strings.Replace(bonn, "Weg 2", "Weg 22", 1), "file:2: version: there is this partner already")
	succeeds("the same with -latest", erp.Partners, erp.CSV, lines[0]+strings.Replace(bonn, "Weg 2", "Weg 22", 1), true, erp.Result{Changed: 1})

	const heading = "partner_id,version,item,net_cents\n"
	refused("a price list of nobody", erp.PriceLists, erp.CSV, heading+"p-x,,170904,1\n", "file:2: partner_id: there is no partner p-x")
	refused("a price of what is no waste", erp.PriceLists, erp.CSV, heading+"p-koeln,2,170904,4300\np-koeln,2,999999,1\n", "file:2: waste_codes 1:")
	succeeds("a price list", erp.PriceLists, erp.CSV, heading+"p-koeln,2,170904,4300\np-koeln,2,trip,7900\n", false, erp.Result{Changed: 1})
	if now := exported(erp.PriceLists, erp.CSV); !strings.Contains(now, "p-koeln,3,trip,7900\np-koeln,3,tonne-over,600\np-koeln,3,170904,4300\n") || strings.Contains(now, "170107") {
		t.Errorf("price lists:\n%s", now)
	}
}
