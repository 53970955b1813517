package kafkad

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The gate stands before kfake and refuses, with Kafka's own codes, what kfake would take without a word and not do: names that no
// Kafka takes, configurations that it does not know, values that it would ignore, and records for which the disk has no room. A request with a refused part is refused as a
// whole: its other parts get INVALID_REQUEST, where Kafka would have done them.

var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// rule checks the value of a topic configuration.
type rule func(value string) bool

// between takes whole numbers.
func between(low, high int64) rule {
	return func(value string) bool {
		n, err := strconv.ParseInt(value, 10, 64)
		return err == nil && n >= low && n <= high
	}
}

func oneOf(values ...string) rule {
	return func(value string) bool { return slices.Contains(values, value) }
}

const forever = 1<<63 - 1

// topicConfigs are the configurations that are kept to.
func topicConfigs() map[string]rule {
	return map[string]rule{
		"cleanup.policy":         func(v string) bool { return oneOf("delete", "compact", "delete,compact", "compact,delete")(v) },
		"compression.type":       oneOf("producer"),
		"delete.retention.ms":    between(0, forever),
		"max.message.bytes":      between(0, 1<<31-1),
		"message.timestamp.type": oneOf("CreateTime"),
		"min.insync.replicas":    between(1, 1),
		"retention.bytes":        between(-1, forever),
		"retention.ms":           between(-1, forever),
		"segment.bytes":          between(1<<20, 1<<31-1),
		"segment.ms":             between(1, forever),
		// The cleaner compacts all that it may whenever it comes by, which keeps both promises.
		"min.cleanable.dirty.ratio": func(v string) bool { f, err := strconv.ParseFloat(v, 64); return err == nil && f >= 0 && f <= 1 },
		"max.compaction.lag.ms":     between(1, forever),
	}
}

// gate puts the checks before a cluster.
func gate(c *kfake.Cluster, disk *space) {
	configs := topicConfigs()
	valid := func(name string, value *string) bool {
		check, known := configs[name]
		return known && value != nil && check(*value)
	}
	keep := func(key kmsg.Key, check func(kmsg.Request) kmsg.Response) {
		c.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			res := check(req)
			return res, nil, res != nil
		})
	}
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return disk.check(req.(*kmsg.ProduceRequest))
	})
	keep(kmsg.CreateTopics, func(req kmsg.Request) kmsg.Response { return checkCreate(req.(*kmsg.CreateTopicsRequest), valid) })
	keep(kmsg.IncrementalAlterConfigs, func(req kmsg.Request) kmsg.Response {
		return checkAlter(req.(*kmsg.IncrementalAlterConfigsRequest), valid)
	})
	keep(kmsg.AlterConfigs, func(req kmsg.Request) kmsg.Response { return checkReplace(req.(*kmsg.AlterConfigsRequest), valid) })
}

// notKept begins the refusal of a configuration.
const notKept = "the embedded Kafka does not keep to this configuration: "

func checkCreate(req *kmsg.CreateTopicsRequest, valid func(string, *string) bool) kmsg.Response {
	res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	refused := false
	for _, t := range req.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic, rt.ErrorCode = t.Topic, kerr.InvalidRequest.Code
		refuse := func(e *kerr.Error, why string) { rt.ErrorCode, rt.ErrorMessage, refused = e.Code, &why, true }
		for _, config := range t.Configs {
			if !valid(config.Name, config.Value) {
				refuse(kerr.InvalidConfig, notKept+config.Name)
			}
		}
		if t.ReplicationFactor == 0 {
			refuse(kerr.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
		}
		if !topicName.MatchString(t.Topic) || strings.Trim(t.Topic, ".") == "" && len(t.Topic) <= 2 {
			refuse(kerr.InvalidTopicException, "Topic name is invalid: use 1 to 249 letters, digits, dots, underscores and hyphens.")
		}
		res.Topics = append(res.Topics, rt)
	}
	if !refused {
		return nil
	}
	return res
}

func checkAlter(req *kmsg.IncrementalAlterConfigsRequest, valid func(string, *string) bool) kmsg.Response {
	res := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	refused := false
	for _, r := range req.Resources {
		rr := kmsg.NewIncrementalAlterConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = r.ResourceType, r.ResourceName
		rr.ErrorCode, rr.ErrorMessage = judge(r.ResourceType, r.Configs, func(c kmsg.IncrementalAlterConfigsRequestResourceConfig) (string, bool) {
			switch c.Op {
			case kmsg.IncrementalAlterConfigOpSet:
				return c.Name, valid(c.Name, c.Value)
			case kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract:
				return c.Name, c.Name == "cleanup.policy" && valid(c.Name, c.Value) // the only list
			}
			return c.Name, true
		})
		refused = refused || rr.ErrorMessage != nil
		res.Resources = append(res.Resources, rr)
	}
	if !refused {
		return nil
	}
	return res
}

func checkReplace(req *kmsg.AlterConfigsRequest, valid func(string, *string) bool) kmsg.Response {
	res := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	refused := false
	for _, r := range req.Resources {
		rr := kmsg.NewAlterConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = r.ResourceType, r.ResourceName
		rr.ErrorCode, rr.ErrorMessage = judge(r.ResourceType, r.Configs, func(c kmsg.AlterConfigsRequestResourceConfig) (string, bool) {
			return c.Name, valid(c.Name, c.Value)
		})
		refused = refused || rr.ErrorMessage != nil
		res.Resources = append(res.Resources, rr)
	}
	if !refused {
		return nil
	}
	return res
}

// judge is the answer about one resource of a request that is refused as a whole: with the reason when it is a topic with a
// configuration that is not kept to.
func judge[C any](kind kmsg.ConfigResourceType, configs []C, kept func(C) (name string, ok bool)) (code int16, why *string) {
	code = kerr.InvalidRequest.Code
	if kind != kmsg.ConfigResourceTypeTopic {
		return code, nil
	}
	for _, c := range configs {
		if name, ok := kept(c); !ok {
			text := notKept + name
			code, why = kerr.InvalidConfig.Code, &text
		}
	}
	return code, why
}
