// Package event owns the contract in which services meet: the envelope, the topics, who writes and who reads them,
// and the payload of each type. It imports no other part of the project but money, for payloads.
//
// Invariants: an event is immutable; its ID is unique for ever; events of one Subject are in order within their topic
// (Kafka key = Subject). A consumer may see an event more than once and must not mind.
// Types are append only: a field is added, never renamed or given another meaning; a breaking change is a new topic version.
package event

// Topic is one Kafka topic and the table row that says who uses it.
type Topic struct {
	Name      string
	Types     []string // event types that may appear
	Producer  string   // the only service that writes it
	Consumers []string // services that read it, each as a consumer group of its own name
	// RetentionBytes bounds a partition; the embedded broker keeps a topic in memory after a restart, so it bounds memory too.
	RetentionBytes int64
}

// Names of the topics.
const (
	TopicIdentity   = "kreislauf.identity.v1"
	TopicOrder      = "kreislauf.order.v1"
	TopicMatching   = "kreislauf.matching.v1"
	TopicStatistics = "kreislauf.statistics.v1"
	TopicDeadLetter = "kreislauf.dead-letter.v1"
)

// Types of events.
const (
	TypeSignedUp  = "identity.signed-up"
	TypePlaced    = "order.placed"
	TypeMatched   = "order.matched"
	TypeOffered   = "matching.offered"
	TypeAccepted  = "matching.accepted"
	TypeUnmatched = "matching.unmatched"
	TypeRecorded  = "statistics.recorded"
)

// Partitions of every topic: the largest number of instances of one consumer that can share the work.
const Partitions = 3

// Topics is the whole table. A test compares it with what the services subscribe to.
func Topics() []Topic {
	const keep = 16 << 20
	return []Topic{
		{TopicIdentity, []string{TypeSignedUp}, "identity", []string{"statistics"}, keep},
		{TopicOrder, []string{TypePlaced, TypeMatched}, "order", []string{"matching", "pricing", "statistics"}, keep},
		{TopicMatching, []string{TypeOffered, TypeAccepted, TypeUnmatched}, "matching", []string{"order", "statistics"}, keep},
		{TopicStatistics, []string{TypeRecorded}, "statistics", []string{"statistics"}, keep},
		{TopicDeadLetter, nil, "", nil, keep},
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
