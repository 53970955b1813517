package payment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var company = Company{
	Name: "Test Kreislauf GmbH", Street: "Prüfweg 7", Postcode: "50667", City: "Köln", VATID: "DE123456788", Register: "Amtsgericht Köln, HRB 12345",
	IBAN: "DE89370400440532013000", BIC: "COBADEFFXXX", Email: "rechnung@kreislauf.example", Phone: "+49 221 123456",
}

func TestCompanyCheck(t *testing.T) {
	if mistakes := company.check(); mistakes != nil {
		t.Fatal(mistakes)
	}
	for name, tc := range map[string]struct {
		change func(*Company)
		want   string // members that are complained about; empty: none
	}{
		"tax number alone":            {func(c *Company) { c.VATID, c.TaxNumber = "", "143/123/45678" }, ""},
		"no BIC":                      {func(c *Company) { c.BIC = "" }, ""},
		"IBAN of another land":        {func(c *Company) { c.IBAN = "AT611904300234573201" }, ""},
		"no name":                     {func(c *Company) { c.Name = " " }, "name"},
		"name beyond a transfer":      {func(c *Company) { c.Name = strings.Repeat("ä", 71) }, "name"},
		"no tax id at all":            {func(c *Company) { c.VATID = "" }, "vat_id"},
		"VAT id of eight digits":      {func(c *Company) { c.VATID = "DE12345678" }, "vat_id"},
		"VAT id, wrong digit":         {func(c *Company) { c.VATID = "DE123456789" }, "vat_id"},
		"IBAN, digits swapped":        {func(c *Company) { c.IBAN = "DE98370400440532013000" }, "iban"},
		"IBAN, a digit missing":       {func(c *Company) { c.IBAN = "DE8937040044053201300" }, "iban"},
		"BIC":                         {func(c *Company) { c.BIC = "COBADEF" }, "bic"},
		"tax number":                  {func(c *Company) { c.TaxNumber = "12" }, "tax_number"},
		"a fee of the first reminder": {func(c *Company) { c.Reminders = []Level{{7, 7, 1}} }, "reminders"},
		"four reminders":              {func(c *Company) { c.Reminders = append(usualLevels(), Level{7, 7, 0}) }, "reminders"},
		"email with a name":           {func(c *Company) { c.Email = "A <a@b.example>" }, "email"},
		"all at once": {
			func(c *Company) { *c = Company{} }, "name street city postcode vat_id register iban email phone",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := company
			tc.change(&c)
			var got []string
			for _, m := range c.check() {
				member, _, _ := strings.Cut(m.Error(), ":")
				got = append(got, member)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("complaints about %q, want %q: %v", got, tc.want, c.check())
			}
		})
	}
}

func TestReadCompany(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		text  string
		fails bool
	}{
		"good": {
			`{"name":"A GmbH","street":"Weg 1","postcode":"10115","city":"Berlin","tax_number":"143/123/45678","register":"HRB 1","iban":"DE89 3704 0044 0532 0130 00",
			"email":"a@b.example","phone":"030 1234567"}`, false,
		},
		"no JSON":        {`{`, true},
		"unknown member": {`{"nam":"A GmbH"}`, true},
	} {
		path := filepath.Join(dir, "company.json")
		if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, mistakes := readCompany(path)
		if (mistakes != nil) != tc.fails || !tc.fails && c.IBAN != "DE89370400440532013000" {
			t.Errorf("%s: %+v, %v", name, c, mistakes)
		}
	}
	for _, path := range []string{"", filepath.Join(dir, "none.json")} {
		if _, mistakes := readCompany(path); len(mistakes) != 1 {
			t.Errorf("file %q: %v", path, mistakes)
		}
	}
}
