package event

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// Event is a CloudEvents 1.0 envelope with three extension attributes. It is stored in an outbox (bson) and sent (json) as it is.
type Event struct {
	SpecVersion string          `json:"specversion" bson:"specversion"` // "1.0"
	ID          string          `json:"id" bson:"id"`                   // unique for ever
	Type        string          `json:"type" bson:"type"`
	Source      string          `json:"source" bson:"source"`   // service name
	Subject     string          `json:"subject" bson:"subject"` // aggregate id, Kafka key
	Time        time.Time       `json:"time" bson:"time"`       // when it happened, UTC
	DataSchema  string          `json:"dataschema" bson:"dataschema"`
	Data        json.RawMessage `json:"data" bson:"data"`
	Customer    string          `json:"customer" bson:"customer"`                           // tenant
	VisitID     string          `json:"visitid,omitempty" bson:"visitid,omitempty"`         // browser visit, joins funnel steps
	Traceparent string          `json:"traceparent,omitempty" bson:"traceparent,omitempty"` // W3C, of the span that caused it
}

// Meta is what an event holds beside its payload. A process fills in Source, Customer, Traceparent and At (process.Meta), the aggregate
// Subject and VisitID.
type Meta struct {
	Source, Subject, Customer, VisitID, Traceparent string
	At                                              time.Time
}

// New makes an event with a fresh random id. It fails only if the payload cannot be marshalled.
func New(m Meta, p Payload) (Event, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", p.Type(), err)
	}
	return Event{
		SpecVersion: "1.0", ID: NewID("e"), Type: p.Type(), Source: m.Source, Subject: m.Subject, Time: m.At.UTC(),
		DataSchema: "v1", Data: raw, Customer: m.Customer, VisitID: m.VisitID, Traceparent: m.Traceparent,
	}, nil
}

// NewID makes a random id of 130 bits behind a prefix letter: "e-4tq3…", lower case, safe in URLs.
func NewID(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()) }

// Parse reads an envelope and checks what every consumer relies on.
func Parse(b []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(b, &e); err != nil {
		return Event{}, fmt.Errorf("parse event: %w", err)
	}
	switch {
	case e.SpecVersion != "1.0":
		return Event{}, fmt.Errorf("parse event: specversion %q, want 1.0", e.SpecVersion)
	case e.ID == "" || e.Type == "" || e.Subject == "":
		return Event{}, errors.New("parse event: id, type and subject are required")
	}
	return e, nil
}

// Decode reads the payload of an event of the type of T.
func Decode[T Payload](e Event) (T, error) {
	var v T
	if e.Type != v.Type() {
		return v, fmt.Errorf("decode %s %s: it is no %s", e.Type, e.ID, v.Type())
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("decode %s %s: %w", e.Type, e.ID, err)
	}
	return v, nil
}

// Open reads the payload of an event of any type of the table, as a value of that type's struct. A type that is not in the table, for
// example of a later version, gives nil.
func Open(e Event) (Payload, error) {
	sample, known := samples()[e.Type]
	if !known {
		return nil, nil
	}
	v := reflect.New(reflect.TypeOf(sample))
	if err := json.Unmarshal(e.Data, v.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s %s: %w", e.Type, e.ID, err)
	}
	return v.Elem().Interface().(Payload), nil
}

// samples has one payload of each type of the table.
var samples = sync.OnceValue(func() map[string]Payload {
	m := map[string]Payload{}
	for _, t := range Topics() {
		for _, p := range t.Payloads {
			m[p.Type()] = p
		}
	}
	return m
})
