package kafkad

import (
	"testing"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAdvertise(t *testing.T) {
	s, err := New(Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Advertise: "kafka.example:9092", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	c, ctx := client(t, s.Addr())
	defer c.Close()
	res, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Brokers) != 1 || res.Brokers[0].Host != "kafka.example" || res.Brokers[0].Port != 9092 {
		t.Errorf("clients are told %+v", res.Brokers)
	}
	if _, err := New(Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Advertise: "kafka.example"}); err == nil {
		t.Error("an address without a port is taken")
	}
}
