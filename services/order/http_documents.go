package order

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

var sumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// putDocument stores a photo or a weighing slip, whose digest is in the path: however often it is sent, it is there once.
func (s *service) putDocument(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	o, err := s.find(r, caller)
	if err != nil {
		return err
	}
	d, err := announced(r)
	if err != nil {
		return err
	}
	there, err := o.room(d.SHA256, d.Kind)
	if err != nil {
		return err
	}
	if there {
		return s.answerJob(w, r, caller, o)
	}
	if d, err = s.files.put(r.Context(), o.ID, d, r.Body); err != nil {
		return err
	}
	return s.work(w, r, caller, "order.document-added", func(o *Order, m event.Meta) error { return o.keep(d, m) })
}

// announced is the document that a request says that it holds.
func announced(r *http.Request) (Document, error) {
	d := Document{SHA256: mux.Vars(r)["sha256"], Kind: r.URL.Query().Get("kind")}
	types := mediaTypes(d.Kind)
	var err error
	d.Type, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !sumPattern.MatchString(d.SHA256):
		return d, problem.New(problem.Invalid, "The path ends with the SHA-256 of the file, 64 hexadecimal digits in lower case.")
	case types == nil:
		return d, problem.InvalidField("?kind", "must be photo or slip")
	case d.Type == "image/heic" || d.Type == "image/heif":
		return d, problem.New(problem.Invalid, "HEIC photos are not taken, because most browsers do not show them; set the camera to JPEG "+
			"(iPhone: Settings, Camera, Formats, Most Compatible), or save the photo as JPEG and send that.")
	case err != nil || types[d.Type] == "":
		return d, problem.New(problem.Invalid, "A %s of the type %q is not taken; send Content-Type: %s.", d.Kind, r.Header.Get("Content-Type"),
			strings.Join(slices.Sorted(maps.Keys(types)), " or "))
	}
	return d, nil
}

// getDocument sends a document as a file to be saved: a browser must not show what somebody else has sent as a part of our site.
func (s *service) getDocument(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	o, err := s.find(r, caller)
	if err != nil {
		return err
	}
	d, err := o.document(mux.Vars(r)["sha256"])
	if err != nil {
		return err
	}
	content, err := s.files.read(r.Context(), o.ID, d)
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", d.Type)
	h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+d.fileName()+`"`)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, content); err != nil {
		return fmt.Errorf("send document of order %s: %w", o.ID, err)
	}
	return nil
}
