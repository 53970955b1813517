package erp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"kreislauf/internal/client"
)

// Result counts what an import has done.
type Result struct{ Made, Changed, Same int }

// current is a partner as the API shows it.
type current struct {
	ID      string `json:"partner_id"`
	Version int64  `json:"version"`
	Master
}

// Export reads all partners.
func Export(ctx context.Context, c *client.Client) ([]Partner, error) {
	a, err := c.Do(ctx, client.Call{Method: http.MethodGet, Path: client.PartnersPath})
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read partners: %w", err)
	}
	var v struct {
		Partners []current `json:"partners"`
	}
	if err := json.Unmarshal(a.Body, &v); err != nil {
		return nil, fmt.Errorf("read partners: %w", err)
	}
	list := make([]Partner, len(v.Partners))
	for i, p := range v.Partners {
		list[i] = Partner(p)
	}
	return list, nil
}

// Import stores the entries of a file, all or none. reason goes into the audit trail. With latest, an entry without a version replaces the
// partner as it is now, whoever has changed it: for an ERP that is the only place where partners are kept.
func Import(ctx context.Context, c *client.Client, path string, k Kind, list []Entry, reason string, latest bool) (Result, error) {
	known := map[string]Partner{}
	now, err := Export(ctx, c)
	if err != nil {
		return Result{}, err
	}
	for _, p := range now {
		known[p.ID] = p
	}
	faults := &Faults{Path: path}
	whole := make([]Partner, len(list))
	for i, e := range list {
		whole[i] = e.over(known, k, latest, faults)
	}
	if err := faults.err(); err != nil {
		return Result{}, err
	}
	for i, e := range list {
		if _, err := send(ctx, c, whole[i], reason, true); err != nil {
			if !faults.refused(e.Line, err) {
				return Result{}, err
			}
		}
	}
	if err := faults.err(); err != nil {
		return Result{}, err
	}
	var r Result
	for i, e := range list {
		a, err := send(ctx, c, whole[i], reason, false)
		if err != nil {
			return r, fmt.Errorf("%s:%d: %w; %d entries before it are stored: send the file again for the rest", path, e.Line, err, i)
		}
		var stored current
		if err := json.Unmarshal(a.Body, &stored); err != nil {
			return r, fmt.Errorf("%s:%d: read answer: %w", path, e.Line, err)
		}
		switch before, was := known[e.Partner.ID]; {
		case !was:
			r.Made++
		case stored.Version != before.Version:
			r.Changed++
		default:
			r.Same++
		}
	}
	return r, nil
}

// over is the partner that an entry makes of the known one: what the file does not hold stays as it is.
func (e Entry) over(known map[string]Partner, k Kind, latest bool, faults *Faults) Partner {
	p := e.Partner
	before, was := known[p.ID]
	if latest && p.Version == 0 {
		p.Version = before.Version
	}
	if k == PriceLists {
		if !was {
			faults.add(e.Line, "partner_id", "there is no partner %.40s; import it first", p.ID)
		}
		whole := before
		whole.Version, whole.Rates, whole.Wastes = p.Version, p.Rates, p.Wastes
		if whole.Rates.Trip < 0 {
			whole.Rates.Trip = before.Rates.Trip
		}
		if whole.Rates.PerTonneOver < 0 {
			whole.Rates.PerTonneOver = before.Rates.PerTonneOver
		}
		// The order in which the wastes stand is no difference.
		whole.Wastes = inOrderOf(before.Wastes, p.Wastes)
		return whole
	}
	p.Wastes = inOrderOf(before.Wastes, p.Wastes)
	for _, kept := range []struct{ mine, theirs *json.RawMessage }{{&p.Drivers, &before.Drivers}, {&p.Vehicles, &before.Vehicles}} {
		if *kept.mine == nil {
			*kept.mine = *kept.theirs
		}
		if *kept.mine == nil {
			*kept.mine = json.RawMessage("[]")
		}
	}
	return p
}

// inOrderOf brings wastes into the order in which they stand already; new ones come behind.
func inOrderOf(before, wanted []string) []string {
	list := make([]string, 0, len(wanted))
	left := map[string]bool{}
	for _, code := range wanted {
		left[code] = true
	}
	for _, code := range before {
		if left[code] {
			list = append(list, code)
			delete(left, code)
		}
	}
	for _, code := range wanted {
		if left[code] {
			list = append(list, code)
		}
	}
	return list
}

// send stores a partner, or only has it checked.
func send(ctx context.Context, c *client.Client, p Partner, reason string, check bool) (client.Answer, error) {
	call := client.Call{Method: http.MethodPut, Path: client.PartnersPath + "/" + p.ID, Header: map[string]string{"If-None-Match": "*"}}
	if check {
		call.Path += "?check=true"
	}
	if p.Version > 0 {
		call.Header = map[string]string{"If-Match": strconv.Quote(strconv.FormatInt(p.Version, 10))}
	}
	call.Body = struct {
		Partner Master `json:"partner"`
		Reason  string `json:"reason"`
	}{p.Master, reason}
	a, err := c.Do(ctx, call)
	if err == nil {
		err = a.Err()
	}
	return a, err
}

// refused takes down why an entry is refused; false means that the error is not about the entry.
func (f *Faults) refused(line int, err error) bool {
	p, is := errors.AsType[*client.Problem](err)
	if !is || p.Foreign {
		return false
	}
	switch {
	case p.Status == http.StatusConflict && strings.Contains(p.Detail, "already"):
		f.add(line, "version", "there is this partner already, and the file does not say which version it changes: export it first, or import with -latest")
	case p.Status == http.StatusConflict:
		f.add(line, "version", "somebody has changed this partner since it was exported: export it again and make the change anew (%s)", p.Detail)
	case len(p.Errors) > 0:
		for _, field := range p.Errors {
			f.add(line, strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(field.Pointer, "/partner"), "/"), "/", " "), "%s", field.Detail)
		}
	case p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusNotFound:
		f.add(line, "id", "%s", p.Detail)
	default:
		return false
	}
	return true
}
