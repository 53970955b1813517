package repository

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/event"
)

// member is one top-level member of a document.
type member struct {
	key   string
	value bson.RawValue
}

// encode gives the members of a document that the aggregate decides about. The rest is the repository's and the relay's.
func encode(doc any) ([]member, error) {
	var buf bytes.Buffer
	enc := bson.NewEncoder(bson.NewDocumentWriter(&buf))
	enc.NilSliceAsEmpty() // as the driver stores documents
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	elements, err := bson.Raw(buf.Bytes()).Elements()
	if err != nil {
		return nil, err
	}
	list := make([]member, 0, len(elements))
	for _, e := range elements {
		switch e.Key() {
		case "_id", "version", "outbox", "outbox_at":
		default:
			list = append(list, member{e.Key(), e.Value()})
		}
	}
	return list, nil
}

// update makes the write that leads from what was read to what was decided: members that differ are set, members that are gone are
// unset, and new events are appended to the outbox as it is then, which the relay may have emptied meanwhile. Members of the document
// that this version of the program does not know stay as they are; those within a member that differs do not, because it is written
// whole. nil means that nothing differs.
func update(before, after []member, fresh []event.Event, now time.Time) bson.D {
	left := make(map[string]bson.RawValue, len(before))
	for _, m := range before {
		left[m.key] = m.value
	}
	set, unset := bson.D{}, bson.D{}
	trail := false // it is written whole: the collector of package auditlog takes it out without a new version, perhaps since before was read
	for _, m := range after {
		old, there := left[m.key]
		differs := !there || !same(old, m.value)
		trail = trail || differs && m.key == "audit"
		if differs || trail && m.key == "audit_at" {
			set = append(set, bson.E{Key: m.key, Value: m.value})
		}
		delete(left, m.key)
	}
	for _, m := range before {
		if _, gone := left[m.key]; gone {
			unset = append(unset, bson.E{Key: m.key, Value: ""})
		}
	}
	if len(set)+len(unset)+len(fresh) == 0 {
		return nil
	}
	u := bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}}}
	if len(set) > 0 {
		u = append(u, bson.E{Key: "$set", Value: set})
	}
	if len(unset) > 0 {
		u = append(u, bson.E{Key: "$unset", Value: unset})
	}
	if len(fresh) > 0 {
		u = append(u,
			bson.E{Key: "$push", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "$each", Value: fresh}}}}},
			bson.E{Key: "$min", Value: bson.D{{Key: "outbox_at", Value: now}}}) // the oldest that waits
	}
	return u
}

// same says whether two values are equal. The order of a document's members does not count: a map of Go gives them in any order.
func same(a, b bson.RawValue) bool {
	if a.Equal(b) {
		return true
	}
	if a.Type != b.Type || a.Type != bson.TypeEmbeddedDocument && a.Type != bson.TypeArray {
		return false
	}
	x, err := bson.Raw(a.Value).Elements()
	y, otherErr := bson.Raw(b.Value).Elements()
	if err != nil || otherErr != nil || len(x) != len(y) {
		return false
	}
	if a.Type == bson.TypeEmbeddedDocument {
		byKey := func(a, b bson.RawElement) int { return cmp.Compare(a.Key(), b.Key()) }
		slices.SortFunc(x, byKey)
		slices.SortFunc(y, byKey)
	}
	for i := range x {
		if x[i].Key() != y[i].Key() || !same(x[i].Value(), y[i].Value()) {
			return false
		}
	}
	return true
}
