// Package bank reads account statements (camt.053) and writes orders to the bank: credit transfers (pain.001) and direct debits (pain.008).
//
// It is pure. XSDs let wrong IBANs, sums and counts pass, so what is written is checked here too. Amounts are whole cents of euros.
package bank

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/money"
)

// MaxEntries is how many entries one file may have.
const MaxEntries = 1000

// Statement is an account statement.
type Statement struct {
	ID      string // the bank's, of this account
	IBAN    string
	Entries []Entry
}

// Entry is money that came (positive) or went. An entry of several transactions whose amounts are told becomes one Entry for each.
type Entry struct {
	ID        string // follows from account, statement and the bank's reference, so that the same entry has the same one whenever it comes
	BookedOn  string // YYYY-MM-DD
	Cents     money.Cents
	Name      string // of the other side
	EndToEnd  string // reference that the order of the transfer or debit had; empty without
	Text      string // remittance information
	Returning bool   // money of an earlier entry comes or goes back
}

// namespaces are the versions that are read.
func namespaces() []string {
	return []string{"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
}

// What is read of a file. Version 08 wraps some texts that version 02 has plain.
type (
	camtDocument struct {
		XMLName    xml.Name        `xml:"Document"`
		Statements []camtStatement `xml:"BkToCstmrStmt>Stmt"`
	}
	camtStatement struct {
		ID      string      `xml:"Id"`
		IBAN    string      `xml:"Acct>Id>IBAN"`
		Entries []camtEntry `xml:"Ntry"`
	}
	camtEntry struct {
		Ref      string     `xml:"NtryRef"`
		Amount   camtAmount `xml:"Amt"`
		Side     string     `xml:"CdtDbtInd"`
		Reversal bool       `xml:"RvslInd"`
		Status   struct {
			Plain string `xml:",chardata"`
			Code  string `xml:"Cd"`
		} `xml:"Sts"`
		Booked    camtDate          `xml:"BookgDt"`
		Value     camtDate          `xml:"ValDt"`
		BankRef   string            `xml:"AcctSvcrRef"`
		SubFamily string            `xml:"BkTxCd>Domn>Fmly>SubFmlyCd"`
		Details   []camtTransaction `xml:"NtryDtls>TxDtls"`
		Info      string            `xml:"AddtlNtryInf"`
	}
	camtTransaction struct {
		BankRef  string      `xml:"Refs>AcctSvcrRef"`
		EndToEnd string      `xml:"Refs>EndToEndId"`
		Amount   *camtAmount `xml:"Amt"`               // version 08
		Booked   *camtAmount `xml:"AmtDtls>TxAmt>Amt"` // version 02
		Debtor   camtParty   `xml:"RltdPties>Dbtr"`
		Creditor camtParty   `xml:"RltdPties>Cdtr"`
		Texts    []string    `xml:"RmtInf>Ustrd"`
		Refs     []string    `xml:"RmtInf>Strd>CdtrRefInf>Ref"`
		Return   *struct{}   `xml:"RtrInf"`
	}
	camtAmount struct {
		Currency string `xml:"Ccy,attr"`
		Value    string `xml:",chardata"`
	}
	camtDate struct {
		Date string `xml:"Dt"`
		Time string `xml:"DtTm"`
	}
	camtParty struct {
		Plain string `xml:"Nm"`
		Name  string `xml:"Pty>Nm"`
	}
)

// ReadStatements reads a camt.053 of version 02 or 08. Entries that are not booked yet are left out. The error says what is wrong with the file.
func ReadStatements(file []byte) ([]Statement, error) {
	var doc camtDocument
	d := xml.NewDecoder(bytes.NewReader(file))
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("it is no XML: %w", err)
	}
	for { // comments and space may follow
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if _, start := token.(xml.StartElement); err != nil || start {
			return nil, errors.New("something follows the document")
		}
	}
	if !slices.Contains(namespaces(), doc.XMLName.Space) {
		return nil, fmt.Errorf("its namespace is %.100q; it must be one of %s", doc.XMLName.Space, strings.Join(namespaces(), ", "))
	}
	if len(doc.Statements) == 0 {
		return nil, errors.New("it has no statement")
	}
	var list []Statement
	n := 0
	for _, s := range doc.Statements {
		if s.ID = strings.TrimSpace(s.ID); s.ID == "" || s.IBAN == "" {
			return nil, errors.New("a statement has no Id, or no IBAN of its account")
		}
		same := map[string]int{}
		st := Statement{ID: s.ID, IBAN: strings.TrimSpace(s.IBAN)}
		for i, e := range s.Entries {
			entries, err := e.read(s, i)
			if err != nil {
				return nil, fmt.Errorf("entry %d of the statement %.35q: %w", i+1, s.ID, err)
			}
			for i := range entries { // two of one statement are never the same money, also when the bank names them alike
				if same[entries[i].ID]++; same[entries[i].ID] > 1 {
					sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", entries[i].ID, same[entries[i].ID]))
					entries[i].ID = "camt-" + hex.EncodeToString(sum[:12])
				}
			}
			st.Entries = append(st.Entries, entries...)
			if n += len(entries); n > MaxEntries {
				return nil, fmt.Errorf("it has more than %d entries; split it", MaxEntries)
			}
		}
		list = append(list, st)
	}
	return list, nil
}

func (e camtEntry) read(s camtStatement, place int) ([]Entry, error) {
	if status := strings.TrimSpace(e.Status.Code + e.Status.Plain); status != "BOOK" {
		return nil, nil
	}
	cents, err := e.Amount.cents()
	if err != nil {
		return nil, err
	}
	sign := map[string]money.Cents{"CRDT": 1, "DBIT": -1}[e.Side]
	if sign == 0 {
		return nil, fmt.Errorf("its side is %.10q", e.Side)
	}
	booked, err := e.Booked.day()
	if err != nil {
		if booked, err = e.Value.day(); err != nil {
			return nil, err
		}
	}
	// A bank's reference is the same in each file; without one the place in the statement stands for it.
	bankRef := e.BankRef
	if bankRef == "NONREF" || bankRef == "NOTPROVIDED" { // what banks write where they have none
		bankRef = ""
	}
	ref := bankRef + "|" + e.Ref
	if ref == "|" {
		ref = "place " + strconv.Itoa(place)
	}
	id := func(part string) string {
		sum := sha256.Sum256([]byte(s.IBAN + "\n" + s.ID + "\n" + ref + "\n" + part))
		return "camt-" + hex.EncodeToString(sum[:12])
	}
	entry := Entry{ID: id(""), BookedOn: booked, Cents: sign * cents, Text: e.Info, Returning: e.Reversal || returns(e.SubFamily)}
	parts, told := e.parts(cents)
	if !told {
		if len(e.Details) == 1 {
			e.Details[0].fill(&entry, sign)
		}
		return []Entry{entry}, nil
	}
	var list []Entry
	for i, t := range e.Details {
		one := entry
		one.ID, one.Cents = id(fmt.Sprint(i, t.BankRef)), sign*parts[i]
		t.fill(&one, sign)
		list = append(list, one)
	}
	return list, nil
}

// returns says whether a code of the ISO list of bank transactions is that of money that comes back: RRTN, RPCR, … of transfers, UPDD and
// others of debits.
func returns(subFamily string) bool {
	return slices.Contains([]string{"RRTN", "RPCR", "UPDD", "PRDD", "PADD", "RCDD"}, subFamily)
}

// parts are the amounts of the transactions; told is false unless there are several that add up to the entry's.
func (e camtEntry) parts(whole money.Cents) (parts []money.Cents, told bool) {
	var sum money.Cents
	for _, t := range e.Details {
		a := t.Amount
		if a == nil {
			a = t.Booked
		}
		if a == nil {
			return nil, false
		}
		c, err := a.cents()
		if err != nil {
			return nil, false
		}
		parts, sum = append(parts, c), sum+c
	}
	return parts, len(parts) > 1 && sum == whole
}

func (t camtTransaction) fill(e *Entry, sign money.Cents) {
	other := t.Debtor
	if sign < 0 {
		other = t.Creditor
	}
	if e.Name = strings.TrimSpace(other.Name); e.Name == "" {
		e.Name = strings.TrimSpace(other.Plain)
	}
	if e.EndToEnd = strings.TrimSpace(t.EndToEnd); e.EndToEnd == "NOTPROVIDED" {
		e.EndToEnd = ""
	}
	if text := strings.TrimSpace(strings.Join(append(t.Texts, t.Refs...), " ")); text != "" {
		e.Text = text
	}
	e.Returning = e.Returning || t.Return != nil
}

func (a camtAmount) cents() (money.Cents, error) {
	whole, part, _ := strings.Cut(strings.TrimSpace(a.Value), ".")
	if a.Currency != "EUR" {
		return 0, fmt.Errorf("its currency is %.5q, not EUR", a.Currency)
	}
	digits := strings.TrimRight(part, "0")
	if len(digits) > 2 || len(whole) > 12 || whole == "" {
		return 0, fmt.Errorf("its amount %.30q is none in cents", a.Value)
	}
	n, err := strconv.ParseUint(whole+(digits + "00")[:2], 10, 63)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("its amount %.30q is none in cents", a.Value)
	}
	return money.Cents(n), nil //nolint:gosec // 63 bits
}

func (d camtDate) day() (string, error) {
	text := strings.TrimSpace(d.Date)
	if text == "" && len(d.Time) >= len(time.DateOnly) {
		text = d.Time[:len(time.DateOnly)]
	}
	if len(text) > len(time.DateOnly) { // a date may have a zone
		text = text[:len(time.DateOnly)]
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil || text < "2000-01-01" {
		return "", errors.New("it has no date from 2000 on")
	}
	return text, nil
}
