// Package event owns the contract in which services meet: the envelope, the topics, who writes and who reads them,
// and the payload of each type. It imports no other part of the project but money, for payloads.
//
// Invariants: an event is immutable; its type is its payload's and cannot be another; its ID is unique for ever; events of one Subject
// are in order within their topic
// (Kafka key = Subject). A consumer may see an event more than once and must not mind.
// Types are append only: a field is added, never renamed or given another meaning; a breaking change is a new topic version.
package event

import (
	"fmt"
	"time"
)

// Topic is one Kafka topic and the table row that says who uses it and how much of it is kept.
type Topic struct {
	Name      string
	Payloads  []Payload // one of each type that may appear
	Producer  string    // the only service that writes it
	Consumers []string  // services that read it, each as a consumer group of its own name
	Keep      Keep
}

// Keep says how a topic is divided and how long its events stay: an event goes when either limit is passed, a whole segment at a time.
// A new consumer group can read back as far, and a group that was away for longer misses events.
type Keep struct {
	Partitions int32         // the largest number of instances of one consumer that can share the work
	Age        time.Duration // of an event
	Bytes      int64         // of a partition; the embedded broker reads a topic back at a restart, so it bounds memory too
	Segment    int64         // bytes of a segment file, at least 1 MiB (Kafka's own limit)
	Compact    bool          // keep the newest event of each subject whatever its age, instead of Age and Bytes
}

// Config is what Kafka calls it.
func (k Keep) Config() map[string]string {
	if k.Compact {
		return map[string]string{"cleanup.policy": "compact", "segment.bytes": fmt.Sprint(k.Segment)}
	}
	return map[string]string{
		"cleanup.policy": "delete", "segment.bytes": fmt.Sprint(k.Segment),
		"retention.bytes": fmt.Sprint(k.Bytes), "retention.ms": fmt.Sprint(k.Age.Milliseconds()),
	}
}

// Names of the topics.
const (
	TopicIdentity   = "kreislauf.identity.v1"
	TopicCustomer   = "kreislauf.customer.v1"
	TopicStanding   = "kreislauf.customer.standing.v1"
	TopicPricing    = "kreislauf.pricing.v1"
	TopicDisposer   = "kreislauf.disposer.v1"
	TopicOrder      = "kreislauf.order.v1"
	TopicMatching   = "kreislauf.matching.v1"
	TopicPayment    = "kreislauf.payment.v1"
	TopicStatistics = "kreislauf.statistics.v1"
	TopicDeadLetter = "kreislauf.dead-letter.v1"
)

// Topics is the whole table. Tests compare it with what the services subscribe to, and with what the embedded broker says it keeps.
func Topics() []Topic {
	week := Keep{Partitions: 3, Age: 7 * 24 * time.Hour, Bytes: 16 << 20, Segment: 2 << 20}
	newest := Keep{Partitions: 3, Segment: 2 << 20, Compact: true}
	month := week
	month.Age = 30 * 24 * time.Hour
	return []Topic{
		{
			TopicIdentity,
			[]Payload{SignedUp{}, CompanyChanged{}, SignInLocked{}, PasswordResetRequested{}, PasswordChanged{}, MemberInvited{}},
			"identity",
			[]string{"mailing", "payment", "statistics"},
			week,
		},
		{TopicDisposer, []Payload{PartnerChanged{}}, "disposer", []string{"mailing", "matching", "order", "payment", "pricing", "statistics"}, newest},
		{TopicCustomer, []Payload{SiteChanged{}}, "customer", []string{"customer", "order", "statistics"}, newest},
		{TopicStanding, []Payload{StandingDue{}, StandingMissed{}}, "customer", []string{"mailing", "pricing", "statistics"}, month},
		{TopicPricing, []Payload{StandingQuoted{}, QuoteRefused{}}, "pricing", []string{"customer", "mailing", "order", "statistics"}, month},
		{
			TopicOrder,
			[]Payload{Placed{}, Matched{}, Scheduled{}, OnSite{}, Collected{}, Weighed{}, Cancelled{}, Corrected{}, CapacityChanged{}, StandingRefused{}},
			"order",
			[]string{"customer", "mailing", "matching", "payment", "pricing", "statistics"},
			week,
		},
		{TopicMatching, []Payload{Offered{}, Accepted{}, Declined{}, Unmatched{}}, "matching", []string{"mailing", "order", "statistics"}, week},
		{TopicPayment, []Payload{Invoiced{}, Credited{}, Reminded{}, Paid{}, DocumentCorrected{}, Objected{}, ObjectionAnswered{}, Returned{}, PaidOut{}}, "payment", []string{"mailing", "order", "statistics"}, week},
		{TopicStatistics, []Payload{Recorded{}}, "statistics", []string{"statistics"}, week},
		{TopicDeadLetter, nil, "", nil, month},
	}
}

// ConsumedBy lists the topics that a service reads.
func ConsumedBy(service string) []string {
	var names []string
	for _, t := range Topics() {
		for _, c := range t.Consumers {
			if c == service {
				names = append(names, t.Name)
			}
		}
	}
	return names
}
