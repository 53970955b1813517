package order

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDeliveries: an order belongs to the year in which its container was fetched, and what is missing is said.
func TestDeliveries(t *testing.T) {
	newYear := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC) // the next year in Berlin
	full, bare, next, standing := in(t, Weighed), in(t, Collected), in(t, OnSite), in(t, OnSite)
	full.Documents = []Document{{SHA256: "22222222", Kind: "slip", Type: "application/pdf", Size: 7}, {SHA256: "11111111", Kind: "photo", Type: "image/png", Size: 5}}
	full.ID, bare.ID, next.ID, bare.PartnerID = "o-2", "o-1", "o-3", "p-9"
	if err := next.collect(&newYear, after(60*day)); err != nil {
		t.Fatal(err)
	}
	partners := map[string]Taker{"p-1": {Name: "=Hof", Street: "Weg 1", Postcode: "50667", City: "Köln"}}
	list, size := deliveries([]Order{next, full, standing, bare}, partners, 2026, berlin)
	if len(list) != 2 || list[0].ID != "o-1" || list[1].ID != "o-2" || size != 12 {
		t.Fatalf("%d bytes, %v", size, list)
	}
	if d := cmp.Diff([]string{"Name und Anschrift des Entsorgers", "Masse und Nummer des Wiegescheins", "Wiegeschein als Datei", "Foto"}, list[0].Missing); d != "" {
		t.Error(d)
	}
	if d := list[1]; len(d.Missing) != 0 || d.Files[0].Name != "2026-11-25_o-2/photo-11111111.png" || d.Files[1].Name != "2026-11-25_o-2/slip-22222222.pdf" {
		t.Errorf("%+v", d)
	}
	csv, err := register(list)
	if err != nil {
		t.Fatal(err)
	}
	row := `2026-11-25;17 09 04;Gemischte Bau- und Abbruchabfälle;2,000;'=Hof;Weg 1, 50667 Köln;W-1;K 17;o-2;C 1, 50667 D;`
	if lines := strings.Split(string(csv), "\r\n"); len(lines) != 4 || !strings.HasPrefix(lines[2], row[:20]) || !strings.HasSuffix(lines[2], row[strings.Index(row, "2,000"):]) {
		t.Errorf("register:\n%s", csv)
	}
	page, err := cover(list, 2026)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"2 Lieferungen, zusammen 2,000 t", `href="2026-11-25_o-2/slip-22222222.pdf"`, "Es fehlt", "=Hof, Weg 1, 50667 Köln"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}
