package bank

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files; then make check-invoices has to pass")

var ours = Account{Name: "Kreislauf Köln GmbH & Co. KG", IBAN: "DE89370400440532013000", BIC: "COBADEFFXXX", CreditorID: "DE98ZZZ09999999999"}

func batch() Batch {
	return Batch{ID: "run-abcdefghijklmnop", Created: time.Date(2026, 11, 30, 18, 5, 0, 0, time.FixedZone("", 3600)), On: "2026-12-14", Orders: []Order{
		{"P-abcdefghijklmnop-1", "Rheinland Mulden KG", "DE02120300000000202051", 416_50, "G-2026-000001 G-2026-000002", &Mandate{"M-1", "2026-01-31"}},
		{"P-abcdefghijklmnop-2", "Søren <Ömer> & Söhne", "DE02500105170137075030", 1, strings.Repeat("G-2026-000003 ", 20), &Mandate{"M-2", "2026-12-01"}},
	}}
}

// TestOrders holds both files against the golden ones, which make check-invoices holds against the schemas.
func TestOrders(t *testing.T) {
	transfers, err := Transfers(ours, batch())
	if err != nil {
		t.Fatal(err)
	}
	us := ours
	us.BIC = ""
	debits, err := Debits(us, batch())
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"transfers.pain.001.001.09.xml": transfers, "debits.pain.008.001.08.xml": debits} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if s := string(got); !strings.Contains(s, "<CtrlSum>416.51</CtrlSum>") || strings.Contains(s, "ö") || strings.Contains(s, "ø") {
			t.Errorf("%s:\n%s", name, s)
		}
	}
}

func TestOrdersThatNoBankMustGet(t *testing.T) {
	for name, change := range map[string]func(*Account, *Batch){
		"our IBAN":              func(a *Account, _ *Batch) { a.IBAN = "DE98370400440532013000" },
		"the creditor id":       func(a *Account, _ *Batch) { a.CreditorID = "DE97ZZZ09999999999" },
		"the id of the file":    func(_ *Account, b *Batch) { b.ID = strings.Repeat("x", 36) },
		"nothing":               func(_ *Account, b *Batch) { b.Orders = nil },
		"yesterday":             func(_ *Account, b *Batch) { b.On = "2026-11-29" },
		"a partner's IBAN":      func(_ *Account, b *Batch) { b.Orders[0].IBAN = "DE20120300000000202051" },
		"no name":               func(_ *Account, b *Batch) { b.Orders[0].Name = "李" },
		"no amount":             func(_ *Account, b *Batch) { b.Orders[0].Cents = 0 },
		"the same twice":        func(_ *Account, b *Batch) { b.Orders[1].EndToEnd = b.Orders[0].EndToEnd },
		"no mandate":            func(_ *Account, b *Batch) { b.Orders[0].Mandate = nil },
		"a mandate of tomorrow": func(_ *Account, b *Batch) { b.Orders[0].Mandate.SignedOn = "2026-12-15" },
	} {
		a, b := ours, batch()
		change(&a, &b)
		if _, err := Debits(a, b); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
}

// head and tail make a file of a version around entries.
func file(version, entries string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.` + version + `"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>
<Stmt><Id>2026-231</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>` + entries + `</Stmt></BkToCstmrStmt></Document>`)
}

const (
	plainEntry = `<Ntry><Amt Ccy="EUR">574.77</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-12-01</Dt></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Nm>Anna Beispiel</Nm></Dbtr></RltdPties>
<RmtInf><Ustrd>Rechnung</Ustrd><Ustrd>R-2026-000001</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`
	newEntry = `<Ntry><Amt Ccy="EUR">416.5</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>2026-12-01T10:00:00+01:00</DtTm></BookgDt><AcctSvcrRef>B-2</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>P-abcdefghijklmnop-1</EndToEndId></Refs><RltdPties><Cdtr><Pty><Nm>Rheinland Mulden KG</Nm></Pty></Cdtr></RltdPties></TxDtls></NtryDtls></Ntry>`
	pending   = `<Ntry><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><AcctSvcrRef>B-3</AcctSvcrRef></Ntry>`
	collected = `<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><ValDt><Dt>2026-12-02</Dt></ValDt><AcctSvcrRef>B-4</AcctSvcrRef><NtryDtls>
<TxDtls><Refs><EndToEndId>R-2026-000002</EndToEndId></Refs><Amt Ccy="EUR">10.00</Amt></TxDtls><TxDtls><Refs><EndToEndId>R-2026-000003</EndToEndId></Refs><Amt Ccy="EUR">20.00</Amt></TxDtls></NtryDtls></Ntry>`
	returned = `<Ntry><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-12-03</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>R-2026-000002</EndToEndId></Refs><RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>`
)

func TestReadStatements(t *testing.T) {
	want := map[string][]Entry{
		"02": {{BookedOn: "2026-12-01", Cents: 574_77, Name: "Anna Beispiel", Text: "Rechnung R-2026-000001"}},
		"08": {
			{BookedOn: "2026-12-01", Cents: -416_50, Name: "Rheinland Mulden KG", EndToEnd: "P-abcdefghijklmnop-1"},
			{BookedOn: "2026-12-02", Cents: 10_00, EndToEnd: "R-2026-000002"},
			{BookedOn: "2026-12-02", Cents: 20_00, EndToEnd: "R-2026-000003"},
			{BookedOn: "2026-12-03", Cents: -10_00, EndToEnd: "R-2026-000002", Returning: true},
		},
	}
	ids := map[string]bool{}
	for version, entries := range map[string]string{"02": plainEntry + pending, "08": newEntry + pending + collected + returned} {
		list, err := ReadStatements(file(version, entries))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadStatements(file(version, "<!-- the same -->"+entries))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, again); diff != "" {
			t.Errorf("version %s, read again:\n%s", version, diff)
		}
		got := list[0].Entries
		for i := range got {
			ids[got[i].ID], got[i].ID = true, ""
		}
		if diff := cmp.Diff(want[version], got); diff != "" || list[0].ID != "2026-231" || list[0].IBAN != ours.IBAN {
			t.Errorf("version %s (-want +got):\n%s", version, diff)
		}
	}
	if len(ids) != 5 {
		t.Errorf("ids %v", ids)
	}
}

// TestAlikeEntries: two entries of a statement are two, also when the bank has no reference for them, or the same.
func TestAlikeEntries(t *testing.T) {
	for _, ref := range []string{"B-1", "NONREF", ""} {
		one := strings.ReplaceAll(plainEntry, "B-1", ref)
		list, err := ReadStatements(file("02", one+one))
		if err != nil {
			t.Fatal(err)
		}
		if e := list[0].Entries; len(e) != 2 || e[0].ID == e[1].ID {
			t.Errorf("reference %q: %+v", ref, e)
		}
	}
}

func TestReadStatementsRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		file []byte
		want string
	}{
		"no XML":             {[]byte("%PDF-1.7"), "it is no XML"},
		"another version":    {file("04", plainEntry), "its namespace"},
		"no statement":       {[]byte(`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>`), "no statement"},
		"two documents":      {append(file("02", plainEntry), file("02", plainEntry)[38:]...), "follows"},
		"dollars":            {file("02", strings.ReplaceAll(plainEntry, `"EUR"`, `"USD"`)), "currency"},
		"tenths of a cent":   {file("02", strings.ReplaceAll(plainEntry, "574.77", "574.771")), "amount"},
		"a negative amount":  {file("02", strings.ReplaceAll(plainEntry, "574.77", "-574.77")), "amount"},
		"no side":            {file("02", strings.ReplaceAll(plainEntry, "CRDT", "")), "side"},
		"no date":            {file("02", strings.ReplaceAll(plainEntry, "2026-12-01", "")), "date"},
		"too much":           {file("02", strings.Repeat(plainEntry, MaxEntries+1)), "split"},
		"no id of statement": {[]byte(strings.ReplaceAll(string(file("02", plainEntry)), "2026-231", " ")), "no Id"},
	} {
		if _, err := ReadStatements(tc.file); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
