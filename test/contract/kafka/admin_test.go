package kafka

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// code is the name of an error code.
func code(c int16) string {
	if c == 0 {
		return "ok"
	}
	return kerr.TypedErrorForCode(c).Message
}

// codeOf is the name of an error that the driver returns.
func codeOf(err error) string {
	for _, e := range []*kerr.Error{
		kerr.UnknownTopicOrPartition, kerr.MessageTooLarge, kerr.OffsetOutOfRange, kerr.InvalidTopicException, kerr.RecordListTooLarge,
		kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.UnknownTopicID,
	} {
		if strings.Contains(fmt.Sprint(err), e.Message) {
			return e.Message
		}
	}
	return fmt.Sprint(err)
}

// create makes a topic and returns the code; config is name, value, …
func (k *talk) create(topic string, partitions int32, replicas int16, config ...string) string {
	k.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, partitions, replicas
	for i := 0; i < len(config); i += 2 {
		rt.Configs = append(rt.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: config[i], Value: &config[i+1]})
	}
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(k.ctx(), k.client())
	if err != nil {
		k.Fatal(err)
	}
	return code(res.Topics[0].ErrorCode)
}

// mustCreate makes a topic named after the case.
func (k *talk) mustCreate(partitions int32, config ...string) (topic string) {
	k.Helper()
	topic = "contract." + k.name
	if got := k.create(topic, partitions, 1, config...); got != "ok" {
		k.Fatalf("create %s: %s", topic, got)
	}
	return topic
}

func (k *talk) partitions(c *kgo.Client, topic string) string {
	k.Helper()
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &topic
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(k.ctx(), c)
	if err != nil {
		k.Fatal(err)
	}
	t := res.Topics[0]
	return fmt.Sprintf("%s, %d partitions, internal %t", code(t.ErrorCode), len(t.Partitions), t.IsInternal)
}

func topics(k *talk) {
	c, ctx := k.client(), k.ctx()
	topic := k.mustCreate(3)
	k.say("metadata", "%s", k.partitions(c, topic))
	k.say("metadata of an unknown topic", "%s", k.partitions(c, "contract.nobody"))
	for _, bad := range []struct {
		name, topic string
		partitions  int32
		replicas    int16
		config      []string
	}{
		{"again", topic, 3, 1, nil},
		{"empty name", "", 1, 1, nil},
		{"name of a dot", ".", 1, 1, nil},
		{"name with a space", "a b", 1, 1, nil},
		{"name of 249 letters", strings.Repeat("n", 249), 1, 1, nil},
		{"name of 250 letters", strings.Repeat("n", 250), 1, 1, nil},
		{"name that collides as a metric", strings.ReplaceAll(topic, ".", "_"), 1, 1, nil},
		{"no partitions", "contract.topics.zero", 0, 1, nil},
		{"default partitions", "contract.topics.default", -1, -1, nil},
		{"no replicas", "contract.topics.noreplica", 1, 0, nil},
		{"three replicas", "contract.topics.three", 1, 3, nil},
		{"unknown config", "contract.topics.unknown", 1, 1, []string{"retention.bits", "1"}},
		{"config that is no number", "contract.topics.nan", 1, 1, []string{"retention.ms", "a week"}},
		{"config out of range", "contract.topics.range", 1, 1, []string{"segment.bytes", "1"}},
		{"config that is no policy", "contract.topics.policy", 1, 1, []string{"cleanup.policy", "shred"}},
	} {
		k.say("create: "+bad.name, "%s", k.create(bad.topic, bad.partitions, bad.replicas, bad.config...))
	}
	dry := kmsg.NewPtrCreateTopicsRequest()
	dry.ValidateOnly = true
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = "contract.topics.dry", 1, 1
	dry.Topics = append(dry.Topics, rt)
	res, err := dry.RequestWith(ctx, c)
	if err != nil {
		k.Fatal(err)
	}
	k.say("create: only validated", "%s, then %s", code(res.Topics[0].ErrorCode), k.partitions(c, "contract.topics.dry"))
	grow := func(topic string, count int32) string {
		req := kmsg.NewPtrCreatePartitionsRequest()
		rt := kmsg.NewCreatePartitionsRequestTopic()
		rt.Topic, rt.Count = topic, count
		req.Topics = append(req.Topics, rt)
		res, err := req.RequestWith(ctx, c)
		if err != nil {
			k.Fatal(err)
		}
		return code(res.Topics[0].ErrorCode)
	}
	k.say("grow to 5", "%s", grow(topic, 5))
	k.say("after growing", "%s", k.partitions(c, topic))
	k.say("grow to as many", "%s", grow(topic, 5))
	k.say("shrink to 2", "%s", grow(topic, 2))
	k.say("grow an unknown topic", "%s", grow("contract.nobody", 2))
	remove := func(topic string) string {
		req := kmsg.NewPtrDeleteTopicsRequest()
		req.TopicNames = []string{topic}
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = &topic
		req.Topics = append(req.Topics, rt)
		res, err := req.RequestWith(ctx, c)
		if err != nil {
			k.Fatal(err)
		}
		return code(res.Topics[0].ErrorCode)
	}
	k.say("delete", "%s", remove(topic))
	until(k.T, "the topic is gone", func() bool { return strings.HasPrefix(k.partitions(c, topic), "UNKNOWN") })
	k.say("delete again", "%s", remove(topic))
	k.say("create after the deletion", "%s", k.create(topic, 2, 1))
	until(k.T, "the new topic shows", func() bool { return strings.HasPrefix(k.partitions(c, topic), "ok") })
	k.say("after creating again", "%s", k.partitions(c, topic))
}

// watched are the configs that the platform's table sets.
func watched() []string {
	return []string{"cleanup.policy", "retention.bytes", "retention.ms", "segment.bytes", "max.message.bytes"}
}

// describe lists configs with who set them.
func (k *talk) describe(topic string, names ...string) string {
	k.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	rr := kmsg.NewDescribeConfigsRequestResource()
	rr.ResourceType, rr.ResourceName, rr.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, names
	req.Resources = append(req.Resources, rr)
	res, err := req.RequestWith(k.ctx(), k.client())
	if err != nil {
		k.Fatal(err)
	}
	if c := res.Resources[0].ErrorCode; c != 0 {
		return code(c)
	}
	var list []string
	for _, e := range res.Resources[0].Configs {
		if e.Value != nil && slices.Contains(names, e.Name) {
			list = append(list, fmt.Sprintf("%s=%s (%v)", e.Name, *e.Value, e.Source))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func configs(k *talk) {
	c, ctx := k.client(), k.ctx()
	topic := k.mustCreate(1, "retention.bytes", "16777216", "segment.bytes", "2097152", "cleanup.policy", "delete", "retention.ms", "604800000")
	k.say("as created", "%s", k.describe(topic, watched()...))
	k.say("of an unknown topic", "%s", k.describe("contract.nobody", watched()...))
	alter := func(topic string, op kmsg.IncrementalAlterConfigOp, name, value string) string {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		rr := kmsg.NewIncrementalAlterConfigsRequestResource()
		rr.ResourceType, rr.ResourceName = kmsg.ConfigResourceTypeTopic, topic
		rr.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: name, Op: op, Value: &value}}
		req.Resources = append(req.Resources, rr)
		res, err := req.RequestWith(ctx, c)
		if err != nil {
			k.Fatal(err)
		}
		return code(res.Resources[0].ErrorCode)
	}
	const set, del, add, sub = kmsg.IncrementalAlterConfigOpSet, kmsg.IncrementalAlterConfigOpDelete, kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract
	k.say("set", "%s", alter(topic, set, "retention.bytes", "33554432"))
	k.say("set max.message.bytes", "%s", alter(topic, set, "max.message.bytes", "2000"))
	k.say("delete one", "%s", alter(topic, del, "segment.bytes", ""))
	k.say("delete one that is not set", "%s", alter(topic, del, "segment.ms", ""))
	k.say("append to a list", "%s", alter(topic, add, "cleanup.policy", "compact"))
	until(k.T, "the changes show", func() bool { return strings.Contains(k.describe(topic, watched()...), "compact") })
	k.say("as altered", "%s", k.describe(topic, "retention.bytes", "max.message.bytes", "cleanup.policy", "retention.ms"))
	k.say("subtract from a list", "%s", alter(topic, sub, "cleanup.policy", "compact"))
	k.say("append to what is no list", "%s", alter(topic, add, "retention.ms", "1"))
	k.say("set an unknown one", "%s", alter(topic, set, "retention.bits", "1"))
	k.say("set to nonsense", "%s", alter(topic, set, "retention.ms", "a week"))
	k.say("set of an unknown topic", "%s", alter("contract.nobody", set, "retention.ms", "1000"))
}
