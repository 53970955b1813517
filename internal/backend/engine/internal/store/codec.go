package store

import (
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxDecoded bounds what one compressed section may grow to.
const maxDecoded = 512 << 20

// codec compresses with shared, concurrency-safe coders, built on first use.
type codec struct {
	fast, dense *zstd.Encoder
	dec         *zstd.Decoder
}

var sharedCodec = sync.OnceValues(func() (*codec, error) {
	fast, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(256<<10), zstd.WithEncoderConcurrency(2))
	if err != nil {
		return nil, fmt.Errorf("create zstd encoder: %w", err)
	}
	dense, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(256<<10), zstd.WithEncoderConcurrency(2))
	if err != nil {
		return nil, fmt.Errorf("create zstd encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxDecoded))
	if err != nil {
		return nil, fmt.Errorf("create zstd decoder: %w", err)
	}
	return &codec{fast, dense, dec}, nil
})

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
