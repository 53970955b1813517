package foreign

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kreislauf/elk/connect"
	"kreislauf/elk/provision"
	"kreislauf/internal/backend/engine"
	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/broker/offsets"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	shipper "kreislauf/logship/platform"
	"kreislauf/test/embedded"
)

const (
	client  = "kafka-python==2.2.15" // pure Python
	service = "tally"
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
)

// install gives the folder of the client's Python package, or skips the test where there is no way to get it.
func install(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED 1 of 1: there is no python3")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	pip := exec.CommandContext(ctx, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", dir, client)
	out, err := pip.CombinedOutput()
	if err != nil {
		t.Skipf("SKIPPED 1 of 1: pip cannot install %s: %v: %s", client, err, bytes.TrimSpace(out))
	}
	return dir
}

// TestServiceInAnotherLanguage follows tally.py from its first event to its lines in the search.
func TestServiceInAnotherLanguage(t *testing.T) {
	packages := install(t)
	b := embedded.Start(t)
	b.Run(t, "pricing-1", nil) // makes the topics
	sent := map[string]bool{}
	for i := range 20 {
		sent[send(t, b, fmt.Sprint("o-", i), event.Placed{OrderID: fmt.Sprint("o-", i), Postcode: "50667", Waste: "170904", SizeM3: 7, Price: money.FromNet(100)})] = true
	}
	sent[send(t, b, "o-1", event.Matched{OrderID: "o-1", PartnerID: "p-1"})] = true
	sendGarbage(t, b)
	stop := start(t, b, packages)
	lines := await(t, b, func(lines []map[string]any) bool {
		return len(consumed(lines)) == len(sent) && len(of(lines, "event.dead-lettered")) == 1
	})
	if diff := missing(sent, consumed(lines)); len(diff) > 0 {
		t.Errorf("it has not read %v", diff)
	}
	for _, l := range lines {
		checkLine(t, l)
	}
	counted := 0
	for _, l := range of(lines, "event.consumed") {
		if l["trace.id"] != traceID {
			t.Errorf("the trace ends before %v", l)
		}
		if n, ok := l["message.count"].(float64); ok {
			counted = max(counted, int(n))
		}
	}
	if counted != 20 {
		t.Errorf("it counted %d orders, want 20", counted)
	}
	checkLetter(t, b)
	stop()
	checkCommitted(t, b)

	// After a restart it goes on behind what it has committed.
	last := send(t, b, "o-20", event.Placed{OrderID: "o-20", Postcode: "10115"})
	sent[last] = true
	stop = start(t, b, packages)
	lines = await(t, b, func(lines []map[string]any) bool { return slices.Contains(consumed(lines), last) })
	stop()
	if n := len(consumed(lines)); n != len(sent) {
		t.Errorf("it has read %d events, %d of them again after its restart", n, n-len(sent))
	}
	search(t, b, len(sent))
}

// send publishes an event as the trace's part and gives its id.
func send(t *testing.T, b *embedded.Backends, subject string, p event.Payload) string {
	t.Helper()
	e, err := event.New(event.Meta{Source: "order", Subject: subject, Customer: "kreislauf", Traceparent: "00-" + traceID + "-00f067aa0ba902b7-01", At: time.Now()}, p)
	if err != nil {
		t.Fatal(err)
	}
	b.Send(t, event.TopicOrder, e)
	return e.ID
}

func kafka(t *testing.T, b *embedded.Backends) *kgo.Client {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(b.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// sendGarbage writes a record that is no event.
func sendGarbage(t *testing.T, b *embedded.Backends) {
	t.Helper()
	garbage := &kgo.Record{Topic: event.TopicOrder, Key: []byte("o-x"), Value: []byte(`{"specversion":"0.3"}`)}
	if err := kafka(t, b).ProduceSync(t.Context(), garbage).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// start runs tally.py; the function stops it as a platform stops its processes.
func start(t *testing.T, b *embedded.Backends, packages string) (stop func()) {
	t.Helper()
	cmd := exec.Command("python3", "tally.py")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+packages, "PYTHONDONTWRITEBYTECODE=1",
		"KREISLAUF_ENV=test", "KREISLAUF_CUSTOMER=kreislauf", "KREISLAUF_INSTANCE=tally-1",
		"KREISLAUF_PLATFORM_VERSION=test", "KREISLAUF_KAFKA_BROKERS="+b.Kafka, "KREISLAUF_LOG_DIR="+logs(b))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("tally.py: %v: %s", err, &said)
		}
	}
	t.Cleanup(stop)
	return stop
}

// logs is the root of the log tree.
func logs(b *embedded.Backends) string {
	return strings.TrimSuffix(b.LogFile(service, service+"-1"), filepath.Join("test", "kreislauf", service, service+"-1.log"))
}

// await reads the service's lines until they are as wanted.
func await(t *testing.T, b *embedded.Backends, done func([]map[string]any) bool) []map[string]any {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(b.LogFile(service, service+"-1"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		var lines []map[string]any
		for line := range bytes.Lines(text) {
			var l map[string]any
			if !bytes.HasSuffix(line, []byte("\n")) {
				continue // it is being written
			}
			if err := json.Unmarshal(line, &l); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			lines = append(lines, l)
		}
		if done(lines) {
			return lines
		}
		if time.Now().After(deadline) {
			t.Fatalf("the lines never became as wanted: %s", text)
		}
	}
}

func of(lines []map[string]any, action string) (list []map[string]any) {
	for _, l := range lines {
		if l["event.action"] == action {
			list = append(list, l)
		}
	}
	return list
}

// consumed lists the ids of the events that were handled.
func consumed(lines []map[string]any) (ids []string) {
	for _, l := range of(lines, "event.consumed") {
		ids = append(ids, l["event.id"].(string))
	}
	return ids
}

func missing(sent map[string]bool, got []string) []string {
	left := maps.Clone(sent)
	for _, id := range got {
		delete(left, id)
	}
	return slices.Sorted(maps.Keys(left))
}

// checkLine holds a line against docs/architecture.md.
func checkLine(t *testing.T, l map[string]any) {
	t.Helper()
	needed, at := []string{"log.level", "message", "event.action"}, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`
	if l["data_stream.type"] == "traces" {
		needed = []string{"data_stream.dataset", "trace.id", "span.id", "span.name", "span.kind", "event.duration", "event.outcome"}
		at = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`
	}
	for _, key := range append(needed, "service_name", "env", "customer", "instance", "platform_version") {
		if l[key] == nil || l[key] == "" {
			t.Errorf("the line has no %s: %v", key, l)
		}
	}
	if text, _ := l["@timestamp"].(string); !regexp.MustCompile(at).MatchString(text) {
		t.Errorf("@timestamp %q is not as %s", text, at)
	}
}

// checkLetter: people find what the foreign service could not read where they find the others'.
func checkLetter(t *testing.T, b *embedded.Backends) {
	t.Helper()
	c, err := deadletter.Open([]string{b.Kafka})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	list, err := c.List(t.Context(), deadletter.Filter{Consumer: service})
	if err != nil || len(list) != 1 || list[0].Topic != event.TopicOrder || !strings.Contains(list[0].Reason, "0.3") {
		t.Errorf("dead letters %+v, %v; want the record that is no event", list, err)
	}
}

// checkCommitted compares how far the group has come with the topic's end.
func checkCommitted(t *testing.T, b *embedded.Backends) {
	t.Helper()
	k := kafka(t, b)
	_, ends, err := offsets.Of(t.Context(), k, event.TopicOrder)
	if err != nil {
		t.Fatal(err)
	}
	req, topic := kmsg.NewPtrOffsetFetchRequest(), kmsg.NewOffsetFetchRequestTopic()
	req.Group, topic.Topic, topic.Partitions = service, event.TopicOrder, slices.Collect(maps.Keys(ends))
	req.Topics = append(req.Topics, topic)
	kc, err := kgo.NewClient(kgo.SeedBrokers(b.Kafka), kgo.MaxVersions(kversion.V3_5_0()))
	if err != nil {
		t.Fatal(err)
	}
	defer kc.Close()
	res, err := req.RequestWith(t.Context(), kc)
	if err != nil || len(res.Topics) != 1 {
		t.Fatalf("committed offsets: %+v, %v", res, err)
	}
	for _, p := range res.Topics[0].Partitions {
		if end := ends[p.Partition]; p.Offset != end && end > 0 {
			t.Errorf("partition %d: committed %d, and the topic ends at %d", p.Partition, p.Offset, end)
		}
	}
}

// search ships the lines and finds them under the service's name.
func search(t *testing.T, b *embedded.Backends, events int) {
	t.Helper()
	e, err := engine.New(engine.Options{Dir: t.TempDir(), Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	elastic := httptest.NewServer(e.Handler())
	t.Cleanup(func() {
		elastic.Close()
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	c, err := connect.New(connect.Options{URL: elastic.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provision.Run(t.Context(), c, provision.Options{Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- shipper.Run(ctx, b.Lookup("logship-1", map[string]string{"KREISLAUF_ELASTICSEARCH_URL": elastic.URL, "KREISLAUF_LOGSHIP_STATE_DIR": t.TempDir()}))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("logship: %v", err)
		}
	})
	for _, want := range []struct {
		index, query string
		n            int
	}{
		{"logs-kreislauf.tally-test", `service_name:tally AND event.action:event.consumed`, events},
		{"traces-kreislauf-test", `service_name:tally AND trace.id:` + traceID, events},
	} {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			n, text := count(t, elastic.URL+"/"+want.index+"/_count", want.query)
			if n == want.n {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s has %d documents of %s, want %d: %s", want.index, n, want.query, want.n, text)
			}
		}
	}
}

func count(t *testing.T, url, query string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": map[string]any{"query_string": map[string]string{"query": query}}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Count int `json:"count"`
	}
	_ = json.Unmarshal(text, &a) // an answer without a count is none yet
	return a.Count, string(text)
}
