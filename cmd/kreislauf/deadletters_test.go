package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/broker"
	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/event"
)

func TestDeadLetters(t *testing.T) {
	s, err := kafkad.New(kafkad.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if err := broker.EnsureTopics(t.Context(), []string{s.Addr()}); err != nil {
		t.Fatal(err)
	}
	k, err := kgo.NewClient(kgo.SeedBrokers(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	r := &kgo.Record{
		Topic: event.TopicOrder, Key: []byte("o-1"), Value: []byte(`{"id":"e-1","data":{"order_id":"o-1"}}`),
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("order.placed")}},
	}
	for _, reason := range []string{`no waste "x"`, "line one\nline two \x1b[2J"} {
		if err := k.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		r.Offset, r.Partition = 7, 2 // whatever the partitioner says
		if err := deadletter.Write(t.Context(), k, r, "matching", errors.New(reason)); err != nil {
			t.Fatal(err)
		}
	}
	letter := regexp.MustCompile(`(?m)^(\d:0) .*no waste`)
	var first string
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	ask := func(args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		err := deadLetters(t.Context(), &out, append([]string{args[0], "-brokers", s.Addr()}, args[1:]...))
		text := times.ReplaceAllString(out.String(), "YYYY-MM-DDThh:mm:ssZ")
		if first != "" {
			text = strings.ReplaceAll(text, first, "ID0")
			text = strings.ReplaceAll(text, first[:2]+"1", "ID1")
		}
		return text, err
	}
	found, err := ask("list")
	if err != nil || letter.FindStringSubmatch(found) == nil {
		t.Fatalf("list gives %v\n%s", err, found)
	}
	first = letter.FindStringSubmatch(found)[1]
	for _, tt := range []struct {
		args string
		want string // exact, but for times and the partition of the letters
		err  string
	}{
		{"list -consumer matching -type order.placed -topic kreislauf.order.v1 -since 1h", `id   when                  consumer  topic               position  type          key  bytes  state  reason
ID1  YYYY-MM-DDThh:mm:ssZ  matching  kreislauf.order.v1  2:7       order.placed  o-1  38     open   "line one\nline two \x1b[2J"
ID0  YYYY-MM-DDThh:mm:ssZ  matching  kreislauf.order.v1  2:7       order.placed  o-1  38     open   no waste "x"
2 dead letters
`, ""},
		{"list -consumer pricing", "0 dead letters\n", ""},
		{"show FIRST", `id              ID0
when            YYYY-MM-DDThh:mm:ssZ
consumer        matching
reason          no waste "x"
topic           kreislauf.order.v1
position        2:7
type            order.placed
key             o-1
bytes           38
sha256          7d4b5a3c
state           open
header ce_type  order.placed

{
  "id": "e-1",
  "data": {
    "order_id": "o-1"
  }
}
`, ""},
		{"show 2:99", "", "there is no such dead letter"},
		{"replay -dry-run FIRST", "would replay ID0: order.placed of kreislauf.order.v1, for matching\n", ""},
		{"replay FIRST", "replayed ID0: order.placed of kreislauf.order.v1, for matching\n", ""},
		{"replay FIRST SECOND", "replayed ID1: order.placed of kreislauf.order.v1, for matching\n", "it was replayed before"},
		{"replay -again FIRST", "replayed ID0: order.placed of kreislauf.order.v1, for matching\n", ""},
		{"list", "0 dead letters\n", ""},
		{"list -replayed -type order.matched", "0 dead letters\n", ""},
		{"show", "", "usage:"},
		{"replay one", "", "no position"},
		{"list 1:1", "", "usage:"},
	} {
		args := strings.Fields(strings.NewReplacer("FIRST", first, "SECOND", first[:2]+"1").Replace(tt.args))
		got, err := ask(args...)
		got = regexp.MustCompile(`(sha256 +)[0-9a-f]{64}`).ReplaceAllString(got, "${1}7d4b5a3c")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s gives %v, want %q", tt.args, err, tt.err)
		}
	}
	if err := deadLetters(t.Context(), &bytes.Buffer{}, []string{"burn"}); err == nil || !strings.Contains(err.Error(), "usage:") {
		t.Errorf("a word that is none gives %v", err)
	}
}

func TestPrintable(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"plain", 10, "plain"},
		{"größer", 10, "größer"},
		{"größer", 4, "grö…"},
		{"größer", 3, "gr…"},
		{"a\tb", 10, `"a\tb"`},
		{"\xff\xfe", 10, `"\xff\xfe"`},
		{"", 10, ""},
	} {
		if got := printable([]byte(tt.in), tt.n); got != tt.want {
			t.Errorf("%q cut at %d is %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}
