package mongod

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// drill is a server process that is killed and started again at the same address and on the same folder.
type drill struct {
	dir, addr string
	process   *exec.Cmd
}

func (d *drill) start(tb testing.TB) {
	tb.Helper()
	d.process, d.addr = startProcess(tb, d.dir, d.addr)
}

func (d *drill) kill(tb testing.TB) {
	tb.Helper()
	if err := d.process.Process.Kill(); err != nil {
		tb.Fatal(err)
	}
	_ = d.process.Wait() // it ends with the signal, which Wait reports as an error
}

// TestAcknowledgedWritesSurviveKill lets 8 writers work against a server process, kills it with SIGKILL and looks for every
// write that was acknowledged, in the documents and through an index.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	d := &drill{dir: t.TempDir(), addr: "127.0.0.1:0"}
	d.start(t)
	t.Cleanup(func() { d.kill(t) })
	var clients [8]*mongo.Collection
	for w := range clients {
		clients[w] = connect(t, d.addr).Database("test").Collection("writes")
	}
	c := clients[0]
	must[string](t)(c.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.M{"key": 1}}))
	total := 0
	for round := range 4 {
		acked := writeUntilKilled(t, d, clients[:], round)
		d.start(t)
		total += len(acked)
		for _, id := range acked {
			var got struct{ N, Twice int }
			if err := c.FindOne(t.Context(), bson.M{"key": "k" + id}).Decode(&got); err != nil {
				t.Fatalf("round %d: acknowledged %s: %v", round, id, err)
			}
			if got.N != 1 || got.Twice != 2 {
				t.Errorf("%s: its update is lost or half done: %+v", id, got)
			}
		}
	}
	t.Logf("%d inserts and updates acknowledged, 0 lost", total)
}

// writeUntilKilled returns the ids whose insert and update were both acknowledged.
func writeUntilKilled(t *testing.T, d *drill, clients []*mongo.Collection, round int) []string {
	t.Helper()
	acked := make(chan string, 100_000)
	var wg sync.WaitGroup
	for w, c := range clients {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", round, w, i)
				if _, err := c.InsertOne(t.Context(), bson.M{"_id": id, "key": "k" + id, "n": 0, "twice": 0}); err != nil {
					return
				}
				if _, err := c.UpdateOne(t.Context(), bson.M{"_id": id}, bson.M{"$inc": bson.M{"n": 1, "twice": 2}}); err != nil {
					return
				}
				acked <- id
			}
		})
	}
	for deadline := time.Now().Add(20 * time.Second); len(acked) < 250; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("250 writes took too long")
			break
		}
	}
	d.kill(t)
	wg.Wait()
	close(acked)
	var ids []string
	for id := range acked {
		ids = append(ids, id)
	}
	return ids
}
