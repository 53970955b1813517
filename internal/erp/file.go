package erp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// priceList is an entry of a file of price lists in JSON.
type priceList struct {
	ID      string `json:"partner_id"`
	Version int64  `json:"version,omitempty"`
	Rates   Rates  `json:"rates"`
}

// Read reads a file. The error is a *Faults when lines are wrong, or says that the file is none of its kind.
func Read(path string, text []byte, k Kind, f Format) ([]Entry, error) {
	if f == CSV {
		return readCSV(path, text, k)
	}
	faults := &Faults{Path: path}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // a member that is written wrongly would be missing without a word
	line := func() int { return 1 + bytes.Count(text[:d.InputOffset()], []byte("\n")) }
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil, fmt.Errorf("%s:1: the file must be a JSON array", path)
	}
	var list []Entry
	for d.More() {
		start := d.InputOffset()
		for start < int64(len(text)) && bytes.ContainsRune([]byte(", \t\r\n"), rune(text[start])) {
			start++
		}
		e := Entry{Line: 1 + bytes.Count(text[:start], []byte("\n"))}
		var err error
		if k == PriceLists {
			var p priceList
			err = d.Decode(&p)
			e.Partner = Partner{ID: p.ID, Version: p.Version, Master: Master{Wastes: p.Rates.codes(), Rates: p.Rates}}
		} else {
			err = d.Decode(&e.Partner)
		}
		if err != nil { // what comes behind it cannot be told apart
			at := line()
			if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
				faults.add(e.Line, wrong.Field, "%s is needed, not %s", wrong.Type, wrong.Value)
			} else {
				faults.add(at, "", "%v", err)
			}
			return nil, faults
		}
		list = append(list, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%s:%d: the array does not end", path, line())
	}
	faults.once(list)
	return list, faults.err()
}

// Write writes partners as a file.
func Write(w io.Writer, k Kind, f Format, list []Partner) error {
	if f == CSV {
		return writeCSV(w, k, list)
	}
	var v any = list
	if k == PriceLists {
		lists := make([]priceList, len(list))
		for i, p := range list {
			lists[i] = priceList{p.ID, p.Version, p.Rates}
		}
		v = lists
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
