package bank

import (
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"kreislauf/internal/input"
	"kreislauf/internal/money"
)

// Account is the account of the platform.
type Account struct {
	Name, IBAN, BIC string // BIC may be empty
	CreditorID      string // of the German central bank, for debits: "DE98ZZZ09999999999"
}

// Order is one transfer or debit.
type Order struct {
	EndToEnd string      // up to 35 characters, its own within the file; it comes back in the statement
	Name     string      // of the other side
	IBAN     string      // of the other side
	Cents    money.Cents // at least 1
	Text     string      // remittance information, cut at 140 characters
	Mandate  *Mandate    // of a debit
}

// Mandate is a customer's permission to debit its account.
type Mandate struct{ Reference, SignedOn string }

// Batch is one file.
type Batch struct {
	ID      string    // up to 35 characters, its own for ever: banks refuse a file that they had
	Created time.Time // in the zone in which it is written
	On      string    // YYYY-MM-DD when it is to be carried out
	Orders  []Order
}

const (
	transferSpace = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
	debitSpace    = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"
)

// The files. Fields stand in the order of the schemas.
type (
	painTransfer struct {
		XMLName xml.Name   `xml:"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09 Document"`
		Header  painHeader `xml:"CstmrCdtTrfInitn>GrpHdr"`
		Payment struct {
			ID           string     `xml:"PmtInfId"`
			Method       string     `xml:"PmtMtd"`
			Batch        bool       `xml:"BtchBookg"`
			Count        int        `xml:"NbOfTxs"`
			Sum          string     `xml:"CtrlSum"`
			Service      string     `xml:"PmtTpInf>SvcLvl>Cd"`
			On           string     `xml:"ReqdExctnDt>Dt"`
			Debtor       string     `xml:"Dbtr>Nm"`
			DebtorIBAN   string     `xml:"DbtrAcct>Id>IBAN"`
			DebtorBank   painBank   `xml:"DbtrAgt>FinInstnId"`
			Charges      string     `xml:"ChrgBr"`
			Transactions []painSend `xml:"CdtTrfTxInf"`
		} `xml:"CstmrCdtTrfInitn>PmtInf"`
	}
	painSend struct {
		EndToEnd string     `xml:"PmtId>EndToEndId"`
		Amount   painAmount `xml:"Amt>InstdAmt"`
		Name     string     `xml:"Cdtr>Nm"`
		IBAN     string     `xml:"CdtrAcct>Id>IBAN"`
		Text     string     `xml:"RmtInf>Ustrd"`
	}
	painDebit struct {
		XMLName xml.Name   `xml:"urn:iso:std:iso:20022:tech:xsd:pain.008.001.08 Document"`
		Header  painHeader `xml:"CstmrDrctDbtInitn>GrpHdr"`
		Payment struct {
			ID           string        `xml:"PmtInfId"`
			Method       string        `xml:"PmtMtd"`
			Batch        bool          `xml:"BtchBookg"`
			Count        int           `xml:"NbOfTxs"`
			Sum          string        `xml:"CtrlSum"`
			Service      string        `xml:"PmtTpInf>SvcLvl>Cd"`
			Instrument   string        `xml:"PmtTpInf>LclInstrm>Cd"`
			Sequence     string        `xml:"PmtTpInf>SeqTp"`
			On           string        `xml:"ReqdColltnDt"`
			Creditor     string        `xml:"Cdtr>Nm"`
			CreditorIBAN string        `xml:"CdtrAcct>Id>IBAN"`
			CreditorBank painBank      `xml:"CdtrAgt>FinInstnId"`
			Charges      string        `xml:"ChrgBr"`
			CreditorID   painScheme    `xml:"CdtrSchmeId>Id>PrvtId>Othr"`
			Transactions []painCollect `xml:"DrctDbtTxInf"`
		} `xml:"CstmrDrctDbtInitn>PmtInf"`
	}
	painCollect struct {
		EndToEnd string     `xml:"PmtId>EndToEndId"`
		Amount   painAmount `xml:"InstdAmt"`
		Mandate  string     `xml:"DrctDbtTx>MndtRltdInf>MndtId"`
		Signed   string     `xml:"DrctDbtTx>MndtRltdInf>DtOfSgntr"`
		Bank     painBank   `xml:"DbtrAgt>FinInstnId"`
		Name     string     `xml:"Dbtr>Nm"`
		IBAN     string     `xml:"DbtrAcct>Id>IBAN"`
		Text     string     `xml:"RmtInf>Ustrd"`
	}
	painHeader struct {
		ID      string `xml:"MsgId"`
		Created string `xml:"CreDtTm"`
		Count   int    `xml:"NbOfTxs"`
		Sum     string `xml:"CtrlSum"`
		From    string `xml:"InitgPty>Nm"`
	}
	painAmount struct {
		Currency string `xml:"Ccy,attr"`
		Value    string `xml:",chardata"`
	}
	painBank struct {
		BIC   string     `xml:"BICFI,omitempty"`
		Other *painOther `xml:"Othr"`
	}
	painOther struct {
		ID string `xml:"Id"`
	}
	painScheme struct {
		ID     string `xml:"Id"`
		Scheme string `xml:"SchmeNm>Prtry"`
	}
)

// Transfers writes a pain.001.001.09 (SEPA credit transfers, each booked alone). The error is about what must not reach a bank.
func Transfers(a Account, b Batch) ([]byte, error) {
	header, sum, err := check(a, b, false)
	if err != nil {
		return nil, fmt.Errorf("write transfers %s: %w", b.ID, err)
	}
	doc := painTransfer{Header: header}
	p := &doc.Payment
	p.ID, p.Method, p.Count, p.Sum, p.Service, p.On, p.Charges = b.ID, "TRF", len(b.Orders), sum, "SEPA", b.On, "SLEV"
	p.Debtor, p.DebtorIBAN, p.DebtorBank = plain(a.Name, 70), a.IBAN, bankOf(a.BIC)
	for _, o := range b.Orders {
		p.Transactions = append(p.Transactions, painSend{o.EndToEnd, painAmount{"EUR", o.Cents.String()}, plain(o.Name, 70), o.IBAN, plain(o.Text, 140)})
	}
	return encode(doc)
}

// Debits writes a pain.008.001.08 (SEPA core direct debits). The error is about what must not reach a bank.
func Debits(a Account, b Batch) ([]byte, error) {
	header, sum, err := check(a, b, true)
	if err != nil {
		return nil, fmt.Errorf("write debits %s: %w", b.ID, err)
	}
	doc := painDebit{Header: header}
	p := &doc.Payment
	p.ID, p.Method, p.Count, p.Sum, p.Service, p.Instrument, p.Sequence, p.On, p.Charges = b.ID, "DD", len(b.Orders), sum, "SEPA", "CORE", "RCUR", b.On, "SLEV"
	p.Creditor, p.CreditorIBAN, p.CreditorBank, p.CreditorID = plain(a.Name, 70), a.IBAN, bankOf(a.BIC), painScheme{a.CreditorID, "SEPA"}
	for _, o := range b.Orders {
		p.Transactions = append(p.Transactions, painCollect{
			o.EndToEnd, painAmount{"EUR", o.Cents.String()}, o.Mandate.Reference, o.Mandate.SignedOn, bankOf(""), plain(o.Name, 70), o.IBAN, plain(o.Text, 140),
		})
	}
	return encode(doc)
}

func encode(doc any) ([]byte, error) {
	b, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write file for the bank: %w", err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

func bankOf(bic string) painBank {
	if bic == "" {
		return painBank{Other: &painOther{"NOTPROVIDED"}}
	}
	return painBank{BIC: bic}
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9.,:'+()?/-]{1,35}$`)

// check refuses what schemas let pass, and adds up.
func check(a Account, b Batch, debits bool) (header painHeader, sum string, err error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !input.ValidIBAN(a.IBAN) || plain(a.Name, 70) == "" {
		bad("the account of the platform is wrong")
	}
	if debits && !ValidCreditorID(a.CreditorID) {
		bad("the creditor id %q is wrong", a.CreditorID)
	}
	if !idPattern.MatchString(b.ID) || len(b.Orders) == 0 {
		bad("the id %q is wrong, or there is no order", b.ID)
	}
	if _, err := time.Parse(time.DateOnly, b.On); err != nil || b.On < b.Created.Format(time.DateOnly) {
		bad("it is to be carried out on %q", b.On)
	}
	seen := map[string]bool{}
	var total money.Cents
	for _, o := range b.Orders {
		if !idPattern.MatchString(o.EndToEnd) || seen[o.EndToEnd] {
			bad("the reference %q is wrong or there twice", o.EndToEnd)
		}
		if !input.ValidIBAN(o.IBAN) || plain(o.Name, 70) == "" {
			bad("%s: name or IBAN of the other side is wrong", o.EndToEnd)
		}
		if o.Cents < 1 || o.Cents > 999_999_999_99 {
			bad("%s: its amount is %s", o.EndToEnd, o.Cents)
		}
		if plain(o.Text, 140) == "" {
			bad("%s: it says nothing", o.EndToEnd)
		}
		if m := o.Mandate; debits && (m == nil || !idPattern.MatchString(m.Reference) || !day(m.SignedOn) || m.SignedOn > b.On) {
			bad("%s: its mandate is wrong", o.EndToEnd)
		}
		seen[o.EndToEnd], total = true, total+o.Cents
	}
	sum = total.String()
	return painHeader{b.ID, b.Created.Format("2006-01-02T15:04:05-07:00"), len(b.Orders), sum, plain(a.Name, 70)}, sum, errors.Join(errs...)
}

func day(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

var creditorPattern = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}$`)

// ValidCreditorID checks the form and the check digits of a SEPA creditor id: they are those of an IBAN without the business code of three signs.
func ValidCreditorID(s string) bool {
	if !creditorPattern.MatchString(s) || strings.HasPrefix(s, "DE") && len(s) != 18 {
		return false
	}
	rest := 0
	for _, r := range s[7:] + s[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

// plain writes a text with the characters that every bank takes, at most so many.
func plain(s string, most int) string {
	s = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss", "&", "+").Replace(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("/-?:().,'+ ", r):
			return r
		}
		return ' '
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.TrimSpace(s[:most])
	}
	return s
}
