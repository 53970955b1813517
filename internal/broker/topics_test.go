package broker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kreislauf/internal/event"
)

func raw(t *testing.T, f *fixture, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(f.brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// kept asks the broker how it divides and keeps the topics of the table.
func kept(t *testing.T, c *kgo.Client) map[string]event.Keep {
	t.Helper()
	topics := map[string]event.Keep{}
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, topic := range meta.Topics {
		if *topic.Topic == "__consumer_offsets" {
			continue
		}
		topics[*topic.Topic] = event.Keep{Partitions: int32(len(topic.Partitions))}
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, *topic.Topic
		req.Resources = append(req.Resources, r)
	}
	res, err := req.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			t.Fatalf("%s: %v", r.ResourceName, err)
		}
		have := map[string]string{}
		for _, e := range r.Configs {
			if e.Value != nil {
				have[e.Name] = *e.Value
			}
		}
		for _, topic := range event.Topics() {
			if topic.Name != r.ResourceName {
				continue
			}
			want := topic.Keep.Config()
			for name := range want {
				if have[name] != want[name] {
					t.Logf("%s: %s is %q, the table says %q", topic.Name, name, have[name], want[name])
					want = nil
					break
				}
			}
			if want != nil { // all as the table says
				k := topic.Keep
				k.Partitions = topics[topic.Name].Partitions
				topics[topic.Name] = k
			}
		}
	}
	return topics
}

func table() map[string]event.Keep {
	want := map[string]event.Keep{}
	for _, topic := range event.Topics() {
		want[topic.Name] = topic.Keep
	}
	return want
}

func TestEnsureTopics(t *testing.T) {
	f := newFixture(t) // has ensured them once
	if err := EnsureTopics(t.Context(), f.brokers); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if diff := cmp.Diff(table(), kept(t, raw(t, f))); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
}

func TestAlignTopics(t *testing.T) {
	f := newFixture(t)
	if f.server == nil {
		t.Skip("the platform aligns the broker that it runs itself alone")
	}
	c := raw(t, f)
	gone := kmsg.NewPtrDeleteTopicsRequest()
	for _, name := range []string{event.TopicOrder, event.TopicIdentity} {
		gone.TopicNames = append(gone.TopicNames, name)
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = kmsg.StringPtr(name)
		gone.Topics = append(gone.Topics, rt)
	}
	if _, err := gone.RequestWith(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	old := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = event.TopicOrder, 1, 1
	rt.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.bytes", Value: kmsg.StringPtr("1")}}
	old.Topics = append(old.Topics, rt)
	if res, err := old.RequestWith(t.Context(), c); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(err, res)
	}
	if err := EnsureTopics(t.Context(), f.brokers); err != nil {
		t.Fatal(err)
	}
	if k := kept(t, c)[event.TopicOrder]; k != (event.Keep{Partitions: 1}) {
		t.Errorf("a service changed a topic that others made: %+v", k)
	}
	for range 2 {
		if err := AlignTopics(t.Context(), f.brokers[0]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(table(), kept(t, c)); diff != "" {
			t.Errorf("topics (-want +got):\n%s", diff)
		}
	}
}
