package erp

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() []Partner {
	return []Partner{
		{"p-koeln", 3, Master{
			Name: "Rheinland Mulden; KG", Street: "Weg 1", Postcode: "50735", City: "Köln", Email: "a@b.example", TaxID: "DE136695976", RadiusKm: 150,
			Wastes: []string{"170107", "170904"}, AutoAccept: true, Active: true,
			Rates:        Rates{7800, map[string]int64{"170904": 4200, "170107": 1615}, 600},
			Certificates: []Certificate{{"53", "A:1", ""}, {"efb", "E-2", "2027-06-30"}},
		}},
		{"p-bonn", 1, Master{
			Name: "Bonn \"Container\"", Wastes: []string{"170904"}, Rates: Rates{7800, map[string]int64{"170904": 4100}, 0}, Certificates: []Certificate{},
		}},
	}
}

// TestFilesComeBack reads what was written, in each form.
func TestFilesComeBack(t *testing.T) {
	for _, k := range []Kind{Partners, PriceLists} {
		for _, f := range []Format{CSV, JSON} {
			var text bytes.Buffer
			if err := Write(&text, k, f, sample()); err != nil {
				t.Fatal(err)
			}
			list, err := Read("file", text.Bytes(), k, f)
			if err != nil {
				t.Fatalf("%s as %s: %v\n%s", k, f, err, &text)
			}
			var got []Partner
			for _, e := range list {
				got = append(got, e.Partner)
			}
			want := sample()
			for i, p := range want {
				if k == PriceLists {
					want[i].Master = Master{Wastes: p.Wastes, Rates: p.Rates}
				}
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b json.RawMessage) bool { return string(a) == string(b) })); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", k, f, diff)
			}
		}
	}
}

func TestFaultsNameTheLine(t *testing.T) {
	heading := strings.Join(columns(Partners), ";")
	for name, tc := range map[string]struct {
		kind   Kind
		format Format
		text   string
		want   []string
	}{
		"columns": {Partners, CSV, "id;name;colour\n", []string{"f:1: colour: there is no such column", "f:1: version: this column is missing"}},
		"cells": {
			Partners, CSV, "\ufeff" + heading + "\r\np-a;x;A;B;50735;C;a@b;DE1;many;yes;true;1;2;170904;53\r\np-a;;A;B;50735;C;a@b;DE1;1;true;true;1;2;;\r\n",
			[]string{
				"f:2: version: \"x\" is no whole number", "f:2: radius_km: \"many\" is no whole number", "f:2: auto_accept: \"yes\" is neither true nor false",
				"f:2: rates: \"170904\" is no rate", "f:2: certificates: \"53\" is no certificate", "f:3: id: p-a stands in line 2 already",
			},
		},
		"too few cells":   {Partners, CSV, heading + "\np-a;1\n", []string{"f:2: the line cannot be read"}},
		"nothing":         {Partners, CSV, "", []string{"f:1: the first line must name the columns"}},
		"a list twice":    {PriceLists, CSV, "partner_id,version,item,net_cents\np-a,1,170904,4200\np-a,2,170904,x\n", []string{"f:3: net_cents: \"x\"", "f:3: version: 2 is not the version of line 2", "f:3: item: 170904 stands twice"}},
		"unknown member":  {Partners, JSON, "[\n {\"id\":\"p-a\",\n  \"colour\":1}\n]", []string{"f:3: json: unknown field"}},
		"a wrong type":    {Partners, JSON, "[\n {\"id\":\"p-a\"},\n {\"id\":7}\n]", []string{"f:3: id: string is needed, not number"}},
		"twice":           {Partners, JSON, "[{\"id\":\"p-a\"},\n{\"id\":\"p-a\"}]", []string{"f:2: id: p-a stands in line 1 already"}},
		"an array is due": {Partners, JSON, "{}", []string{"f:1: the file must be a JSON array"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("f", []byte(tc.text), tc.kind, tc.format)
			if err == nil {
				t.Fatal("the file is right")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
		})
	}
}

func TestNameSays(t *testing.T) {
	for path, want := range map[string]Kind{"/tmp/partners.csv": Partners, "Rates-2027.JSON": PriceLists, "partners.xlsx": "", "wastes.csv": ""} {
		if k, _, err := NameSays(path); k != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v", path, k, err)
		}
	}
}
