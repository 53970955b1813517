package mongod

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// BenchmarkFindOneByID reads one of 10,000 documents of about 1 KB over loopback.
func BenchmarkFindOneByID(b *testing.B) {
	c := testDatabase(b).Collection("c")
	text := strings.Repeat("x", 1000)
	var docs []any
	for i := range 10_000 {
		docs = append(docs, bson.M{"_id": fmt.Sprint("id-", i), "text": text})
	}
	must[*mongo.InsertManyResult](b)(c.InsertMany(b.Context(), docs))
	i := 0
	for b.Loop() {
		i++
		if err := c.FindOne(b.Context(), bson.M{"_id": fmt.Sprint("id-", i%10_000)}).Err(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInsert8Writers inserts documents of about 1 KB, each acknowledged after a sync, from 8 goroutines.
func BenchmarkInsert8Writers(b *testing.B) {
	c := testDatabase(b).Collection("c")
	text := strings.Repeat("x", 1000)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 8 {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if _, err := c.InsertOne(b.Context(), bson.M{"_id": n, "text": text}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
