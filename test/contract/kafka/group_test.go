package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// member is one consumer of a group that counts what it is given and what is taken.
type member struct {
	client *kgo.Client
	stop   func() // leaves the group

	mu                      sync.Mutex // guards the rest
	has                     map[int32]bool
	given, taken, mostTaken int // partitions given and taken since the start, most taken at once
	got                     []string
}

// join starts a member that commits what it read.
func (k *talk) join(group, topic string, opts ...kgo.Opt) *member {
	k.Helper()
	m := &member{has: map[int32]bool{}}
	m.client = k.client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(100 * time.Millisecond), kgo.SessionTimeout(10 * time.Second), kgo.RebalanceTimeout(10 * time.Second), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, p := range parts[topic] {
				m.has[p] = true
				m.given++
			}
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, p := range parts[topic] {
				delete(m.has, p)
				m.taken++
			}
			m.mostTaken = max(m.mostTaken, len(parts[topic]))
		}),
	}, opts...)...)
	ctx, cancel := context.WithCancel(k.Context())
	done := make(chan bool) // closed when the member has stopped
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			fetches := m.client.PollRecords(ctx, 50)
			m.mu.Lock()
			for _, r := range fetches.Records() {
				m.got = append(m.got, string(r.Value))
			}
			m.mu.Unlock()
			if err := m.client.CommitRecords(context.WithoutCancel(ctx), fetches.Records()...); err != nil {
				k.Errorf("commit: %v", err)
			}
			m.client.AllowRebalance()
		}
		m.client.CloseAllowingRebalance()
	}()
	m.stop = sync.OnceFunc(func() { cancel(); <-done })
	k.Cleanup(m.stop)
	return m
}

// holds says how many partitions it has now.
func (m *member) holds() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.has)
}

func (m *member) read() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// rebalance lets a second member come and go, with the eager and the cooperative protocol.
func rebalance(k *talk) {
	topic := k.mustCreate(6)
	c := k.client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	for _, protocol := range []struct {
		name     string
		balancer kgo.GroupBalancer
	}{{"eager", kgo.RangeBalancer()}, {"cooperative", kgo.CooperativeStickyBalancer()}} {
		group := topic + "." + protocol.name
		one := k.join(group, topic, kgo.Balancers(protocol.balancer))
		until(k.T, "the first member has all", func() bool { return one.holds() == 6 })
		one.mu.Lock()
		one.given, one.taken, one.mostTaken = 0, 0, 0
		one.mu.Unlock()
		two := k.join(group, topic, kgo.Balancers(protocol.balancer))
		until(k.T, "both have three", func() bool { return one.holds() == 3 && two.holds() == 3 })
		one.mu.Lock()
		k.say(protocol.name+": the first when the second comes", "is taken %d at once, given %d again, keeps %d", one.mostTaken, one.given, len(one.has))
		one.mu.Unlock()
		var first []string
		for n := range 60 {
			value := fmt.Sprint(protocol.name, n)
			first = append(first, value)
			k.produce(c, &kgo.Record{Topic: topic, Value: []byte(value)})
		}
		all := func() (list []string) {
			for _, v := range append(one.read(), two.read()...) {
				if strings.HasPrefix(v, protocol.name) {
					list = append(list, v)
				}
			}
			slices.Sort(list)
			return list
		}
		until(k.T, "all records came", func() bool { return len(all()) >= len(first) })
		slices.Sort(first)
		k.say(protocol.name+": records of two members", "all %t, once each %t, both work %t", slices.Equal(slices.Compact(all()), first), len(all()) == len(first), len(one.read()) > 0 && len(two.read()) > 0)
		k.say(protocol.name+": described", "%s", k.describeGroup(group))
		two.stop()
		until(k.T, "the first has all again", func() bool { return one.holds() == 6 })
		one.stop()
		k.say(protocol.name+": described when all have left", "%s", k.describeGroup(group))
	}
}

func (k *talk) describeGroup(group string) string {
	k.Helper()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	req.SetVersion(5)
	res, err := req.RequestWith(k.ctx(), k.client())
	if err != nil {
		k.Fatal(err)
	}
	g := res.Groups[0]
	return fmt.Sprintf("%s state %s type %q protocol %q members %d", code(g.ErrorCode), g.State, g.ProtocolType, g.Protocol, len(g.Members))
}

// cable connects a client until it is cut: what follows is what a broker sees of a process that died.
type cable struct {
	mu    sync.Mutex // guards the rest
	cut   bool
	conns []net.Conn
}

func (c *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil, errors.New("cut")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cable) sever() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for _, conn := range c.conns {
		conn.Close()
	}
}

// redelivery lets a consumer die between reading and committing.
func redelivery(k *talk) {
	topic := k.mustCreate(1)
	k.produce(k.client(), numbered(topic, "k", 0, 20)...)
	var line cable
	opts := []kgo.Opt{
		kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(time.Second), kgo.HeartbeatInterval(200 * time.Millisecond), kgo.RebalanceTimeout(time.Second),
	}
	dying := k.client(append(opts, kgo.Dialer(line.dial))...)
	var got []*kgo.Record
	for len(got) < 12 {
		fetches := dying.PollRecords(k.ctx(), 12-len(got))
		if err := fetches.Err(); err != nil {
			k.Fatal(err)
		}
		got = append(got, fetches.Records()...)
	}
	if err := dying.CommitRecords(k.ctx(), got[:5]...); err != nil {
		k.Fatal(err)
	}
	line.sever()
	k.say("read before the death", "%s", values(got))
	heir := k.client(opts...)
	var again []*kgo.Record
	for len(again) < 15 {
		fetches := heir.PollRecords(k.ctx(), 15-len(again))
		if err := fetches.Err(); err != nil {
			k.Fatal(err)
		}
		again = append(again, fetches.Records()...)
	}
	k.say("read by the next, 5 were committed", "%s", values(again))
	k.say("the group then", "%s", k.describeGroup(topic))
}

// groupErrors asks for what does not fit the state of a group.
func groupErrors(k *talk) {
	topic := k.mustCreate(2)
	v := kversion.Stable() // later versions have ids of topics instead of names
	v.SetMaxKeyVersion(int16(kmsg.OffsetCommit), 8)
	v.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 8)
	c, ctx := k.client(kgo.MaxVersions(v)), k.ctx()
	until(k.T, "a new broker has a coordinator", func() bool {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Groups = []string{topic}
		_, err := req.RequestWith(ctx, c)
		return err == nil
	})
	ask := func(r kmsg.Request) kmsg.Response {
		k.Helper()
		res, err := c.Request(ctx, r)
		if err != nil {
			k.Fatal(err)
		}
		return res
	}
	commit := func(group, memberID string, generation int32, topic string, partition int32, offset int64) string {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.SetVersion(8)
		req.Group, req.MemberID, req.Generation = group, memberID, generation
		rp := kmsg.NewOffsetCommitRequestTopicPartition()
		rp.Partition, rp.Offset, rp.Metadata = partition, offset, kmsg.StringPtr("note")
		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.Topic, rt.Partitions = topic, []kmsg.OffsetCommitRequestTopicPartition{rp}
		req.Topics = append(req.Topics, rt)
		return code(ask(req).(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
	}
	fetch := func(group, topic string, partition int32) string {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Group = group
		rg := kmsg.NewOffsetFetchRequestGroup()
		rg.Group = group
		rt := kmsg.NewOffsetFetchRequestGroupTopic()
		rt.Topic, rt.Partitions = topic, []int32{partition}
		rg.Topics = append(rg.Topics, rt)
		req.Groups = append(req.Groups, rg)
		old := kmsg.NewOffsetFetchRequestTopic()
		old.Topic, old.Partitions = topic, []int32{partition}
		req.Topics = append(req.Topics, old)
		res := ask(req).(*kmsg.OffsetFetchResponse)
		if len(res.Groups) > 0 {
			if len(res.Groups[0].Topics) == 0 {
				return code(res.Groups[0].ErrorCode) + ", no topic"
			}
			p := res.Groups[0].Topics[0].Partitions[0]
			return fmt.Sprintf("%s, %s offset %d metadata %s", code(res.Groups[0].ErrorCode), code(p.ErrorCode), p.Offset, shown(p.Metadata))
		}
		p := res.Topics[0].Partitions[0]
		return fmt.Sprintf("%s, %s offset %d metadata %s", code(res.ErrorCode), code(p.ErrorCode), p.Offset, shown(p.Metadata))
	}
	remove := func(group string) string {
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = []string{group}
		return code(ask(req).(*kmsg.DeleteGroupsResponse).Groups[0].ErrorCode)
	}
	k.say("offset of an unknown group", "%s", fetch("contract.nobody", topic, 0))
	k.say("delete an unknown group", "%s", remove("contract.nobody"))
	k.say("describe an unknown group", "%s", k.describeGroup("contract.nobody"))
	k.say("commit from outside to a new group", "%s", commit(topic, "", -1, topic, 0, 7))
	k.say("offset then", "%s", fetch(topic, topic, 0))
	k.say("offset of another partition", "%s", fetch(topic, topic, 1))
	k.say("commit of an unknown partition", "%s", commit(topic, "", -1, topic, 9, 7))
	k.say("commit of an unknown topic", "%s", commit(topic, "", -1, "contract.nobody", 0, 7))
	k.say("commit of an unknown member", "%s", commit(topic, "nobody", 3, topic, 0, 8))
	k.say("the group with offsets and no members", "%s", k.describeGroup(topic))
	one := k.join(topic, topic, kgo.Balancers(kgo.RangeBalancer()))
	until(k.T, "the member has all", func() bool { return one.holds() == 2 })
	id, generation := one.client.GroupMetadata()
	k.say("commit from outside to a living group", "%s", commit(topic, "", -1, topic, 0, 9))
	k.say("commit of an older generation", "%s", commit(topic, id, generation-1, topic, 0, 9))
	k.say("commit of another member", "%s", commit(topic, "nobody", generation, topic, 0, 9))
	k.say("commit of the member", "%s", commit(topic, id, generation, topic, 0, 9))
	beat := func(memberID string, generation int32) string {
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.MemberID, req.Generation = topic, memberID, generation
		return code(ask(req).(*kmsg.HeartbeatResponse).ErrorCode)
	}
	k.say("heartbeat of the member", "%s", beat(id, generation))
	k.say("heartbeat of an older generation", "%s", beat(id, generation-1))
	k.say("heartbeat of nobody", "%s", beat("nobody", generation))
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis, join.ProtocolType = topic, 10_000, 10_000, "connect"
	join.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "other"}}
	k.say("join with another protocol type", "%s", code(ask(join).(*kmsg.JoinGroupResponse).ErrorCode))
	short := kmsg.NewPtrJoinGroupRequest()
	short.Group, short.SessionTimeoutMillis, short.RebalanceTimeoutMillis, short.ProtocolType = topic, 1, 1, "consumer"
	short.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range"}}
	k.say("join with a session of 1 ms", "%s", code(ask(short).(*kmsg.JoinGroupResponse).ErrorCode))
	k.say("delete a living group", "%s", remove(topic))
	one.stop()
	k.say("delete an empty group", "%s", remove(topic))
	k.say("offset of the deleted group", "%s", fetch(topic, topic, 0))
}

func shown(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("%q", *s)
}
