package payment

import (
	"errors"
	"net/http"
	"strconv"

	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/payment/letter"
	"kreislauf/services/payment/paper"
)

// file is a document in one of its forms. It is made of the frozen Paper at each request and stored nowhere.
type file struct {
	ext, contentType string
	make             func(number string, p paper.Paper) ([]byte, error)
}

func pdfFile() file { return file{".pdf", "application/pdf", letter.PDF} }

func xmlFile() file { return file{".xml", "application/xml", paper.XRechnung} }

// getFile answers the document of the path as a file to be saved, to those who may read it.
func (s *service) getFile(f file, noun string, kinds ...Kind) func(http.ResponseWriter, *http.Request, session.Session) error {
	return func(w http.ResponseWriter, r *http.Request, caller session.Session) error {
		d, err := s.named(r, caller, noun, kinds...)
		if err != nil {
			return err
		}
		content, err := f.make(d.Number, d.Paper)
		if errors.Is(err, paper.ErrNoAddress) {
			return problem.Wrap(problem.Conflict, err, "There is no XRechnung of %s, because the buyer's e-mail address is not known; take the PDF, which has an electronic invoice (ZUGFeRD) inside.", d.Number)
		}
		if err != nil {
			return err
		}
		send(w, d.Number+f.ext, f.contentType, content)
		return nil
	}
}

// send answers with a file to be saved.
func send(w http.ResponseWriter, name, contentType string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(content) // a failed write means that the caller is gone; nginx logs it as 499
}
