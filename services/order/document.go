package order

import (
	"slices"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// maxDocument is the largest size of a document in bytes; maxDocuments is how many an order has at most.
const (
	maxDocument  = 8 << 20
	maxDocuments = 50
)

// Document is a photo or a weighing slip that the partner has sent. Its content is a file of the order, named by its digest.
type Document struct {
	SHA256 string `json:"sha256" bson:"sha256"` // of the file that was sent, hexadecimal
	Kind   string `json:"kind" bson:"kind"`     // "photo" or "slip"
	Type   string `json:"type" bson:"type"`     // media type
	Size   int64  `json:"size" bson:"size"`     // bytes, of what is shown
	// Shown is the digest of the photo that is shown in place of the one that came; empty: it is shown as it came.
	Shown string    `json:"-" bson:"shown,omitempty"`
	At    time.Time `json:"at" bson:"at"` // when it came
}

// mediaTypes are what a kind of document can be, with the ending of a file's name.
func mediaTypes(kind string) map[string]string {
	switch kind {
	case "photo":
		return map[string]string{"image/jpeg": ".jpg", "image/png": ".png"}
	case "slip":
		return map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}
	}
	return nil
}

// fileName is what the document is called where it is saved.
func (d Document) fileName() string { return d.Kind + "-" + d.SHA256[:8] + mediaTypes(d.Kind)[d.Type] }

// document finds a document of the order.
func (o *Order) document(sum string) (Document, error) {
	i := slices.IndexFunc(o.Documents, func(d Document) bool { return d.SHA256 == sum })
	if i < 0 {
		return Document{}, problem.New(problem.NotFound, "The order %s has no document %s.", o.ID, sum)
	}
	return o.Documents[i], nil
}

// room refuses a document that the order cannot take. One that it has already, as the same kind, is there: it need not be sent again.
func (o *Order) room(sum, kind string) (there bool, err error) {
	switch d, err := o.document(sum); {
	case err == nil && d.Kind == kind:
		return true, nil
	case err == nil:
		return false, problem.New(problem.Conflict, "The order %s has this document already, as a %s.", o.ID, d.Kind)
	case len(o.Documents) >= maxDocuments:
		return false, problem.New(problem.Conflict, "The order %s has %d documents already, and takes no more.", o.ID, maxDocuments)
	}
	return false, nil
}

// keep lists a document whose content is stored.
func (o *Order) keep(d Document, meta event.Meta) error {
	there, err := o.room(d.SHA256, d.Kind)
	if err != nil || there {
		return err
	}
	d.At = meta.At
	o.Documents = append(o.Documents, d)
	return nil
}
