#!/usr/bin/env bash
# FerretDB v1.24.2 with its SQLite backend: concurrent $inc updates of one document are acknowledged and lost.
#
# Guessed: an update of a single document is atomic, as in MongoDB, whose protocol and $inc it speaks; SQLite has one writer at a time.
# Seen:    eight clients that add 1 fifty times each, all 400 acknowledged with ModifiedCount 1, leave a counter far below 400 (39 to 65
#          were seen). One client alone gets its 400.
# Matters: it rules FerretDB v1 out as a stand-in for MongoDB in tests of anything concurrent (numbers that must be unique, claims of a
#          job, compare-and-set on a version); the same tests pass with one client.
#
# Versions: FerretDB v1.24.2 (embedded, SQLite handler), mongo-driver v2.10.0. The first build compiles SQLite for Go: a few minutes.
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
	"os"
	"sync"
	"sync/atomic"

	"github.com/FerretDB/FerretDB/ferretdb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func main() {
	ctx := context.Background()
	check(os.Mkdir("data", 0o700))
	server, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: "127.0.0.1:0"}, Handler: "sqlite", SQLiteURL: "file:data/",
	})
	check(err)
	go server.Run(ctx)
	client, err := mongo.Connect(options.Client().ApplyURI(server.MongoDBURI()))
	check(err)
	counters := client.Database("shop").Collection("counters")

	for _, writers := range []int{1, 8} {
		id := fmt.Sprint("counter", writers)
		_, err := counters.InsertOne(ctx, bson.M{"_id": id, "n": int64(0)})
		check(err)
		var acknowledged atomic.Int64
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range 400 / writers {
					r, err := counters.UpdateOne(ctx, bson.M{"_id": id}, bson.M{"$inc": bson.M{"n": int64(1)}})
					check(err)
					acknowledged.Add(r.ModifiedCount)
				}
			})
		}
		wg.Wait()
		var doc struct{ N int64 }
		check(counters.FindOne(ctx, bson.M{"_id": id}).Decode(&doc))
		fmt.Fprintf(os.Stderr, "         writers %d: the counter holds %d\n", writers, doc.N)
		kept := "all kept"
		if doc.N < acknowledged.Load() {
			kept = "some lost"
		}
		fmt.Printf("writers %d: %d increments acknowledged, %s\n", writers, acknowledged.Load(), kept)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/FerretDB/FerretDB@v1.24.2 go.mongodb.org/mongo-driver/v2@v2.10.0 2>/dev/null
go build -o probe .
echo "version: $(go list -m github.com/FerretDB/FerretDB), $(go list -m go.mongodb.org/mongo-driver/v2)"
echo "guessed: all kept in both cases"
seen=$(./probe 2>server.log) || { cat server.log >&2; exit 2; }
grep 'the counter holds' server.log

expected='writers 1: 400 increments acknowledged, all kept
writers 8: 400 increments acknowledged, some lost'
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
