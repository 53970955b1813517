package mongod

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
)

const maxWriteBatch = 100_000

// writeErrors collects the failures of one write command.
type writeErrors struct{ list []raw.Value }

// add notes the error of one statement, if there is one. An ordered command stops at the first.
// Errors of the storage are returned: they end the command.
func (w *writeErrors) add(index int, err error, ordered bool) (stop bool, fatal error) {
	if err == nil {
		return false, nil
	}
	known := fault.As(err)
	if known.Code == fault.InternalError {
		return true, err
	}
	w.list = append(w.list, raw.Doc(known.WriteError(index)))
	return ordered, nil
}

func (w *writeErrors) appendTo(b *raw.Builder) *raw.Builder {
	if len(w.list) > 0 {
		b.Array("writeErrors", w.list)
	}
	return b
}

// writeBatch reads what insert, update and delete have in common: where to write, whether to stop at the first failure, and the
// statements, which come under the given name.
func (q *request) writeBatch(name string) (ns string, ordered bool, statements []raw.Document, err error) {
	if ns, err = q.namespace(); err != nil {
		return "", false, nil, err
	}
	a := q.args()
	ordered = a.bool("ordered", true)
	if a.err != nil {
		return "", false, nil, a.err
	}
	if statements, err = q.documents(name); err != nil {
		return "", false, nil, err
	}
	if len(statements) == 0 || len(statements) > maxWriteBatch {
		return "", false, nil, fault.New(fault.InvalidLength,
			"Write batch sizes must be between 1 and %d. Got %d operations.", maxWriteBatch, len(statements))
	}
	return ns, ordered, statements, nil
}

func (s *Server) insert(q *request) (raw.Document, error) {
	ns, ordered, docs, err := q.writeBatch("documents")
	if err != nil {
		return nil, err
	}
	var n int
	var failed *writeErrors
	err = s.store.Write(func(w *store.Tx) error {
		n, failed = 0, &writeErrors{} // a second run starts over
		c, _, err := w.EnsureCollection(ns)
		if err != nil {
			return err
		}
		for i, d := range docs {
			err := insertOne(c, d)
			if err == nil {
				n++
			}
			if stop, err := failed.add(i, err, ordered); stop || err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return failed.appendTo(raw.New().Int32("n", n)).OK(), nil
}

func insertOne(c *store.Collection, d raw.Document) error {
	if len(d) > raw.MaxDocumentSize {
		return tooLarge(d)
	}
	return c.Insert(d.WithIDFirst(newObjectID()))
}

func tooLarge(d raw.Document) error {
	r := d.Reader()
	name, v, _ := r.Next()
	return fault.New(fault.ObjectTooLarge, "BSONObj size: %d (0x%X) is invalid. Size must be between 0 and %d(16MB) First element: %s: %s",
		len(d), len(d), raw.MaxDocumentSize+16<<10, name, shorten(v.String()))
}

func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// newObjectID is for documents that come without an _id: 4 bytes of time, then random ones.
func newObjectID() raw.Value {
	var id [12]byte
	rand.Read(id[4:])
	binary.BigEndian.PutUint32(id[:], uint32(time.Now().Unix()))
	return raw.ObjectID(id)
}
