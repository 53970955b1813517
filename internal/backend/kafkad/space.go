package kafkad

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"
)

// reserve is kept free on the disk: offsets, producer ids and the state at a stop must still find room when records do not.
const reserve = 4 << 20

var errDiskFull = errors.New("the disk is full: records are refused, reads go on")

// space refuses records while the disk is full, with KAFKA_STORAGE_ERROR: clients try again, and succeed when there is space.
type space struct {
	dir  string
	log  zerolog.Logger
	full atomic.Bool
}

// check answers a produce request for which there is no room. Without acknowledgement nobody waits for an answer, so the connection ends.
func (s *space) check(req *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
	var disk unix.Statfs_t
	if err := unix.Statfs(s.dir, &disk); err != nil {
		return nil, fmt.Errorf("free space: %w", err), true
	}
	size := 0
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			size += len(p.Records)
		}
	}
	full := disk.Bavail*uint64(disk.Bsize) < uint64(size+reserve)
	if was := s.full.Swap(full); full && !was {
		s.log.Error().Msg(errDiskFull.Error())
	} else if was && !full {
		s.log.Info().Msg("there is space on the disk again: records are taken")
	}
	switch {
	case !full:
		return nil, nil, false
	case req.Acks == 0:
		return nil, errDiskFull, true
	}
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	why := errDiskFull.Error()
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode, rp.ErrorMessage = p.Partition, kerr.KafkaStorageError.Code, &why
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res, nil, true
}
