package mongod

import (
	"math"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
	"kreislauf/internal/backend/mongod/store"
)

// request is one command as a handler sees it.
type request struct {
	name      string // as the client spelled it
	command   *command
	body      raw.Document
	db        string
	sequences map[string][]raw.Document
	client    *conn
	work      *store.Work
}

// command describes what a command accepts. A field outside the list is refused as MongoDB does.
type command struct {
	name   string
	action action   // what a user must be allowed to do
	fields []string // understood
	open   bool     // any field goes (handshake)
	note   string   // how it differs from MongoDB's, "" when it does not
	run    func(*Server, *request) (raw.Document, error)
}

// genericField reports whether every command accepts the field.
func genericField(name string) bool {
	switch name {
	case "$db", "lsid", "$readPreference", "maxTimeMS", "comment", "readConcern", "writeConcern", "apiVersion", "apiStrict",
		"apiDeprecationErrors", "$clusterTime", "$configServerState", "$audit", "$client", "mayBypassWriteBlocking":
		return true
	default:
		return false
	}
}

// ask is told every name that the request uses.
func (q *request) ask() registry.Ask { return q.client.server.opts.Asked }

func (q *request) checkFields() error {
	if !q.body.Get("txnNumber").Missing() || !q.body.Get("startTransaction").Missing() || !q.body.Get("autocommit").Missing() {
		return fault.New(fault.IllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos")
	}
	a := &fieldsOf{where: q.command.name, doc: q.body}
	maxTime := a.size("maxTimeMS", 0)
	if a.err != nil {
		return a.err
	}
	q.work = store.NewWork(time.Duration(min(maxTime, math.MaxInt32))*time.Millisecond, &q.client.server.log)
	if w := q.body.Get("writeConcern"); w.Kind == raw.KindDocument {
		if n, whole := w.Document().Get("w").WholeNumber(); whole && n > 1 {
			return fault.New(fault.BadValue, "cannot use 'w' > 1 when a host is not replicated")
		}
	}
	if level := q.body.Get("readConcern"); level.Kind == raw.KindDocument {
		switch l := level.Document().Get("level").StringOr("local"); l {
		case "local", "available", "majority":
		default:
			if l != "linearizable" && l != "snapshot" {
				return fault.New(fault.BadValue, "Enumeration value '%s' for field 'readConcern.level' is not a valid value.", l)
			}
			return fault.New(fault.NotAReplicaSet, "node needs to be a replica set member to use read concern level %s", l)
		}
	}
	if q.command.open {
		return nil
	}
	for _, f := range raw.Fields(q.body) {
		if f.Name != q.name && !slices.Contains(q.command.fields, f.Name) && !genericField(f.Name) {
			return unknownField(q.command.name, f.Name)
		}
	}
	return nil
}

// onlyFields refuses a statement of a write that has another field than the given ones; where names the statement in the error.
func onlyFields(d raw.Document, where string, names ...string) error {
	for _, f := range raw.Fields(d) {
		if !slices.Contains(names, f.Name) {
			return unknownField(where, f.Name)
		}
	}
	return nil
}

func unknownField(where, name string) error {
	return fault.New(fault.UnknownField, "BSON field '%s.%s' is an unknown field.", where, name)
}

func wrongType(where, field string, v raw.Value, expected string) error {
	if strings.Contains(expected, ",") {
		return fault.New(fault.TypeMismatch,
			"BSON field '%s.%s' is the wrong type '%s', expected types '[%s]'", where, field, raw.KindName(v.Kind), expected)
	}
	return fault.New(fault.TypeMismatch,
		"BSON field '%s.%s' is the wrong type '%s', expected type '%s'", where, field, raw.KindName(v.Kind), expected)
}

func missingField(where, field string) error {
	return fault.New(fault.MissingField, "BSON field '%s.%s' is missing but a required field", where, field)
}

// fieldsOf reads typed fields of a command or of one of its parts; the first error sticks.
type fieldsOf struct {
	where string
	doc   raw.Document
	err   error
}

func (q *request) args() *fieldsOf { return &fieldsOf{where: q.command.name, doc: q.body} }

func (f *fieldsOf) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// document reads an optional document; nil when missing or null.
func (f *fieldsOf) document(name string) raw.Document {
	v := f.doc.Get(name)
	switch v.Kind {
	case raw.KindDocument:
		return v.Document()
	case raw.KindMissing, raw.KindNull:
	default:
		f.fail(wrongType(f.where, name, v, "object"))
	}
	return nil
}

// object is document with the error text that find has for its parts.
func (f *fieldsOf) object(name string) raw.Document {
	v := f.doc.Get(name)
	if v.Kind == raw.KindDocument || v.Missing() || v.Kind == raw.KindNull {
		return f.document(name)
	}
	f.fail(fault.New(fault.TypeMismatch, "Expected field %s to be of type object", name))
	return nil
}

// required reads a document that must be there.
func (f *fieldsOf) required(name string) raw.Document {
	if f.doc.Get(name).Missing() {
		f.fail(missingField(f.where, name))
	}
	if d := f.document(name); d != nil {
		return d
	}
	return raw.Empty()
}

func (f *fieldsOf) bool(name string, otherwise bool) bool {
	v := f.doc.Get(name)
	switch {
	case v.Missing():
		return otherwise
	case v.Kind == raw.KindBool || v.Numeric():
		return v.Truthy()
	default:
		f.fail(wrongType(f.where, name, v, "bool, long, int, decimal, double"))
		return otherwise
	}
}

// boolean is bool for the options that only a boolean can set.
func (f *fieldsOf) boolean(name string) bool {
	v := f.doc.Get(name)
	if !v.Missing() && v.Kind != raw.KindBool {
		f.fail(wrongType(f.where, name, v, "bool"))
	}
	return v.Truthy()
}

// flag is bool for the options of find that only a boolean can set.
func (f *fieldsOf) flag(name string) bool {
	v := f.doc.Get(name)
	if !v.Missing() && v.Kind != raw.KindBool && !v.Numeric() {
		f.fail(fault.New(fault.TypeMismatch, "Field '%s' should be a boolean value, but found: %s", name, raw.KindName(v.Kind)))
	}
	return v.Truthy()
}

// size reads an optional number that must not be negative.
func (f *fieldsOf) size(name string, otherwise int64) int64 {
	n := f.number(name, otherwise)
	if n < 0 {
		f.fail(fault.New(fault.BadValue, "BSON field '%s' value must be >= 0, actual value '%d'", name, n))
	}
	return n
}

func (f *fieldsOf) number(name string, otherwise int64) int64 {
	v := f.doc.Get(name)
	if v.Missing() {
		return otherwise
	}
	if !v.Numeric() {
		types := "long, double, decimal, int"
		if f.where == "cursor" { // aggregate's own order
			types = "decimal, double, long, int"
		}
		f.fail(wrongType(f.where, name, v, types))
		return otherwise
	}
	n, whole := v.WholeNumber()
	if !whole {
		return int64(v.Float())
	}
	return n
}

func (f *fieldsOf) string(name string) string {
	v := f.doc.Get(name)
	switch v.Kind {
	case raw.KindString:
		return v.Text()
	case raw.KindMissing:
		f.fail(missingField(f.where, name))
	default:
		f.fail(wrongType(f.where, name, v, "string"))
	}
	return ""
}

// documents reads an array of documents, from the body or from a document sequence.
func (q *request) documents(name string) ([]raw.Document, error) {
	if docs, ok := q.sequences[name]; ok {
		return docs, nil
	}
	v := q.body.Get(name)
	switch v.Kind {
	case raw.KindArray:
	case raw.KindMissing:
		return nil, missingField(q.command.name, name)
	default:
		return nil, wrongType(q.command.name, name, v, "array")
	}
	var docs []raw.Document
	for i, el := range v.Elements() {
		if el.Kind != raw.KindDocument {
			return nil, fault.New(fault.TypeMismatch,
				"BSON field '%s.%s.%d' is the wrong type '%s', expected type 'object'", q.command.name, name, i, raw.KindName(el.Kind))
		}
		docs = append(docs, el.Document())
	}
	return docs, nil
}

// namespace returns "database.collection" from the command's first field.
func (q *request) namespace() (string, error) {
	v := q.body.Get(q.name)
	if v.Kind != raw.KindString {
		return "", fault.New(fault.InvalidNamespace, "Collection name has invalid type %s", raw.KindName(v.Kind))
	}
	return store.Namespace(q.db, v.Text())
}
