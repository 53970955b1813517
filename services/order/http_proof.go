package order

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// proofTime is how long a proof may take to be sent: it may be large, and the connection slow.
const proofTime = 5 * time.Minute

var sitePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// firstYear is that of the first order that there can be.
const firstYear = 2020

// getProof streams the proof of a year as a ZIP file.
func (s *service) getProof(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	q := r.URL.Query()
	now := s.now().In(s.zone)
	year, err := strconv.Atoi(q.Get("year"))
	var fields []problem.Field
	if err != nil || year < firstYear || year > now.Year() {
		fields = append(fields, problem.Field{Pointer: "?year", Detail: fmt.Sprintf("must be a year from %d to %d", firstYear, now.Year())})
	}
	site := q.Get("site")
	if q.Has("site") && !sitePattern.MatchString(site) {
		fields = append(fields, problem.Field{Pointer: "?site", Detail: "must be the id of a site, or left out for all of them"})
	}
	if fields != nil {
		return &problem.Error{Kind: problem.Invalid, Detail: "There is no such proof; see errors.", Fields: fields}
	}
	orders, err := s.orders.fetched(r.Context(), caller.Caller(), site, time.Date(year+1, 1, 1, 0, 0, 0, 0, s.zone))
	if err != nil {
		return err
	}
	partners, err := s.takers.byID(r.Context())
	if err != nil {
		return err
	}
	list, size := deliveries(orders, partners, year, s.zone)
	if len(orders) > maxRead || len(list) > maxProofOrders || size > maxProofBytes {
		return problem.New(problem.Invalid, "The proof would have more than %d orders, or more than %d MB; ask for one site at a time.", maxProofOrders, maxProofBytes>>20)
	}
	httpserver.Action(r.Context(), "order.proof")
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="entsorgungsnachweis-%d.zip"`, year))
	h.Set("Cache-Control", "no-store")
	// Only a writer without a connection, as in tests, has no deadline to set.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(proofTime))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), proofTime)
	defer cancel()
	return s.writeProof(ctx, w, list, year)
}

// writeProof writes the documents, and behind them the list and the page, which name what was not found. The same orders give the same bytes.
func (s *service) writeProof(ctx context.Context, w io.Writer, list []delivery, year int) error {
	z := zip.NewWriter(w)
	for i := range list {
		d := &list[i]
		var there []proofFile
		for _, f := range d.Files {
			switch err := s.addFile(ctx, z, d.ID, f); {
			case problem.KindOf(err) == problem.NotFound:
				d.miss(true, "Datei "+f.fileName())
			case err != nil:
				return fmt.Errorf("write proof: %w", err)
			default:
				there = append(there, f)
			}
		}
		d.Files = there
	}
	csv, err := register(list)
	if err != nil {
		return err
	}
	page, err := cover(list, year)
	if err != nil {
		return err
	}
	end := time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC) // a time that does not depend on when it is asked for
	err = errors.Join(addEntry(z, "register.csv", end, csv), addEntry(z, "index.html", end, page), z.Close())
	if err != nil {
		return fmt.Errorf("write proof: %w", err)
	}
	return nil
}

func addEntry(z *zip.Writer, name string, at time.Time, content []byte) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Modified: at, Method: zip.Deflate})
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// addFile adds a document; photos are compressed already.
func (s *service) addFile(ctx context.Context, z *zip.Writer, orderID string, f proofFile) error {
	content, err := s.files.read(ctx, orderID, f.Document)
	if err != nil {
		return err
	}
	defer content.Close()
	w, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Modified: f.at.UTC().Truncate(time.Second), Method: zip.Store})
	if err == nil {
		_, err = io.Copy(w, content)
	}
	return err
}
