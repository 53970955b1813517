package deadletter

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/event"
)

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Letter is one dead letter.
type Letter struct {
	ID       Position
	At       time.Time // when it was written
	Consumer string    // whose handler gave up
	Reason   string
	Topic    string   // of the original record
	Position Position // of the original record
	Type     string   // of the event; empty when the record names none
	Key      []byte   // these three are the original's, or what a cut left of them
	Value    []byte
	Headers  []Header
	Cut      bool
	Length   int       // bytes of the original value
	SHA256   string    // of the original value, hex
	Replayed time.Time // when it was last replayed; zero: it is open
}

// parse reads a record of the dead-letter topic. A record is a letter, or the mark that the letter at replayed was replayed, or
// neither (nobody else writes the topic, but anybody may).
func parse(r *kgo.Record) (l Letter, replayed *Position, ok bool) {
	l = Letter{ID: Position{r.Partition, r.Offset}, At: r.Timestamp, Key: r.Key, Value: r.Value, Length: len(r.Value), SHA256: hash(r.Value)}
	for i, h := range r.Headers {
		v := string(h.Value)
		var err error
		switch h.Key {
		case headerReplayed:
			p, err := ParsePosition(v)
			return Letter{}, &p, err == nil
		case headerReason:
			l.Reason = v
		case headerConsumer:
			l.Consumer = v
		case headerTopic:
			l.Topic = v
		case headerCutLength:
			l.Cut = true
			l.Length, err = strconv.Atoi(v)
		case headerCutHash:
			l.SHA256 = v
		case headerPosition:
			l.Position, err = ParsePosition(v)
			for _, own := range r.Headers[i+1:] {
				l.Headers = append(l.Headers, Header{own.Key, own.Value})
			}
			l.Type = l.typ()
			return l, nil, err == nil && l.Consumer != "" && l.Topic != ""
		default:
			return Letter{}, nil, false
		}
		if err != nil {
			return Letter{}, nil, false
		}
	}
	return Letter{}, nil, false
}

func (l Letter) typ() string {
	for _, h := range l.Headers {
		if h.Key == "ce_type" {
			return string(h.Value)
		}
	}
	e, _ := event.Parse(l.Value) // an unreadable record names no type
	return e.Type
}

// Filter says which letters are wanted; zero members do not restrict.
type Filter struct {
	Consumer, Topic, Type string
	Since                 time.Time
	Replayed              bool // those that were replayed too
}

func (f Filter) wants(l Letter) bool {
	return (f.Consumer == "" || l.Consumer == f.Consumer) && (f.Topic == "" || l.Topic == f.Topic) && (f.Type == "" || l.Type == f.Type) &&
		!l.At.Before(f.Since) && (f.Replayed || l.Replayed.IsZero())
}

// newestFirst orders letters.
func newestFirst(letters []Letter) {
	slices.SortFunc(letters, func(a, b Letter) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID.Partition, a.ID.Partition), cmp.Compare(b.ID.Offset, a.ID.Offset))
	})
}
