package redis

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

func stringsCase(k *talk) {
	k.ask("SET a 1", "GET a", "GET none", "SET a 2 NX", "GET a", "SET b 2 NX EX 100", "SET none 1 XX", "SET a 3 XX GET", "SET new 1 GET", "GETDEL a", "GETDEL a",
		"TTL b", "SET b 3 KEEPTTL", "TTL b", "SET b 3", "TTL b", "INCR n", "INCRBY n 41", "DECR n", "INCRBYFLOAT n 0.5", "APPEND s abc", "APPEND s de", "STRLEN s",
		"GETRANGE s 1 -2", "SETRANGE s 1 X", "GET s", "MSET x 1 y 2", "MGET x none y", "MSETNX y 1 z 1", "EXISTS z", "SETNX z 1", "GETSET z 2", "SET big 9223372036854775807",
		"INCR big", "INCR s", "SETEX e 100 v", "TTL e", "PSETEX p 100000 v", "SUBSTR s 0 1", "SETBIT bits 7 1", "GETBIT bits 7", "BITCOUNT bits")
}

// expiry lets keys expire without anybody touching them.
func expiry(k *talk) {
	k.ask("TTL none", "PTTL none", "SET a 1", "TTL a", "EXPIRE a 100", "TTL a", "PERSIST a", "PERSIST a", "TTL a", "EXPIRE none 100", "EXPIRE a 100 NX", "EXPIRE a 50 NX",
		"EXPIRE a 200 GT", "EXPIRE a 100 GT", "EXPIRE a 50 LT", "TTL a", "GETEX a EX 300", "TTL a", "GETEX a PERSIST", "TTL a", "EXPIREAT a 4102444800", "EXPIRETIME a",
		"PEXPIRE a 100000", "TTL a", "EXPIRE a -1", "EXISTS a", "SET b 1 EXAT 4102444800", "EXPIRETIME b", "RENAME b c", "EXPIRETIME c", "HSET h f 1", "EXPIRE h 100", "HSET h g 2", "TTL h")
	k.ask("SET short 1 PX 150", "SET shorter 1 PX 50", "ZADD z 1 m", "PEXPIRE z 150", "SET long 1 EX 100")
	deadline := time.Now().Add(10 * time.Second)
	for k.c.DBSize(k.Context()).Val() > 3 && time.Now().Before(deadline) { // DBSIZE touches no key
		time.Sleep(20 * time.Millisecond)
	}
	k.ask("DBSIZE", "GET short", "EXISTS shorter z", "GET long", "SET short 2 NX")
}

func hashes(k *talk) {
	k.ask("HSET h a 1 b 2", "HSET h a 3 c 4", "HGET h a", "HGET h none", "HGET none a", "HGETALL h", "HGETALL none", "HMGET h a none b", "HINCRBY h a 5", "HINCRBY h new 1",
		"HSETNX h a 9", "HSETNX h d 9", "HEXISTS h d", "HDEL h d none", "HLEN h", "HSTRLEN h a", "HSET h t x", "HINCRBY h t 1", "HINCRBYFLOAT h a 0.5", "HDEL h a b c new t", "EXISTS h")
}

// sortedSets holds a waiting room: who came first is served first.
func sortedSets(k *talk) {
	k.ask("ZADD q 3 c 1 a 2 b", "ZADD q NX 9 a 4 d", "ZADD q XX 5 d 6 e", "ZADD q GT CH 4 d 7 c", "ZADD q LT 3 c", "ZADD q INCR 1.5 a", "ZCARD q", "ZSCORE q a", "ZSCORE q none",
		"ZRANK q a", "ZRANK q none", "ZREVRANK q a", "ZRANGE q 0 -1", "ZRANGE q 0 1 WITHSCORES", "ZRANGE q 0 0 REV", "ZRANGE q 2 4 BYSCORE", "ZRANGE q (2 +inf BYSCORE LIMIT 0 1",
		"ZRANGE q 4 2 BYSCORE REV", "ZRANGEBYSCORE q -inf (3", "ZREVRANGEBYSCORE q +inf 2 LIMIT 1 1", "ZCOUNT q 2 4", "ZMSCORE q a none", "ZINCRBY q 2 b", "ZADD ties 1 z 1 y 1 x",
		"ZRANGE ties 0 -1", "ZRANK ties y", "ZRANGE ties [x (z BYLEX", "ZPOPMIN ties", "ZPOPMAX ties 2", "EXISTS ties", "ZREMRANGEBYSCORE q -inf 3", "ZRANGE q 0 -1 WITHSCORES",
		"ZREMRANGEBYRANK q 0 0", "ZREM q none", "ZADD q nan x", "ZADD q 1", "ZPOPMIN none", "ZADD u1 1 a 2 b", "ZADD u2 3 b", "ZUNIONSTORE u 2 u1 u2", "ZRANGE u 0 -1 WITHSCORES")
}

func listsAndSets(k *talk) {
	k.ask("RPUSH l a b c", "LPUSH l z", "LLEN l", "LRANGE l 0 -1", "LINDEX l 1", "LINDEX l 9", "LPOP l", "RPOP l 2", "LPOP none", "LSET l 0 A", "LSET l 5 x", "LSET none 0 x",
		"LREM l 0 A", "RPUSH l 1 2 3", "LTRIM l 1 -1", "LMOVE l m LEFT RIGHT", "LRANGE m 0 -1", "LPOS l 3", "BLPOP l 1", "BLPOP l 0.05",
		"SADD s a b a", "SCARD s", "SISMEMBER s a", "SMISMEMBER s a x", "SREM s a x", "SMEMBERS s", "SADD t b c", "SINTER s t", "SINTERCARD 2 s t", "SDIFF t s", "SPOP s", "SPOP s", "SMOVE t s c", "SCARD s")
	// A pop that waits gets what is pushed later.
	got := make(chan string, 1)
	go func() {
		v, err := k.c.BLPop(k.Context(), 10*time.Second, "later").Result()
		got <- fmt.Sprint(v, err)
	}()
	for k.c.Do(k.Context(), "CLIENT", "LIST").Val() == nil { // one round trip, so that the pop is likely to wait
		break
	}
	time.Sleep(50 * time.Millisecond)
	k.c.RPush(k.Context(), "later", "x")
	k.note("a pop that waited", <-got, nil)
}

func keys(k *talk) {
	k.ask("DBSIZE", "RANDOMKEY", "MSET a 1 b 2 user:1 x user:2 y", "EXISTS a b none a", "TYPE a", "TYPE none", "DEL a none", "UNLINK b", "RENAME none x", "RENAMENX user:1 user:2",
		"COPY user:1 user:3", "TOUCH user:1 none", "SELECT 1", "SELECT 0", "DBSIZE", "OBJECT REFCOUNT none", "PING", "PING hello", "ECHO hello", "FLUSHDB", "DBSIZE")
	for i := range 250 {
		k.c.Set(k.Context(), fmt.Sprint("session:", i), "x", time.Hour)
	}
	k.c.Set(k.Context(), "other", "x", 0)
	var found []string
	for it := k.c.Scan(k.Context(), 0, "session:*", 50).Iterator(); it.Next(k.Context()); {
		found = append(found, it.Val())
	}
	slices.Sort(found)
	k.note("scan of 250 among 251", int64(len(slices.Compact(found))), nil)
	k.ask("SCAN 0 TYPE list COUNT 1000")
	pipe := k.c.Pipeline()
	set, get, bad := pipe.Set(k.Context(), "p", "1", 0), pipe.Get(k.Context(), "p"), pipe.LPush(k.Context(), "p", "x")
	after := pipe.Incr(k.Context(), "p")
	_, err := pipe.Exec(k.Context())
	k.note("a pipeline with an error inside", strings.Join([]string{set.Val(), get.Val(), fmt.Sprint(bad.Err()), fmt.Sprint(after.Val()), fmt.Sprint(err)}, " / "), nil)
}

func streams(k *talk) {
	k.ask("XADD s 1-1 f v", "XADD s 1-2 f v g w", "XADD s 1-1 f v", "XADD s 0-0 f v", "XADD s 2-* f v", "XADD s NOMKSTREAM 3-0 f v", "XADD none NOMKSTREAM 3-0 f v", "XLEN s", "XRANGE s - +",
		"XRANGE s (1-1 + COUNT 1", "XREVRANGE s + - COUNT 1", "XREAD COUNT 2 STREAMS s 1-1", "XREAD STREAMS s 9-0", "XGROUP CREATE s g 0", "XGROUP CREATE s g 0", "XGROUP CREATE none g 0",
		"XGROUP CREATE made g $ MKSTREAM", "XLEN made", "XREADGROUP GROUP g one COUNT 2 STREAMS s >", "XREADGROUP GROUP g two STREAMS s >", "XREADGROUP GROUP g two STREAMS s >",
		"XREADGROUP GROUP nobody two STREAMS s >", "XREADGROUP GROUP g one STREAMS s 0", "XPENDING s g", "XACK s g 1-1 9-9", "XPENDING s g", "XAUTOCLAIM s g two 0 0", "XCLAIM s g one 0 1-2",
		"XACK s g 1-2 2-0 3-0", "XPENDING s g", "XDEL s 1-1 9-9", "XTRIM s MAXLEN 1", "XRANGE s - +", "XADD s MAXLEN 2 5-0 f v", "XADD s MAXLEN 2 6-0 f v", "XLEN s", "XADD s MINID 6 7-0 f v", "XLEN s",
		"XGROUP DELCONSUMER s g one", "XGROUP DESTROY s g", "XGROUP DESTROY s g")
	ctx := k.Context()
	read, err := k.c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s", "0"}, Count: 1, Block: -1}).Result()
	k.note("what the driver makes of XREAD", fmt.Sprint(read), err)
	made := k.c.XGroupCreate(ctx, "s", "typed", "0").Err()
	grouped, err := k.c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "typed", Consumer: "one", Streams: []string{"s", ">"}, Count: 1, Block: -1}).Result()
	k.note("what the driver makes of XREADGROUP", fmt.Sprint(made, grouped), err)
	k.c.ZAdd(ctx, "q", redis.Z{Score: 1.5, Member: "a"}, redis.Z{Score: 2, Member: "b"})
	scored, err := k.c.ZRangeWithScores(ctx, "q", 0, -1).Result()
	k.note("what the driver makes of ZRANGE WITHSCORES", fmt.Sprint(scored), err)
	popped, err := k.c.ZPopMin(ctx, "q", 2).Result()
	k.note("what the driver makes of ZPOPMIN", fmt.Sprint(popped), err)
}
