package mongod

import (
	"math"
	"slices"
	"strings"
	"time"
)

// request is one command as a handler sees it.
type request struct {
	name      string // as the client spelled it
	command   *command
	body      document
	db        string
	sequences map[string][]document
	client    *conn
	work      *work
}

// command describes what a command accepts. A field outside the list is refused as MongoDB does.
type command struct {
	name   string
	action action   // what a user must be allowed to do
	fields []string // understood
	open   bool     // any field goes (handshake)
	note   string   // how it differs from MongoDB's, "" when it does not
	run    func(*Server, *request) (document, error)
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
func (q *request) ask() askFunc { return q.client.server.opts.Asked }

func (q *request) checkFields() error {
	if !q.body.get("txnNumber").missing() || !q.body.get("startTransaction").missing() || !q.body.get("autocommit").missing() {
		return failure(codeIllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos")
	}
	a := &fieldsOf{where: q.command.name, doc: q.body}
	maxTime := a.size("maxTimeMS", 0)
	if a.err != nil {
		return a.err
	}
	q.work = newWork(time.Duration(min(maxTime, math.MaxInt32))*time.Millisecond, &q.client.server.log)
	if w := q.body.get("writeConcern"); w.kind == kindDocument {
		if n, whole := w.document().get("w").wholeNumber(); whole && n > 1 {
			return failure(codeBadValue, "cannot use 'w' > 1 when a host is not replicated")
		}
	}
	if level := q.body.get("readConcern"); level.kind == kindDocument {
		switch l := level.document().get("level").stringOr("local"); l {
		case "local", "available", "majority":
		default:
			if l != "linearizable" && l != "snapshot" {
				return failure(codeBadValue, "Enumeration value '%s' for field 'readConcern.level' is not a valid value.", l)
			}
			return failure(codeNotAReplicaSet, "node needs to be a replica set member to use read concern level %s", l)
		}
	}
	if q.command.open {
		return nil
	}
	for _, f := range documentFields(q.body) {
		if f.name != q.name && !slices.Contains(q.command.fields, f.name) && !genericField(f.name) {
			return unknownField(q.command.name, f.name)
		}
	}
	return nil
}

// onlyFields refuses a statement of a write that has another field than the given ones; where names the statement in the error.
func onlyFields(d document, where string, names ...string) error {
	for _, f := range documentFields(d) {
		if !slices.Contains(names, f.name) {
			return unknownField(where, f.name)
		}
	}
	return nil
}

func unknownField(where, name string) error {
	return failure(codeUnknownField, "BSON field '%s.%s' is an unknown field.", where, name)
}

func wrongType(where, field string, v value, expected string) error {
	if strings.Contains(expected, ",") {
		return failure(codeTypeMismatch, "BSON field '%s.%s' is the wrong type '%s', expected types '[%s]'", where, field, kindName(v.kind), expected)
	}
	return failure(codeTypeMismatch, "BSON field '%s.%s' is the wrong type '%s', expected type '%s'", where, field, kindName(v.kind), expected)
}

func missingField(where, field string) error {
	return failure(codeMissingField, "BSON field '%s.%s' is missing but a required field", where, field)
}

// fieldsOf reads typed fields of a command or of one of its parts; the first error sticks.
type fieldsOf struct {
	where string
	doc   document
	err   error
}

func (q *request) args() *fieldsOf { return &fieldsOf{where: q.command.name, doc: q.body} }

func (f *fieldsOf) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// document reads an optional document; nil when missing or null.
func (f *fieldsOf) document(name string) document {
	v := f.doc.get(name)
	switch v.kind {
	case kindDocument:
		return v.document()
	case kindMissing, kindNull:
	default:
		f.fail(wrongType(f.where, name, v, "object"))
	}
	return nil
}

// object is document with the error text that find has for its parts.
func (f *fieldsOf) object(name string) document {
	v := f.doc.get(name)
	if v.kind == kindDocument || v.missing() || v.kind == kindNull {
		return f.document(name)
	}
	f.fail(failure(codeTypeMismatch, "Expected field %s to be of type object", name))
	return nil
}

// required reads a document that must be there.
func (f *fieldsOf) required(name string) document {
	if f.doc.get(name).missing() {
		f.fail(missingField(f.where, name))
	}
	if d := f.document(name); d != nil {
		return d
	}
	return emptyDocument()
}

func (f *fieldsOf) bool(name string, otherwise bool) bool {
	v := f.doc.get(name)
	switch {
	case v.missing():
		return otherwise
	case v.kind == kindBool || v.numeric():
		return v.truthy()
	default:
		f.fail(wrongType(f.where, name, v, "bool, long, int, decimal, double"))
		return otherwise
	}
}

// boolean is bool for the options that only a boolean can set.
func (f *fieldsOf) boolean(name string) bool {
	v := f.doc.get(name)
	if !v.missing() && v.kind != kindBool {
		f.fail(wrongType(f.where, name, v, "bool"))
	}
	return v.truthy()
}

// flag is bool for the options of find that only a boolean can set.
func (f *fieldsOf) flag(name string) bool {
	v := f.doc.get(name)
	if !v.missing() && v.kind != kindBool && !v.numeric() {
		f.fail(failure(codeTypeMismatch, "Field '%s' should be a boolean value, but found: %s", name, kindName(v.kind)))
	}
	return v.truthy()
}

// size reads an optional number that must not be negative.
func (f *fieldsOf) size(name string, otherwise int64) int64 {
	n := f.number(name, otherwise)
	if n < 0 {
		f.fail(failure(codeBadValue, "BSON field '%s' value must be >= 0, actual value '%d'", name, n))
	}
	return n
}

func (f *fieldsOf) number(name string, otherwise int64) int64 {
	v := f.doc.get(name)
	if v.missing() {
		return otherwise
	}
	if !v.numeric() {
		types := "long, double, decimal, int"
		if f.where == "cursor" { // aggregate's own order
			types = "decimal, double, long, int"
		}
		f.fail(wrongType(f.where, name, v, types))
		return otherwise
	}
	n, whole := v.wholeNumber()
	if !whole {
		return int64(v.float())
	}
	return n
}

func (f *fieldsOf) string(name string) string {
	v := f.doc.get(name)
	switch v.kind {
	case kindString:
		return v.text()
	case kindMissing:
		f.fail(missingField(f.where, name))
	default:
		f.fail(wrongType(f.where, name, v, "string"))
	}
	return ""
}

// documents reads an array of documents, from the body or from a document sequence.
func (q *request) documents(name string) ([]document, error) {
	if docs, ok := q.sequences[name]; ok {
		return docs, nil
	}
	v := q.body.get(name)
	switch v.kind {
	case kindArray:
	case kindMissing:
		return nil, missingField(q.command.name, name)
	default:
		return nil, wrongType(q.command.name, name, v, "array")
	}
	var docs []document
	for i, el := range v.elements() {
		if el.kind != kindDocument {
			return nil, failure(codeTypeMismatch, "BSON field '%s.%s.%d' is the wrong type '%s', expected type 'object'", q.command.name, name, i, kindName(el.kind))
		}
		docs = append(docs, el.document())
	}
	return docs, nil
}

// namespace returns "database.collection" from the command's first field.
func (q *request) namespace() (string, error) {
	v := q.body.get(q.name)
	if v.kind != kindString {
		return "", failure(codeInvalidNamespace, "Collection name has invalid type %s", kindName(v.kind))
	}
	return namespace(q.db, v.text())
}
