package mongod

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
	"kreislauf/internal/backend/mongod/store"
	"kreislauf/internal/backend/mongod/wire"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestStartNamesABusyAddress(t *testing.T) {
	s := startServer(t, Options{})
	other, err := New(Options{Dir: t.TempDir(), Addr: s.Addr(), Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer stopServer(t, other)
	if err := other.Start(); err == nil || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("start on a busy address: %v", err)
	}
}

func TestDataFolderIsExclusive(t *testing.T) {
	dir := t.TempDir()
	startServer(t, Options{Dir: dir})
	if _, err := New(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second server: %v", err)
	}
}

func TestStopIsIdempotentAndKeepsData(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{Dir: dir})
	c := connect(t, s.Addr()).Database("test").Collection("c")
	must[*mongo.InsertOneResult](t)(c.InsertOne(t.Context(), bson.M{"_id": 1}))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { stopServer(t, s) })
	}
	wg.Wait()
	if err := s.Start(); !errors.Is(err, store.ErrStopped) {
		t.Errorf("start after stop: %v", err)
	}
	again := startServer(t, Options{Dir: dir})
	if got := find[bson.M](t, connect(t, again.Addr()).Database("test").Collection("c"), bson.M{}); len(got) != 1 {
		t.Errorf("after a restart: %v", got)
	}
}

// TestStopDuringWrites checks that what was acknowledged while the server stopped is there afterwards.
func TestStopDuringWrites(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{Dir: dir})
	var mu sync.Mutex
	acked := 0
	var wg sync.WaitGroup
	for range 4 {
		client := connect(t, s.Addr())
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			for {
				if _, err := client.Database("test").Collection("c").InsertOne(ctx, bson.M{}); err != nil {
					return
				}
				mu.Lock()
				acked++
				if acked == 40 {
					go stopServer(t, s)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	stopServer(t, s)
	again := startServer(t, Options{Dir: dir})
	n := must[int64](t)(connect(t, again.Addr()).Database("test").Collection("c").CountDocuments(t.Context(), bson.M{}))
	if n < int64(acked) {
		t.Errorf("%d acknowledged, %d stored", acked, n)
	}
}

func TestBadBytesCloseOnlyTheirConnection(t *testing.T) {
	var log lockedBuffer
	s := startServer(t, Options{})
	s.log = zerolog.New(&log)
	ping := frame(2013, append([]byte{0, 0, 0, 0, 0}, raw.New().Int32("ping", 1).Str("$db", "admin").Done()...))
	tests := map[string][]byte{
		"garbage":          []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"length too large": binary.LittleEndian.AppendUint32(nil, wire.MaxMessageSize+1),
		"length negative":  bytes.Repeat([]byte{0xff}, 16),
		"half a message":   ping[:len(ping)-3],
		"unknown opcode":   frame(1234, []byte{1, 2, 3}),
		"unknown flag":     frame(2013, append([]byte{4, 0, 0, 0, 0}, raw.Empty()...)),
		"no body":          frame(2013, []byte{0, 0, 0, 0}),
		"old query":        frame(2004, append([]byte("\x00\x00\x00\x00db.c\x00\x00\x00\x00\x00\x00\x00\x00\x00"), raw.New().Int32("find", 1).Done()...)),
	}
	client := connect(t, s.Addr())
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			log.reset()
			nc := must[net.Conn](t)(net.Dial("tcp", s.Addr()))
			defer nc.Close()
			must[int](t)(nc.Write(data))
			if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if answer, err := io.ReadAll(nc); len(answer) > 0 {
				t.Errorf("answered %q, %v", answer, err)
			}
			if err := client.Ping(t.Context(), nil); err != nil {
				t.Errorf("another connection: %v", err)
			}
			if n := log.lines(); n != 1 && len(data) >= 16 {
				t.Errorf("%d log lines", n)
			}
		})
	}
}

// lockedBuffer collects log lines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.buf.Bytes(), []byte("\n"))
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}

func frame(opcode uint32, payload []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(16+len(payload)))
	out = append(out, 7, 0, 0, 0, 0, 0, 0, 0)
	return append(binary.LittleEndian.AppendUint32(out, opcode), payload...)
}

// TestMessageFlags sends a checksum, a document sequence and moreToCome by hand.
func TestMessageFlags(t *testing.T) {
	s := startServer(t, Options{})
	nc := must[net.Conn](t)(net.Dial("tcp", s.Addr()))
	defer nc.Close()
	insert := append([]byte{2, 0, 0, 0, 0}, raw.New().Str("insert", "c").Str("$db", "test").Done()...)
	sequence := append([]byte("documents\x00"), raw.New().Int32("_id", 1).Done()...)
	sequence = append(sequence, raw.New().Int32("_id", 2).Done()...)
	insert = append(append(insert, 1), binary.LittleEndian.AppendUint32(nil, uint32(len(sequence)+4))...)
	query := append([]byte{1, 0, 0, 0, 0}, raw.New().Str("find", "c").Str("$db", "test").Done()...)
	query = append(query, 1, 2, 3, 4)
	must[int](t)(nc.Write(append(frame(2013, append(insert, sequence...)), frame(2013, query)...)))
	m, err := wire.Read(nc)
	if err != nil {
		t.Fatal(err)
	}
	if batch := m.Body.Get("cursor").Document().Get("firstBatch").Elements(); len(batch) != 2 {
		t.Errorf("the only answer is %s", m.Body)
	}
}

func TestTooDeepDocumentIsAnErrorReply(t *testing.T) {
	c := testDatabase(t).Collection("c")
	d := bson.D{}
	for range raw.MaxDepth + 5 {
		d = bson.D{{Key: "a", Value: d}}
	}
	_, err := c.InsertOne(t.Context(), d)
	var ce mongo.CommandError
	if !errors.As(err, &ce) || ce.Code != fault.Overflow {
		t.Errorf("deep document: %v", err)
	}
	if err := c.Database().Client().Ping(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestPanickingHandlerIsInternalError(t *testing.T) {
	s := startServer(t, Options{})
	boom := &command{name: "boom", run: func(*Server, *request) (raw.Document, error) { panic("boom") }}
	s.commands.Entries = append(s.commands.Entries, registry.Entry[*command]{Name: "boom", Parse: boom})
	db := connect(t, s.Addr()).Database("test")
	err := db.RunCommand(t.Context(), bson.D{{Key: "boom", Value: 1}}).Err()
	var ce mongo.CommandError
	if !errors.As(err, &ce) || ce.Code != fault.InternalError || ce.Name != "InternalError" {
		t.Errorf("panic: %v", err)
	}
	if err := db.Client().Ping(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestRefusedConcernsAndOptions(t *testing.T) {
	db := testDatabase(t)
	tests := []struct {
		command, message string
		code             int64
	}{
		{`{"find":"c","readConcern":{"level":"snapshot"}}`, "node needs to be a replica set member to use read concern level snapshot", 123},
		{`{"insert":"c","documents":[{}],"writeConcern":{"w":2}}`, "cannot use 'w' > 1 when a host is not replicated", 2},
		{`{"find":"c","collation":{"locale":"de"}}`, "BSON field 'find.collation' is an unknown field.", 40415},
		{`{"find":"c","hint":"x"}`, "BSON field 'find.hint' is an unknown field.", 40415},
		{`{"find":"c","filter":{"a":{"$nin":[1]}}}`, "unknown operator: $nin", 2},
		{`{"find":"c","filter":{"a":{"$in":[{"$regularExpression":{"pattern":"x","options":""}}]}}}`, "a regular expression in a query is not supported by this server", 238},
		{`{"find":"c","projection":{"a":{"$slice":1}}}`, "Unknown expression $slice", 31325},
		{`{"find":"c","projection":{"a":"$b"}}`, "a computed field in a projection is not supported by this server", 238},
		{`{"aggregate":"c","pipeline":[{"$merge":"d"}],"cursor":{}}`, "Unrecognized pipeline stage name: '$merge'", 40324},
		{`{"aggregate":"c","pipeline":[{"$group":{"_id":{"a":1}}}],"cursor":{}}`, "an object as an expression is not supported by this server", 238},
		{`{"aggregate":"c","pipeline":[{"$group":{"_id":{"$year":"$a"}}}],"cursor":{}}`, "Unrecognized expression '$year'", 168},
		{`{"update":"c","updates":[{"q":{},"u":{"$rename":{"a":"b"}}}]}`, "Unknown modifier: $rename. Expected a valid update modifier or pipeline-style update specified as an array", 9},
		{`{"update":"c","updates":[{"q":{},"u":[{"$set":{"a":1}}]}]}`, "an update that is a pipeline is not supported by this server", 238},
		{`{"update":"c","updates":[{"q":{},"u":{"$set":{"a.$.b":1}}}]}`, "an array element by position or filter, as in the update path 'a.$.b', is not supported by this server", 238},
		{`{"update":"c","updates":[{"q":{},"u":{"$push":{"a":{"$each":[],"$sort":1}}}}]}`, "Unrecognized clause in $push: $sort", 2},
		{`{"insert":"c","documents":[{"a":{"b":[{"$numberDecimal":"1.5"}]}}]}`, "Decimal128 is not supported by this server", 238},
		{`{"find":"c","filter":{"a":{"$numberDecimal":"1"}}}`, "Decimal128 is not supported by this server", 238},
		{`{"createIndexes":"c","indexes":[{"key":{"a":"text"},"name":"t"}]}`, "Error in specification { key: { a: \"text\" }, name: \"t\" } :: caused by :: Unknown index plugin 'text'", 67},
		{`{"explain":{"find":"c"}}`, "no such command: 'explain'", 59},
		{`{"nope":1}`, "no such command: 'nope'", 59},
	}
	for _, tt := range tests {
		got := run(t, db, tt.command)
		code, message := got.Lookup("code"), got.Lookup("errmsg")
		if list, ok := got.Lookup("writeErrors").ArrayOK(); ok {
			first := must[bson.RawValue](t)(list.IndexErr(0)).Document()
			code, message = first.Lookup("code"), first.Lookup("errmsg")
		}
		if code.AsInt64() != tt.code || message.StringValue() != tt.message {
			t.Errorf("%s: %s", tt.command, got)
		}
	}
}

func TestTransactionsAreRefused(t *testing.T) {
	ctx := t.Context()
	db := testDatabase(t)
	got := run(t, db, `{"insert":"c","documents":[{"_id":1}],"txnNumber":{"$numberLong":"1"},"autocommit":false,"startTransaction":true}`)
	if code := got.Lookup("code").AsInt64(); code != fault.IllegalOperation {
		t.Errorf("answer %s", got)
	}
	sess, err := db.Client().StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer sess.EndSession(ctx)
	_, err = sess.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		return db.Collection("c").InsertOne(ctx, bson.M{"_id": 1})
	}, options.Transaction())
	var ce mongo.CommandError
	if !errors.As(err, &ce) || ce.Code != fault.IllegalOperation {
		t.Errorf("transaction: %v", err)
	}
}
