#!/usr/bin/env bash
# franz-go v1.22.2: a raw OffsetCommit that names its topic stops working when the broker gets newer, and the name is not even sent.
#
# Guessed: kgo.Client.Request chooses a version that can carry the request that it was given, or fills what the chosen one needs; kmsg's New
#          functions are said to give safe defaults for fields that are added later.
# Seen:    the client takes the newest version that both sides know. From OffsetCommit v10 on a topic is known by its id alone, so
#          the name that was set is dropped without a word, an id of zeros is sent, and the answer is UNKNOWN_TOPIC_ID for a topic that
#          exists. With the same program and MaxVersions 9 the offset is committed. (kadm.CommitOffsets looks the id up itself.)
# Matters: a tool that resets offsets works until the cluster is upgraded, and then reports topics as missing.
#
# Versions: franz-go v1.22.2, kmsg v1.15.0; the broker is kfake v0.0.0-20260918054303-01f206a7e32c.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

func main() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	check(err)
	defer cluster.Close()
	for _, newest := range []int16{10, 9} {
		versions := kversion.Stable()
		versions.SetMaxKeyVersion(int16(kmsg.OffsetCommit), newest)
		client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.MaxVersions(versions))
		check(err)

		partition := kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Offset = 5
		topic := kmsg.NewOffsetCommitRequestTopic()
		topic.Topic = "orders"
		topic.Partitions = append(topic.Partitions, partition)
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group = fmt.Sprint("group", newest)
		req.Topics = append(req.Topics, topic)

		resp, err := req.RequestWith(context.Background(), client)
		check(err)
		outcome := "committed"
		if err := kerr.TypedErrorForCode(resp.Topics[0].Partitions[0].ErrorCode); err != nil {
			outcome = err.Message
		}
		fmt.Printf("sent as version %d: %s\n", resp.Version, outcome)
		client.Close()
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/twmb/franz-go@v1.22.2 github.com/twmb/franz-go/pkg/kmsg@v1.15.0 \
	github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
seen=$(go run .)

expected='sent as version 10: UNKNOWN_TOPIC_ID
sent as version 9: committed'
echo "version: $(go list -m github.com/twmb/franz-go), $(go list -m github.com/twmb/franz-go/pkg/kmsg)"
echo "guessed: committed in both cases"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
